#!/usr/bin/env python3
"""make_checkpoints.py DIR: writes files with torch.save, for tests/cli/check_import.py and
check_to_safetensors.py. Needs torch (the files in
checkpoints/ are from 2.13).

state.pt        a model of Garg et al. (2 layers, 2 heads, width 8, 8 points of 2 numbers) as their train.py saves it,
                with the buffers and the token embedding of their transformers, the state of the optimiser and a view
ltv.pth         a parameter [2, 2], the weights of a task vector
ltv_dict.pth    the same in a state_dict, in double precision and transposed
bfloat16.pth    the same in bfloat16
old.pth         the same in the format of torch before 1.6
language.bin    a GPT-2 (2 layers, 2 heads, width 8, 11 tokens, 16 positions) as transformers saves it: halves, bfloat16,
                floats and a mask of booleans; its output matrix is its embedding (tests/cli/check_to_safetensors.py)
Number i of tensor n is ((37 i + n) mod 101 - 50) / 512, which is exact in every type."""
import os
import sys

import torch

E, INPUTS, LAYERS, POSITIONS = 8, 2, 2, 16


def numbers(n, *shape):
    i = torch.arange(torch.Size(shape).numel())
    return (((37 * i + n) % 101 - 50) / 512).reshape(shape)


def shapes():
    yield "_read_in.weight", [E, INPUTS]
    yield "_read_in.bias", [E]
    yield "_backbone.wpe.weight", [POSITIONS, E]
    for i in range(LAYERS):
        for name, shape in (("ln_1.weight", [E]), ("ln_1.bias", [E]), ("attn.c_attn.weight", [E, 3 * E]),
                            ("attn.c_attn.bias", [3 * E]), ("attn.c_proj.weight", [E, E]), ("attn.c_proj.bias", [E]),
                            ("ln_2.weight", [E]), ("ln_2.bias", [E]), ("mlp.c_fc.weight", [E, 4 * E]),
                            ("mlp.c_fc.bias", [4 * E]), ("mlp.c_proj.weight", [4 * E, E]), ("mlp.c_proj.bias", [E])):
            yield f"_backbone.h.{i}.{name}", shape
    yield "_backbone.ln_f.weight", [E]
    yield "_backbone.ln_f.bias", [E]
    yield "_read_out.weight", [1, E]
    yield "_read_out.bias", [1]


def state():
    weights = {name: numbers(n, *shape) for n, (name, shape) in enumerate(shapes())}
    weights["_read_out.weight"] = torch.cat([torch.zeros(2, 3), torch.ones(2, E)], 1)[1:, 3:].copy_(
        weights["_read_out.weight"])  # a view into a larger storage
    model = torch.nn.Module()
    for name, value in weights.items():
        model.register_parameter(name.replace(".", "/"), torch.nn.Parameter(value))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
    weights["_backbone.wte.weight"] = numbers(99, 1, E)
    for i in range(LAYERS):
        weights[f"_backbone.h.{i}.attn.bias"] = torch.tril(torch.ones(4, 4, dtype=torch.uint8)).view(1, 1, 4, 4)
        weights[f"_backbone.h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    return {"model_state_dict": weights, "optimizer_state_dict": optimiser.state_dict(), "train_step": 500000}


def language():
    weights = {"transformer.wte.weight": numbers(0, 11, E).half()}
    for n, (name, shape) in enumerate(shapes(), 1):
        if "read_" in name:
            continue
        value = numbers(n, *shape)
        weights[name.replace("_backbone", "transformer")] = value.bfloat16() if len(shape) == 2 and ".h." in name else value
    weights["transformer.h.0.attn.bias"] = torch.tril(torch.ones(4, 4)).bool().view(1, 1, 4, 4)
    weights["lm_head.weight"] = weights["transformer.wte.weight"]
    return weights


def main():
    os.chdir(sys.argv[1])
    torch.save(state(), "state.pt")
    weights = numbers(7, 2, 2)
    torch.save(torch.nn.Parameter(weights), "ltv.pth")
    torch.save({"weights": weights.double().t().contiguous().t()}, "ltv_dict.pth")
    torch.save(weights.bfloat16(), "bfloat16.pth")
    torch.save(language(), "language.bin")
    torch.save(weights, "old.pth", _use_new_zipfile_serialization=False)


main()
