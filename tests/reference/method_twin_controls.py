"""Twins of the controls that learn: constant and bias_only, values and gradients."""
import numpy as np

from numpy_model import curve
from method_twin_learned import drawn, losses


def add_to_blocks(v):
    return lambda site, layer, row: row + v[layer] if site == "state" else row


def constant(model, xs, ys, T0):
    w = drawn(14, model.layers * model.width, 0.5)
    edit = lambda w, i: add_to_blocks(w.reshape(model.layers, model.width))
    return {"weights": w, "curve": [curve(model, xs, ys, lambda i: edit(w, i))],
            **losses(model, xs, ys, w, [edit])}


def bias_only(model, xs, ys, T0):
    biases = np.stack([model.weights[f"_backbone.h.{l}.attn.c_proj.bias"] for l in range(model.layers)])
    w = drawn(15, model.layers, 1.0)
    edit = lambda w, i: add_to_blocks(w[:, None] * biases)
    return {"weights": w, "curve": [curve(model, xs, ys, lambda i: edit(w, i))],
            **losses(model, xs, ys, w, [edit])}


CASES = [constant, bias_only]
