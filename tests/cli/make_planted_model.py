#!/usr/bin/env python3
"""make_planted_model.py DIR: a language model in the Llama shape whose weights are set by hand, so that it is known which head
carries the task. With it a tokenizer and the pairs u0 -> v0, u1 -> v1, ... (pairs.json). Prompts are "u3 v3 ; u7 v7 ; u1" after the
token ";", or the pairs the other way round.

What the three layers compute, on a residual stream whose coordinates are named below:
 0  Head 0 copies from the token before which pair it belongs to (PREVIOUS) and whether it is a u or a v (BEFORE). The MLP sets
    EVIDENCE at an answer: +1 at v3 after u3, -1 at u3 after v3, 0 where the answer is that of another pair.
 1  Head 2, the planted one, attends from the query to the answers that follow words of the query's KIND, and copies the mean of
    their EVIDENCE into TASK: +1 for a u that asks for its v, -1 for a v that asks for its u, near 0 if no shot tells or the labels
    are shuffled. So for pairs of one direction the head has one output for all queries, which a vector can replace. For pairs of
    both directions (the bijection) its output depends on the query, its mean is 0, and no vector that is the same for all queries
    can replace it.
 2  The MLP looks the answer up: TASK > 0 gives the v of a u, TASK < 0 the u of a v. With TASK near 0 the model repeats the query.
Head 0 of layer 1 and head 1 of layer 2 are decoys: they copy the words into JUNK, which nothing reads, and are as loud as the
planted head. All heads have a little noise.
"""
import json
import math
import os
import random
import struct
import sys

PAIRS, E, F, L, H, D = 30, 128, 60, 3, 4, 32
U, V, PREVIOUS, KIND, BEFORE, ONE, EVIDENCE, TASK, JUNK = 0, 30, 60, 90, 91, 92, 93, 94, 98
LEVEL = 20  # of ONE, which is so large that norms divide all tokens by nearly the same number
LOUD, SHARP, SURE, NOISE = 12, 4, 6, 0.01  # scale of logits, of gates, of the planted head's attention
BASE = 10000.0  # of the rotary positions
rng = random.Random(3)


def zeros(rows, columns):
    return [[0.0] * columns for _ in range(rows)]


def noise(rows, columns):
    return [[rng.gauss(0, NOISE) for _ in range(columns)] for _ in range(rows)]


def previous_token_head(layer):
    """Scores are the sum over the first rotary pairs of cos(angle (distance - 1)), largest at distance 1."""
    size = math.sqrt(20 * math.sqrt(D)) / LEVEL
    for j in range(4):
        angle = BASE ** (-2 * j / D)
        layer["q"][j][ONE] += size
        layer["k"][j][ONE] += size * math.cos(angle)
        layer["k"][j + D // 2][ONE] += size * math.sin(angle)
    for i in range(PAIRS):
        layer["v"][i][U + i] += 1
        layer["v"][i][V + i] += 1
        layer["o"][PREVIOUS + i][i] += 1
    layer["v"][PAIRS][KIND] += 1
    layer["o"][BEFORE][PAIRS] += 1


def planted_head(layer, head):
    slowest = head * D + D // 2 - 1  # a rotary pair that hardly turns
    size = math.sqrt(SURE * math.sqrt(D))
    layer["q"][slowest][KIND] += size
    layer["k"][slowest][BEFORE] += size
    layer["k"][slowest][KIND] -= size  # an answer is of the other kind, a separator of none
    layer["v"][head * D][EVIDENCE] += 1
    layer["o"][TASK][head * D] += 1


def decoy_head(layer, head):
    for i in range(PAIRS):
        layer["v"][head * D + i][U + i] += 2
        layer["v"][head * D + i][V + i] += 2
        layer["o"][JUNK + i][head * D + i] += 1


def unit(layer, i, gate, up, out, scale):
    """Hidden unit i: adds scale silu(SHARP gate) up to coordinate `out`; gate is a coordinate with a sign."""
    where, sign = gate
    layer["gate"][i][where] = sign * SHARP
    layer["up"][i][up] = 1
    layer["down"][out][i] = scale


def layers():
    made = [{**{name: noise(E, E) for name in "qkvo"}, "gate": zeros(F, E), "up": zeros(F, E), "down": zeros(E, F)} for _ in range(L)]
    at_1 = SHARP / (1 + math.exp(-SHARP))  # silu(SHARP)
    previous_token_head(made[0])
    planted_head(made[1], 2)
    decoy_head(made[1], 0)
    decoy_head(made[2], 1)
    for i in range(PAIRS):
        unit(made[0], i, (PREVIOUS + i, 1), V + i, EVIDENCE, 1 / at_1)
        unit(made[0], PAIRS + i, (PREVIOUS + i, 1), U + i, EVIDENCE, -1 / at_1)
        unit(made[2], i, (TASK, 1), U + i, V + i, 0.45)  # 1.8 at TASK = 1, against 1 of the query itself
        unit(made[2], PAIRS + i, (TASK, -1), V + i, U + i, 0.45)
    return made


def tensors():
    words = zeros(2 * PAIRS + 1, E)  # ; u0 .. v0 ..
    logits = zeros(2 * PAIRS + 1, E)
    for i in range(2 * PAIRS):
        words[1 + i][i] = 1.0
        words[1 + i][KIND] = 1.0 if i < PAIRS else -1.0
        logits[1 + i][i] = float(LOUD)
    for word in words:
        word[ONE] = float(LEVEL)
    gain = [[LEVEL / math.sqrt(E)] * E]
    yield "model.embed_tokens.weight", words
    yield "model.norm.weight", gain
    yield "lm_head.weight", logits
    for i, layer in enumerate(layers()):
        p = f"model.layers.{i}."
        for name in "qkvo":
            yield f"{p}self_attn.{name}_proj.weight", layer[name]
        for name in ("gate", "up", "down"):
            yield f"{p}mlp.{name}_proj.weight", layer[name]
        yield p + "input_layernorm.weight", gain
        yield p + "post_attention_layernorm.weight", gain


def main():
    folder = sys.argv[1]
    os.makedirs(folder)

    def write(name, content):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(content if isinstance(content, bytes) else json.dumps(content).encode())

    header, data = {}, b""
    for name, rows in tensors():
        shape = [len(rows), len(rows[0])] if "norm" not in name else [len(rows[0])]
        one = b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(one)]}
        data += one
    text = json.dumps(header).encode()
    write("model.safetensors", struct.pack("<Q", len(text)) + text + data)
    write("config.json", {"model_type": "llama", "hidden_size": E, "intermediate_size": F, "num_hidden_layers": L,
                          "num_attention_heads": H, "num_key_value_heads": H, "vocab_size": 2 * PAIRS + 1,
                          "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": BASE, "hidden_act": "silu",
                          "tie_word_embeddings": False})
    words = [";"] + [f"u{i}" for i in range(PAIRS)] + [f"v{i}" for i in range(PAIRS)]
    write("tokenizer.json", {"added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None,
                             "decoder": None, "model": {"type": "WordLevel", "unk_token": ";", "vocab": {w: i for i, w in enumerate(words)}}})
    write("pairs.task", [{"input": f"u{i}", "output": f"v{i}"} for i in range(PAIRS)])


if __name__ == "__main__":
    main()
