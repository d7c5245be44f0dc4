#!/usr/bin/env python3
"""Apply a fitted task vector to a model of taskvec in PyTorch.

    taskvec artifact DIR 'fit[0]' --edits edits.safetensors
    apply_vector.py model.safetensors edits.safetensors prompts.safetensors -o predictions.npy

MODEL is a model of functions, such as experiments/models/linear_d5.safetensors or the artifact of a pretraining. EDITS is
what `taskvec artifact --edits` writes. PROMPTS is a safetensors file with x [n, points, d] and y [n, points], and with
basis_x [n, T0, d] and basis_y [n, T0] if every prompt has a vector of its own; the artifact of an evaluation with
keep = ["predictions", "prompts"] has them all. The output is [n, points]: the prediction after k = 0, 1, ... examples.

If PROMPTS has predictions, they are compared; exit code 1: they differ by more than --tolerance (of 1 + |prediction|).
Exit code 65: a file that cannot be used. Needs numpy and torch.

The classes can be used without the command line. `Edits` knows nothing of the model: a model calls edits.apply(site,
layer, activations) at the sites "embedding", "heads", "attention", "mlp" and "block", as `Model.forward` does here and
`hooked(model, edits)` in language models of the library transformers. docs/results.md describes the format ("Edits") and
the formula of every vector."""

import argparse
import contextlib
import hashlib
import json
import math
import struct
import sys

import numpy as np
import torch

TYPES = {"F32": "<f4", "F64": "<f8", "F16": "<f2"}


class Refused(Exception):
    pass


def read_safetensors(path):
    """{name: array} and the metadata of a file."""
    try:
        with open(path, "rb") as f:
            data = f.read()
        size, = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + size])
        tensors = {}
        for name, t in header.items():
            if name != "__metadata__":
                begin, end = (8 + size + offset for offset in t["data_offsets"])
                tensors[name] = np.frombuffer(data[begin:end], TYPES[t["dtype"]]).reshape(t["shape"])
    except (OSError, struct.error, ValueError, KeyError) as error:
        raise Refused(f"{path}: not a safetensors file that can be read: {error!r}") from error
    return tensors, header.get("__metadata__", {})


# ---- edits


class Edits:
    """Edits of a forward pass, and the vectors [n or 1, values] that they read."""

    def __init__(self, edits, vectors):
        self.edits, self.vectors = edits, vectors

    def part(self, offset, *shape):
        """`shape` numbers from `offset` on, of each vector."""
        return self.vectors[:, offset : offset + math.prod(shape)].reshape(-1, *shape)

    def changed(self, e, x):
        """x [prompts, tokens, e.n] after one edit."""
        if e["kind"] == "affine":  # x + B^T (A x + c)
            u = x @ self.part(e["A"], e["rank"], e["n"]).transpose(1, 2)
            if e["c"] is not None:
                u = u + self.part(e["c"], e["rank"])[:, None]
            return x + (u if e["B"] is None else u @ self.part(e["B"], e["rank"], e["n"]))
        v = self.part(e["values"], e["n"])[:, None]
        if e["kind"] == "replace":
            return v.expand_as(x)
        v = e["scale"] * v
        if e["kind"] == "add":
            return x + v
        if e["kind"] == "mix":
            return (1 - e["scale"]) * x + v
        if e["kind"] == "rescale":
            return (x + v) * (x.norm(dim=-1, keepdim=True) / (x + v).norm(dim=-1, keepdim=True))
        raise Refused(f"an edit of kind {e['kind']!r}, which this program does not know")

    def apply(self, site, layer, x, query=None):
        """x [prompts, tokens, width] after the edits of a site, in their order. The query is token `query` of x, or the
        last one; where x has no such token, only edits of scope "all" apply."""
        query = x.shape[1] - 1 if query is None else query
        for e in self.edits:
            if (e["site"], e["layer"]) != (site, layer) or (e["scope"] == "query" and not 0 <= query < x.shape[1]):
                continue
            if e["from"] + e["n"] > x.shape[-1]:
                raise Refused(f"an edit of numbers {e['from']} to {e['from'] + e['n']} of {site}, which has {x.shape[-1]}: the "
                              "vector is of another model")
            self.vectors = self.vectors.to(x.device)
            tokens = slice(None) if e["scope"] == "all" else slice(query, query + 1)
            columns = slice(e["from"], e["from"] + e["n"])
            x = x.clone()
            x[:, tokens, columns] = self.changed(e, x[:, tokens, columns].to(self.vectors.dtype)).to(x.dtype)
        return x


