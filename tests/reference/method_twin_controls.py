"""Reference implementations of the controls: values, and for constant and bias_only, which have weights, gradients."""
import hashlib

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


def plain(model, xs, ys, T0):
    return {"curve": [curve(model, xs, ys, lambda i: None)]}


def zero(model, xs, ys, T0):
    return plain(model, xs, ys, T0)


def windowed(model, xs, ys, T0, whole):
    """Predictions after k examples: from all of them if k < `whole`, otherwise from the last T0 - 1."""
    first = lambda k: 0 if k < whole else k - (T0 - 1)
    return {"curve": [[[model.predict(x[first(k):], y[first(k):], k - first(k)) for k in range(len(x))]
                       for x, y in zip(xs, ys)]]}


def window(model, xs, ys, T0):
    return windowed(model, xs, ys, T0, T0)


def oracle(model, xs, ys, T0):
    return windowed(model, xs, ys, T0, T0 + 1)  # its model has one more trained point, as in verify_methods.c


# ---- controls of a fit: its edits with other vectors

def normals(n, name, sample, point, seed=0):
    """N(0, 1) as the program draws it: Philox4x64-10 with the key (seed, hash of the stream's name) at the
    counters (draw, point, sample, 0), then Box and Muller."""
    key = seed + (int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") << 64)
    out = []
    for draw in range((n + 3) // 4):
        counter = draw + (point << 64) + (sample << 128)
        words = np.random.Philox(key=key, counter=(counter - 1) % 2 ** 256).random_raw(4)
        u = (words >> np.uint64(11)) * 2.0 ** -53
        for a, b in (u[:2], u[2:]):
            out += [np.sqrt(-2 * np.log(1 - a)) * f(2 * np.pi * b) for f in (np.cos, np.sin)]
    return np.array(out[:n])


def like(vectors, sample):
    """Vectors of the same norms with directions drawn for (sample, l)."""
    drawn_at = [normals(len(v), "verify", sample, l) for l, v in enumerate(vectors)]
    return np.array([np.linalg.norm(v) / np.linalg.norm(d) * d for v, d in zip(vectors, drawn_at)])


def random_constant(model, xs, ys, T0):
    """The `random` control of `constant`: each prompt has its own vector instead of one for all."""
    w = drawn(14, model.layers * model.width, 0.5)
    v = [like(w.reshape(model.layers, model.width), i) for i in range(len(xs))]
    return {"weights": w, "curve": [curve(model, xs, ys, lambda i: add_to_blocks(v[i]))]}


CASES = [constant, bias_only, plain, zero, window, oracle, random_constant]
