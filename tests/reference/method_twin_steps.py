"""Reference implementations of the optimisers of ltv: Adam with an L1 penalty, and L-BFGS."""
import numpy as np

from numpy_model import slope
from method_twin_controls import add_to_blocks
from method_twin_learned import drawn
from method_twin_ltv import LENGTHS, loss_at, vectors

STEPS, RATE, L1 = 5, 0.05, 0.1  # STEPS and RATE as in src/run/verify/verify_learning.c


def start(model):
    return drawn(17, model.layers * model.heads, 0.1)


def loss_of(model, xs, ys, T0):
    v = vectors(model, xs, ys, T0, "heads")
    return loss_at(model, xs, ys, lambda w, i: add_to_blocks(v(w, i)), LENGTHS)


# ---- L1 penalty: Adam (Kingma and Ba, algorithm 1) with beta .9 and .999, then the proximal map

def soft_threshold(u, metric, l1):
    """The minimiser x of metric (x - u)^2 / 2 + l1 |x|."""
    right, left = u - l1 / metric, u + l1 / metric
    return np.where(right > 0, right, np.where(left < 0, left, 0))


def ltv_l1(model, xs, ys, T0):
    w, loss, m, v = start(model), loss_of(model, xs, ys, T0), 0, 0
    out = {"weights": w, "lengths": LENGTHS, "l1": [L1], "path": []}
    for step in range(1, STEPS + 1):
        g = slope(loss, w)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        metric = (np.sqrt(v / (1 - 0.999 ** step)) + 1e-8) / RATE
        w = soft_threshold(w - m / (1 - 0.9 ** step) / metric, metric, L1)
        out["path"].append(w)
    assert 0 < np.count_nonzero(w) < len(w)
    return out


# ---- L-BFGS, with the inverse Hessian as a dense matrix

def direction(g, pairs):
    """-H g: H begins as (s y / y y) I (Nocedal and Wright, 7.20) and is updated by every pair (6.17)."""
    one = np.eye(len(g))
    H = pairs[-1][0] @ pairs[-1][1] / (pairs[-1][1] @ pairs[-1][1]) * one if pairs else one
    for s, y in pairs:
        V = one - np.outer(y, s) / (y @ s)
        H = V.T @ H @ V + np.outer(s, s) / (y @ s)
    return -H @ g


def step_length(loss, w, d, first):
    """Lewis and Overton 2013, algorithm 2.6, with 1e-4 and 0.9."""
    low, high, t, slope_at_0 = 0.0, np.inf, first, slope(loss, w) @ d
    while True:
        if loss(w + t * d) > loss(w) + 1e-4 * t * slope_at_0:
            high = t
        elif slope(loss, w + t * d) @ d < 0.9 * slope_at_0:
            low = t
        else:
            return t
        t = (low + high) / 2 if high < np.inf else 2 * low


def ltv_lbfgs(model, xs, ys, T0):
    w, loss = start(model), loss_of(model, xs, ys, T0)
    out, pairs = {"weights": w, "lengths": LENGTHS, "descent": []}, []
    for _ in range(STEPS):  # fewer than the stored pairs
        g = slope(loss, w)
        d = direction(g, pairs)
        s = step_length(loss, w, d, 1 if pairs else min(1, 1 / np.linalg.norm(g))) * d
        pairs.append((s, slope(loss, w + s) - g))
        w = w + s
        out["descent"].append(w)
    return out


CASES = [ltv_l1, ltv_lbfgs]
