"""Reference implementations of task_vector, state_vector and linear_vector."""
import numpy as np

from numpy_model import curve, mean_of


def add(at, v):
    return lambda site, layer, row: row + v if (site, layer) == ("state", at) else row


def put(at, v):
    return lambda site, layer, row: v if (site, layer) == ("state", at) else row


def put_attention(last, a):
    return lambda site, layer, row: a[layer] if site == "attention" and layer <= last else row


def task_vector(model, xs, ys, T0):
    """The change that the examples cause in the state after each layer, at the query x_T0."""
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


def state_vector(model, xs, ys, T0, average=1):
    bases = [mean_of([model.look(x, y, k) for k in range(T0 - average, T0)]) for x, y in zip(xs, ys)]
    mean, layers = mean_of(bases), range(model.layers)
    return {"curve": [curve(model, xs, ys, lambda i: put_attention(l, bases[i]["attention"])) for l in layers],
            "mean_curve": [curve(model, xs, ys, lambda i: put_attention(l, mean["attention"])) for l in layers]}


def state_vector_average(model, xs, ys, T0):
    return state_vector(model, xs, ys, T0, average=3)


def anchors_of(xs, n):
    """The first x of each prompt, then the second of each."""
    return [xs[i % len(xs), i // len(xs)] for i in range(n)]


def last_states(model, x, y, k, anchors):
    """[n, E]: the last state of each anchor after the first k pairs."""
    return np.array([model.look(np.vstack([x[:k], [a]]), y[:k], k)["state"][-1] for a in anchors])


def linear_vector(model, xs, ys, T0, n=24):
    """x += W x after the last block, with W = D H^T (H H^T + r I)^-1, for each ridge r."""
    anchors, none = anchors_of(xs, n), np.zeros(0)
    H = last_states(model, xs[0], none, 0, anchors)
    D = [last_states(model, x, y, T0 - 1, anchors) - H for x, y in zip(xs, ys)]
    last = model.layers - 1

    def curves(changes):
        out = []
        for ridge in (0.05, 0.5, 5, 50, 500, 5e3, 5e4):
            inverse = np.linalg.inv(H.T @ H + ridge * np.eye(model.width))
            maps = [change.T @ H @ inverse for change in changes]
            out.append(curve(model, xs, ys, lambda i: lambda site, layer, row: row + maps[i] @ row
                             if (site, layer) == ("state", last) else row))
        return out

    return {"curve": curves(D), "mean_curve": curves([np.mean(D, axis=0)] * len(xs))}


def linear_vector_dual(model, xs, ys, T0):
    return linear_vector(model, xs, ys, T0, n=10)


def linear_vector_constant(model, xs, ys, T0):
    anchors, none = anchors_of(xs, 24), np.zeros(0)
    H = last_states(model, xs[0], none, 0, anchors)
    v = [(last_states(model, x, y, T0 - 1, anchors) - H).mean(0) for x, y in zip(xs, ys)]
    last, mean = model.layers - 1, np.mean(v, axis=0)
    return {"curve": [curve(model, xs, ys, lambda i: add(last, v[i]))],
            "mean_curve": [curve(model, xs, ys, lambda i: add(last, mean))]}


CASES = [task_vector, task_vector_replace, state_vector, state_vector_average, linear_vector, linear_vector_dual,
         linear_vector_constant]
