"""The model in NumPy and float64 over whole sequences, for reference implementations of methods.

Nothing is cached: every prediction is a full forward pass. Weights carry the published names and
layouts (Radford et al. 2019; Garg et al. 2022).
"""
import numpy as np


class Model:
    """Random weights, with gains and biases that differ from 1 and 0."""

    def __init__(self, layers=3, heads=2, width=16, inputs=3, positions=24, seed=0):
        rng = np.random.default_rng(seed)
        self.layers, self.heads, self.width = layers, heads, width
        self.inputs, self.positions, self.epsilon = inputs, positions, 1e-5
        shapes = {"_read_in.weight": (width, inputs), "_read_in.bias": (width,),
                  "_backbone.wpe.weight": (positions, width), "_backbone.ln_f.weight": (width,),
                  "_backbone.ln_f.bias": (width,), "_read_out.weight": (1, width), "_read_out.bias": (1,)}
        for l in range(layers):
            block = {"ln_1.weight": (width,), "ln_1.bias": (width,),
                     "attn.c_attn.weight": (width, 3 * width), "attn.c_attn.bias": (3 * width,),
                     "attn.c_proj.weight": (width, width), "attn.c_proj.bias": (width,),
                     "ln_2.weight": (width,), "ln_2.bias": (width,),
                     "mlp.c_fc.weight": (width, 4 * width), "mlp.c_fc.bias": (4 * width,),
                     "mlp.c_proj.weight": (4 * width, width), "mlp.c_proj.bias": (width,)}
            shapes.update({f"_backbone.h.{l}.{name}": shape for name, shape in block.items()})
        self.weights = {}
        for name, shape in shapes.items():
            gain = 1.0 if ".ln_" in name and name.endswith("weight") else 0.0
            values = gain + 0.3 * rng.standard_normal(shape)
            self.weights[name] = values.astype(np.float32).astype(np.float64)

    def attributes(self):
        return dict(n_layer=self.layers, n_head=self.heads, n_embd=self.width, n_dims=self.inputs,
                    n_positions=self.positions, layer_norm_epsilon=self.epsilon)

    def normal(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + self.epsilon)
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def attend(self, x, name):
        T, D = len(x), self.width // self.heads
        qkv = x @ self.weights[name + ".c_attn.weight"] + self.weights[name + ".c_attn.bias"]
        q, k, v = (part.reshape(T, self.heads, D).transpose(1, 0, 2) for part in np.split(qkv, 3, 1))
        score = q @ k.transpose(0, 2, 1) / np.sqrt(D)
        score[:, np.triu(np.ones((T, T), bool), 1)] = -np.inf
        share = np.exp(score - score.max(-1, keepdims=True))
        share /= share.sum(-1, keepdims=True)
        return (share @ v).transpose(1, 0, 2).reshape(T, self.width)

    def run(self, tokens, edit=None):
        """tokens [T, inputs] -> the prediction at the last token, and its activations: a dict of
        embedding [E], heads, attention, state [L, E]. edit(site, layer, row) returns the row that
        replaces the activation `row` of the last token at a site of these names."""
        w, seen = self.weights, {"heads": [], "attention": [], "state": []}

        def change(x, site, layer):
            if edit is not None:
                x[-1] = edit(site, layer, x[-1].copy())
            if site in seen:
                seen[site].append(x[-1].copy())

        x = tokens @ w["_read_in.weight"].T + w["_read_in.bias"] + w["_backbone.wpe.weight"][:len(tokens)]
        change(x, "embedding", 0)
        seen["embedding"] = x[-1].copy()
        for l in range(self.layers):
            name = f"_backbone.h.{l}"
            z = self.attend(self.normal(x, name + ".ln_1"), name + ".attn")
            change(z, "heads", l)
            a = z @ w[name + ".attn.c_proj.weight"] + w[name + ".attn.c_proj.bias"]
            change(a, "attention", l)
            x = x + a
            u = self.normal(x, name + ".ln_2") @ w[name + ".mlp.c_fc.weight"] + w[name + ".mlp.c_fc.bias"]
            u = 0.5 * u * (1 + np.tanh(np.sqrt(2 / np.pi) * (u + 0.044715 * u ** 3)))
            x = x + u @ w[name + ".mlp.c_proj.weight"] + w[name + ".mlp.c_proj.bias"]
            change(x, "state", l)
        out = self.normal(x[-1:], "_backbone.ln_f") @ w["_read_out.weight"].T + w["_read_out.bias"]
        return float(out[0, 0]), {site: np.array(rows) for site, rows in seen.items()}

    def tokens(self, xs, ys, k):
        """x_1, (y_1, 0, ...), ..., x_{k+1}: the query after k examples."""
        out = np.zeros((2 * k + 1, self.inputs))
        out[0::2] = xs[:k + 1]
        out[1::2, 0] = ys[:k]
        return out

    def predict(self, xs, ys, k, edit=None):
        return self.run(self.tokens(xs, ys, k), edit)[0]

    def look(self, xs, ys, k):
        return self.run(self.tokens(xs, ys, k))[1]


def mean_of(bases):
    """The mean over prompts of the activations that look() returns."""
    return {site: np.mean([b[site] for b in bases], axis=0) for site in bases[0]}


def curve(model, xs, ys, edit_of):
    """[N, P] predictions after 0 .. P - 1 examples; edit_of(i) is the edit for prompt i."""
    return np.array([[model.predict(xs[i], ys[i], k, edit_of(i)) for k in range(xs.shape[1])]
                     for i in range(len(xs))])


def huber(model, xs, ys, edit_of):
    """Mean Huber loss at the last query, delta 1."""
    k = xs.shape[1] - 1
    e = np.array([abs(model.predict(xs[i], ys[i], k, edit_of(i)) - ys[i, k]) for i in range(len(xs))])
    return float(np.mean(np.where(e <= 1, e * e / 2, e - 0.5)))


def slope(loss, w, step=1e-5):
    """The gradient of loss(w) by central differences."""
    out = np.zeros(w.size)
    for i in range(w.size):
        up, down = w.copy(), w.copy()
        up.flat[i] += step
        down.flat[i] -= step
        out[i] = (loss(up) - loss(down)) / (2 * step)
    return out
