"""text_methods.py BINARY PROBE WORK MODEL...: task-vector methods on text prompts against PyTorch, in double, on small random models of
two families. transformers runs the whole sequence of every prompt, hooks apply the edits at its last token, and autograd gives the
gradients; nothing is shared with the program but the prompts, which PROBE prints, and the initial weights.

Of each fit: the training loss and its gradient at the initial weights (from the first step of Adam with epsilon 1, which is
g / (|g| + 1)), the validation loss after the step, and the scores of test items under the fitted vector."""
import csv
import io
import json
import os
import subprocess
import sys

import torch
from safetensors import safe_open
from transformers import GPT2Config, GPT2LMHeadModel
from text_methods_twin import METHODS, Model, close, loss_of, mean_basis, scores_of

TRAIN, HELD = 8, 3
ONE_STEP = "epochs = 1; patience = 0; optimiser = { lr = 1.0; epsilon = 1.0; };"

# name, keys of the fit, points, basis points, whether the basis is the mean, answer, whether the model needs biases
CASES = [
    ("heads", 'method = "ltv"; ltv = { init = 0.5; };', 1, 4, True, "all", False),
    ("heads_own", 'method = "ltv"; ltv = { init = 0.5; };', 3, 3, False, "all", False),
    ("heads_bias", 'method = "ltv"; ltv = { reading = "heads_bias"; init = 0.5; };', 1, 3, False, "all", False),
    ("reprojected", 'method = "ltv"; ltv = { reading = "reprojected"; init = 0.5; };', 2, 3, True, "first", False),
    ("blocks", 'method = "ltv"; ltv = { reading = "blocks"; init = 1.0; };', 3, 4, True, "first", False),
    ("constant", 'method = "constant"; constant = { init = 0.3; };', 1, 0, True, "all", False),
    ("bias_only", 'method = "bias_only"; bias_only = { init = 0.5; };', 1, 0, True, "all", True),
    ("learned_0", 'method = "learned_vector"; learned_vector = { layer = 0; init = 0.5; };', 1, 0, True, "all", False),
    ("learned_2", 'method = "learned_vector"; learned_vector = { layer = 2; init = 0.5; };', 2, 0, True, "all", False),
    ("site", 'method = "site"; site = { gate = 0.5; init = 1.0; };', 1, 4, True, "first", False),
    ("site_own", 'method = "site"; site = { gate = 0.3; init = 1.0; };', 3, 3, False, "all", False),
    ("loreft", 'method = "loreft"; loreft = { layer = 1; rank = 2; init = 0.3; };', 2, 0, True, "all", False),
]


def cases_of(model):
    return [case for case in CASES if model.has_bias or not case[-1]]


def stage_text(case, name, end):
    _, keys, points, basis_points, mean, answer, _ = case
    basis = f'basis_points = {basis_points}; basis = "{"mean" if mean else "prompt"}";' if basis_points else ""
    return (f'{{ stage = "fit"; name = "{name}"; {keys} points = {points}; {basis} prompts = {TRAIN + HELD}; '
            f'validation = {HELD / (TRAIN + HELD)}; batch = {TRAIN}; answer = "{answer}"; {end} }}')


def config_text(model):
    stages = []
    for case in cases_of(model):
        name = case[0]
        stages.append(stage_text(case, "start_" + name, "epochs = 0;"))
        stages.append(stage_text(case, "step_" + name, ONE_STEP))
        stages.append(f'{{ stage = "evaluate"; name = "test_{name}"; of = "step_{name}"; points = 3; functions = 4; chunk = 3; }}')
    return ('name = "methods"; seed = 11; model = { checkpoint = "model"; };\nsource = { kind = "text"; task = "capital.json"; };\n'
            "stages = (\n" + ",\n".join(stages) + " );\n")


