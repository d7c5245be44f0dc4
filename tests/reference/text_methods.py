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
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel
from text_derived_twin import DERIVED
from text_methods_twin import LEARNED, Model, close, loss_of, mean_basis, scores_of, taught_loss_of

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
    ("site_taught", 'method = "site"; site = { init = 1.0; }; text_loss = "kl_to_icl"; teacher_points = 4;', 1, 4, True, "all", False),
    ("heads_taught", 'method = "ltv"; ltv = { init = 0.5; }; text_loss = "kl_to_icl"; teacher_points = 3; label_weight = 0.5;',
     2, 3, False, "all", False),
    ("loreft", 'method = "loreft"; loreft = { layer = 1; rank = 2; init = 0.3; };', 2, 0, True, "all", False),
]

# name, method, its keys, points, basis points, whether the basis is the mean
DERIVED_CASES = [
    ("fv", "fv", {"heads": 3}, 1, 4, True),
    ("fv_own", "fv", {"heads": 4, "selection": "bottom"}, 3, 4, False),
    ("fv_gradient", "fv", {"heads": 3, "selection": "gradient", "sites": "one_layer"}, 1, 4, True),
    ("fv_everywhere", "fv", {"heads": 5, "sites": "distributed"}, 1, 4, True),
    ("fv_random", "fv", {"heads": 2, "selection": "random", "sites": "distributed"}, 2, 3, False),
    ("icv", "icv", {"scale": 0.8}, 2, 3, True),
    ("icv_own", "icv", {"scale": 1.5, "layer_shift": 1}, 2, 1, False),
    ("task_vector", "task_vector", {"form": "replace"}, 1, 4, True),
    ("task_vector_own", "task_vector", {"form": "replace"}, 2, 4, False),
    ("task_change", "task_vector", {"form": "difference"}, 1, 4, True),
    ("task_change_own", "task_vector", {"form": "difference"}, 2, 4, False),
    ("state_vector", "state_vector", {}, 1, 4, True),
    ("state_vector_own", "state_vector", {"average": 3}, 2, 4, False),
    ("linear_vector", "linear_vector", {"anchors": 5}, 1, 4, True),
    ("i2cl", "i2cl", {"demonstrations": 2, "epochs": 4, "lr": 0.1}, 2, 0, True),
    ("linear_constant", "linear_vector", {"anchors": 5, "form": "constant"}, 1, 4, True),
]


def cases_of(model):
    return [case for case in CASES if model.has_bias or not case[-1]]


def stage_text(case, name, end):
    _, keys, points, basis_points, mean, answer, _ = case
    basis = f'basis_points = {basis_points}; basis = "{"mean" if mean else "prompt"}";' if basis_points else ""
    return (f'{{ stage = "fit"; name = "{name}"; {keys} points = {points}; {basis} prompts = {TRAIN + HELD}; '
            f'validation = {HELD / (TRAIN + HELD)}; batch = {TRAIN}; answer = "{answer}"; {end} }}')


def test_text(name):
    return f'{{ stage = "evaluate"; name = "test_{name}"; of = "step_{name}"; points = 3; functions = 4; chunk = 3; }}'


def derived_text(case):
    name, method, options, points, basis_points, mean = case
    keys = " ".join(f"{key} = {json.dumps(value)};" for key, value in options.items())
    basis = f'basis_points = {basis_points}; basis = "{"mean" if mean else "prompt"}";' if basis_points else ""
    return (f'{{ stage = "fit"; name = "step_{name}"; method = "{method}"; {method} = {{ {keys} }}; points = {points}; {basis} '
            f'prompts = {TRAIN + HELD}; '
            f'validation = {HELD / (TRAIN + HELD)}; batch = 3; }}')


def config_text(model):
    stages = []
    for case in DERIVED_CASES:
        stages.append(derived_text(case))
        stages.append(test_text(case[0]))
    for case in cases_of(model):
        name = case[0]
        stages.append(stage_text(case, "start_" + name, "epochs = 0;"))
        stages.append(stage_text(case, "step_" + name, ONE_STEP))
        stages.append(test_text(name))
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
    bases = [model.basis(p) for p in prompts["basis"]] if basis_points else [None] * (TRAIN + HELD)
    if mean and basis_points:
        bases = [mean_basis(bases[:TRAIN])] * (TRAIN + HELD)
        for part, got in step.items():
            if part.startswith("basis_"):
                assert mean, part
                close(got, bases[0][part], name + "/" + part)

    def loss_at(w, i):
        edits = LEARNED[row["method"]](model, w, bases[i], row["reading"], case)
        if "kl_to_icl" not in case[1]:
            return loss_of(model, prompts["asked"][i], edits, answer)
        assert prompts["teacher"][i]["answer"] == prompts["asked"][i]["answer"]
        return taught_loss_of(model, prompts["asked"][i], edits, prompts["teacher"][i], 0.5 if "label_weight" in case[1] else 0)

    def loss(w, first, n):
        return sum(loss_at(w, i) for i in range(first, first + n)) / n

    w = start["weights"].clone().requires_grad_()
    value = loss(w, 0, TRAIN)
    value.backward()
    close(float(row["train_loss"]), value.item(), name + "/train_loss")
    close(gradient_of_step(start["weights"], step["weights"]), w.grad, name + "/gradient")
    assert w.grad.abs().max() > 1e-3, (name, "no gradient")
    with torch.no_grad():
        close(float(row["validation_loss"]), loss(step["weights"], TRAIN, HELD).item(), name + "/validation_loss")
    return step["weights"], bases[0] if mean else None, row


