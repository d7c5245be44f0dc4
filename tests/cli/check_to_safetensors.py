"""check_to_safetensors.py SOURCE - analysis/to_safetensors.py on what torch wrote, in this folder: one file and two shards."""
import json
import os
import shutil
import struct
import subprocess
import sys

import numpy as np

source = sys.argv[1]
E, LAYERS, POSITIONS, V = 8, 2, 16, 11
CONFIG = {"model_type": "gpt2", "vocab_size": V, "n_positions": POSITIONS, "n_embd": E, "n_layer": LAYERS, "n_head": 2}
MAPS = {"attn.c_attn": (E, 3 * E), "attn.c_proj": (E, E), "mlp.c_fc": (E, 4 * E), "mlp.c_proj": (4 * E, E)}


def convert(*arguments):
    return subprocess.run([sys.executable, f"{source}/analysis/to_safetensors.py", *arguments], capture_output=True, text=True)


def numbers(n, *shape):
    """Those of tests/reference/make_checkpoints.py."""
    return (((37 * np.arange(np.prod(shape)) + n) % 101 - 50) / 512).reshape(shape).astype("<f4")


def order():
    """The tensors of shapes() in tests/reference/make_checkpoints.py: the number of each is its place."""
    yield from ("_read_in.weight", "_read_in.bias", "transformer.wpe.weight")
    for i in range(LAYERS):
        for part in ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"):
            yield from (f"transformer.h.{i}.{part}.weight", f"transformer.h.{i}.{part}.bias")
    yield from ("transformer.ln_f.weight", "transformer.ln_f.bias")


def expected():
    wte = "F16", numbers(0, V, E).astype("<f2")
    tensors = {"transformer.wte.weight": wte, "lm_head.weight": wte,
               "transformer.h.0.attn.bias": ("BOOL", np.tril(np.ones((1, 1, 4, 4), "u1")))}
    for n, name in enumerate(order(), 1):
        part = ".".join(name.split(".")[3:-1])
        shape = (POSITIONS, E) if "wpe" in name else MAPS[part] if part in MAPS else (E,)
        if name.endswith("bias") and part in MAPS:
            shape = (MAPS[part][1],)
        value = numbers(n, *shape)
        half = part in MAPS and name.endswith("weight")
        tensors[name] = ("BF16", (value.view("<u4") >> 16).astype("<u2")) if half else ("F32", value)
    return {name: t for name, t in tensors.items() if "_read_in" not in name}


def read(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    assert header.pop("__metadata__") == {"format": "pt"}
    return {name: (t["dtype"], t["shape"], data[t["data_offsets"][0]:t["data_offsets"][1]]) for name, t in header.items()}


def check(tensors):
    want = {name: (dtype, list(value.shape), value.tobytes()) for name, (dtype, value) in expected().items()}
    assert sorted(tensors) == sorted(want)
    for name in want:
        assert tensors[name] == want[name], (name, tensors[name][:2], want[name][:2])


def refused(words, *arguments):
    done = convert(*arguments)
    assert done.returncode == 65 and done.stderr.count("\n") == 1 and words in done.stderr, (words, done)


def folder(name, config=True):
    os.mkdir(name)
    if config:
        with open(f"{name}/config.json", "w", encoding="utf-8") as f:
            json.dump(CONFIG, f)


folder("single")
shutil.copy(f"{source}/tests/reference/checkpoints/language.bin", "single/pytorch_model.bin")
done = convert("single")
assert done.returncode == 0, done
check(read("single/model.safetensors"))
refused("exists already", "single")

# Both shards are the same file here: what matters is that each becomes one, and the index follows.
folder("sharded")
for i in (1, 2):
    shutil.copy(f"{source}/tests/reference/checkpoints/ltv{'_dict' if i == 2 else ''}.pth", f"sharded/pytorch_model-{i}.bin")
with open("sharded/pytorch_model.bin.index.json", "w", encoding="utf-8") as f:
    json.dump({"weight_map": {"weights": "pytorch_model-2.bin"}}, f)
done = convert("sharded")
assert done.returncode == 0, done
assert read("sharded/model-00001-of-00001.safetensors")["weights"][:2] == ("F64", [2, 2])
with open("sharded/model.safetensors.index.json", encoding="utf-8") as f:
    assert json.load(f)["weight_map"] == {"weights": "model-00001-of-00001.safetensors"}

folder("bad")
refused("holds neither pytorch_model.bin nor", "bad")
refused("holds no tokenizer.model", "--tokenizer", "bad")
shutil.copy(f"{source}/tests/reference/checkpoints/old.pth", "bad/pytorch_model.bin")
refused("not a zip file of torch.save", "bad")
os.remove("bad/pytorch_model.bin")
for index, words in (("[", "not an index"), ("{}", "not an index"), ('{"weight_map": {}}', "outside its folder"),
                     ('{"weight_map": {"a": "../x.bin"}}', "outside its folder"), ('{"weight_map": {"a": 3}}', "outside its folder")):
    with open("bad/pytorch_model.bin.index.json", "w", encoding="utf-8") as f:
        f.write(index)
    refused(words, "bad")
with open("bad/pytorch_model.bin.index.json", "w", encoding="utf-8") as f:
    f.write('{"weight_map": {"a": "absent.bin"}}')
refused("absent.bin: no such file", "bad")