class Run:
    """Results of the run of a config."""

    def __init__(self, binary, folder, config):
        self.binary, self.folder = binary, folder
        self.call("run", config, "-o", folder, "--quiet", "--in-process")

    def call(self, *words):
        done = subprocess.run([self.binary, *words], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"taskvec {' '.join(words)}: {done.returncode}: {done.stderr}")
        return done.stdout

    def row(self, stage):
        return next(csv.DictReader(io.StringIO(self.call("table", self.folder, stage, "--format", "csv"))))

    def tensors(self, stage):
        path = json.loads(self.call("artifact", self.folder, stage + "[0]", "--json"))["path"]
        with safe_open(path, "pt") as f:
            return {name: f.get_tensor(name).double() for name in f.keys()}


def gradient_of_step(before, after):
    """Of w' = w - g / (|g| + 1)."""
    u = before - after
    return u / (1 - u.abs())


def check_fit(model, run, prompts, case):
    name, _, _, basis_points, mean, answer, _ = case
    start, step = run.tensors("start_" + name), run.tensors("step_" + name)
    row = run.row("step_" + name)
    bases = [model.basis(p["ids"]) for p in prompts["basis"]] if basis_points else [None] * (TRAIN + HELD)
    if mean and basis_points:
        bases = [mean_basis(bases[:TRAIN])] * (TRAIN + HELD)
        for part, got in step.items():
            if part.startswith("basis_"):
                close(got, bases[0][part], name + "/" + part)

    def loss(w, first, n):
        return sum(loss_of(model, prompts["asked"][i], METHODS[row["method"]](model, w, bases[i], row["reading"], case), answer)
                   for i in range(first, first + n)) / n

    w = start["weights"].clone().requires_grad_()
    value = loss(w, 0, TRAIN)
    value.backward()
    close(float(row["train_loss"]), value.item(), name + "/train_loss")
    close(gradient_of_step(start["weights"], step["weights"]), w.grad, name + "/gradient")
    assert w.grad.abs().max() > 1e-3, (name, "no gradient")
    with torch.no_grad():
        close(float(row["validation_loss"]), loss(step["weights"], TRAIN, HELD).item(), name + "/validation_loss")
    return step["weights"], bases[0] if mean else None, row


def check_scores(model, run, prompts, case, fitted):
    name = case[0]
    weights, basis, row = fitted
    got = run.tensors("test_" + name)["scores"]
    bases = [model.basis(p["ids"]) for p in prompts["basis"]] if basis is None and case[3] else [basis] * len(prompts["asked"])
    assert len(got) == len(prompts["asked"]) == 4, (name, len(got))
    with torch.no_grad():
        for i, prompt in enumerate(prompts["asked"]):
            edits = METHODS[row["method"]](model, weights, bases[i], row["reading"], case)
            close(got[i][:2], scores_of(model, prompt, edits), f"{name}/scores of item {i}")


def make_gpt2(folder):
    """Replaces the model of a folder, and leaves its tokenizer."""
    model = GPT2LMHeadModel(GPT2Config(vocab_size=96, n_positions=160, n_embd=16, n_layer=3, n_head=4, initializer_range=0.3,
                                       bos_token_id=0, eos_token_id=0))
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("bias"):
                value.normal_(0, 0.3)
    model.save_pretrained(folder)


def check_model(binary, probe, work, kind):
    model = Model(os.path.join(work, kind, "model"))
    config = os.path.join(work, kind, "methods.cfg")
    with open(config, "w", encoding="utf-8") as f:
        f.write(config_text(model))
    run = Run(binary, os.path.join(work, kind, "run"), config)

    def prompts_of(stage, basis_points=0):
        return json.loads(subprocess.run([probe, config, stage, str(basis_points)], capture_output=True, text=True, check=True).stdout)

    for case in cases_of(model):
        fitted = check_fit(model, run, prompts_of("step_" + case[0]), case)
        asked = prompts_of("test_" + case[0], case[3])
        check_scores(model, run, asked, case, fitted)
    return len(cases_of(model))


def main():
    binary, probe, work, *kinds = sys.argv[1:]
    torch.manual_seed(7)
    torch.set_num_threads(1)
    make_gpt2(os.path.join(work, "gpt2", "model"))
    print(sum(check_model(binary, probe, work, kind) for kind in kinds), "fits on text agree with PyTorch")


if __name__ == "__main__":
    main()
