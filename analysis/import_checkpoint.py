#!/usr/bin/env python3
"""Convert PyTorch checkpoints of published code to the safetensors files that configs name.

    import_checkpoint.py state.pt model.safetensors --heads 8 --trained-points 41    # a model of Garg et al.
    import_checkpoint.py ltv.pth weights.safetensors                                 # weights of a task vector

The key model.checkpoint takes a model, the key fit.weights the [layers, heads] weights of a vector. The script needs
numpy but not torch: its pickle reader accepts a short list of harmless names and refuses anything else. Exit code 65:
the file is not a checkpoint it can convert; one line gives the reason."""

import argparse
import json
import os
import re
import struct
import sys

try:
    import numpy as np
except ImportError:
    sys.exit(f"import_checkpoint.py: {sys.executable} has no module numpy; on Debian: apt-get install python3-numpy")
from torch_file import Refused, TorchFile, tensors_of

# Buffers without weights, and the token embedding, which models of real vectors do not use.
PASSED_OVER = re.compile(r"\.attn\.(bias|masked_bias)$|^_backbone\.wte\.weight$")


def shape_of(tensors, name, rank):
    if name not in tensors:
        raise Refused(f"no tensor named {name}; expected a model of Garg et al. (found: "
                      f"{', '.join(sorted(tensors)[:4]) or 'none'} ...)")
    if len(tensors[name].shape) != rank:
        raise Refused(f"tensor {name} has shape {list(tensors[name].shape)}, expected {rank} dimensions")
    return tensors[name].shape


def model_of(tensors, heads, trained_points):
    """The tensors and notes of a model checkpoint: src/model/checkpoint.h."""
    if heads is None:
        raise Refused("a model, whose tensors do not tell the number of heads: give --heads (published: 8)")
    width, positions = shape_of(tensors, "_read_in.weight", 2)[0], shape_of(tensors, "_backbone.wpe.weight", 2)[0]
    if heads < 1 or width % heads:
        raise Refused(f"{heads} heads do not divide a width of {width}")
    if trained_points is not None and not 1 <= trained_points <= positions // 2:
        raise Refused(f"{trained_points} trained points, but {positions} positions hold {positions // 2}")
    notes = {"n_head": str(heads), "layer_norm_epsilon": "1e-05"}
    if trained_points is not None:
        notes["trained_points"] = str(trained_points)
    return {name: t for name, t in tensors.items() if not PASSED_OVER.search(name)}, notes


def vector_of(tensors):
    """The single tensor of weights [layers, heads] of the published regression code."""
    tables = [t for t in tensors.values() if len(t.shape) == 2]
    if len(tables) != 1 or len(tensors) != 1:
        raise Refused(f"neither a model (no _read_in.weight) nor one table of weights [layers, heads]: "
                      f"{len(tensors)} tensors ({', '.join(sorted(tensors)[:4])})")
    return {"weights": tables[0]}, {"method": "ltv"}


def write(path, tensors, notes):
    """Tensors whose size is a multiple of 64 bytes come first, so that each of them is aligned in a mapped file."""
    arrays = {name: t.array() for name, t in sorted(tensors.items())}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise Refused(f"tensor {name} holds numbers that are not finite")
    order = sorted(arrays, key=lambda name: arrays[name].nbytes % 64 != 0)
    header, at = {"__metadata__": notes}, 0
    for name in order:
        end = at + arrays[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(arrays[name].shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path + ".part", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            f.write(arrays[name].tobytes())
    os.replace(path + ".part", path)


def convert(o):
    tensors = tensors_of(TorchFile(o.file).content())
    is_model = "_read_in.weight" in tensors
    chosen, notes = model_of(tensors, o.heads, o.trained_points) if is_model else vector_of(tensors)
    write(o.output, chosen, notes)
    if is_model:
        layers = sum(name.endswith(".ln_1.weight") for name in chosen)
        print(f"{o.output}: a model of {layers} layers, {o.heads} heads, width {chosen['_read_in.weight'].shape[0]}")
    else:
        print(f"{o.output}: weights of {chosen['weights'].shape[0]} layers x {chosen['weights'].shape[1]} heads")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", help="state.pt or another checkpoint of a model, or the .pth file of a vector")
    p.add_argument("output", help="the .safetensors file to write")
    p.add_argument("--heads", type=int, help="attention heads of a layer, which the tensors do not determine (published: 8)")
    p.add_argument("--trained-points", type=int, help="points of the longest training prompt (published: 41; ReLU "
                   "networks and trees: 101); without it a config must set basis_points")
    o = p.parse_args()
    try:
        convert(o)
    except Refused as e:
        print(f"import_checkpoint.py: {o.file}: {e}", file=sys.stderr)
        sys.exit(65)
    except OSError as e:
        print(f"import_checkpoint.py: {e}", file=sys.stderr)
        sys.exit(74)


if __name__ == "__main__":
    main()
