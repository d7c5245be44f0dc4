#!/usr/bin/env python3
"""check_generate.py PROGRAM MODELS DIR: `taskvec generate` gives the tokens and probabilities of transformers.

MODELS has folders of language models without tokenizers, such as shared/fixtures/text; copies in DIR get one, whose token i
is the word "wI". transformers runs the whole sequence for every token, in float32, with forward hooks for the edits.
Needs torch and transformers. Used by tests/cli/check_generate.sh."""
import json
import os
import shutil
import struct
import subprocess
import sys

import torch
from transformers import AutoModelForCausalLM

TOKENS, TOP = 6, 5


def tokenizer(n):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
            "model": {"type": "WordLevel", "vocab": {f"w{i}": i for i in range(n)}, "unk_token": "w0"}}


def write_edits(path, edits, vector):
    about = {"format": 1, "method": "ltv", "prompt": "whole", "wpe_seed": 0, "vector": "given", "values": len(vector),
             "edits": edits}
    header = json.dumps({"__metadata__": {"taskvec_edits": json.dumps(about)},
                         "vector": {"dtype": "F32", "shape": [len(vector)], "data_offsets": [0, 4 * len(vector)]}}).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(header)) + header + vector.numpy().tobytes())


def layers(model):
    inner = model.base_model
    return inner.h if hasattr(inner, "h") else inner.layers


def hook(edit, vector, last):
    """Adds the vector to the output of a layer: at token `last`, or at all."""
    def add(_, __, output):
        x = (output[0] if isinstance(output, tuple) else output).clone()
        tokens = slice(None) if edit["scope"] == "all" else slice(last, last + 1)
        x[:, tokens] += edit["scale"] * vector[edit["values"]:edit["values"] + edit["n"]]
        return (x, *output[1:]) if isinstance(output, tuple) else x
    return add


def expected(model, prompt, edits, vector):
    """The likely tokens of every step: [(id, probability)]."""
    hooks = [layers(model)[e["layer"]].register_forward_hook(hook(e, vector, len(prompt) - 1)) for e in edits]
    ids, steps = list(prompt), []
    with torch.no_grad():
        for _ in range(TOKENS):
            p = model(torch.tensor([ids]), use_cache=False).logits[0, -1].double().softmax(-1)
            top = p.topk(TOP)
            steps.append(list(zip(top.indices.tolist(), top.values.tolist())))
            ids.append(steps[-1][0][0])
    for h in hooks:
        h.remove()
    return steps


def generated(program, folder, prompt, options):
    text = " ".join(f"w{i}" for i in prompt)
    command = [program, "generate", folder, "--prompt", text, "--tokens", str(TOKENS), "--top", str(TOP), "--json", *options]
    result = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert result["prompt_ids"] == prompt, (folder, result["prompt_ids"], prompt)
    return [[(t["id"], t["probability"]) for t in step] for step in result["steps"]]


def compare(what, got, want):
    for step, (g, w) in enumerate(zip(got, want, strict=True)):
        worst = max(abs(a[1] - b[1]) for a, b in zip(g, w, strict=True))
        if [a[0] for a in g] != [b[0] for b in w] or worst > 1e-4:
            sys.exit(f"{what}: step {step}: {g}, but transformers gives {w}")


def main(program, models, out):
    compared = 0
    torch.manual_seed(3)
    torch.set_num_threads(1)
    for name in sorted(os.listdir(models)):
        folder = f"{out}/{name}"
        if not os.path.exists(f"{models}/{name}/model.safetensors"):
            continue
        shutil.copytree(f"{models}/{name}", folder)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        V, E = model.get_input_embeddings().weight.shape
        with open(f"{folder}/tokenizer.json", "w") as f:
            json.dump(tokenizer(V), f)
        vector = torch.randn(2 * E)
        add = {"kind": "add", "site": "block", "from": 0, "n": E, "scale": .7}
        edits = [dict(add, layer=0, scope="query", values=0), dict(add, layer=1, scope="all", values=E)]
        write_edits(f"{folder}/edits.safetensors", edits, vector)
        for n in (1, 40):
            prompt = torch.randint(V, (n,)).tolist()
            plain = generated(program, folder, prompt, [])
            edited = generated(program, folder, prompt, ["--edits", f"{folder}/edits.safetensors"])
            compare(f"{name}, {n} tokens", plain, expected(model, prompt, [], vector))
            compare(f"{name}, {n} tokens, edited", edited, expected(model, prompt, edits, vector))
            if plain == edited:
                sys.exit(f"{name}: edits change nothing")
            compared += 1
    if compared == 0:
        sys.exit(f"no models in {models}")
    print(f"{compared} prompts agree with transformers")


main(*sys.argv[1:])