NO_EDITS = Edits([], None)

# ---- language models of transformers

OUTPUTS = ("attn.c_proj", "attn.out_proj", "attention.dense", "self_attn.o_proj")  # of attention; their input is z


def parts_of(model):
    """Layers of a transformers model and their output projections of attention."""
    layers = [layer for name, part in model.base_model.named_children() if name in ("h", "layers") for layer in part]
    outputs = [part for layer in layers for name, part in layer.named_modules() if name in OUTPUTS]
    if not layers or len(layers) != len(outputs):
        raise Refused(f"{type(model).__name__}: of none of the families GPT-2, GPT-J, GPT-NeoX, Llama, Mistral, Qwen2, Qwen3")
    return layers, outputs


@contextlib.contextmanager
def hooked(model, edits, query=None):
    """`with hooked(model, edits): model.generate(...)` runs a transformers model with edits.

    The query is the last token of the prompt, that is of a pass without earlier keys and values, so pad prompts on the
    left. Tokens generated after it have edits of scope "all" alone. query: its number from 0, needed where a pass begins
    elsewhere: without use_cache, or after a cache of one's own."""
    layers, outputs = parts_of(model)
    at = query
    if any(e["layer"] >= len(layers) for e in edits.edits):
        raise Refused(f"an edit of a layer that a model of {len(layers)} layers does not have")

    def begin(module, args, kwargs):
        nonlocal at
        past = kwargs.get("past_key_values")
        seen = past.get_seq_length() if past is not None else 0
        at = query - seen if query is not None else -1 if seen else None

    def before(site, layer):
        return lambda module, args: (edits.apply(site, layer, args[0], at), *args[1:])

    def after(site, layer):
        def hook(module, args, out):
            if isinstance(out, tuple):
                return (edits.apply(site, layer, out[0], at), *out[1:])
            return edits.apply(site, layer, out, at)

        return hook

    hooks = [model.base_model.register_forward_pre_hook(begin, with_kwargs=True),
             layers[0].register_forward_pre_hook(before("embedding", 0))]
    for i, (layer, output) in enumerate(zip(layers, outputs)):
        hooks += [output.register_forward_pre_hook(before("heads", i)), output.register_forward_hook(after("attention", i)),
                  layer.mlp.register_forward_hook(after("mlp", i)), layer.register_forward_hook(after("block", i))]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


# ---- the model: GPT-2 on tokens that are vectors (Garg et al. 2022)


