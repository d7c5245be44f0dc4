"""Task-vector methods on text by hooks of transformers, in double: a model, its edits at one token, and the edits of each method."""
import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

TOLERANCE = 1e-4
ANSWER_FOLLOWS = [ord("A") - 31, ord(":") - 31]  # tokens before an answer, as make_text_model.py numbers characters


def close(got, want, what):
    """Compares numbers or tensors, relative to the largest wanted one where that is above 1."""
    got, want = torch.as_tensor(got).double(), torch.as_tensor(want).detach().double()
    assert got.shape == want.shape, (what, got.shape, want.shape)
    error = ((got - want).abs().max() / max(1, want.abs().max())).item()
    assert error < TOLERANCE, f"{what}: differs by {error:.3g}: {got.flatten()[:6].tolist()}, not {want.flatten()[:6].tolist()}"


def query_alone(ids):
    """Of a prompt the query without the shots before it, which end in two line breaks (token 0)."""
    assert ids[0] == ord("Q") - 31, "the prompt begins with another token than its template"
    ends = [t for t in range(2, len(ids)) if ids[t - 2:t] == [0, 0]]
    return ids[ends[-1]:] if ends else ids


class Model:
    """run() gives logits and all activations of a sequence: head outputs z, attention outputs a, block outputs x."""

    def __init__(self, folder):
        self.net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
        for parameter in self.net.parameters():
            parameter.requires_grad_(False)
        body = self.net.base_model
        llama = hasattr(body, "layers")
        self.blocks = body.layers if llama else body.h
        self.embedding = body.embed_tokens if llama else body.wte
        self.norm = body.norm if llama else body.ln_f
        self.projections = [b.self_attn.o_proj if llama else b.attn.c_proj for b in self.blocks]
        self.W = [p.weight.T if llama else p.weight for p in self.projections]  # [H D, E]
        self.has_bias = not llama
        self.L, self.H, self.E = len(self.blocks), self.net.config.num_attention_heads, self.net.config.hidden_size
        self.b = [p.bias if self.has_bias else torch.zeros(self.E).double() for p in self.projections]

    def run(self, ids, edits=(), token=None):
        """edits: (site, layer, function of the activation), of the sites heads, attention, mlp, block and embedding at `token`, the last
        one by default, and of all_SITE, the rows [T, E] of all tokens."""
        token = len(ids) - 1 if token is None else token
        seen = {}

        def applied(value, site, layer):
            rows = value[0]
            for where, at, function in edits:
                if (where, at) == (site, layer):
                    rows = torch.cat([rows[:token], function(rows[token])[None], rows[token + 1:]])
                if (where, at) == ("all_" + site, layer):
                    rows = function(rows)
            seen[site, layer] = rows
            return rows[None]

        def block_hook(layer):
            def hook(_module, _inputs, out):
                return applied(out, "block", layer) if torch.is_tensor(out) else (applied(out[0], "block", layer), *out[1:])
            return hook

        handles = [self.embedding.register_forward_hook(lambda _m, _i, out: applied(out, "embedding", 0)),
                   self.blocks[0].register_forward_pre_hook(lambda _m, inputs: seen.update({("block", -1): inputs[0][0]}))]
        for l, (block, projection) in enumerate(zip(self.blocks, self.projections)):
            handles.append(projection.register_forward_pre_hook(lambda _m, inputs, l=l: (applied(inputs[0], "heads", l),)))
            handles.append(projection.register_forward_hook(lambda _m, _i, out, l=l: applied(out, "attention", l)))
            handles.append(block.mlp.register_forward_hook(lambda _m, _i, out, l=l: applied(out, "mlp", l)))
            handles.append(block.register_forward_hook(block_hook(l)))
        try:
            logits = self.net(torch.tensor([ids]), use_cache=False).logits[0]
        finally:
            for handle in handles:
                handle.remove()
        return logits, seen

    def stack(self, seen, site, token=-1):
        return torch.stack([seen[site, l][token] for l in range(self.L)])

    def basis(self, prompt):
        with torch.no_grad():
            _, seen = self.run(prompt["ids"])
            parts = {"heads": self.stack(seen, "heads"), "attention": self.stack(seen, "attention"), "state": self.stack(seen, "block")}
            starts = [t for t in range(len(prompt["ids"])) if prompt["ids"][t - 1:t + 1] == ANSWER_FOLLOWS]
            for m in range(1, 4):
                parts[f"recent_{m}"] = torch.stack([self.stack(seen, "attention", t) for t in starts[-m:]]).mean(0)
            parts["step"] = self.step(prompt)
            parts["alone"] = self.stack(self.run(query_alone(prompt["ids"]))[1], "block")
        return {"basis_" + name: value for name, value in parts.items()}

    def step(self, prompt):
        """The change from the last token of a prompt to that of its answer, of all stages, of norm 1."""
        _, seen = self.run(prompt["ids"] + prompt["answer"])
        stages = [seen["block", l] for l in range(-1, self.L - 1)] + [self.norm(seen["block", self.L - 1][None])[0]]
        change = torch.stack([stage[-1] - stage[len(prompt["ids"]) - 1] for stage in stages])
        return change / change.norm()


