"""check_interop.py BINARY SOURCE FIXTURES - random edits in `taskvec generate` and, by hooks, in transformers.

Every text fixture, and a random Mistral and Qwen3 (head outputs wider than the residual stream), gets a file of edits for
each kind, site and scope, and one with all of them. The log probabilities of the two next tokens, of up to 100 tokens of the
vocabulary, must agree to 1e-4, and every edit must change them. transformers computes in double precision."""
import glob
import json
import os
import subprocess
import sys

binary, source, fixtures = sys.argv[1:]
sys.path.insert(0, f"{source}/analysis")
import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import AutoModelForCausalLM, GenerationConfig, MistralConfig, Qwen3Config

import apply_vector

TOKENS, TOLERANCE = 2, 1e-4
LENGTHS = (1, 6, 13, 40)  # of the prompts, in tokens
KINDS = ("add", "replace", "mix", "rescale", "affine")
PLACES = [(site, "query") for site in ("embedding", "heads", "attention", "block")] + [("block", "all")]
random = np.random.default_rng(5)
torch.manual_seed(5)
torch.set_num_threads(1)


# ---- models with a tokenizer


def write_random(folder, config):
    model = AutoModelForCausalLM.from_config(config).float()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn_like(p) * .15 + (p.dim() == 1))
    model.save_pretrained(folder)


def models():
    """Folders: links to the fixtures, and random models of the families that they lack."""
    for path in sorted(glob.glob(f"{fixtures}/text/*/model.safetensors")):
        folder = os.path.basename(os.path.dirname(path))
        os.mkdir(folder)
        for name in ("config.json", "model.safetensors"):
            os.symlink(os.path.abspath(os.path.join(os.path.dirname(path), name)), f"{folder}/{name}")
        yield folder
    sizes = {"vocab_size": 99, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 6, "intermediate_size": 80,
             "max_position_embeddings": 64, "num_key_value_heads": 3}
    write_random("mistral", MistralConfig(**sizes, head_dim=8, sliding_window=None))
    yield "mistral"
    write_random("qwen3", Qwen3Config(**sizes, head_dim=16, attention_bias=True))
    yield "qwen3"


def write_tokenizer(folder, words):
    """The word tN is token N."""
    with open(f"{folder}/tokenizer.json", "w", encoding="utf-8") as f:
        json.dump({"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"},
                   "post_processor": None, "decoder": None,
                   "model": {"type": "WordLevel", "vocab": {f"t{i}": i for i in range(words)}, "unk_token": "t0"}}, f)


# ---- edits


class Vector:
    def __init__(self):
        self.values = [random.normal(size=3)]

    def add(self, values):
        """The place of the values in the vector."""
        self.values.append(values.ravel())
        return sum(map(len, self.values[:-1]))


def edit(vector, kind, site, scope, model, i):
    heads = model.config.num_attention_heads
    width = apply_vector.parts_of(model)[1][0].weight.numel() // model.config.hidden_size if site == "heads" \
        else model.config.hidden_size
    one_head = site == "heads" and i % 2
    n = width // heads if one_head else width
    e = {"kind": kind, "site": site, "scope": scope, "n": n, "from": n * (i % heads) if one_head else 0,
         "layer": 0 if site == "embedding" else i % model.config.num_hidden_layers}
    if kind == "affine":
        rank = n if i % 3 == 0 else 2  # B null needs all
        return {**e, "rank": rank, "A": vector.add(random.normal(size=(rank, n)) / n**.5),
                "B": None if rank == n else vector.add(random.normal(size=(rank, n))),
                "c": None if i % 2 else vector.add(random.normal(size=rank))}
    return {**e, "values": vector.add(random.normal(size=n)), "scale": .6 if kind != "replace" else 1}


def write_edits(path, vector, edits):
    values = np.concatenate(vector.values).astype(np.float32)
    about = {"format": 1, "edits": edits, "vector": "given", "values": len(values), "method": "constant", "variant": "",
             "chosen": 0, "keys": {}, "basis": [], "basis_points": 0, "recent": 1, "prompt": "whole", "trained_points": 0,
             "wpe_seed": 0}
    save_file({"vector": values}, path, {"taskvec_edits": json.dumps(about)})


