"""check_import.py SOURCE - analysis/import_checkpoint.py on what torch wrote and on hostile files, in this folder."""
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import zipfile

import numpy as np

source = sys.argv[1]
files = f"{source}/tests/reference/checkpoints"
E, INPUTS, LAYERS, POSITIONS = 8, 2, 2, 16


def convert(*arguments):
    return subprocess.run([sys.executable, f"{source}/analysis/import_checkpoint.py", *arguments],
                          capture_output=True, text=True)


def numbers(n, *shape):
    """Those of tests/reference/make_checkpoints.py."""
    return (((37 * np.arange(np.prod(shape)) + n) % 101 - 50) / 512).reshape(shape).astype("<f4")


def read(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    notes = header.pop("__metadata__")
    arrays = {}
    for name, t in header.items():
        first, end = t["data_offsets"]
        assert t["dtype"] == "F32", (name, t)
        arrays[name] = np.frombuffer(data[first:end], "<f4").reshape(t["shape"])
    return notes, arrays


def names():
    yield from ("_read_in.weight", "_read_in.bias", "_backbone.wpe.weight")
    for i in range(LAYERS):
        for name in ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"):
            yield from (f"_backbone.h.{i}.{name}.weight", f"_backbone.h.{i}.{name}.bias")
    yield from ("_backbone.ln_f.weight", "_backbone.ln_f.bias", "_read_out.weight", "_read_out.bias")


def good():
    done = convert(f"{files}/state.pt", "model.safetensors", "--heads", "2", "--trained-points", "4")
    assert done.returncode == 0, done.stderr
    notes, arrays = read("model.safetensors")
    assert notes == {"n_head": "2", "layer_norm_epsilon": "1e-05", "trained_points": "4"}, notes
    assert sorted(arrays) == sorted(names()), sorted(arrays)
    for n, name in enumerate(names()):
        assert np.array_equal(arrays[name], numbers(n, *arrays[name].shape)), name
    for name in ("ltv", "ltv_dict", "bfloat16"):
        done = convert(f"{files}/{name}.pth", f"{name}.safetensors")
        assert done.returncode == 0, done.stderr
        notes, arrays = read(f"{name}.safetensors")
        assert notes == {"method": "ltv"} and list(arrays) == ["weights"], (notes, arrays)
        assert np.array_equal(arrays["weights"], numbers(7, 2, 2)), (name, arrays)


def refused(path, words, *options):
    done = convert(path, "refused.safetensors", *options)
    lines = done.stderr.splitlines()
    assert done.returncode == 65 and len(lines) == 1 and words in lines[0], (path, done)


def changed(name, change, compress=zipfile.ZIP_STORED):
    """ltv.pth with its members as change(name, data) gives them; None: left out."""
    with zipfile.ZipFile(f"{files}/ltv.pth") as old, zipfile.ZipFile(name, "w", compress) as new:
        for member in old.namelist():
            data = change(member.split("/", 1)[1], old.read(member))
            if data is not None:
                new.writestr(member, data)
    return name


def with_pickle(name, data):
    return changed(name, lambda member, old: data if member == "data.pkl" else old)


class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def tensor(shape, strides, offset=0):
    """The pickle of a tensor over the four floats of ltv.pth."""
    text = open_pickle().decode("latin-1")
    assert text.count("K\x00K\x02K\x02\x86q") == 1, "the pickle of ltv.pth has another form"
    many = "".join
    new = (f"J{struct.pack('<i', offset).decode('latin-1')}("
           + many(f"J{struct.pack('<i', n).decode('latin-1')}" for n in shape) + "t(")
    new += many(f"J{struct.pack('<i', n).decode('latin-1')}" for n in strides) + "t"
    at = text.index("K\x00K\x02K\x02\x86q")
    end = text.index("K\x02K\x01\x86q", at) + len("K\x02K\x01\x86q") + 1
    return (text[:at] + new + text[end:]).encode("latin-1")


def wrapped(name, prefix):
    """state.pt with the prefix before every name of a tensor."""
    with zipfile.ZipFile(f"{files}/state.pt") as old, zipfile.ZipFile(name, "w") as new:
        for member in old.namelist():
            data = old.read(member)
            if member.endswith("/data.pkl"):
                buffers = [f"_backbone.h.{i}.attn.{b}" for i in range(LAYERS) for b in ("bias", "masked_bias")]
                for text in [*names(), *buffers, "_backbone.wte.weight"]:
                    plain = text.encode()
                    longer = prefix.encode() + plain
                    data = data.replace(b"X" + struct.pack("<I", len(plain)) + plain,
                                        b"X" + struct.pack("<I", len(longer)) + longer)
            new.writestr(member, data)
    return name


def without_prefixes():
    _, plain = read("model.safetensors")
    for prefix in ("module.", "_orig_mod.", "module._orig_mod."):
        wrapped("wrapped.pt", prefix)
        with zipfile.ZipFile("wrapped.pt") as z:
            assert any(prefix.encode() + b"_read_in" in z.read(m) for m in z.namelist()), prefix
        done = convert("wrapped.pt", "wrapped.safetensors", "--heads", "2", "--trained-points", "4")
        assert done.returncode == 0, (prefix, done.stderr)
        _, arrays = read("wrapped.safetensors")
        assert all(np.array_equal(arrays[n], plain[n]) for n in names()), prefix


def open_pickle():
    with zipfile.ZipFile(f"{files}/ltv.pth") as z:
        return z.read(next(n for n in z.namelist() if n.endswith("/data.pkl")))


def hostile():
    refused(f"{files}/old.pth", "torch before 1.6")
    refused(with_pickle("call.pth", pickle.dumps(Call(os.system, "touch called"), 2)), "which weights do not need")
    refused(with_pickle("eval.pth", pickle.dumps(Call(eval, "open('called', 'w')"), 2)), "which weights do not need")
    assert not os.path.exists("called")
    refused(with_pickle("text.pth", pickle.dumps("weights", 2)), "holds a str")
    refused(with_pickle("cut.pth", open_pickle()[:-20]), "cannot be read")
    refused(with_pickle("beyond.pth", tensor([2, 2], [2, 1], 1)), "beyond its 4 numbers")
    refused(with_pickle("stretched.pth", tensor([60000, 60000], [0, 0])), "beyond its 4 numbers")
    refused(with_pickle("backwards.pth", tensor([2, 2], [-2, 1], 2)), "none of torch's")
    refused(with_pickle("cube.pth", tensor([2, 2, 1], [2, 1, 1])), "nor one table")
    refused(changed("packed.pth", lambda _, data: data, zipfile.ZIP_DEFLATED), "is packed")
    refused(changed("short.pth", lambda m, data: data[:-4] if m == "data/0" else data), "has 12 bytes, expected 16")
    refused(changed("lost.pth", lambda m, data: None if m == "data/0" else data), "no member data/0")
    refused(changed("big.pth", lambda m, data: b"big" if m == "byteorder" else data), "has 3 bytes")
    nan = struct.pack("<4f", 1, float("nan"), 2, 3)
    refused(changed("nan.pth", lambda m, data: nan if m == "data/0" else data), "not finite")
    with zipfile.ZipFile("other.zip", "w") as z:
        z.writestr("readme.txt", "no weights")
    refused("other.zip", "without a data.pkl")
    shutil.copy(f"{files}/state.pt", "cut.pt")
    with open("cut.pt", "r+b") as f:
        f.truncate(9000)
    refused("cut.pt", "not a zip file")
    refused(f"{files}/state.pt", "give --heads")
    refused(f"{files}/state.pt", "do not divide", "--heads", "3")
    refused(f"{files}/state.pt", "hold 8", "--heads", "2", "--trained-points", "9")
    assert not os.path.exists("refused.safetensors")
    done = convert("nothing.pt", "refused.safetensors")
    assert done.returncode == 74 and len(done.stderr.splitlines()) == 1, done


good()
without_prefixes()
hostile()