def check_scores(got, model, asked, edits_of, bases, name):
    """edits_of a basis; bases: one for each item."""
    assert len(got) == len(asked) == len(bases) == 4, (name, len(got))
    with torch.no_grad():
        plain = [scores_of(model, prompt, []) for prompt in asked]
        effect = (torch.stack(plain) - got[:, :2]).abs().max()
        assert effect > 0.01 or name == "linear_vector", (name, effect)  # which may choose a large ridge weight
        for row, prompt, basis in zip(got, asked, bases):
            close(row[:2], scores_of(model, prompt, edits_of(basis)), name + "/scores")


def bases_of(model, mean, prompts):
    """Of test items: `mean`, or each its own."""
    return [mean] * len(prompts["asked"]) if mean is not None or "basis" not in prompts else [model.basis(p) for p in prompts["basis"]]


def check_learned(model, run, prompts_of, case):
    name, own = case[0], case[3] if not case[4] else 0
    weights, basis, row = check_fit(model, run, prompts_of("step_" + name), case)
    asked = prompts_of("test_" + name, own)
    check_scores(run.tensors("test_" + name)["scores"], model, asked["asked"],
                 lambda b: LEARNED[row["method"]](model, weights, b, row["reading"], case), bases_of(model, basis, asked), name)


def check_derived(model, run, prompts_of, case):
    """Weights, the loss of every candidate on validation prompts, the choice, and the scores of test items."""
    name, method, options, _, basis_points, mean = case
    tensors, prompts = run.tensors("step_" + name), prompts_of("step_" + name)
    d = DERIVED[method](model, prompts, TRAIN, {**options, "mean": mean})
    w = d.weights()
    if w is not None:
        close(tensors["weights"], w, name + "/weights")
    elif "heads" in options:  # at random
        w = tensors["weights"]
        assert w.sum() == options["heads"] and set(w.flatten().tolist()) == {0, 1}, w
    bases = [d.mean] * HELD if mean else [model.basis(p) for p in prompts["basis"][TRAIN:]]
    with torch.no_grad():
        losses = torch.stack([sum(loss_of(model, p, d.edits(w, b, c), "all") for p, b in zip(prompts["asked"][TRAIN:], bases)) / HELD
                              for c in d.candidates()])
    close(tensors["choice_losses"], losses, name + "/choice_losses")
    chosen = d.candidates()[int(tensors["choice"])]
    assert losses[int(tensors["choice"])] < losses.min() + 1e-4, (name, chosen, losses)
    asked = prompts_of("test_" + name, 0 if mean else basis_points)
    check_scores(run.tensors("test_" + name)["scores"], model, asked["asked"], lambda b: d.edits(w, b, chosen),
                 bases_of(model, d.mean if mean else None, asked), name)


def make_gpt2():
    model = GPT2LMHeadModel(GPT2Config(vocab_size=96, n_positions=160, n_embd=16, n_layer=3, n_head=4, initializer_range=0.3,
                                       bos_token_id=0, eos_token_id=0))
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("bias"):
                value.normal_(0, 0.3)
    return model


def save_model(model, folder):
    """Before that makes the first token of an answer, the space, likely at the end of prompts: attributions ask for that."""
    ids = [0 if c == "\n" else ord(c) - 31 for c in "Q: abc\nA: ABC\n\nQ: bad\nA:"]
    with torch.no_grad():
        for _ in range(20):
            out = model(torch.tensor([ids]), output_hidden_states=True)
            model.get_input_embeddings().weight[1] += 0.02 * out.hidden_states[-1][0, -1]
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
        check_learned(model, run, prompts_of, case)
    for case in DERIVED_CASES:
        check_derived(model, run, prompts_of, case)
    return len(cases_of(model)) + len(DERIVED_CASES)


def main():
    binary, probe, work, *kinds = sys.argv[1:]
    torch.manual_seed(7)
    torch.set_num_threads(1)
    llama = os.path.join(work, "llama", "model")
    save_model(AutoModelForCausalLM.from_pretrained(llama, dtype=torch.float32), llama)
    save_model(make_gpt2(), os.path.join(work, "gpt2", "model"))
    print(sum(check_model(binary, probe, work, kind) for kind in kinds), "fits on text agree with PyTorch")


if __name__ == "__main__":
    main()
