"""Garg et al.'s in-context regressor in PyTorch, and two implementations of learnable task vectors.

As published: every step of a fit, every length of a curve and every captured layer is a forward
pass over all tokens, attention and GELU are written as elementary operations, and head
contributions are stored. By the query stream: the tokens before the query run once, their keys and
values are stored, and a step runs one token per prompt. Weights are frozen outside pretraining in
both, as in the published code.

n points are 2n tokens x_1 y_1 ... x_n y_n; the query is the last x, token 2n - 2. Letters: B
prompts, P points, T tokens, L layers, H heads, D head width, E = H D.
"""
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Size:
    layers: int
    heads: int
    width: int
    inputs: int
    positions: int
    trained_points: int  # of prompts of pretraining and of captures
    points: int  # of the prompts of fits and curves
    pretrain_prompts: int
    batch: int  # prompts in an update of a fit
    published_batch: int  # the same, as published: limited by the memory of autograd
    few: int  # prompts of other work
    published_few: int  # the same, as published: limited by the time of a repeat


SIZES = {
    "tiny": Size(2, 2, 32, 5, 64, 16, 26, 8, 16, 16, 8, 8),
    "small": Size(6, 4, 64, 5, 96, 16, 41, 64, 256, 256, 128, 32),
    "standard": Size(12, 8, 256, 20, 202, 41, 71, 64, 256, 32, 32, 8),
}


