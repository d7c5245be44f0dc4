#!/usr/bin/env python3
"""make_language_models.py DIR [added]: folders of random language models of shapes that the fixtures lack, with reference numbers.

Each is written by transformers (config.json in its spelling, shards, types) and has an expected.h5 for `taskvec verify`:
logits of all tokens, head outputs and hidden states of the last ones, for prompts of 7 to 200 tokens. Weights are widened
to float32 and all arithmetic is float32. Needs torch, transformers and h5py. Used by tests/cli/check_transformers.sh and,
with `added` for the family of tests/dummy/family_stablelm.c, by tests/cli/check_family.sh."""
import os
import sys

import h5py
import numpy as np
import torch
from transformers import (AutoModelForCausalLM, GPT2Config, GPTJConfig, GPTNeoXConfig, LlamaConfig, MistralConfig, Qwen2Config,
                          Qwen3Config, StableLmConfig)

LENGTHS = [7, 130, 200, 31]
OUTPUTS = ("attn.c_proj", "attn.out_proj", "attention.dense", "self_attn.o_proj")  # their input is z
SIZES = {"vocab_size": 109, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 6, "intermediate_size": 80,
         "max_position_embeddings": 256}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64, "rope_theta": 20000.0}
LINEAR = {"rope_type": "linear", "factor": 3.0, "rope_theta": 5000.0}


def configs():
    """Name, config, type of the weights."""
    yield "gpt2", GPT2Config(vocab_size=101, n_positions=256, n_embd=36, n_layer=2, n_head=3, n_inner=50,
                             activation_function="gelu", scale_attn_by_inverse_layer_idx=True), torch.float16
    yield "gptj", GPTJConfig(vocab_size=77, n_positions=256, n_embd=48, n_layer=2, n_head=4, rotary_dim=6), torch.float32
    yield "neox_serial", GPTNeoXConfig(**SIZES, use_parallel_residual=False, rotary_pct=.5, attention_bias=False,
                                       tie_word_embeddings=True), torch.float32
    yield "llama_biases", LlamaConfig(**SIZES, num_key_value_heads=3, attention_bias=True, mlp_bias=True,
                                      rope_parameters=LLAMA3), torch.bfloat16
    yield "llama_linear", LlamaConfig(**SIZES, num_key_value_heads=1, rope_parameters=LINEAR), torch.float16
    yield "mistral", MistralConfig(**SIZES, num_key_value_heads=2, head_dim=12, sliding_window=None), torch.bfloat16
    yield "qwen2", Qwen2Config(**SIZES, num_key_value_heads=2, hidden_act="gelu_pytorch_tanh"), torch.float32
    yield "qwen3_wide", Qwen3Config(**SIZES, num_key_value_heads=3, head_dim=16, attention_bias=True,
                                    tie_word_embeddings=True), torch.bfloat16
    yield "qwen3_narrow", Qwen3Config(**SIZES, num_key_value_heads=6, head_dim=4), torch.float32


def added():
    """The family that tests/dummy adds."""
    yield "stablelm", StableLmConfig(**SIZES, num_key_value_heads=6), torch.float32
    yield "stablelm_grouped", StableLmConfig(**SIZES, num_key_value_heads=2, use_qkv_bias=True, tie_word_embeddings=True,
                                             rope_parameters={"rope_type": "default", "rope_theta": 20000.0,
                                                              "partial_rotary_factor": .5}), torch.bfloat16


def fill(model):
    """Weights that no initialisation gives: gains and biases that are not trivial."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            gain = name.endswith("weight") and p.dim() == 1
            p.copy_(torch.randn_like(p) * (.15 if p.dim() > 1 else .3) + (1 if gain else 0))


def run(model, ids):
    """Logits [T, V], z [L, H D] and hidden states [L + 1, E] of the last token."""
    z = []
    hooks = [m.register_forward_pre_hook(lambda _, x: z.append(x[0][0, -1].detach())) for n, m in model.named_modules()
             if n.endswith(OUTPUTS)]
    with torch.no_grad():
        out = model(ids, output_hidden_states=True)
    for hook in hooks:
        hook.remove()
    return out.logits[0], torch.stack(z), torch.stack([h[0, -1] for h in out.hidden_states])


def write(folder, config, dtype):
    model = AutoModelForCausalLM.from_config(config).float().eval()
    fill(model)
    model.to(dtype).save_pretrained(folder, max_shard_size="60KB")
    # Read again: to(dtype) rounded the rotary frequencies too.
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    B, T, H = len(LENGTHS), max(LENGTHS), config.num_attention_heads
    ids, logits, heads, hidden = -np.ones((B, T), "i8"), np.zeros((B, T, config.vocab_size), "f4"), [], []
    for b, n in enumerate(LENGTHS):
        prompt = torch.randint(0, config.vocab_size, (1, n))
        ids[b, :n] = prompt[0]
        logits[b, :n], z, states = run(model, prompt)
        heads.append(z.reshape(len(z), H, -1).numpy())
        hidden.append(states.numpy())
    with h5py.File(f"{folder}/expected.h5", "w") as f:
        f["token_ids"], f["lengths"], f["target_ids"] = ids, np.array(LENGTHS), np.array([(i + 5) % 70 for i in range(B)])
        f["logits"], f["head_outputs_last_token"], f["hidden_states_last_token"] = logits, np.stack(heads), np.stack(hidden)


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    for name, config, dtype in added() if sys.argv[2:] == ["added"] else configs():
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder)
        write(folder, config, dtype)


main()
