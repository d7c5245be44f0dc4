"""Twins of task_vector and state_vector (docs: src/methods/)."""
import numpy as np

from numpy_model import curve, mean_of


def add(at, v):
    return lambda site, layer, row: row + v if (site, layer) == ("state", at) else row


def put(at, v):
    return lambda site, layer, row: v if (site, layer) == ("state", at) else row


def put_attention(last, a):
    return lambda site, layer, row: a[layer] if site == "attention" and layer <= last else row


def task_vector(model, xs, ys, T0):
    """What the examples change in the state after each layer, at the query x_T0."""
    bases = []
    for x, y in zip(xs, ys):
        whole, alone = model.look(x, y, T0 - 1), model.look(x[T0 - 1:], y[T0 - 1:], 0)
        bases.append({"v": whole["state"] - alone["state"]})
    mean, layers = mean_of(bases), range(model.layers)
    return {"curve": [curve(model, xs, ys, lambda i: add(l, bases[i]["v"][l])) for l in layers],
            "mean_curve": [curve(model, xs, ys, lambda i: add(l, mean["v"][l])) for l in layers]}


def task_vector_replace(model, xs, ys, T0):
    bases = [model.look(x, y, T0 - 1) for x, y in zip(xs, ys)]
    mean, layers = mean_of(bases), range(model.layers)
    return {"curve": [curve(model, xs, ys, lambda i: put(l, bases[i]["state"][l])) for l in layers],
            "mean_curve": [curve(model, xs, ys, lambda i: put(l, mean["state"][l])) for l in layers]}


def state_vector(model, xs, ys, T0):
    bases = [model.look(x, y, T0 - 1) for x, y in zip(xs, ys)]
    mean, layers = mean_of(bases), range(model.layers)
    return {"curve": [curve(model, xs, ys, lambda i: put_attention(l, bases[i]["attention"])) for l in layers],
            "mean_curve": [curve(model, xs, ys, lambda i: put_attention(l, mean["attention"])) for l in layers]}


CASES = [task_vector, task_vector_replace, state_vector]
