#!/usr/bin/env python3
"""make_folders.py DIR: folders of tiny language models: good/*, and bad/* with what `taskvec doctor` must say of each.

DIR/cases has a line for each folder of bad/: its name, " ;; ", an extended regular expression. Folders of bad/ whose name begins
with "tokenizer" have a model that is whole; all others have a tokenizer that is.
"""
import json
import os
import struct
import sys

E, F, L, V, P = 8, 16, 2, 11, 32
GPT2 = {"model_type": "gpt2", "vocab_size": V, "n_positions": P, "n_embd": E, "n_layer": L, "n_head": 2, "n_inner": F}
TYPES = {"F32": "<f", "F16": "<e", "BF16": "<H", "I8": "<b"}
SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


def shapes(prefix="transformer."):
    yield prefix + "wte.weight", [V, E]
    yield prefix + "wpe.weight", [P, E]
    for i in range(L):
        for name, shape in (("ln_1.weight", [E]), ("ln_1.bias", [E]), ("attn.c_attn.weight", [E, 3 * E]), ("attn.c_attn.bias", [3 * E]),
                            ("attn.c_proj.weight", [E, E]), ("attn.c_proj.bias", [E]), ("ln_2.weight", [E]), ("ln_2.bias", [E]),
                            ("mlp.c_fc.weight", [E, F]), ("mlp.c_fc.bias", [F]), ("mlp.c_proj.weight", [F, E]), ("mlp.c_proj.bias", [E])):
            yield f"{prefix}h.{i}.{name}", shape
    yield prefix + "ln_f.weight", [E]
    yield prefix + "ln_f.bias", [E]


def tensor(shape, dtype="F32", value=1):
    n = 1
    for s in shape:
        n *= s
    number = 0x3f80 if dtype == "BF16" else value
    return dtype, shape, struct.pack(TYPES[dtype], number) * n


def gpt2(dtype="F32", prefix="transformer."):
    return {name: tensor(shape, dtype) for name, shape in shapes(prefix)}


def safetensors(tensors, change=lambda header: None):
    header, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    change(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values())


def folder(path, config=None, files=None):
    os.makedirs(path)
    files = {"model.safetensors": safetensors(gpt2())} if files is None else files
    if "/bad/" in path and "tokenizer.model" not in files:
        files = dict({"tokenizer.json": json.dumps(tokenizer(V))}, **files)
    files = dict(files, **{"config.json": json.dumps(GPT2 if config is None else config) if not isinstance(config, str) else config})
    for name, content in files.items():
        with open(f"{path}/{name}", "wb") as f:
            f.write(content.encode() if isinstance(content, str) else content)


def sharded(dtype="BF16"):
    tensors = gpt2(dtype)
    names = list(tensors)
    halves = [names[:9], names[9:]]
    index = {"metadata": {"total_size": 1}, "weight_map": {n: SHARDS[i] for i, half in enumerate(halves) for n in half}}
    files = {SHARDS[i]: safetensors({n: tensors[n] for n in half}) for i, half in enumerate(halves)}
    return dict(files, **{"model.safetensors.index.json": json.dumps(index)})


def single(tensors, **arguments):
    return {"model.safetensors": safetensors(tensors, **arguments)}


def without(values, *names):
    return {k: v for k, v in values.items() if k not in names}


def raw(length, text=b"", data=b""):
    return {"model.safetensors": struct.pack("<Q", length) + text + data}


def shifted(header):
    header["transformer.wpe.weight"]["data_offsets"][0] -= 4
    header["transformer.wpe.weight"]["shape"] = [P * E + 1]


def lying(header):
    header["transformer.wte.weight"]["shape"] = [V, E + 1]


