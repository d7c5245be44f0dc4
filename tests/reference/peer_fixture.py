"""A reference file for `taskvec verify --require core,grad,adam,ltv,curve`, computed by the
functions that peer_torch.py times. What has two implementations is computed by both, and no file is
written if they differ by more than 1e-4 of the largest value. Needs h5py."""
import math

import torch

from peer_model import (Fit, Pretraining, PublishedFit, Regressor, Seen, StreamFit, StreamVector,
                        READINGS, capture_published, capture_stream, curve_published, curve_stream,
                        prefill, vector_published)

PROMPTS, ADAM_STEPS, FIT_STEPS = 2, 5, 6
ADAM_LR, FIT_LR = 1e-4, 1e-2
AGREEMENT = 1e-4


def agree(what, one, other):
    one, other = torch.as_tensor(one), torch.as_tensor(other)
    error, largest = (one - other).abs().max().item(), one.abs().max().item()
    if not error <= AGREEMENT * largest:
        raise SystemExit(f"peer_torch.py: {what}: the two implementations differ by {error:.3g}, "
                         f"largest value {largest:.3g}")


def draw_weights(model):
    """Random weights whose biases, gains and attention affect the output, as in trained models."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 2:
                inputs = p.shape[1 if name.startswith("_read") or "wpe" in name else 0]
                torch.nn.init.normal_(p, std=1 / math.sqrt(inputs))
            else:
                gain = 1.0 if ".ln_" in name and name.endswith("weight") else 0.0
                torch.nn.init.normal_(p, mean=gain, std=0.2 if gain else 0.1)


def linear_prompts(n, points, dims):
    """Prompts of y = w . x, each with its own w."""
    xs, w = torch.randn(n, points, dims), torch.randn(n, dims)
    return xs, torch.einsum("bpd,bd->bp", xs, w)


def two_models(size):
    """Two models with equal weights: with elementary operations, as published, and with fused ones."""
    published, fused = Regressor(size, False), Regressor(size, True)
    draw_weights(published)
    fused.load_state_dict(published.state_dict())
    return published, fused


def put(group, values):
    for name, value in values.items():
        group[name] = value.detach().numpy() if torch.is_tensor(value) else value


def write_core(file, size, published, fused):
    xs, ys = linear_prompts(PROMPTS, size.trained_points, size.inputs)
    seen, gradients = Seen(), []
    predictions = published(xs, ys, seen=seen)
    for model in (published, fused):
        loss = (model(xs, ys) - ys).square().mean()
        loss.backward()
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters()})
        model.zero_grad()
    agree("predictions", predictions, fused(xs, ys))
    for name, gradient in gradients[0].items():
        if not name.endswith("c_attn.bias"):  # its key third is zero except for rounding
            agree(f"gradient of {name}", gradient, gradients[1][name])
    z = torch.stack(seen.z, dim=1).unflatten(3, (size.heads, -1)).transpose(2, 3).contiguous()
    put(file.create_group("core"),
        {"xs": xs, "ys": ys, "predictions": predictions, "mse_loss": loss, "head_outputs": z,
         "hidden_states": torch.stack(seen.hidden, dim=1),
         "attention": torch.stack(seen.attention, dim=1),
         **{f"grad/{name}": gradient for name, gradient in gradients[0].items()}})


def write_adam(file, size, published, fused):
    """Trains both models, which changes their weights."""
    batches = [linear_prompts(PROMPTS, size.trained_points, size.inputs)
               for _ in range(ADAM_STEPS)]
    losses = []
    for model in (published, fused):
        training = Pretraining(model, ADAM_LR)
        losses.append(torch.tensor([training.step(*batch) for batch in batches]))
    agree("losses of pretraining", *losses)
    put(file.create_group("adam"),
        {"xs": torch.stack([xs for xs, _ in batches]), "lr": torch.tensor(ADAM_LR),
         "ys": torch.stack([ys for _, ys in batches]), "loss": losses[0],
         **{f"weights_after/{name}": p for name, p in published.named_parameters()}})


def descend(fit: Fit):
    """The prediction and the gradient before the first step, and the losses of all steps."""
    with torch.no_grad():
        prediction = fit.predict(fit.w)
    losses = [fit.step()]
    gradient = fit.w.grad.clone()
    losses += [fit.step() for _ in range(FIT_STEPS - 1)]
    return prediction, gradient, torch.tensor(losses)


def write_reading(group, size, published, fused, xs, ys, reading):
    T0 = size.trained_points
    heads = capture_published(published, xs[:, :T0], ys[:, :T0], reading)
    u = capture_stream(fused, xs[:, :T0], ys[:, :T0], reading)
    vector = StreamVector(fused, reading)
    w = 0.3 * torch.randn(size.layers, size.heads)
    agree("vectors", vector_published(heads, w), vector(u, w))
    context = prefill(fused, xs, ys)
    fits = (PublishedFit(published, heads, xs, ys, w, FIT_LR),
            StreamFit(fused, vector, u, context, xs, ys, w, FIT_LR))
    (prediction, gradient, losses), other = [descend(fit) for fit in fits]
    for name, one, two in zip(("predictions", "gradients", "losses"),
                              (prediction, gradient, losses), other):
        agree(f"{name} of the fit", one, two)
    after = fits[0].w.detach()
    agree("weights of the fit", after, fits[1].w.detach())
    v_after = vector_published(heads, after)
    curve = curve_published(published, xs, ys, v_after)
    agree("curves", curve, curve_stream(fused, xs, ys, v_after))
    put(group, {"head_matrix": heads, "phi_init": w, "vector": vector_published(heads, w),
                "query_prediction": prediction, "huber_loss": losses[0], "phi_grad": gradient,
                "lr": torch.tensor(FIT_LR), "losses": losses, "phi_after_6_adam_steps": after,
                "vector_after": v_after, "curve_predictions": curve})


def write_ltv(file, size, published, fused):
    xs, ys = linear_prompts(PROMPTS, size.points, size.inputs)
    plain = curve_published(published, xs, ys)
    agree("plain curves", plain, curve_stream(fused, xs, ys))
    group = file.create_group("ltv")
    put(group, {"xs_long": xs, "ys_long": ys, "vanilla_curve": plain})
    for reading in READINGS:
        write_reading(group.create_group(reading), size, published, fused, xs, ys, reading)


def write_fixture(path, size):
    import h5py

    torch.manual_seed(0)
    published, fused = two_models(size)
    with h5py.File(path, "w") as file:
        file.attrs.update(n_layer=size.layers, n_head=size.heads, n_embd=size.width,
                          n_dims=size.inputs, n_positions=size.positions, batch=PROMPTS,
                          layer_norm_epsilon=published._backbone.ln_f.eps,
                          points=size.trained_points, pretrain_points=size.trained_points)
        put(file.create_group("weights"), dict(published.named_parameters()))
        write_core(file, size, published, fused)
        write_ltv(file, size, published.freeze(), fused.freeze())
        write_adam(file, size, published.requires_grad_(True), fused.requires_grad_(True))