def cases(model):
    """Name and path of files of edits: one of each kind and place, then all of them."""
    everything, all_edits = Vector(), []
    places = [(kind, *place) for kind in KINDS for place in PLACES]
    for i, (kind, site, scope) in enumerate(places):
        vector, shift = Vector(), i // len(PLACES)
        write_edits("one.safetensors", vector, [edit(vector, kind, site, scope, model, i + shift)])
        yield f"{kind} {site} {scope}", "one.safetensors"
        all_edits.append(edit(everything, kind, site, scope, model, i + shift + 1))
    random.shuffle(all_edits)
    write_edits("all.safetensors", everything, all_edits)
    yield "all", "all.safetensors"


# ---- both programs


def ours(folder, ids, path):
    """Ids and log probabilities [TOKENS, K] of the most likely tokens."""
    prompt = " ".join(f"t{i}" for i in ids)
    edits = ["--edits", path] if path else []
    out = subprocess.run([binary, "generate", folder, "--prompt", prompt, "--tokens", str(TOKENS), "--top", "100", "--bos", "none",
                          "--json", *edits], capture_output=True, text=True, check=False)
    if out.returncode:
        raise SystemExit(f"{folder}: {out.stderr}")
    result = json.loads(out.stdout)
    assert result["prompt_ids"] == ids, result
    top = [[(t["id"], t["probability"]) for t in step] for step in result["steps"]]
    return np.array(top)[..., 0].astype(int), np.log(np.array(top)[..., 1])


def theirs(model, ids, path, cached=True, named=False):
    """Log probabilities [TOKENS, V]; named: the query is given."""
    edits = apply_vector.load_edits(path)[0] if path else apply_vector.NO_EDITS
    how = GenerationConfig(max_new_tokens=TOKENS, do_sample=False, use_cache=cached, output_logits=True, pad_token_id=0,
                           return_dict_in_generate=True)
    ids = torch.tensor([ids])
    with torch.no_grad(), apply_vector.hooked(model, edits, ids.shape[1] - 1 if named else None):
        out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=how)
    return torch.log_softmax(torch.cat(out.logits), -1).numpy()


def compare(folder, model):
    """The largest difference, and how many files of edits give other numbers, or have no effect."""
    write_tokenizer(folder, model.config.vocab_size)
    prompts = [random.integers(model.config.vocab_size, size=n).tolist() for n in LENGTHS]
    plain = [theirs(model, prompt, None) for prompt in prompts]
    worst, bad = 0, 0
    for i, (name, path) in enumerate(cases(model)):
        which = i % len(prompts)
        prompt = prompts[which]
        top, found = ours(folder, prompt, path)
        expected = theirs(model, prompt, path, cached=i % 3 != 1, named=i % 3 > 0)
        difference = np.max(np.abs(found - np.take_along_axis(expected, top, 1)))
        effect = np.max(np.abs(expected[0] - plain[which][0]))
        worst = max(worst, difference)
        if not difference <= TOLERANCE or effect < 1e-2:
            bad += 1
            print(f"{folder}, {name}, {len(prompt)} tokens: log probabilities differ by {difference:.2g}; the edit changes them by "
                  f"{effect:.2g}")
    return worst, bad


def check_refusals(model):
    """A vector of a deeper or wider model is refused."""
    for key, value, words in (("layer", 9, "an edit of a layer"), ("from", 1, "of another model")):
        vector = Vector()
        write_edits("one.safetensors", vector, [{**edit(vector, "add", "block", "query", model, 0), key: value}])
        try:
            theirs(model, [1, 2], "one.safetensors")
            raise SystemExit(f"{key} {value} was accepted")
        except apply_vector.Refused as refused:
            assert words in str(refused), refused


worst, faults = 0, 0
folders = list(models())
for one in folders:
    loaded = AutoModelForCausalLM.from_pretrained(one, dtype=torch.float64).eval()
    loaded.generation_config.eos_token_id = None
    difference, bad = compare(one, loaded)
    worst, faults = max(worst, difference), faults + bad
check_refusals(loaded)
print(f"{len(folders)} models: log probabilities differ by at most {worst:.2g}")
sys.exit(faults > 0)
