#!/usr/bin/env python3
"""check_model_folder.py PROGRAM MODELS RUN: the folders MODELS/0, MODELS/1, ... that `taskvec artifact --model` wrote are
opened by transformers, with the weights of the artifacts rounded to F16, and give the probabilities of `taskvec generate`.

Needs torch, transformers and safetensors. Used by tests/cli/check_model_folder.sh."""
import json
import math
import os
import subprocess
import sys

import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPT = "Q: add\nA: adding\n\nQ: write\nA:"


def compare_weights(program, run, job, folder):
    shown = json.loads(subprocess.run([program, "artifact", run, f"pretrain[{job}]", "--json"], check=True,
                                      stdout=subprocess.PIPE).stdout)
    with safe_open(shown["path"], "pt") as have, safe_open(f"{folder}/model.safetensors", "pt") as written:
        assert sorted(have.keys()) == sorted(written.keys())
        for name in have.keys():
            assert written.get_tensor(name).dtype == torch.float16, name
            assert torch.equal(have.get_tensor(name).half(), written.get_tensor(name)), (job, name)


def encode(folder):
    """By AutoTokenizer where that reads tokenizer.json as it is: for some families it builds their published tokenizer."""
    if json.load(open(f"{folder}/config.json", encoding="utf-8"))["model_type"] == "llama":
        return AutoTokenizer.from_pretrained(folder)(PROMPT)["input_ids"]
    return Tokenizer.from_file(f"{folder}/tokenizer.json").encode(PROMPT).ids


def main(program, models, run):
    for job in range(len(os.listdir(models))):
        folder = f"{models}/{job}"
        compare_weights(program, run, job, folder)
        model, report = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
        assert not report["missing_keys"] and not report["unexpected_keys"], (job, report)
        ours = json.loads(subprocess.run([program, "generate", folder, "--prompt", PROMPT, "--tokens", "1", "--top", "40",
                                          "--json"], check=True, stdout=subprocess.PIPE).stdout)
        ids = encode(folder)
        assert ids == ours["prompt_ids"], (job, ids, ours["prompt_ids"])
        with torch.no_grad():
            wanted = torch.log_softmax(model(torch.tensor([ids])).logits[0, -1].double(), 0)
        worst = max(abs(math.log(t["probability"]) - wanted[t["id"]].item()) for t in ours["steps"][0])
        spread = (wanted.max() - wanted.min()).item()
        assert spread > 0.1 and worst < 1e-4, (job, type(model).__name__, worst, spread)
    print("the same as transformers")


if __name__ == "__main__":
    main(*sys.argv[1:])
