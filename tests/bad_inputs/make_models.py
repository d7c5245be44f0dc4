#!/usr/bin/env python3
"""make_models.py DIR: good.safetensors, a tiny model (2 layers, 2 heads, width 8, 8 points of 2 numbers), and spoilt ones."""

import json
import os
import struct
import sys

E, INPUTS, LAYERS, POSITIONS = 8, 2, 2, 16
NOTES = {"n_head": "2", "layer_norm_epsilon": "1e-05", "trained_points": "4"}


def shapes():
    yield "_read_in.weight", [E, INPUTS]
    yield "_read_in.bias", [E]
    yield "_backbone.wpe.weight", [POSITIONS, E]
    yield "_backbone.ln_f.weight", [E]
    yield "_backbone.ln_f.bias", [E]
    yield "_read_out.weight", [1, E]
    yield "_read_out.bias", [1]
    for i in range(LAYERS):
        for name, shape in (("ln_1.weight", [E]), ("ln_1.bias", [E]), ("attn.c_attn.weight", [E, 3 * E]),
                            ("attn.c_attn.bias", [3 * E]), ("attn.c_proj.weight", [E, E]), ("attn.c_proj.bias", [E]),
                            ("ln_2.weight", [E]), ("ln_2.bias", [E]), ("mlp.c_fc.weight", [E, 4 * E]),
                            ("mlp.c_fc.bias", [4 * E]), ("mlp.c_proj.weight", [4 * E, E]), ("mlp.c_proj.bias", [E])):
            yield f"_backbone.h.{i}.{name}", shape


def size(shape):
    n = 1
    for extent in shape:
        n *= extent
    return n


def layout(tensors):
    """A header for tensors one after the other, and how many bytes they take."""
    header, at = {"__metadata__": dict(NOTES)}, 0
    for name, shape in tensors:
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + 4 * size(shape)]}
        at += 4 * size(shape)
    return header, at


def numbers(n):
    return struct.pack(f"<{n // 4}f", *(((i * 37) % 101 - 50) / 500 for i in range(n // 4)))


def write(name, header, data, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    with open(name, "wb") as f:
        f.write(struct.pack("<Q", len(text) if length is None else length) + text + data)


def spoilt(name, change):
    """The good header with one thing changed; the data as it was."""
    header, n = layout(shapes())
    change(header)
    write(name, header, numbers(n))


def reshaped(name, change):
    """Another list of tensors, consistently laid out."""
    header, n = layout(change(list(shapes())))
    write(name, header, numbers(n))


def main():
    os.chdir(sys.argv[1])
    header, n = layout(shapes())
    data = numbers(n)
    write("good.safetensors", header, data)

    write("truncated-data.safetensors", header, data[:-64])
    write("truncated-header.safetensors", json.dumps(header).encode()[:200], b"", length=5000)
    with open("truncated-length.safetensors", "wb") as f:
        f.write(b"\x10\x00\x00")
    open("empty.safetensors", "wb").close()

    def overlap(h):
        h["_read_in.bias"]["data_offsets"] = [0, 4 * E]

    def hole(h):
        for name, entry in h.items():
            if name not in ("__metadata__", "_read_in.weight"):
                entry["data_offsets"] = [x + 4 for x in entry["data_offsets"]]

    def twins(h):
        h["_backbone.h.1.ln_2.bias"]["data_offsets"] = h["_backbone.h.0.ln_2.bias"]["data_offsets"]

    def backwards(h):
        h["_read_in.bias"]["data_offsets"].reverse()

    spoilt("overlapping.safetensors", overlap)
    spoilt("hole.safetensors", hole)
    spoilt("overlapping-twins.safetensors", twins)
    spoilt("backwards.safetensors", backwards)

    write("oversized-header.safetensors", header, data, length=1 << 62)
    write("oversized-16mib.safetensors", header, data, length=16_777_217)

    def huge(h):
        h["_read_in.weight"]["shape"] = [1 << 40, 1 << 40]

    def beyond(h):
        h["_backbone.h.1.mlp.c_proj.bias"]["data_offsets"][1] += 1 << 40

    spoilt("oversized-shape.safetensors", huge)
    spoilt("oversized-offsets.safetensors", beyond)

    text = json.dumps(header)
    again = json.dumps({"_read_in.bias": header["_read_in.bias"]})[1:-1]
    write("duplicate.safetensors", (text[:-1] + ", " + again + "}").encode(), data)
    write("duplicate-key.safetensors", text.replace('"dtype": "F32"', '"dtype": "F32", "dtype": "F32"', 1).encode(), data)
    write("duplicate-notes.safetensors", (text[:-1] + ', "__metadata__": {}}').encode(), data)
    def weights(name, *values):
        entry = {"dtype": "F32", "shape": [2, len(values) // 2], "data_offsets": [0, 4 * len(values)]}
        write(name, {"weights": entry}, struct.pack(f"<{len(values)}f", *values))

    weights("nan-weights.safetensors", 1, 2, float("nan"), 4)
    weights("wide-weights.safetensors", 1, 2, 3, 4, 5, 6)

    write("not-json.safetensors", b"these are not the weights you want", data)

    def rename(old, new):
        return lambda tensors: [(new if name == old else name, shape) for name, shape in tensors]

    def resize(which, new):
        return lambda tensors: [(name, new if name == which else shape) for name, shape in tensors]

    reshaped("wrong-name.safetensors", rename("_backbone.h.1.ln_2.bias", "_backbone.h.1.ln_2.bais"))
    reshaped("wrong-shape.safetensors", resize("_backbone.h.0.attn.c_attn.weight", [3 * E, E]))
    reshaped("missing-tensor.safetensors", lambda tensors: [t for t in tensors if t[0] != "_backbone.ln_f.weight"])
    reshaped("superfluous.safetensors", lambda tensors: tensors + [("_backbone.wte.weigth", [4, E])])

    def heads(h):
        h["__metadata__"]["n_head"] = "3"

    def dtype(h):
        h["_read_in.bias"]["dtype"] = "Q4"

    def integers(h):
        h["_read_in.bias"]["dtype"] = "I32"

    def layers(h):
        h["__metadata__"]["n_layer"] = "7"

    write("nan.safetensors", header, data[:40] + struct.pack("<f", float("nan")) + data[44:])
    write("infinite.safetensors", header, data[:-4] + struct.pack("<f", float("-inf")))
    spoilt("integers.safetensors", integers)
    spoilt("claims.safetensors", layers)
    spoilt("wrong-heads.safetensors", heads)
    spoilt("wrong-dtype.safetensors", dtype)


main()
