#!/usr/bin/env python3
"""make_gptj.py DIR: a folder with random weights in the shape of GPT-J 6B, but four layers: 2.4 GB in shards of BF16.

The tokenizer has one token for each byte. Weights are drawn and written a few MB at a time. Needs numpy."""
import json
import os
import struct
import sys

import numpy

LAYERS, WIDTH, HEADS, VOCABULARY, POSITIONS, ROTARY = 4, 4096, 16, 50400, 2048, 64
SHARD = 1 << 30  # bytes
PIECE = 1 << 22  # numbers drawn at once


def tensors():
    """(name, shape, standard deviation; None: ones)."""
    yield "transformer.wte.weight", [VOCABULARY, WIDTH], 0.02
    for i in range(LAYERS):
        h = f"transformer.h.{i}."
        yield h + "ln_1.weight", [WIDTH], None
        yield h + "ln_1.bias", [WIDTH], 0.02
        for name in "qkv":
            yield f"{h}attn.{name}_proj.weight", [WIDTH, WIDTH], 0.02
        yield h + "attn.out_proj.weight", [WIDTH, WIDTH], 0.02
        yield h + "mlp.fc_in.weight", [4 * WIDTH, WIDTH], 0.02
        yield h + "mlp.fc_in.bias", [4 * WIDTH], 0.02
        yield h + "mlp.fc_out.weight", [WIDTH, 4 * WIDTH], 0.02
        yield h + "mlp.fc_out.bias", [WIDTH], 0.02
    yield "transformer.ln_f.weight", [WIDTH], None
    yield "transformer.ln_f.bias", [WIDTH], 0.02
    yield "lm_head.weight", [VOCABULARY, WIDTH], 0.02
    yield "lm_head.bias", [VOCABULARY], 0.02


def size_of(shape):
    return 2 * int(numpy.prod(shape))


def shards():
    """Lists of tensors of at most SHARD bytes each."""
    out, size = [[]], 0
    for t in tensors():
        if out[-1] and size + size_of(t[1]) > SHARD:
            out.append([])
            size = 0
        out[-1].append(t)
        size += size_of(t[1])
    return out


def write_numbers(f, shape, deviation, draw):
    left = int(numpy.prod(shape))
    while left > 0:
        n = min(left, PIECE)
        x = numpy.ones(n, "f4") if deviation is None else draw.standard_normal(n, "f4") * numpy.float32(deviation)
        f.write((x.view("u4") >> 16).astype("<u2").tobytes())  # BF16: the upper half, towards zero
        left -= n


def write_shard(path, content, draw):
    header, at = {}, 0
    for name, shape, _ in content:
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size_of(shape)]}
        at += size_of(shape)
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for _, shape, deviation in content:
            write_numbers(f, shape, deviation, draw)


def byte_letters():
    """The letter that stands for each byte in byte-level vocabularies."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(b) if b in plain else chr(next(spare)) for b in range(256)]


def tokenizer():
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": level,
            "post_processor": None, "decoder": level,
            "model": {"type": "BPE", "vocab": {c: i for i, c in enumerate(byte_letters())}, "merges": []}}


def config():
    return {"model_type": "gptj", "vocab_size": VOCABULARY, "n_positions": POSITIONS, "n_embd": WIDTH, "n_layer": LAYERS, "n_head": HEADS,
            "rotary_dim": ROTARY, "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new", "tie_word_embeddings": False}


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f)


def main(folder):
    os.makedirs(folder)
    draw, parts, places, total = numpy.random.default_rng(6), shards(), {}, 0
    for i, content in enumerate(parts):
        name = f"model-{i + 1:05}-of-{len(parts):05}.safetensors"
        write_shard(f"{folder}/{name}", content, draw)
        places.update({t[0]: name for t in content})
        total += sum(size_of(t[1]) for t in content)
    write_json(f"{folder}/model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": places})
    write_json(f"{folder}/config.json", config())
    write_json(f"{folder}/tokenizer.json", tokenizer())


if __name__ == "__main__":
    main(sys.argv[1])
