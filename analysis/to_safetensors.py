#!/usr/bin/env python3
"""Make a folder of a language model readable that holds pytorch_model.bin or tokenizer.model alone.

    to_safetensors.py FOLDER                # pytorch_model.bin, or its shards: model.safetensors, or shards with an index
    to_safetensors.py --tokenizer FOLDER    # tokenizer.model: tokenizer.json

Weights keep their types and their distribution over files; one tensor at a time is in memory. This needs numpy but not
torch: the pickle reader accepts a short list of harmless names and refuses anything else.
tokenizer.json is written by transformers, which knows how each family's tokenizer is set up
(python3 -m pip install transformers sentencepiece protobuf):
    AutoTokenizer.from_pretrained(FOLDER).backend_tokenizer.save("FOLDER/tokenizer.json")
Nothing is deleted, and no file is replaced. Exit code 65: the folder cannot be converted; one line gives the reason."""

import argparse
import json
import math
import os
import struct
import sys

try:
    from torch_file import Refused, TorchFile, tensors_of
except ImportError:
    sys.exit(f"to_safetensors.py: {sys.executable} has no module numpy; on Debian: apt-get install python3-numpy")

SINGLE, INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
TYPES = {"FloatStorage": ("F32", 4), "DoubleStorage": ("F64", 8), "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2),
         "LongStorage": ("I64", 8), "IntStorage": ("I32", 4), "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1),
         "ByteStorage": ("U8", 1), "BoolStorage": ("BOOL", 1)}


def new_file(path):
    if os.path.exists(path):
        raise Refused(f"{path} exists already: remove it to convert again")
    return path


def byte_count(t):
    return math.prod(t.shape) * TYPES[t.storage.kind][1]


def write(path, tensors):
    """One tensor at a time; those whose size is a multiple of 64 bytes come first, so that each of them is aligned."""
    order = sorted(tensors, key=lambda name: (byte_count(tensors[name]) % 64 != 0, name))
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name in order:
        t = tensors[name]
        header[name] = {"dtype": TYPES[t.storage.kind][0], "shape": list(t.shape), "data_offsets": [at, at + byte_count(t)]}
        at += byte_count(t)
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path + ".part", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            f.write(tensors[name].stored().tobytes())
    os.replace(path + ".part", path)
    print(f"{path}: {len(tensors)} tensors, {at} bytes")


def read(path):
    if not os.path.exists(path):
        raise Refused(f"{path}: no such file")
    try:
        tensors = tensors_of(TorchFile(path).content())
    except Refused as e:
        raise Refused(f"{path}: {e}") from None
    if not tensors:
        raise Refused(f"{path}: holds no tensors")
    return tensors


def shards(folder):
    """Shards in the order of their names, and the file of each tensor."""
    path = os.path.join(folder, INDEX)
    try:
        with open(path, encoding="utf-8") as f:
            places = json.load(f)["weight_map"]
        files = sorted(set(places.values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(f"{path}: not an index of shards") from None
    if not files or not all(isinstance(f, str) and os.path.basename(f) == f for f in files):
        raise Refused(f"{path}: names files outside its folder")
    return files, places


def convert_weights(folder):
    if os.path.exists(os.path.join(folder, SINGLE)):
        output = new_file(os.path.join(folder, "model.safetensors"))
        write(output, read(os.path.join(folder, SINGLE)))
        return
    if not os.path.exists(os.path.join(folder, INDEX)):
        raise Refused(f"{folder}: holds neither {SINGLE} nor {INDEX}")
    files, places = shards(folder)
    index = new_file(os.path.join(folder, "model.safetensors.index.json"))
    names = {f: f"model-{i + 1:05d}-of-{len(files):05d}.safetensors" for i, f in enumerate(files)}
    for f in files:
        new_file(os.path.join(folder, names[f]))
    for f in files:
        write(os.path.join(folder, names[f]), read(os.path.join(folder, f)))
    with open(index + ".part", "w", encoding="utf-8") as out:
        json.dump({"metadata": {}, "weight_map": {tensor: names[f] for tensor, f in places.items()}}, out, indent=1)
    os.replace(index + ".part", index)
    print(f"{index}: {len(files)} shards")


def convert_tokenizer(folder):
    output = new_file(os.path.join(folder, "tokenizer.json"))
    if not os.path.exists(os.path.join(folder, "tokenizer.model")):
        raise Refused(f"{folder}: holds no tokenizer.model")
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise Refused(f"{sys.executable} has no module transformers, which writes tokenizer.json: "
                      "python3 -m pip install transformers sentencepiece protobuf") from None
    try:
        AutoTokenizer.from_pretrained(folder, use_fast=True).backend_tokenizer.save(output)
    except Exception as e:  # transformers raises anything for files that it cannot read
        raise Refused(f"{folder}: transformers cannot read its tokenizer ({type(e).__name__}: "
                      f"{str(e).splitlines()[0][:200] if str(e) else ''})") from None
    print(f"{output}: written by transformers")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", help="the folder of the model")
    p.add_argument("--tokenizer", action="store_true", help="write tokenizer.json instead of weights")
    o = p.parse_args()
    try:
        (convert_tokenizer if o.tokenizer else convert_weights)(o.folder)
    except Refused as e:
        print(f"to_safetensors.py: {e}", file=sys.stderr)
        sys.exit(65)
    except OSError as e:
        print(f"to_safetensors.py: {e}", file=sys.stderr)
        sys.exit(74)


if __name__ == "__main__":
    main()