def mean_basis(bases):
    return {part: torch.stack([b[part] for b in bases]).mean(0) for part in bases[0]}


def log_probabilities(model, prompt, edits):
    """Of the tokens of the answer, each after those before it; the edits act at the last token of the prompt."""
    ids, answer = prompt["ids"], prompt["answer"]
    logits, _ = model.run(ids + answer[:-1], edits, len(ids) - 1)
    rows = F.log_softmax(logits[len(ids) - 1:], dim=1)
    return rows.gather(1, torch.tensor(answer)[:, None])[:, 0]


def loss_of(model, prompt, edits, answer):
    log_p = log_probabilities(model, prompt, edits)
    return -(log_p[0] if answer == "first" else log_p.mean())


def taught_loss_of(model, prompt, edits, teacher, label_weight):
    """KL(P_ICL || P_vector) of the next token, P_ICL after the clean shots of `teacher`; plus label_weight times the cross entropy."""
    icl = F.log_softmax(model.run(teacher["ids"])[0][-1], dim=0)
    own = F.log_softmax(model.run(prompt["ids"], edits)[0][-1], dim=0)
    return (icl.exp() * (icl - own)).sum() + label_weight * loss_of(model, prompt, edits, "all")


def scores_of(model, prompt, edits):
    log_p = log_probabilities(model, prompt, edits)
    return torch.stack([log_p[0], log_p.sum()])


# ---- methods: weights and basis become edits

def add(v):
    return lambda h: h + v


def ltv(model, w, basis, reading, _case):
    edits = []
    for l in range(model.L):
        u = basis["basis_heads" if reading.startswith("heads") else "basis_attention"][l]
        scaled = u * w[l].repeat_interleave(len(u) // model.H)
        v = scaled if reading == "blocks" else scaled @ model.W[l]
        if reading in ("heads_bias", "reprojected"):
            v = v + w[l].sum() * model.b[l]
        edits.append(("block", l, add(v)))
    return edits


def constant(model, w, _basis, _reading, _case):
    return [("block", l, add(w[l])) for l in range(model.L)]


def bias_only(model, w, _basis, _reading, _case):
    return [("block", l, add(w.flatten()[l] * model.b[l])) for l in range(model.L)]


def layer_of(case):
    return int(case[1].split("layer = ")[1].split(";")[0])


def learned_vector(_model, w, _basis, _reading, case):
    l = layer_of(case)
    return [("block", l - 1, add(w[0])) if l > 0 else ("embedding", 0, add(w[0]))]


def site(model, w, basis, _reading, _case):
    def mix(l):
        t = basis["basis_heads"][l]
        gate = torch.sigmoid(w[l]).repeat_interleave(len(t) // model.H)
        return lambda z: (1 - gate) * z + gate * t
    return [("heads", l, mix(l)) for l in range(model.L)]


def gram_schmidt(rows):
    done = []
    for row in rows:
        for earlier in done:
            row = row - (row @ earlier) * earlier
        done.append(row / row.norm())
    return torch.stack(done)


def loreft(model, w, _basis, _reading, case):
    E = model.E
    R, W, b = gram_schmidt(w[:, :E]), w[:, E:2 * E], w[:, 2 * E]
    return [("block", layer_of(case), lambda h: h + R.T @ (W @ h + b - R @ h))]


LEARNED = {"ltv": ltv, "constant": constant, "bias_only": bias_only, "learned_vector": learned_vector, "site": site, "loreft": loreft}