class Conv1D(nn.Module):
    """GPT-2's linear map; weight is [in, out]."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        rows = torch.addmm(self.bias, x.reshape(-1, x.shape[-1]), self.weight)
        return rows.view(*x.shape[:-1], -1)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = Conv1D(width, 3 * width)
        self.c_proj = Conv1D(width, width)

    def split(self, x):
        """q, k, v [B, H, T, D] of x [B, T, E]."""
        B, T, E = x.shape
        qkv = self.c_attn(x).view(B, T, 3, self.heads, E // self.heads)
        return qkv.permute(2, 0, 3, 1, 4).unbind(0)

    def merge(self, z):
        B, H, T, D = z.shape
        return z.transpose(1, 2).reshape(B, T, H * D)

    def forward(self, x, fused, seen=None):
        q, k, v = self.split(x)
        if fused:
            z = self.merge(F.scaled_dot_product_attention(q, k, v, is_causal=True))
        else:
            T = q.shape[2]
            scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
            causal = torch.ones(T, T, dtype=torch.bool).tril()
            scores = torch.where(causal, scores, torch.finfo(scores.dtype).min)
            weights = torch.softmax(scores, dim=3)
            z = self.merge(weights @ v)
            if seen is not None:
                seen.attention.append(weights)
        a = self.c_proj(z)
        if seen is not None:
            seen.z.append(z)
            seen.a.append(a)
        return a


class MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.c_fc = Conv1D(width, 4 * width)
        self.c_proj = Conv1D(4 * width, width)

    def forward(self, x, fused):
        x = self.c_fc(x)
        if fused:
            return self.c_proj(F.gelu(x, approximate="tanh"))
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * torch.pow(x, 3))
        return self.c_proj(0.5 * x * (1 + torch.tanh(inner)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = MLP(width)

    def forward(self, x, fused, seen=None):
        x = x + self.attn(self.ln_1(x), fused, seen)
        return x + self.mlp(self.ln_2(x), fused)


class Backbone(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.wpe = nn.Embedding(size.positions, size.width)
        self.h = nn.ModuleList(Block(size.width, size.heads) for _ in range(size.layers))
        self.ln_f = nn.LayerNorm(size.width)


class Seen:
    """The activations of a forward pass: lists over layers of tensors over all tokens."""

    def __init__(self):
        self.hidden, self.attention, self.z, self.a = [], [], [], []


class Regressor(nn.Module):
    """Names and shapes of the tensors are those of the published state_dict."""

    def __init__(self, size, fused):
        super().__init__()
        self.size, self.fused = size, fused
        self._read_in = nn.Linear(size.inputs, size.width)
        self._backbone = Backbone(size)
        self._read_out = nn.Linear(size.width, 1)
        for name, p in self.named_parameters():  # as GPT-2 is initialised
            if name.startswith("_backbone") and p.dim() == 2:
                residual = math.sqrt(2 * size.layers) if "c_proj" in name else 1
                nn.init.normal_(p, std=0.02 / residual)

    def tokens(self, xs, ys):
        """[B, P, d], [B, P] to [B, 2P, d]: each y padded with zeros."""
        wide = F.pad(ys.unsqueeze(2), (0, self.size.inputs - 1))
        return torch.stack([xs, wide], dim=2).flatten(1, 2)

    def embed(self, xs, ys):
        x = self._read_in(self.tokens(xs, ys))
        return x + self._backbone.wpe.weight[: x.shape[1]]

    def forward(self, xs, ys, vector=None, seen=None):
        """Predictions [B, P]; vector [B, L, E] is added to the query after every block."""
        x = self.embed(xs, ys)
        for layer, block in enumerate(self._backbone.h):
            if seen is not None:
                seen.hidden.append(x)
            x = block(x, self.fused, seen)
            if vector is not None:
                x[:, -2] += vector[:, layer]
        x = self._backbone.ln_f(x)
        if seen is not None:
            seen.hidden.append(x)
        return self._read_out(x)[:, ::2, 0]

    def freeze(self):
        return self.requires_grad_(False)


# ---- pretraining


class Pretraining:
    """Adam on the mean squared error of all x tokens. run: the model, or a compiled one."""

    def __init__(self, model, lr, run=None, bfloat16=False):
        self.model, self.bfloat16 = model, bfloat16
        self.run = model if run is None else run
        self.optimiser = torch.optim.Adam(model.parameters(), lr=lr, fused=model.fused or None)

    def step(self, xs, ys):
        """The loss before the update."""
        self.optimiser.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bfloat16):
            predictions = self.run(xs, ys)
        loss = (predictions.float() - ys).square().mean()
        loss.backward()
        self.optimiser.step()
        return loss.item()


# ---- head contributions in two variants: `heads` projects z, the input of the output projection;
# `reprojected` (the published regression code) projects its output a again, bias included.

READINGS = {"reprojected": ("a", True), "heads": ("z", False)}


@torch.no_grad()
def capture_published(model, xs, ys, reading="reprojected"):
    """[B, L, H, E]: one whole pass per layer, then one projection per head."""
    what, biased = READINGS[reading]
    B, L, H, E = xs.shape[0], model.size.layers, model.size.heads, model.size.width
    D = E // H
    query = torch.zeros(B, L, E)
    for layer in range(L):
        seen = Seen()
        model(xs, ys, seen=seen)
        query[:, layer] = getattr(seen, what)[layer][:, -2]
    out = torch.zeros(B, L, H, E)
    for layer, block in enumerate(model._backbone.h):
        for head in range(H):
            alone = torch.zeros(B, E)
            alone[:, head * D : (head + 1) * D] = query[:, layer, head * D : (head + 1) * D]
            projection = block.attn.c_proj
            out[:, layer, head] = projection(alone) if biased else alone @ projection.weight
    return out


@torch.no_grad()
def capture_stream(model, xs, ys, reading="reprojected"):
    """u [B, L, E], a or z at the query: one pass, without the last layer's MLP."""
    what, _ = READINGS[reading]
    seen = Seen()
    x = model.embed(xs, ys)[:, :-1]
    for block in model._backbone.h[:-1]:
        x = block(x, True, seen)
    last = model._backbone.h[-1]
    last.attn(last.ln_1(x), True, seen)
    return torch.stack([u[:, -1] for u in getattr(seen, what)], dim=1)


def vector_published(heads, w):
    return (w.unsqueeze(-1) * heads).sum(dim=2)


class StreamVector:
    """v[l] = (u[l] D(w[l])) W[l], for `reprojected` also (sum_h w[l, h]) b[l]: [B, L, E]."""

    def __init__(self, model, reading="reprojected"):
        projections = [block.attn.c_proj for block in model._backbone.h]
        self.head_width = model.size.width // model.size.heads
        self.weight = torch.stack([p.weight.detach() for p in projections])
        biased = READINGS[reading][1]
        self.bias = torch.stack([p.bias.detach() for p in projections]) if biased else None

    def __call__(self, u, w):
        scaled = u * w.repeat_interleave(self.head_width, dim=1)
        v = torch.bmm(scaled.transpose(0, 1), self.weight).transpose(0, 1)
        return v if self.bias is None else v + w.sum(dim=1, keepdim=True) * self.bias


