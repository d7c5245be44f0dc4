"""check_import_gguf.py SOURCE - analysis/import_gguf.py on small GGUF files that are written here, number by number."""
import json
import os
import struct
import subprocess
import sys
import zipfile

import numpy as np

source = sys.argv[1]
E, HEADS, KV, F, V, LAYERS = 64, 4, 2, 96, 40, 1
random = np.random.default_rng(5)


def text(s):
    return struct.pack("<Q", len(s)) + s.encode()


def note(name, value):
    if isinstance(value, str):
        return text(name) + struct.pack("<I", 8) + text(value)
    if isinstance(value, float):
        return text(name) + struct.pack("<If", 6, value)
    if isinstance(value, list):
        strings = all(isinstance(v, str) for v in value)
        body = b"".join(text(v) for v in value) if strings else struct.pack(f"<{len(value)}i", *value)
        return text(name) + struct.pack("<IIQ", 9, 8 if strings else 5, len(value)) + body
    return text(name) + struct.pack("<II", 4, value)


def half(x):
    return struct.unpack("<e", struct.pack("<e", x))[0]


def quantised(kind, count):
    """Bytes of `count` numbers of a type of ggml, and the numbers, by the definition of the format."""
    data, numbers = b"", []
    for _ in range(count // 32):
        d, m = half(random.uniform(.01, .1)), half(random.uniform(-1, 1))
        if kind == 8:
            q = [int(x) for x in random.integers(-127, 128, 32)]
            data += struct.pack("<e32b", d, *q)
            numbers += [np.float32(d) * np.float32(x) for x in q]
            continue
        q = [int(x) for x in random.integers(0, 16, 32)]
        packed = bytes(q[i] | q[i + 16] << 4 for i in range(16))
        data += struct.pack("<e", d) + (struct.pack("<e", m) if kind == 3 else b"") + packed
        numbers += [np.float32(x - 8) * np.float32(d) if kind == 2 else np.float32(x) * np.float32(d) + np.float32(m) for x in q]
    return data, np.array(numbers, "<f4")


def tensor(kind, *shape):
    count = int(np.prod(shape))
    if kind in (2, 3, 8):
        data, numbers = quantised(kind, count)
    else:
        numbers = random.standard_normal(count).astype("<f4")
        if kind == 1:
            numbers = numbers.astype("<f2").astype("<f4")
        if kind == 30:
            numbers = (numbers.view("<u4") >> 16 << 16).view("<f4")
        data = {0: numbers.tobytes, 1: numbers.astype("<f2").tobytes,
                30: (numbers.view("<u4") >> 16).astype("<u2").tobytes}[kind]()
    return kind, shape, data, numbers.reshape(shape)


def gguf(tensors, notes):
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(notes)) + b"".join(note(k, v) for k, v in notes.items())
    at, blobs = 0, b""
    for name, (kind, shape, data, _) in tensors.items():
        out += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape[::-1], kind, at)
        data += b"\0" * (-len(data) % 32)
        blobs += data
        at += len(data)
    return out + b"\0" * (-len(out) % 32) + blobs


def model():
    k = E // HEADS * KV
    return {"token_embd.weight": tensor(8, V, E), "blk.0.attn_norm.weight": tensor(0, E), "blk.0.attn_q.weight": tensor(3, E, E),
            "blk.0.attn_k.weight": tensor(2, k, E), "blk.0.attn_v.weight": tensor(1, k, E), "blk.0.attn_output.weight": tensor(3, E, E),
            "blk.0.ffn_norm.weight": tensor(0, E), "blk.0.ffn_gate.weight": tensor(30, F, E), "blk.0.ffn_up.weight": tensor(3, F, E),
            "blk.0.ffn_down.weight": tensor(3, E, F), "output_norm.weight": tensor(0, E)}


