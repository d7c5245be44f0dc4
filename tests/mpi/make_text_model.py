#!/usr/bin/env python3
"""make_text_model.py DIR [POSITIONS [bytes | VOCABULARY [LAYERS]]]: a tiny language model of random weights in the Llama shape, with a tokenizer whose tokens
are the printable characters of ASCII and the line break, or all bytes and <|endoftext|>; with another number of tokens the tokenizer
is not the model's. Two tasks, capital.task and number.task. Without numpy or torch."""
import json
import os
import random
import struct
import sys

folder, positions = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 160
of_bytes = "bytes" in sys.argv[3:]
E, F, H, KV = 16, 24, 4, 2
L = int(sys.argv[4]) if len(sys.argv) > 4 else 3
V = 257 if of_bytes else int(sys.argv[3]) if len(sys.argv) > 3 else 96
rng = random.Random(5)
os.makedirs(folder)


def write(name, content):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(content if isinstance(content, bytes) else json.dumps(content).encode())


def normals(*shape):
    n = 1
    for s in shape:
        n *= s
    return list(shape), struct.pack(f"<{n}f", *(rng.gauss(0, 0.3) for _ in range(n)))


def ones(n):
    return [n], struct.pack("<f", 1) * n


tensors = {"model.embed_tokens.weight": normals(V, E), "model.norm.weight": ones(E)}
for i in range(L):
    p = f"model.layers.{i}."
    tensors[p + "self_attn.q_proj.weight"] = normals(E, E)
    tensors[p + "self_attn.k_proj.weight"] = normals(KV * E // H, E)
    tensors[p + "self_attn.v_proj.weight"] = normals(KV * E // H, E)
    tensors[p + "self_attn.o_proj.weight"] = normals(E, E)
    tensors[p + "mlp.gate_proj.weight"] = normals(F, E)
    tensors[p + "mlp.up_proj.weight"] = normals(F, E)
    tensors[p + "mlp.down_proj.weight"] = normals(E, F)
    tensors[p + "input_layernorm.weight"] = ones(E)
    tensors[p + "post_attention_layernorm.weight"] = ones(E)
header, at = {}, 0
for name, (shape, data) in tensors.items():
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(data)]}
    at += len(data)
text = json.dumps(header).encode()
write("model.safetensors", struct.pack("<Q", len(text)) + text + b"".join(data for _, data in tensors.values()))
write("config.json", {"model_type": "llama", "hidden_size": E, "intermediate_size": F, "num_hidden_layers": L,
                      "num_attention_heads": H, "num_key_value_heads": KV, "vocab_size": V, "max_position_embeddings": positions,
                      "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": True})
if of_bytes:  # GPT-2's characters for bytes: those that cannot be seen are 256 and up
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in seen]
    vocab = {chr(b if b in seen else 256 + hidden.index(b)): b for b in range(256)}
    write("tokenizer.json", {"model": {"type": "BPE", "vocab": vocab, "merges": []}, "decoder": {"type": "ByteLevel"},
                             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
                             "added_tokens": [{"id": 256, "content": "<|endoftext|>", "special": True}]})
else:
    vocab = {c: i for i, c in enumerate(["\n"] + [chr(c) for c in range(32, 127)])}
    write("tokenizer.json", {"model": {"type": "BPE", "vocab": vocab, "merges": []}})
words = ["".join(rng.choice("abcdefgh") for _ in range(rng.randint(2, 6))) for _ in range(90)]
words = list(dict.fromkeys(words))
write("capital.task", [{"input": w, "output": w.upper()} for w in words])
write("number.task", [{"input": w, "output": str(len(w))} for w in words])
