"""Reference implementations of site, learned_vector and loreft, with gradients by central differences."""
import numpy as np

from numpy_model import curve, huber, mean_of, slope

RANK = 3  # of loreft, as in src/run/verify/verify_methods.c


def drawn(seed, size, scale):
    return (scale * np.random.default_rng(seed).standard_normal(size)).astype(np.float32).astype(np.float64)


def losses(model, xs, ys, w, edits):
    """edits: one function of (w, prompt) for each choice."""
    of = [lambda w, e=e: huber(model, xs, ys, lambda i: e(w, i)) for e in edits]
    return {"loss": [f(w) for f in of], "gradient": [slope(f, w) for f in of]}


def mix(alpha, heads):
    """(1 - s) z + s t in every head, s = sigmoid(alpha)."""
    gates = 1 / (1 + np.exp(-alpha))

    def edit(site, layer, row):
        if site != "heads":
            return row
        s = np.repeat(gates[layer], len(row) // len(gates[layer]))
        return (1 - s) * row + s * heads[layer]
    return edit


def site(model, xs, ys, T0):
    bases = [model.look(x, y, T0 - 1) for x, y in zip(xs, ys)]
    mean, shape = mean_of(bases), (model.layers, model.heads)
    w = drawn(11, model.layers * model.heads, 1.0)
    own = lambda w, i: mix(w.reshape(shape), bases[i]["heads"])
    return {"weights": w, "curve": [curve(model, xs, ys, lambda i: own(w, i))],
            "mean_curve": [curve(model, xs, ys, lambda i: mix(w.reshape(shape), mean["heads"]))],
            **losses(model, xs, ys, w, [own])}


def add_to_input(layer, v):
    place = ("state", layer - 1) if layer > 0 else ("embedding", 0)
    return lambda site, l, row: row + v if (site, l) == place else row


def learned_vector(model, xs, ys, T0):
    w = drawn(12, model.width, 0.5)
    edits = [lambda w, i, l=l: add_to_input(l, w) for l in range(model.layers)]
    return {"weights": w, "curve": [curve(model, xs, ys, lambda i: e(w, i)) for e in edits],
            **losses(model, xs, ys, w, edits)}


def low_rank(layer, w, width):
    """h + R^T (W h + b - R h), where R is the rows of M orthonormalised in their order. QR with signs that
    make the diagonal of the triangle positive gives the same as Gram-Schmidt."""
    rows = w.reshape(RANK, 2 * width + 1)
    M, W, b = rows[:, :width], rows[:, width:-1], rows[:, -1]
    q, r = np.linalg.qr(M.T)
    R = (q * np.sign(np.diag(r))).T
    return lambda site, l, row: row + R.T @ (W @ row + b - R @ row) if (site, l) == ("state", layer) else row


def loreft(model, xs, ys, T0):
    w = drawn(13, RANK * (2 * model.width + 1), 0.5)
    edits = [lambda w, i, l=l: low_rank(l, w, model.width) for l in range(model.layers)]
    return {"weights": w, "curve": [curve(model, xs, ys, lambda i: e(w, i)) for e in edits],
            **losses(model, xs, ys, w, edits)}


CASES = [site, learned_vector, loreft]
