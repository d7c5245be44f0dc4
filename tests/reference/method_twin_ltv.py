"""Reference implementations of ltv: its four variants, a basis of each prompt or the mean basis, several lengths
in one loss; and of the controls that are derived from it."""
import numpy as np

from numpy_model import curve, huber, mean_of, slope
from method_twin_controls import add_to_blocks, like
from method_twin_learned import drawn

LENGTHS = [6, 7, 8]  # in points


def contributions(model, basis, reading):
    """[L, H, E]: the contribution of each head to v[l] at weight 1."""
    H, out = model.heads, np.zeros((model.layers, model.heads, model.width))
    for l in range(model.layers):
        name = f"_backbone.h.{l}.attn.c_proj"
        rows = basis["heads" if reading.startswith("heads") else "attention"][l]
        for h in range(H):
            part = np.where(np.arange(model.width) * H // model.width == h, rows, 0)
            out[l, h] = part if reading == "blocks" else part @ model.weights[name + ".weight"]
            if reading in ("heads_bias", "reprojected"):
                out[l, h] += model.weights[name + ".bias"]
    return out


def vectors(model, xs, ys, T0, reading, mean=False):
    """v [L, E] as a function of (w, prompt)."""
    bases = [model.look(x, y, T0 - 1) for x, y in zip(xs, ys)]
    if mean:
        bases = [mean_of(bases)] * len(xs)
    heads = [contributions(model, b, reading) for b in bases]
    return lambda w, i: np.einsum("lh,lhe->le", w.reshape(model.layers, model.heads), heads[i])


def loss_at(model, xs, ys, edit, lengths):
    """Loss as a function of w: the mean over prompts and lengths."""
    return lambda w: np.mean([huber(model, xs[:, :n], ys[:, :n], lambda i: edit(w, i)) for n in lengths])


def twin(model, xs, ys, T0, reading, lengths=()):
    w, out = drawn(16, model.layers * model.heads, 0.5), {}
    for name, mean in (("", False), ("mean_", True)):
        v = vectors(model, xs, ys, T0, reading, mean)
        edit = lambda w, i, v=v: add_to_blocks(v(w, i))
        loss = loss_at(model, xs, ys, edit, lengths or [xs.shape[1]])
        if not lengths:
            out[name + "curve"] = [curve(model, xs, ys, lambda i: edit(w, i))]
        out.update({name + "loss": [loss(w)], name + "gradient": [slope(loss, w)]})
    return {"weights": w, **({"lengths": lengths} if lengths else {}), **out}


def ltv_heads(*prompts):
    return twin(*prompts, "heads")


def ltv_heads_bias(*prompts):
    return twin(*prompts, "heads_bias")


def ltv_reprojected(*prompts):
    return twin(*prompts, "reprojected")


def ltv_blocks(*prompts):
    return twin(*prompts, "blocks")


def ltv_lengths(*prompts):
    return twin(*prompts, "heads", LENGTHS)


def of_heads(model, xs, ys, T0, change):
    """change(v, prompt) gives the vectors of a control; v(prompt) gives those of the variant "heads"."""
    w, v = drawn(16, model.layers * model.heads, 0.5), vectors(model, xs, ys, T0, "heads")
    changed = [change(lambda i: v(w, i), i) for i in range(len(xs))]
    return {"weights": w, "curve": [curve(model, xs, ys, lambda i: add_to_blocks(changed[i]))]}


def random(*prompts):
    return of_heads(*prompts, lambda v, i: like(v(i), i))


def mismatched(model, xs, ys, T0):
    return of_heads(model, xs, ys, T0, lambda v, i: v((i + 1) % len(xs)))


CASES = [ltv_heads, ltv_heads_bias, ltv_reprojected, ltv_blocks, ltv_lengths, random, mismatched]
