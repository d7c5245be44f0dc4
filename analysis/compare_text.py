#!/usr/bin/env python3
"""Compare the speed of taskvec and transformers on a language model: the same work, checked to agree, then timed
alternately.

    compare_text.py FOLDER [--taskvec build/release/taskvec] [--processor-time]

FOLDER is a Hugging Face folder with a tokenizer. First the probabilities of the next token must agree; otherwise
nothing is timed. Then `mpirun -n RANKS taskvec bench model FOLDER` and transformers (float32, by this python) take
turns. Each rate is the median over all rounds; for transformers, the best number of threads and prompts a batch is shown.

    capture     head outputs of all layers at the last token of 32 prompts of 100 tokens, by hooks
    hook loop   a causal map as hooks alone make it: for every head a pass over the whole prompt
    cache       the same by single tokens over the keys and values of the prompt, all heads of a layer in one batch

Causal maps of transformers are timed on a few heads or layers and extrapolated to all. With --processor-time the
processor seconds of both are compared, divided by the threads: for machines that other programs keep busy.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
import transformers

ROOT = Path(__file__).resolve().parent.parent
PROMPTS, TOKENS = 32, 100  # of `taskvec bench model`
BATCHES = (1, 8, 32)
SAMPLED = 3  # heads, or layers, of which the time of a causal map is taken
PROJECTIONS = ("self_attn.o_proj", "attn.c_proj", "attn.out_proj", "attention.dense")
SAMPLE = "Q: hot\nA: cold\n\nQ: tall\nA:"


def fail(message):
    sys.exit(f"compare_text.py: {message}")


def run(command):
    env = dict(os.environ)
    if os.geteuid() == 0:
        env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        fail(f"{' '.join(map(str, command))}: exit code {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


# ---- transformers


class Peer:
    """The model in float32, with hooks on what every attention passes to its output projection."""

    def __init__(self, folder):
        self.model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        config = self.model.config
        self.heads, self.layers = config.num_attention_heads, config.num_hidden_layers
        self.maps = [m for n, m in self.model.named_modules() if n.endswith(PROJECTIONS)]
        if len(self.maps) != self.layers:
            fail(f"{folder}: {len(self.maps)} output projections found, expected {self.layers}")
        width = config.hidden_size // self.heads
        self.width = getattr(config, "head_dim", None) or width
        ids = torch.arange(PROMPTS * TOKENS) * 7919 % config.vocab_size
        self.ids = ids.reshape(PROMPTS, TOKENS)

    def next_probabilities(self, ids):
        logits = self.model(torch.tensor([ids]), logits_to_keep=1).logits[0, -1]
        return torch.softmax(logits.double(), 0)

    def capture(self, batch):
        """z [layers, PROMPTS, heads * width] at the last token."""
        z = [[] for _ in self.maps]
        hooks = [m.register_forward_pre_hook(lambda _, x, l=l: z[l].append(x[0][:, -1].clone()))
                 for l, m in enumerate(self.maps)]
        for first in range(0, PROMPTS, batch):
            self.model.base_model(self.ids[first:first + batch], use_cache=False)
        for hook in hooks:
            hook.remove()
        return torch.stack([torch.cat(rows) for rows in z])

    def patched(self, layer, heads, call):
        """call() with head i of `heads` replaced by 0 in row i, at the last token."""
        def patch(_, x):
            z = x[0].clone()
            for row, head in enumerate(heads):
                z[row, -1, head * self.width:(head + 1) * self.width] = 0
            return (z,)
        hook = self.maps[layer].register_forward_pre_hook(patch)
        log_prob = torch.log_softmax(call().logits[:, -1], -1)
        hook.remove()
        return log_prob

    def sampled_layers(self):
        return [self.layers * i // SAMPLED for i in range(SAMPLED)]

    def hook_loop(self):
        for layer in self.sampled_layers():
            self.patched(layer, [0], lambda: self.model(self.ids[:1], logits_to_keep=1, use_cache=False))

    def fill_cache(self):
        cache = transformers.DynamicCache(config=self.model.config)
        self.model.base_model(self.ids[:1, :-1], past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(self.heads)
        return cache

    def single_tokens(self, cache):
        last = self.ids[:1, -1:].expand(self.heads, 1)
        for layer in self.sampled_layers():
            self.patched(layer, range(self.heads), lambda: self.model(last, past_key_values=cache, logits_to_keep=1))
            cache.crop(-1)


class Timer:
    def __init__(self, processor_time, threads):
        self.clock = time.process_time if processor_time else time.perf_counter
        self.share = threads if processor_time else 1
        torch.set_num_threads(threads)

    def seconds(self, work, *args):
        start = self.clock()
        result = work(*args)
        return (self.clock() - start) / self.share, result


def time_peer(rates, peer, args):
    for threads in args.threads:
        timer = Timer(args.processor_time, threads)
        for batch in BATCHES:
            seconds, _ = timer.seconds(peer.capture, batch)
            rates.setdefault(("capture", threads, f"batch {batch}"), []).append(PROMPTS * TOKENS / seconds)
        seconds, _ = timer.seconds(peer.hook_loop)
        every = seconds / SAMPLED * peer.layers * peer.heads
        rates.setdefault(("hook loop", threads, "1 head a pass"), []).append(1 / every)
        filling, cache = timer.seconds(peer.fill_cache)
        seconds, _ = timer.seconds(peer.single_tokens, cache)
        every = filling + seconds / SAMPLED * peer.layers
        rates.setdefault(("cache", threads, f"{peer.heads} heads a pass"), []).append(1 / every)


def best_of(rates, work):
    """(rate, threads, how) of the fastest setting."""
    return max((statistics.median(values), threads, how)
               for (name, threads, how), values in rates.items() if name == work)


# ---- both


def check_agreement(args, peer):
    """Largest difference of the probabilities of the next token."""
    report = run([args.taskvec, "generate", args.folder, "--prompt", SAMPLE, "--tokens", "1", "--top", "20", "--json"])
    theirs = peer.next_probabilities(report["prompt_ids"])
    worst = max(abs(t["probability"] - float(theirs[t["id"]])) for t in report["steps"][0])
    if worst > 1e-4:
        fail(f"probabilities of the next token differ by {worst:.2g}: nothing is timed")
    return worst


def time_taskvec(lines, args):
    command = [args.taskvec, "bench", "model", args.folder, "--json", "--repeats", str(args.repeats)]
    if args.processor_time:
        command.append("--processor-time")
    if args.ranks > 1:
        command = ["mpirun", "-q", "-n", str(args.ranks), "--bind-to", "none", *command]
    report = run(command)
    for line in report["lines"]:
        rates, limits = lines.setdefault(line["name"], ([], []))
        rates.extend(line["repeats"])
        limits.append(line["limit"])
    return report


ROWS = (("capture", "capture", "tokens/s"), ("causal map", "hook loop", "prompts/s"), ("causal map", "cache", "prompts/s"))


def make_rows(lines, rates):
    for line, work, unit in ROWS:
        ours, limits = map(statistics.median, lines[line])
        theirs, threads, how = best_of(rates, work)
        yield {"work": line, "unit": unit, "taskvec": ours, "fraction": ours / limits, "transformers": theirs,
               "way": work, "threads": threads, "how": how, "ratio": ours / theirs}


def print_report(report):
    print(f"{report['model']}: taskvec {report['revision'][:12]}, {report['ranks']} ranks, core {report['core']}, weights as "
          f"stored; transformers {report['transformers']}, PyTorch {report['torch']}, float32; {report['clock']} time; "
          f"probabilities differ by at most {report['agreement']:.1g}")
    print(f"{'work':11} {'taskvec':>9} {'':9} {'limit':>6} {'transformers':>13}  {'':28} {'ratio':>7}")
    for r in report["rows"]:
        how = f"{r['way']}, {r['threads']} threads, {r['how']}" if r["way"] != r["work"] else f"{r['threads']} threads, {r['how']}"
        print(f"{r['work']:11} {r['taskvec']:9.4g} {r['unit']:9} {r['fraction']:6.0%} {r['transformers']:13.4g}  {how:28} {r['ratio']:6.3g}x")


def counts(text):
    return [int(word) for word in text.split(",")]


def arguments():
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--taskvec", default=str(ROOT / "build" / "release" / "taskvec"))
    parser.add_argument("--ranks", type=int, default=cores, help="default: one for each core")
    parser.add_argument("--threads", type=counts, default=sorted({1, cores}), help="of PyTorch (default: 1, and one a core)")
    parser.add_argument("--repeats", type=int, default=3, help="of taskvec in a round (default: 3)")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds (default: 3)")
    parser.add_argument("--processor-time", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


@torch.inference_mode()
def main():
    args = arguments()
    if not shutil.which(args.taskvec):
        fail(f"{args.taskvec}: no such program; give its path with --taskvec")
    transformers.utils.logging.disable_progress_bar()
    peer = Peer(args.folder)
    agreement = check_agreement(args, peer)
    lines, rates = {}, {}
    for turn in range(args.rounds):
        if turn % 2:
            time_peer(rates, peer, args)
        ours = time_taskvec(lines, args)
        if turn % 2 == 0:
            time_peer(rates, peer, args)
    report = {"model": args.folder, "transformers": transformers.__version__, "torch": torch.__version__,
              "agreement": agreement, **{k: ours[k] for k in ("revision", "ranks", "core", "clock", "limit")},
              "rows": list(make_rows(lines, rates)),
              "settings": [{"work": w, "threads": n, "how": how, "rate": statistics.median(values)}
                           for (w, n, how), values in rates.items()]}
    print(json.dumps(report, indent=1)) if args.json else print_report(report)


if __name__ == "__main__":
    main()