def notes():
    sizes = {"embedding_length": E, "feed_forward_length": F, "block_count": LAYERS, "attention.head_count": HEADS,
             "attention.head_count_kv": KV, "context_length": 128, "attention.layer_norm_rms_epsilon": 1e-5, "rope.freq_base": 5e4}
    return {"general.architecture": "llama", **{f"llama.{k}": v for k, v in sizes.items()}, "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": "smollm", "tokenizer.ggml.tokens": ["t0", "t", "1", "t1"] + [f"t{i}" for i in range(4, V)],
            "tokenizer.ggml.token_type": [3] + [1] * (V - 1), "tokenizer.ggml.merges": ["t 1"], "tokenizer.ggml.bos_token_id": 0}


def convert(*arguments):
    return subprocess.run([sys.executable, f"{source}/analysis/import_gguf.py", *arguments], capture_output=True, text=True)


def save(content, name="file.gguf"):
    with open(name, "wb") as f:
        f.write(content)
    return name


def refused(words, content):
    done = convert(save(content), "bad")
    assert done.returncode == 65 and done.stderr.count("\n") == 1 and words in done.stderr, (words, done)


def read(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    header.pop("__metadata__")
    assert all(t["dtype"] == "F16" for t in header.values())
    return {n: np.frombuffer(data[t["data_offsets"][0]:t["data_offsets"][1]], "<f2").reshape(t["shape"]) for n, t in header.items()}


def rotary_rows(w, heads):
    """Row of pair i, part p of a head: 2i + p in the file, i + p D/2 where published."""
    out, D = np.empty_like(w), w.shape[0] // heads
    for h in range(heads):
        for i in range(D // 2):
            for p in (0, 1):
                out[h * D + i + p * D // 2] = w[h * D + 2 * i + p]
    return out


tensors = model()
with zipfile.ZipFile("wheel.whl", "w") as z:
    z.writestr("pkg/model.gguf", gguf(tensors, notes()))
done = convert("wheel.whl", "model")
assert done.returncode == 0, done
got = read("model/model.safetensors")
names = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
parts = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
         "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
         "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
assert len(got) == len(tensors)
for name, (_, _, _, want) in tensors.items():
    part = name.split(".")[-2]
    published = names.get(part) or f"model.layers.0.{parts[part]}"
    want = rotary_rows(want, HEADS if part == "attn_q" else KV) if part in ("attn_q", "attn_k") else want
    assert (got[published + ".weight"] == want.astype("<f2")).all(), name
with open("model/config.json", encoding="utf-8") as f:
    config = json.load(f)
assert (config["rms_norm_eps"], config["rope_theta"], config["num_key_value_heads"], config["head_dim"]) == (1e-5, 5e4, KV, 16)
assert config["tie_word_embeddings"] is True and config["vocab_size"] == V
with open("model/tokenizer.json", encoding="utf-8") as f:
    tokenizer = json.load(f)
assert tokenizer["model"]["vocab"]["t7"] == 7 and [t["content"] for t in tokenizer["added_tokens"]] == ["t0"]

whole = gguf(tensors, notes())
refused("not a GGUF file", b"GGML" + whole[4:])
refused("GGUF of version 2", b"GGUF" + struct.pack("<I", 2) + whole[8:])
refused("cut off", whole[:200])
refused("cut off", whole[:-100])
refused("a gemma, expected a llama", gguf(tensors, {**notes(), "general.architecture": "gemma"}))
refused("of ggml's type 12", gguf({**tensors, "blk.0.attn_v.weight": (12, (E // HEADS * KV, E), b"", None)}, notes()))
refused("no tensor blk.0.ffn_up.weight", gguf({n: t for n, t in tensors.items() if "ffn_up" not in n}, notes()))
refused("no metadata llama.block_count", gguf(tensors, {k: v for k, v in notes().items() if "block_count" not in k}))
refused("rope_freqs.weight", gguf({**tensors, "rope_freqs.weight": tensor(0, 8)}, notes()))
refused("a tokenizer llama/", gguf(tensors, {**notes(), "tokenizer.ggml.model": "llama"}))
assert not os.path.exists("bad/model.safetensors")
