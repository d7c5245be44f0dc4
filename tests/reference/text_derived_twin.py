"""Methods whose weights are derived from prompts of text, in double: the candidates of each, as edits on a basis."""
import math

import torch
from text_methods_twin import add, loss_of, mean_basis

GRID = [0.05, 0.5, 5, 50, 500, 5e3, 5e4]  # of ridge weights
SCALES = [0.25, 0.5, 1, 2, 4]


class Derivation:
    """prompts: as prompt_probe prints them, the first `train` of them for training; options: keys of the method."""

    def __init__(self, model, prompts, train, options):
        self.model, self.prompts, self.train, self.options = model, prompts, train, options
        self.clean = [model.basis(p) for p in prompts.get("basis", [])[:train]]
        self.mean = mean_basis(self.clean) if self.clean else None


def probability(model, prompt, edits):
    with torch.no_grad():
        return torch.softmax(model.run(prompt["ids"], edits)[0][-1], 0)[prompt["answer"][0]]


def replace_head(h, H, values):
    D = len(values) // H

    def function(z):
        return torch.cat([z[:h * D], values[h * D:(h + 1) * D], z[(h + 1) * D:]])
    return function


def indirect_effects(d):
    """[L, H] Todd et al., section 2.3, on label-shuffled prompts, with the mean over the basis prompts."""
    model, prompts = d.model, d.prompts["shuffled"][:d.train]
    effects = torch.zeros(model.L, model.H).double()
    for prompt in prompts:
        without = probability(model, prompt, [])
        for l in range(model.L):
            for h in range(model.H):
                edit = ("heads", l, replace_head(h, model.H, d.mean["basis_heads"][l]))
                effects[l, h] += (probability(model, prompt, [edit]) - without) / len(prompts)
    return effects


def attributions(d):
    """[L, H] gradient times output of the logit of the answer's first token, where that is among the five most likely."""
    model, prompts = d.model, d.prompts["basis"][:d.train]
    total = torch.zeros(model.L, model.H).double()
    for prompt in prompts:
        shifts = [torch.zeros(model.W[l].shape[0]).double().requires_grad_() for l in range(model.L)]
        logits, seen = model.run(prompt["ids"], [("heads", l, add(shifts[l])) for l in range(model.L)])
        logit = logits[-1][prompt["answer"][0]]
        if (logits[-1] > logit).sum() >= 5:
            continue
        gradients = torch.autograd.grad(logit, shifts)
        for l in range(model.L):
            total[l] += (gradients[l] * seen["heads", l][-1].detach()).view(model.H, -1).sum(1) / len(prompts)
    return total


def choose_heads(effects, n):
    order = effects.flatten().argsort(descending=True)
    assert effects.flatten()[order[n - 1]] - effects.flatten()[order[n]] > 1e-6, "two heads have the same effect"
    w = torch.zeros(effects.numel()).double()
    w[order[:n]] = 1
    return w.view(effects.shape)