class Model:
    def __init__(self, path, dtype=torch.float64):
        tensors, notes = read_safetensors(path)
        self.w = {name: torch.tensor(np.array(t), dtype=dtype) for name, t in tensors.items()}
        if "_read_in.weight" not in self.w or "n_head" not in notes:
            raise Refused(f"{path}: not a model of functions")
        self.dtype, self.n_heads = dtype, int(notes["n_head"])
        self.epsilon = float(notes.get("layer_norm_epsilon", 1e-5))
        self.width, self.dims = self.w["_read_in.weight"].shape
        self.layers = sum(name.endswith("ln_1.weight") for name in self.w)
        self.learned = self.w.get("_backbone.wpe.weight")  # None: rotary positions, or none at all
        self.positions = int(notes["n_positions"]) if self.learned is None else len(self.learned)
        rotary = notes.get("position_encoding") == "rotary"
        self.rotary_base = float(notes["rope_theta"]) if rotary else None

    def tensor(self, array):
        return torch.tensor(np.array(array), dtype=self.dtype)

    def of_block(self, layer, name):
        """Weight, as [inputs, outputs], and bias."""
        return (self.w[f"_backbone.h.{layer}.{name}.{part}"] for part in ("weight", "bias"))

    def norm(self, x, weight, bias):
        return torch.nn.functional.layer_norm(x, (self.width,), weight, bias, self.epsilon)

    def turn(self, heads):
        """Rotary positions of vectors [n, heads, T, D]: coordinates i and i + D / 2 turn by t base^(-2 i / D)."""
        if self.rotary_base is None:
            return heads
        half = heads.shape[-1] // 2
        frequency = self.rotary_base ** (-torch.arange(half, dtype=self.dtype) / half)
        angle = torch.arange(heads.shape[-2], dtype=self.dtype)[:, None] * frequency
        a, b = heads[..., :half], heads[..., half:]
        return torch.cat((a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()), -1)

    def attend(self, layer, x):
        """The head outputs side by side, before the output projection."""
        weight, bias = self.of_block(layer, "attn.c_attn")
        q, k, v = (x @ weight + bias).unflatten(-1, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        z = torch.nn.functional.scaled_dot_product_attention(self.turn(q), self.turn(k), v, is_causal=True)
        return z.transpose(1, 2).flatten(2)

    def mlp(self, layer, x):
        weight, bias = self.of_block(layer, "mlp.c_fc")
        hidden = torch.nn.functional.gelu(x @ weight + bias, approximate="tanh")
        weight, bias = self.of_block(layer, "mlp.c_proj")
        return hidden @ weight + bias

    def forward(self, tokens, edits=NO_EDITS):
        """tokens [n, T, d]: predictions [n, T], and the activations of every token by site, [layers, n, T, width]."""
        seen = {"heads": [], "attention": [], "block": []}
        x = tokens @ self.w["_read_in.weight"].T + self.w["_read_in.bias"]
        if self.learned is not None:
            x = x + self.learned[: tokens.shape[1]]
        x = seen["embedding"] = edits.apply("embedding", 0, x)
        for layer in range(self.layers):
            z = edits.apply("heads", layer, self.attend(layer, self.norm(x, *self.of_block(layer, "ln_1"))))
            weight, bias = self.of_block(layer, "attn.c_proj")
            a = edits.apply("attention", layer, z @ weight + bias)
            x = x + a
            m = self.mlp(layer, self.norm(x, *self.of_block(layer, "ln_2")))
            x = edits.apply("block", layer, x + edits.apply("mlp", layer, m))
            for site, values in zip(("heads", "attention", "block"), (z, a, x)):
                seen[site].append(values)
        last = self.norm(x, self.w["_backbone.ln_f.weight"], self.w["_backbone.ln_f.bias"])
        seen["norm"] = last
        return (last @ self.w["_read_out.weight"].T + self.w["_read_out.bias"])[..., 0], seen


def sequence(x, y, query):
    """The tokens x_1, (y_1, 0, ...), x_2, ... of k pairs x [n, k, d], y [n, k], and the query [n, d]."""
    labels = torch.zeros_like(x)
    labels[..., 0] = y
    pairs = torch.stack((x, labels), 2).flatten(1, 2)
    return torch.cat((pairs, query[:, None]), 1)


# ---- the vector of a prompt


def basis_of(model, names, x, y, recent, anchors):
    """Activations at the query of basis prompts, the x of point T0: {name: [blocks, n, width]}."""
    pairs = x.shape[1] - 1
    query = 2 * pairs  # its token; that of its y follows
    last = torch.zeros_like(x[:, :1])
    last[..., 0] = y[:, -1:]
    _, seen = model.forward(torch.cat((sequence(x[:, :pairs], y[:, :pairs], x[:, pairs]), last), 1))
    at = {site: torch.stack(seen[site]) for site in ("heads", "attention", "block")}
    out = {"basis_heads": at["heads"][:, :, query], "basis_attention": at["attention"][:, :, query],
           "basis_state": at["block"][:, :, query]}
    if "basis_alone" in names:
        out["basis_alone"] = torch.stack(model.forward(x[:, pairs:])[1]["block"])[:, :, 0]
    if "basis_recent" in names:
        tokens = [query - 2 * j for j in range(min(recent, pairs + 1))]
        out["basis_recent"] = at["attention"][:, :, tokens].mean(2)
    if "basis_step" in names:
        stages = torch.stack([seen["embedding"], *seen["block"][:-1], seen["norm"]])
        step = stages[:, :, query + 1] - stages[:, :, query]
        out["basis_step"] = step / step.pow(2).sum((0, 2), keepdim=True).sqrt()
    if "basis_anchors" in names:
        out["basis_anchors"] = anchor_basis(model, x[:, :pairs], y[:, :pairs], anchors)
    return out


def split_anchors(model, weights):
    """x, state without examples, coefficients: a row for each anchor."""
    return weights.split((model.dims, model.width, model.width), 1)


def anchor_basis(model, x, y, weights):
    """What the pairs change in the last state of every anchor, times its coefficients: [width, n, width]."""
    anchors, alone, shares = split_anchors(model, weights)
    out = []
    for i in range(len(x)):
        many = len(anchors)
        tokens = sequence(x[i].expand(many, -1, -1), y[i].expand(many, -1), anchors)
        change = model.forward(tokens)[1]["block"][-1][:, -1] - alone
        out.append(shares.T @ change)
    return torch.stack(out, 1)


def scale_heads(model, u, w):
    """u [n, width] with the slice of head h times w[h]."""
    return (u.unflatten(-1, (model.n_heads, -1)) * w[:, None]).flatten(-2)


def ltv(model, w, basis, about):
    reading, rows = about["variant"], []
    source = basis["basis_heads" if reading.startswith("heads") else "basis_attention"]
    for layer in range(model.layers):
        weight, bias = model.of_block(layer, "attn.c_proj")
        v = scale_heads(model, source[layer], w[layer])
        if reading != "blocks":
            v = v @ weight
        if reading in ("heads_bias", "reprojected"):
            v = v + w[layer].sum() * bias
        rows.append(v)
    return torch.stack(rows)


def fv(model, w, basis, about):
    source = basis["basis_heads" if about["variant"] == "heads" else "basis_attention"]
    if json.loads(about["keys"].get("sites", '"layers"')) == "distributed":
        return source
    rule, v = json.loads(about["keys"]["bias"]), 0
    for layer in range(model.layers):
        weight, bias = model.of_block(layer, "attn.c_proj")
        count = {"once": float(w[layer].sum() != 0), "per_head": w[layer].sum(), "none": 0.0}[rule]
        v = v + scale_heads(model, source[layer], w[layer]) @ weight + count * bias
    return v[None]


def linear_vector(model, w, basis, about):
    change = basis["basis_anchors"]
    if about["variant"] == "constant":
        return change[:1]
    _, alone, shares = split_anchors(model, w)
    rows = shares.T @ alone
    rows = rows / (rows.pow(2).sum(1, keepdim=True) + about["chosen"])
    return torch.einsum("kna,kb->anb", change, rows)  # [width, n, width]: row a of the map of each prompt


def task_vector(model, w, basis, about):
    layer = int(about["chosen"])
    state = basis["basis_state"][layer]
    return (state - basis["basis_alone"][layer] if about["variant"] == "difference" else state)[None]


def state_vector(model, w, basis, about):
    return basis["basis_recent"] if "basis_recent" in about["basis"] else basis["basis_attention"]


# Each gives [blocks, n, width]; the vector of a prompt is its blocks one after the other.
FROM_PROMPT = {
    "ltv": ltv,
    "fv": fv,
    "linear_vector": linear_vector,
    "task_vector": task_vector,
    "state_vector": state_vector,
    "site": lambda model, w, basis, about: basis["basis_heads"],
    "icv": lambda model, w, basis, about: basis["basis_step"],
}


def check_model(path, notes, model):
    """Refuses a model that is not the one whose vector this is, where the file of edits names its hash."""
    of = json.loads(notes.get("taskvec", "{}")).get("model", {})
    with open(model, "rb") as f:
        found = hashlib.sha256(f.read()).hexdigest()
    if of.get("sha256", found) != found:
        raise Refused(f"{path}: the vector is of {of.get('file')} with other content than {model}; --other-model applies it")


def load_edits(path, model=None, basis_x=None, basis_y=None):
    """Edits with their vectors, and the description of the file; basis_x [n, T0, d] and basis_y [n, T0]: for vectors that
    depend on the prompt. model None: for hooked(); all prompts have one vector, in single precision."""
    tensors, notes = read_safetensors(path)
    about = json.loads(notes.get("taskvec_edits", "{}"))
    if about.get("format") != 1:
        raise Refused(f"{path}: not written by taskvec artifact --edits, or in a newer format")
    if about["wpe_seed"] != 0:
        raise Refused(f"{path}: the positions of the model were redrawn (model.wpe_seed); no file has them")
    if model is None and about["prompt"] != "whole":
        raise Refused(f"{path}: {about['method']} changes which part of a prompt the model sees, which edits do not do")
    vectors = None
    if about["vector"] == "given":
        vectors = model.tensor(tensors["vector"])[None] if model else torch.tensor(tensors["vector"].copy())[None].float()
    elif about["vector"] == "prompt":
        if basis_x is None or about["method"] not in FROM_PROMPT:
            raise Refused(f"{path}: {about['method']} makes a vector of every prompt: basis prompts are missing, or this "
                          "program does not know the method")
        if basis_x.shape[1] != about["basis_points"]:
            raise Refused(f"{path}: basis prompts have {basis_x.shape[1]} points, the vector is made at point "
                          f"{about['basis_points']}")
        w = model.tensor(tensors["weights"]) if "weights" in tensors else None
        basis = basis_of(model, about["basis"], basis_x, basis_y, about["recent"], w)
        vectors = FROM_PROMPT[about["method"]](model, w, basis, about).transpose(0, 1).flatten(1)
    return Edits(about["edits"], vectors), about


# ---- predictions


def shown_pairs(about, k):
    """How many of the k pairs before the query the method shows to the model."""
    window, trained = about["basis_points"], about["trained_points"]
    first = max(window, trained) if about["prompt"] == "oracle" else window
    return window - 1 if about["prompt"] != "whole" and k >= first else k


def predict(model, edits, x, y, query_x=None, shown_y=None, about=None):
    """[n, points]: the prediction for the query of point k after the k pairs before it. query_x [n, points, d]: what is
    asked instead of x; shown_y [n, points, points]: row k has the labels of the k pairs; about: of load_edits()."""
    out = []
    queries = x if query_x is None else query_x
    for k in range(x.shape[1]):
        labels = y if shown_y is None else shown_y[:, k]
        pairs = slice(k - shown_pairs(about, k) if about else 0, k)
        tokens = sequence(x[:, pairs], labels[:, pairs], queries[:, k])
        out.append(model.forward(tokens, edits)[0][:, -1])
    return torch.stack(out, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("edits")
    parser.add_argument("prompts")
    parser.add_argument("-o", "--out", help="write the predictions to a .npy file")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    parser.add_argument("--other-model", action="store_true", help="accept a model that the vector was not fitted on")
    parser.add_argument("--float32", action="store_true", help="compute in single precision (default: double)")
    options = parser.parse_args()
    model = Model(options.model, torch.float32 if options.float32 else torch.float64)
    tensors, notes = read_safetensors(options.prompts)
    config = json.loads(notes.get("taskvec", "{}")).get("config", "")
    if "dummies = " in config and 'dummies = "none"' not in config:
        raise Refused(f"{options.prompts}: prompts with dummy pairs are not supported")
    if "x" not in tensors or "y" not in tensors:
        raise Refused(f"{options.prompts}: no tensors x and y: evaluate with keep = [\"predictions\", \"prompts\"]")
    if tensors["x"].shape[2] != model.dims or 2 * tensors["x"].shape[1] > model.positions:
        raise Refused(f"{options.prompts}: prompts of shape {tensors['x'].shape} do not fit a model of {model.dims} inputs "
                      f"and {model.positions} positions")
    if not options.other_model:
        check_model(options.edits, read_safetensors(options.edits)[1], options.model)
    names = ("x", "y", "query_x", "shown_y", "basis_x", "basis_y")
    prompts = {name: model.tensor(tensors[name]) for name in names if name in tensors}
    with torch.no_grad():
        edits, about = load_edits(options.edits, model, prompts.pop("basis_x", None), prompts.pop("basis_y", None))
        got = predict(model, edits, **prompts, about=about).numpy()
    if options.out:
        np.save(options.out, got)
    print(f"{about['method']}{'.' if about['variant'] else ''}{about['variant']}: {got.shape[0]} prompts, "
          f"{got.shape[1]} points", end="")
    if "predictions" not in tensors:
        print()
        return 0
    worst = float(np.max(np.abs(got - tensors["predictions"]) / (1 + np.abs(got))))
    print(f"; predictions differ by at most {worst:.2g} of 1 + |prediction|")
    return 0 if worst <= options.tolerance else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refused:
        print(f"apply_vector.py: {refused}", file=sys.stderr)
        sys.exit(65)