def tokenizer(n):
    """A WordLevel tokenizer.json of n tokens, split at whitespace."""
    vocab = {"<s>": 0, "Q:": 1, "A:": 2, "hot": 3, **{f"w{i}": i for i in range(4, n)}}
    post = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}}
    added = [{"id": 0, "content": "<s>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": post, "decoder": None,
            "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "w4"}}


def bad_cases():
    whole, weights = safetensors(gpt2()), gpt2()
    shards = sharded()
    nan = dict(weights, **{"transformer.h.1.mlp.c_fc.bias": tensor([F], value=float("nan"))})
    wide = dict(weights, **{"transformer.wte.weight": tensor([V + 2, E])})
    other = dict(weights, **{"lm_head.weight": tensor([V, E], value=2)})
    yield "truncated", None, {"model.safetensors": whole[:-5]}, r"model\.safetensors: tensor .* data_offsets end at .*is it truncated"
    yield "cut_header", None, {"model.safetensors": whole[:50]}, r"does not fit into a file of 50"
    yield "empty", None, {"model.safetensors": b""}, r"the file is empty"
    yield "huge_header", None, raw((16 << 20) + 1, b"{}"), r"a header of 16777217 bytes, at most 16777216 are accepted"
    yield "overlapping", None, single(weights, change=shifted), r"overlaps|starts at"
    yield "lying", None, single(weights, change=lying), r"do not fill data_offsets"
    yield "zero_header", None, raw(0, data=b"\0" * 64), r"model\.safetensors: .*not valid JSON"
    yield "only_length", None, raw(0), r"model\.safetensors: .*not valid JSON"
    yield "short", None, {"model.safetensors": b"\2\0\0"}, r"3 bytes are too few"
    yield "deep_header", None, raw(5000, b'{"a":' * 1000), r"nested deeper than 64 levels"
    yield "duplicate_header", None, raw(13, b'{"a":1,"a":2}'), r"model\.safetensors: .*duplicate"
    yield "int8", None, single(dict(weights, **{"transformer.h.0.ln_1.bias": tensor([E], "I8")})), r"dtype I8, expected F32, F16 or BF16"
    yield "nan", None, single(nan), r'element 0 of tensor "transformer\.h\.1\.mlp\.c_fc\.bias" is -?nan'
    yield "vocabulary", None, single(wide), r'wte\.weight": shape \[13, 8\], but config\.json makes it \[11, 8\]'
    yield "missing_tensor", None, single(without(weights, "transformer.h.1.ln_2.bias")), r'no tensor "transformer\.h\.1\.ln_2\.bias"'
    yield "tie", dict(GPT2, tie_word_embeddings=True), single(other), r"tie_word_embeddings is true, but tensor .* differs"
    yield "no_output", dict(GPT2, tie_word_embeddings=False), single(weights), r"tie_word_embeddings is false, but there is no tensor"
    yield "no_weights", None, {}, r"holds neither model\.safetensors nor model\.safetensors\.index\.json"
    yield "pickled", None, {"pytorch_model.bin": "x"}, r"holds pytorch_model\.bin, .* python3 analysis/to_safetensors\.py"
    yield "sentencepiece", None, dict(single(weights), **{"tokenizer.model": "x"}), r"holds tokenizer\.model alone.* --tokenizer"
    words = json.dumps(tokenizer(V + 1))
    yield "tokenizer", None, dict(single(weights), **{"tokenizer.json": words}), r"the tokenizer has 12 tokens, but the embedding has 11 rows"
    for name, text, pattern in (("empty", "{}", r"tokenizer\.json: "), ("nothing", "", r"tokenizer\.json: .*not valid JSON"),
                                ("cut", words[:-9], r"tokenizer\.json: .*not valid JSON"),
                                ("deep", '{"model":' * 999, r"tokenizer\.json: .*nested deeper"),
                                ("duplicate", words.replace('"w5":', '"w6":'), r"tokenizer\.json: .*duplicate"),
                                ("gap", words.replace('"w5": 5', '"w5": 50'), r"tokenizer\.json: "),
                                ("kind", words.replace("WordLevel", "Unigram"), r"tokenizer\.json: .*'Unigram' is not supported"),
                                ("number", words.replace('"w5": 5', '"w5": NaN'), r"tokenizer\.json: .*not valid JSON")):
        yield "tokenizer_" + name, None, dict(single(weights), **{"tokenizer.json": text}), pattern
    yield "missing_shard", None, without(shards, SHARDS[1]), r"model-00002-of-00002\.safetensors: no such file, but .* places"
    yield "index_deep", None, dict(shards, **{"model.safetensors.index.json": "[" * 999}), r"nested deeper"
    yield "index_path", None, dict(shards, **{"model.safetensors.index.json": '{"weight_map":{"a":"../x.safetensors"}}'}), r"is a path"
    yield "config_empty", "", None, r"config\.json: .*not valid JSON"
    yield "config_deep", '{"a":' * 999, None, r"config\.json: .*nested deeper"
    yield "config_duplicate", '{"model_type":"gpt2","model_type":"gpt2"}', None, r"config\.json: .*duplicate"
    yield "config_missing", without(GPT2, "n_embd"), None, r"config\.json: lacks hidden_size \(or n_embd\)"
    yield "config_absurd", dict(GPT2, n_layer=10 ** 12), None, r"n_layer: 1000000000000 is out of bounds"
    yield "config_heads", dict(GPT2, n_head=3), None, r"8 is not divisible by 3 heads"
    yield "config_type", dict(GPT2, model_type="bert"), None, r'model_type: "bert" is not a family'
    yield "config_quantised", dict(GPT2, quantization_config={"quant_method": "awq"}), None, r'quantised \(quant_method "awq"\)'
    yield "config_act", dict(GPT2, activation_function="quick_gelu"), None, r'"quick_gelu" is not computed'
    yield "config_clip", dict(GPT2, clip_qkv=8), None, r"clip_qkv: 8 is not computed"


ABSURD = {"zero": 0, "negative": -1, "huge": 1 << 62, "fraction": 2.5, "text": "8", "flag": True, "list": [8], "nothing": None}


def size_cases():
    """Every size of config.json missing or absurd."""
    weights = gpt2()
    for key in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head"):
        yield f"size_{key}_missing", without(GPT2, key), single(weights), rf"config\.json: lacks .*{key}"
        for what, value in ABSURD.items():
            yield f"size_{key}_{what}", dict(GPT2, **{key: value}), single(weights), rf"config\.json: .*{key}"
    for key, value in (("layer_norm_epsilon", -1), ("layer_norm_epsilon", "small"), ("n_inner", 0), ("n_inner", -4), ("n_inner", 1 << 62)):
        yield f"size_{key}_{value}", dict(GPT2, **{key: value}), single(weights), rf"config\.json: .*{key}"


def many(n):
    """n tensors that no model uses, and the tiny model's."""
    return dict({f"surplus.{i}": tensor([1]) for i in range(n)}, **gpt2())


def main(out):
    folder(f"{out}/good/single")
    folder(f"{out}/good/many", files=single(many(100000)))
    folder(f"{out}/good/words", files=dict(single(gpt2()), **{"tokenizer.json": json.dumps(tokenizer(V))}))
    folder(f"{out}/good/half", files=single(gpt2("F16", "")))
    folder(f"{out}/good/sharded", files=sharded())
    surplus = {"transformer.h.0.attn.bias": tensor([1, 1, 4, 4]), "surplus": tensor([3])}
    folder(f"{out}/good/surplus", config=dict(GPT2, surprise=1), files=single(dict(gpt2(), **surplus)))
    with open(f"{out}/cases", "w", encoding="utf-8") as cases:
        for name, config, files, pattern in (*bad_cases(), *size_cases()):
            folder(f"{out}/bad/{name}", config, files)
            cases.write(f"{name} ;; {pattern}\n")


if __name__ == "__main__":
    main(sys.argv[1])