class Fv(Derivation):
    def weights(self):
        selection = self.options.get("selection", "aie")
        if selection == "random":
            return None
        effects = attributions(self) if selection == "gradient" else indirect_effects(self)
        return choose_heads(-effects if selection == "bottom" else effects, self.options["heads"])

    def candidates(self):
        sites = self.options.get("sites", "layers")
        return {"layers": [None], "one_layer": list(range(self.model.L)), "distributed": SCALES}[sites]

    def edits(self, w, basis, candidate):
        model, z = self.model, basis["basis_heads"]
        chosen = [z[l] * w[l].repeat_interleave(z.shape[1] // model.H) for l in range(model.L)]
        if self.options.get("sites") == "distributed":
            return [("heads", l, add(candidate * chosen[l])) for l in range(model.L)]
        v = sum(chosen[l] @ model.W[l] + (w[l].sum() > 0) * model.b[l] for l in range(model.L))
        return [("block", 1 if candidate is None else candidate, add(v))]  # the middle third of three blocks, or one of them


class Icv(Derivation):
    def weights(self):
        steps = torch.stack([b["basis_step"].flatten() for b in self.clean])
        U, _, Vt = torch.linalg.svd(steps - steps.mean(0), full_matrices=False)
        sign = U[U[:, 0].abs().argmax(), 0].sign()
        return (sign * Vt[0]).view(self.model.L + 1, self.model.E)

    def candidates(self):
        return [None]

    def edits(self, w, basis, _candidate):
        v = basis["basis_step"] + (w if self.options["mean"] else 0)

        def steer(l):
            def function(x):
                moved = x + self.options["scale"] * v[l + 1 - self.options.get("layer_shift", 0)]
                return moved * x.norm(dim=1, keepdim=True) / moved.norm(dim=1, keepdim=True)
            return function
        return [("all_block", l, steer(l)) for l in range(self.model.L)]


class TaskVector(Derivation):
    def weights(self):
        return None

    def candidates(self):
        return list(range(self.model.L))

    def edits(self, _w, basis, candidate):
        if self.options["form"] == "replace":
            return [("block", candidate, lambda _x: basis["basis_state"][candidate])]
        return [("block", candidate, add(basis["basis_state"][candidate] - basis["basis_alone"][candidate]))]


class StateVector(TaskVector):
    def edits(self, _w, basis, candidate):
        recent = self.options.get("average", 1)
        a = basis["basis_attention" if recent == 1 else f"basis_recent_{recent}"]
        return [("attention", l, lambda _a, l=l: a[l]) for l in range(candidate + 1)]


class LinearVector(Derivation):
    def weights(self):
        n = self.options["anchors"]
        with torch.no_grad():
            alone, shown = (torch.stack([self.model.run(p["ids"])[1]["block", self.model.L - 1][-1] for p in self.prompts[kind][:n]])
                            for kind in ("alone", "clean"))
        self.H, self.change = alone.T, (shown - alone).T
        return None

    def candidates(self):
        return [None] if self.options.get("form") == "constant" else GRID

    def edits(self, _w, _basis, candidate):
        if candidate is None:
            return [("block", self.model.L - 1, add(self.change.mean(1)))]
        n = self.H.shape[1]
        W = self.change @ torch.linalg.solve(self.H.T @ self.H + candidate * torch.eye(n).double(), self.H.T)
        return [("block", self.model.L - 1, lambda x: x + W @ x)]


class I2cl(Derivation):
    """Of so few demonstrations that each update sees all."""

    def weights(self):
        model, shown = self.model, self.prompts["alone"][:self.options["demonstrations"]]
        assert len(shown) == 2
        with torch.no_grad():
            runs = [model.run(p["ids"] + p["answer"])[1] for p in shown]
            means = torch.stack([torch.stack([seen[site, l][-1] for seen in runs]).mean(0)
                                 for l in range(model.L) for site in ("attention", "mlp")])
        scalars = torch.tensor([[0.1, 1.0]] * (2 * model.L)).double().requires_grad_()
        optimiser = torch.optim.AdamW([scalars], lr=1, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-3)
        updates = self.options["epochs"]
        for step in range(1, updates + 1):
            optimiser.param_groups[0]["lr"] = self.options["lr"] * 0.5 * (1 + math.cos(math.pi * step / updates))
            optimiser.zero_grad()
            sum(loss_of(model, p, self.edits(torch.cat([means, scalars], 1), None, None), "all") / 2 for p in shown).backward()
            optimiser.step()
        return torch.cat([means, scalars.detach()], 1)

    def candidates(self):
        return [None]

    def edits(self, w, _basis, _candidate):
        def share(row):
            return lambda m: row[-1] * m + row[-2] * row[:-2]
        return [("all_" + site, l, share(w[2 * l + j])) for l in range(self.model.L) for j, site in enumerate(("attention", "mlp"))]


DERIVED = {"i2cl": I2cl, "fv": Fv, "icv": Icv, "task_vector": TaskVector, "state_vector": StateVector, "linear_vector": LinearVector}