# ---- the query stream


@torch.no_grad()
def prefill(model, xs, ys):
    """(K, V) of every layer, [B, H, 2P - 2, D] each, of all tokens before the query."""
    x = model.embed(xs, ys)[:, :-2]
    context = []
    for layer, block in enumerate(model._backbone.h):
        q, k, v = block.attn.split(block.ln_1(x))
        context.append((k.contiguous(), v.contiguous()))
        if layer + 1 < model.size.layers:
            z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + block.attn.c_proj(block.attn.merge(z))
            x = x + block.mlp(block.ln_2(x), True)
    return context


def query(model, xs, positions, context, vector=None, hidden=None):
    """Predictions [B, Q] of Q queries xs [B, Q, d] per prompt at token positions `positions`, each of
    which sees only the tokens before it. hidden [Q, T]: tokens that a query must not see, or None."""
    x = model._read_in(xs) + model._backbone.wpe.weight[positions]
    for layer, (block, (K, V)) in enumerate(zip(model._backbone.h, context)):
        q, k, v = block.attn.split(block.ln_1(x))
        q = q / math.sqrt(q.shape[3])
        scores = q @ K.transpose(2, 3)
        if hidden is not None:
            scores = scores.masked_fill(hidden, -math.inf)
        own = (q * k).sum(dim=3, keepdim=True)
        weights = torch.softmax(torch.cat([scores, own], dim=3), dim=3)
        z = weights[..., :-1] @ V + weights[..., -1:] * v
        x = x + block.attn.c_proj(block.attn.merge(z))
        x = x + block.mlp(block.ln_2(x), True)
        if vector is not None:
            x = x + vector[:, layer].unsqueeze(1)
    return model._read_out(model._backbone.ln_f(x))[..., 0]


# ---- fits: Huber loss of the query's prediction, Adam over the L x H weights of the heads


class Fit:
    """The state and the update that both implementations share; they differ in `predict(w)`."""

    def __init__(self, w, lr):
        self.w = w.clone().requires_grad_(True)
        self.optimiser = torch.optim.Adam([self.w], lr=lr)

    def step(self):
        """The loss before the update."""
        self.optimiser.zero_grad()
        loss = F.huber_loss(self.predict(self.w), self.target)
        loss.backward()
        self.optimiser.step()
        return loss.item()


class PublishedFit(Fit):
    def __init__(self, model, heads, xs, ys, w, lr):
        super().__init__(w, lr)
        self.model, self.heads, self.xs, self.ys, self.target = model, heads, xs, ys, ys[:, -1]

    def predict(self, w):
        return self.model(self.xs, self.ys, vector_published(self.heads, w))[:, -1]


class StreamFit(Fit):
    def __init__(self, model, vector, u, context, xs, ys, w, lr):
        super().__init__(w, lr)
        self.model, self.vector, self.u, self.context = model, vector, u, context
        self.x, self.target = xs[:, -1:], ys[:, -1]
        self.position = torch.tensor([2 * xs.shape[1] - 2])

    def predict(self, w):
        v = self.vector(self.u, w)
        return query(self.model, self.x, self.position, self.context, v)[:, 0]


# ---- curves: predictions [B, P] after 0 .. P - 1 examples


@torch.no_grad()
def curve_published(model, xs, ys, vector=None):
    """One whole pass per length."""
    out = torch.zeros(ys.shape)
    for n in range(1, ys.shape[1] + 1):
        out[:, n - 1] = model(xs[:, :n], ys[:, :n], vector)[:, -1]
    return out


@torch.no_grad()
def curve_stream(model, xs, ys, vector=None):
    """One prefill, then one token per length, all lengths at once."""
    P = ys.shape[1]
    positions = 2 * torch.arange(P)
    hidden = torch.arange(2 * P - 2) >= positions.unsqueeze(1)
    return query(model, xs, positions, prefill(model, xs, ys), vector, hidden)
