#!/usr/bin/env python3
"""Convert PyTorch checkpoints of published code to the safetensors files that configs name.

    import_checkpoint.py state.pt model.safetensors --heads 8 --trained-points 41    # a model of Garg et al.
    import_checkpoint.py ltv.pth weights.safetensors                                 # weights of a task vector

The key model.checkpoint takes a model, the key fit.weights the [layers, heads] weights of a vector. The script needs
numpy but not torch: its pickle reader accepts a short list of harmless names and refuses anything else. Exit code 65:
the file is not a checkpoint it can convert; one line gives the reason."""

import argparse
import collections
import io
import json
import math
import os
import pickle
import re
import struct
import sys
import zipfile

PICKLE_MOST = 64 << 20  # bytes; a state.pt with optimiser state has some hundred KB
STORAGES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": "<u2",
            "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "<i1",
            "ByteStorage": "<u1", "BoolStorage": "<u1"}
WRAPPERS = ("module.", "_orig_mod.")
# Buffers without weights, and the token embedding, which models of real vectors do not use.
PASSED_OVER = re.compile(r"\.attn\.(bias|masked_bias)$|^_backbone\.wte\.weight$")


class Refused(Exception):
    pass


# ---- a zip file of torch.save


class Storage:
    """Numbers of one type in the zip file; read on demand."""

    def __init__(self, file, kind, key, count):
        if kind not in STORAGES or not isinstance(key, str) or not isinstance(count, int):
            raise Refused("a storage that is none of torch's")
        self.file, self.kind, self.key, self.count = file, kind, key, count

    def numbers(self):
        dtype = np.dtype(STORAGES[self.kind])
        data = self.file.member(f"data/{self.key}", self.count * dtype.itemsize)
        values = np.frombuffer(data, dtype)
        if self.kind == "BFloat16Storage":
            values = (values.astype("<u4") << 16).view("<f4")
        return values


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        whole = [offset, *shape, *strides]
        if not isinstance(storage, Storage) or not all(isinstance(n, int) and n >= 0 for n in whole):
            raise Refused("a tensor that is none of torch's")
        if (len(shape) != len(strides) or math.prod(shape) > storage.count
                or offset + self.reach(shape, strides) > storage.count):
            raise Refused(f"a tensor of shape {list(shape)} beyond its {storage.count} numbers")
        self.storage, self.offset, self.shape, self.strides = storage, offset, tuple(shape), tuple(strides)

    @staticmethod
    def reach(shape, strides):
        return 1 + sum((n - 1) * s for n, s in zip(shape, strides)) if all(shape) else 0

    def array(self):
        values = self.storage.numbers()[self.offset:]
        strides = [s * values.itemsize for s in self.strides]
        view = np.lib.stride_tricks.as_strided(values, self.shape, strides, writeable=False)
        return np.ascontiguousarray(view, "<f4")


def rebuild_tensor(storage, offset, shape, strides, *_):
    return Tensor(storage, offset, shape, strides)


def rebuild_parameter(tensor, *_):
    if not isinstance(tensor, Tensor):
        raise Refused("a parameter that is no tensor")
    return tensor


ALLOWED = {("collections", "OrderedDict"): collections.OrderedDict,
           ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
           ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
           **{("torch", name): name for name in STORAGES}}


class Reader(pickle.Unpickler):
    def __init__(self, stream, file):
        super().__init__(stream)
        self.file = file

    def find_class(self, module, name):
        if (module, name) not in ALLOWED:
            raise Refused(f"its pickle asks for {module}.{name}, which weights do not need")
        return ALLOWED[module, name]

    def persistent_load(self, pid):
        if not isinstance(pid, tuple) or len(pid) != 5 or pid[0] != "storage":
            raise Refused("its pickle names something outside that is no storage")
        return Storage(self.file, pid[1], pid[2], pid[4])


class TorchFile:
    """The members of a zip file of torch.save, whatever its folder is called."""

    def __init__(self, path):
        try:
            self.zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            raise Refused("not a zip file of torch.save: cut off, or of a torch before 1.6; there, "
                          "torch.save(torch.load(OLD, map_location='cpu'), NEW) with a newer torch") from None
        pickles = [n for n in self.zip.namelist() if n.count("/") == 1 and n.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise Refused("a zip file without a data.pkl: not of torch.save")
        self.folder = pickles[0].split("/")[0]
        if f"{self.folder}/byteorder" in self.zip.namelist() and self.member("byteorder", 6) != b"little":
            raise Refused("big-endian numbers: save it on a little-endian machine")

    def member(self, name, size=None):
        try:
            info = self.zip.getinfo(f"{self.folder}/{name}")
        except KeyError:
            raise Refused(f"no member {name}") from None
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise Refused(f"member {name} is packed, which torch.save does not do")
        if info.file_size != size if size is not None else info.file_size > PICKLE_MOST:
            raise Refused(f"member {name} has {info.file_size} bytes, expected {size or 'fewer'}")
        try:
            return self.zip.read(info)
        except (zipfile.BadZipFile, EOFError) as e:
            raise Refused(f"member {name} cannot be read ({e})") from None

    def content(self):
        try:
            return Reader(io.BytesIO(self.member("data.pkl")), self).load()
        except Refused:
            raise
        except Exception as e:  # a broken pickle may raise anything
            raise Refused(f"its pickle cannot be read ({type(e).__name__}: {e})") from None


# ---- what is in it


def tensors_of(content):
    """Name -> Tensor of a state_dict, which may be a member of a larger dict; a single tensor is called "weights"."""
    if isinstance(content, Tensor):
        return {"weights": content}
    for key in ("model_state_dict", "state_dict"):
        if isinstance(content, dict) and isinstance(content.get(key), (dict, Tensor)):
            return tensors_of(content[key])
    if not isinstance(content, dict):
        raise Refused(f"holds a {type(content).__name__}, expected the state_dict of a model or one tensor")
    return without_wrappers({k: v for k, v in content.items() if isinstance(k, str) and isinstance(v, Tensor)})


def without_wrappers(tensors):
    """Without the prefixes that DataParallel (module.) and torch.compile (_orig_mod.) put before every name."""
    for prefix in WRAPPERS:
        if tensors and all(name.startswith(prefix) for name in tensors):
            return without_wrappers({name[len(prefix):]: t for name, t in tensors.items()})
    return tensors


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
    global np
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", help="state.pt or another checkpoint of a model, or the .pth file of a vector")
    p.add_argument("output", help="the .safetensors file to write")
    p.add_argument("--heads", type=int, help="attention heads of a layer, which the tensors do not determine (published: 8)")
    p.add_argument("--trained-points", type=int, help="points of the longest training prompt (published: 41; ReLU "
                   "networks and trees: 101); without it a config must set basis_points")
    o = p.parse_args()
    try:
        import numpy as np
    except ImportError:
        sys.exit(f"import_checkpoint.py: {sys.executable} has no module numpy; on Debian: apt-get install python3-numpy")
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
