#!/usr/bin/env python3
"""Reference numbers for a checkpoint, by PyTorch and Hugging Face's GPT2Model.

    make_fixture.py CHECKPOINT.safetensors OUT.h5 [--prompts 8] [--points N]

Writes what `taskvec verify` compares for a regression model: weights, a batch of linear prompts,
and predictions, hidden states, attention, head outputs, loss and gradients computed by transformers.
Needs torch, transformers, safetensors, h5py.
"""
import argparse
import json

import h5py
import torch
from safetensors import safe_open
from transformers import GPT2Config, GPT2Model


class Regressor(torch.nn.Module):
    """Garg et al.: a read-in map, GPT-2 without its token embedding, a read-out map."""

    def __init__(self, dims, positions, width, layers, heads, epsilon):
        super().__init__()
        config = GPT2Config(n_positions=positions, n_embd=width, n_layer=layers, n_head=heads,
                            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, use_cache=False,
                            layer_norm_epsilon=epsilon, attn_implementation="eager")
        self._read_in = torch.nn.Linear(dims, width)
        self._backbone = GPT2Model(config)
        self._read_out = torch.nn.Linear(width, 1)

    def forward(self, xs, ys):
        batch, points, dims = xs.shape
        wide = torch.cat([ys.unsqueeze(2), torch.zeros(batch, points, dims - 1)], dim=2)
        tokens = torch.stack([xs, wide], dim=2).view(batch, 2 * points, dims)
        out = self._backbone(inputs_embeds=self._read_in(tokens), output_hidden_states=True,
                             output_attentions=True)
        return self._read_out(out.last_hidden_state)[:, ::2, 0], out


def load(path):
    with safe_open(path, "pt") as f:
        weights = {name: f.get_tensor(name) for name in f.keys()}
        notes = f.metadata()
    heads, epsilon = int(notes["n_head"]), float(notes["layer_norm_epsilon"])
    width, dims = weights["_read_in.weight"].shape
    layers = 1 + max(int(n.split(".")[2]) for n in weights if n.startswith("_backbone.h."))
    positions = weights["_backbone.wpe.weight"].shape[0]
    model = Regressor(dims, positions, width, layers, heads, epsilon)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected, unexpected
    assert all("wte" in n or n.endswith((".attn.bias", ".attn.masked_bias")) for n in missing), missing
    return model.eval(), weights, dict(n_dims=dims, n_layer=layers, n_head=heads, n_embd=width,
                                       n_positions=positions, layer_norm_epsilon=epsilon,
                                       trained=int(notes.get("trained_points", positions // 2)))


def head_outputs(model):
    """Collects the input of every attention output projection, in layer order."""
    seen = []
    for block in model._backbone.h:
        block.attn.c_proj.register_forward_hook(lambda m, args, out: seen.append(args[0].detach()))
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint")
    parser.add_argument("out")
    parser.add_argument("--prompts", type=int, default=8)
    parser.add_argument("--points", type=int, default=0, help="default: as trained")
    args = parser.parse_args()
    model, weights, sizes = load(args.checkpoint)
    points = args.points or sizes["trained"]
    torch.manual_seed(0)
    xs = torch.randn(args.prompts, points, sizes["n_dims"])
    ys = torch.einsum("bpd,bd->bp", xs, torch.randn(args.prompts, sizes["n_dims"]))
    model.double()  # so that the reference is exact beside the tolerances
    seen = head_outputs(model)
    predictions, out = model(xs.double(), ys.double())
    loss = ((predictions - ys.double()) ** 2).mean()
    loss.backward()
    batch, tokens, heads = args.prompts, 2 * points, sizes["n_head"]
    z = torch.stack(seen, dim=1).view(batch, sizes["n_layer"], tokens, heads, -1).transpose(2, 3)
    with h5py.File(args.out, "w") as f:
        f.attrs.update({k: v for k, v in sizes.items() if k != "trained"})
        f.attrs.update(batch=batch, points=points, pretrain_points=points)
        core = f.create_group("core")
        core["xs"], core["ys"] = xs.numpy(), ys.numpy()
        core["predictions"] = predictions.detach().float().numpy()
        core["hidden_states"] = torch.stack(out.hidden_states, dim=1).detach().float().numpy()
        core["attention"] = torch.stack(out.attentions, dim=1).detach().float().numpy()
        core["head_outputs"] = z.contiguous().float().numpy()
        core["mse_loss"] = loss.detach().float().numpy()
        for name, p in model.named_parameters():
            if name in weights:
                f["weights/" + name] = p.detach().float().numpy()
                core["grad/" + name] = p.grad.float().numpy()
    print(json.dumps({"mse_loss": float(loss.detach()), "points": points}))


if __name__ == "__main__":
    main()
