#!/usr/bin/env python3
"""The work of `taskvec bench` in PyTorch, as the published code does it and as fast as plain
PyTorch does it. analysis/compare_peer.py compares the two programs.

    peer_torch.py --size standard --work fit --threads 1,2     rates, a table (--json: one object)
    peer_torch.py --size standard --fixture FILE.h5            a reference file for taskvec verify

Works and their implementations (--way):
    pretrain  published (attention and GELU as elementary operations), fused (fused attention, GELU and Adam),
              compiled (fused, torch.compile), bfloat16 (compiled, under bfloat16 autocast)
    fit       published (all tokens forward and back, every step), stream (one token; keys and
              values stored), prefill (computing what stream stores, basis included; a rate of its own)
    curve     published (a whole pass per length), stream (one prefill, one token per length)
    capture   published (a whole pass per layer), stream (one pass)

Prompts and, except for prefill and curve, contexts are computed outside the timing. Implementations
and thread settings alternate within every repeat. "useful" counts the operations that the
mathematics requires, as `taskvec bench` does; "done" counts those that the implementation performs.
Needs torch.
"""
import argparse
import json
import math
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Callable

import torch

from peer_fixture import linear_prompts, write_fixture
from peer_model import (SIZES, Pretraining, PublishedFit, Regressor, StreamFit, StreamVector,
                        capture_published, capture_stream, curve_published, curve_stream, prefill,
                        vector_published)

COMPILED = ("compiled", "bfloat16")  # those that may not work on a machine
SLOW, SLOW_REPEATS = 15.0, 3  # a run longer than this many seconds is repeated less often
SHORTEST = 0.2  # seconds of a repeat: shorter runs are repeated within it


@dataclass
class Task:
    """One implementation of one work, ready to run."""
    work: str
    way: str
    unit: str
    units: float  # of work in one run
    useful: float  # operations per unit
    done: float
    run: Callable
    note: str = ""


# ---- operations: two per token and weight, four per token and coordinate that it attends to


def forward_ops(size, tokens, attended):
    """`tokens` tokens through the model, attending to `attended` tokens each."""
    weights = 12 * size.layers * size.width**2 + size.inputs * size.width
    return tokens * (2 * weights + 4 * size.layers * size.width * attended)


def back_ops(size, tokens, attended):
    """Gradients of activations only, back to the output of the first block."""
    weights = 12 * (size.layers - 1) * size.width**2
    return tokens * (2 * weights + 4 * (size.layers - 1) * size.width * attended)


def vector_ops(size):
    return 2 * size.layers * size.width**2


def prefill_ops(size, tokens):
    """Keys and values of all layers; the last layer computes nothing else."""
    before = 12 * (size.layers - 1) * size.width**2 + size.inputs * size.width
    attention = 4 * (size.layers - 1) * size.width * tokens / 2
    return tokens * (2 * before + attention + 4 * size.width**2)


# ---- implementations


def check_bfloat16():
    """Raises if this machine emulates bfloat16: a step would take minutes and say nothing about the method."""
    rates = []
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.randn(512, 512).to(dtype)
        seconds(lambda a=a: a @ a)
        rates.append(2e-9 * 512**3 / seconds(lambda a=a: a @ a, 3))
    if rates[1] < rates[0] / 2:
        raise RuntimeError(f"its products run at {rates[1]:.3g} GFLOP/s, float32 at {rates[0]:.3g}")


def pretrain_tasks(size, ways):
    xs, ys = linear_prompts(size.pretrain_prompts, size.trained_points, size.inputs)
    tokens = 2 * size.trained_points
    useful = 3 * forward_ops(size, 1, tokens / 2)
    for way in ways:
        model = Regressor(size, fused=way != "published")
        run = torch.compile(model) if way in COMPILED else None
        training = Pretraining(model, 1e-4, run, way == "bfloat16")
        done = useful if model.fused else 3 * forward_ops(size, 1, tokens)
        yield Task("pretrain", way, "tokens/s", size.pretrain_prompts * tokens, useful, done,
                   lambda training=training: training.step(xs, ys),
                   f"{size.pretrain_prompts} prompts of {size.trained_points} points per step")


def basis_of(size, xs, ys):
    return xs[:, : size.trained_points], ys[:, : size.trained_points]


def published_fit(size, model, w, useful):
    n, tokens = size.published_batch, 2 * size.points
    xs, ys = linear_prompts(n, size.points, size.inputs)
    fit = PublishedFit(model(False), capture_published(model(False), *basis_of(size, xs, ys)),
                       xs, ys, w, 1e-4)
    done = forward_ops(size, tokens, tokens) + 2 * back_ops(size, tokens, tokens) \
        - back_ops(size, tokens, 0)  # the gradient of attention costs twice its value, that of a linear map once
    return Task("fit", "published", "prompts/s", n, useful, done, fit.step,
                f"{n} prompts of {size.points} points per step")


def stream_fit(size, model, w, useful):
    n = size.batch
    xs, ys = linear_prompts(n, size.points, size.inputs)
    fused = model(True)
    chunks = [prefill(fused, xs[i : i + size.few], ys[i : i + size.few])
              for i in range(0, n, size.few)]
    context = [tuple(torch.cat(part) for part in zip(*layer)) for layer in zip(*chunks)]
    u = capture_stream(fused, *basis_of(size, xs, ys))
    fit = StreamFit(fused, StreamVector(fused), u, context, xs, ys, w, 1e-4)
    return Task("fit", "stream", "prompts/s", n, useful, useful, fit.step,
                f"{n} prompts of {size.points} points per step, contexts stored")


def prefill_fit(size, model, w, useful):
    xs, ys = linear_prompts(size.few, size.points, size.inputs)
    seen = 2 * size.trained_points - 2
    ops = prefill_ops(size, 2 * size.points - 2) + prefill_ops(size, seen) \
        + forward_ops(size, 1, seen)

    def run():
        prefill(model(True), xs, ys)
        capture_stream(model(True), *basis_of(size, xs, ys))

    return Task("fit", "prefill", "prompts/s", size.few, ops, ops, run,
                f"{size.few} prompts: contexts of {size.points} points and their basis")


def fit_tasks(size, ways):
    model = frozen_models(size)
    w = 0.3 * torch.randn(size.layers, size.heads)
    seen = 2 * size.points - 2
    useful = forward_ops(size, 1, seen) + back_ops(size, 1, seen) + 2 * vector_ops(size)
    make = {"published": published_fit, "stream": stream_fit, "prefill": prefill_fit}
    for way in ways:
        yield make[way](size, model, w, useful)


def prompts_of(size, way, points):
    n = size.published_few if way == "published" else size.few
    return linear_prompts(n, points, size.inputs)


def curve_tasks(size, ways):
    model = frozen_models(size)
    w = 0.3 * torch.randn(size.layers, size.heads)
    lengths = range(1, size.points + 1)
    useful = prefill_ops(size, 2 * size.points - 2) + vector_ops(size) \
        + sum(forward_ops(size, 1, 2 * n - 2) for n in lengths)
    done = {"published": sum(forward_ops(size, 2 * n, 2 * n) for n in lengths), "stream": useful}
    curve = {"published": curve_published, "stream": curve_stream}
    for way in ways:
        xs, ys = prompts_of(size, way, size.points)
        u = capture_stream(model(True), *basis_of(size, xs, ys))
        inputs = model(way == "stream"), xs, ys, StreamVector(model(True))(u, w)
        yield Task("curve", way, "prompts/s", len(ys), useful, done[way],
                   lambda way=way, inputs=inputs: curve[way](*inputs),
                   f"{len(ys)} prompts, {size.points} lengths")


def capture_tasks(size, ways):
    model = frozen_models(size)
    tokens = 2 * size.trained_points
    useful = prefill_ops(size, tokens - 2) + forward_ops(size, 1, tokens - 2)
    every = size.layers * forward_ops(size, tokens, tokens) + size.heads * vector_ops(size)
    done = {"published": every, "stream": useful}
    capture = {"published": capture_published, "stream": capture_stream}
    for way in ways:
        inputs = model(way == "stream"), *prompts_of(size, way, size.trained_points)
        yield Task("capture", way, "prompts/s", len(inputs[1]), useful, done[way],
                   lambda way=way, inputs=inputs: capture[way](*inputs),
                   f"{len(inputs[1])} prompts of {size.trained_points} points")


def frozen_models(size):
    published, fused = Regressor(size, False).freeze(), Regressor(size, True).freeze()
    fused.load_state_dict(published.state_dict())
    return lambda wanted: fused if wanted else published


WORKS = {
    "pretrain": (pretrain_tasks, ("published", "fused", "compiled", "bfloat16")),
    "fit": (fit_tasks, ("published", "stream", "prefill")),
    "curve": (curve_tasks, ("published", "stream")),
    "capture": (capture_tasks, ("published", "stream")),
}


# ---- timing


def seconds(run, times=1):
    """Seconds of one run, the mean of `times`."""
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


def warm_up(task):
    """Seconds of a run; None, with the reason in the note, if this PyTorch cannot run it."""
    try:
        if task.way == "bfloat16":
            check_bfloat16()
        first = seconds(task.run)
        return first if first > SLOW and task.way not in COMPILED else seconds(task.run)
    except Exception as error:  # no compiler or no such kernel
        if task.way not in COMPILED:
            raise
        task.note = f"not available here: {(str(error) or type(error).__name__).splitlines()[0]}"
        return None


def measure(tasks, threads, repeats):
    """{(task, threads): seconds of a run in each repeat}; tasks alternate."""
    times, wanted, runs = {}, {}, {}
    for n in threads:
        torch.set_num_threads(n)
        for i, task in enumerate(tasks):
            first = warm_up(task)
            times[i, n] = []
            wanted[i, n] = 0 if first is None else \
                repeats if first < SLOW else min(repeats, SLOW_REPEATS)
            runs[i, n] = math.ceil(SHORTEST / first) if first else 1
    for repeat in range(repeats):
        for n in threads:
            torch.set_num_threads(n)
            for i, task in enumerate(tasks):
                if repeat < wanted[i, n]:
                    times[i, n].append(seconds(task.run, runs[i, n]))
    return times


def sgemm_tasks():
    for n in (1024, 2048):
        a, b = torch.randn(n, n), torch.randn(n, n)
        yield Task("sgemm", f"{n}^3", "GFLOP/s", 2e-9 * n**3, 0, 0, lambda a=a, b=b: a @ b)


def lines_of(tasks, times):
    for (i, threads), taken in times.items():
        task = tasks[i]
        rates = [task.units / t for t in taken]
        rate = statistics.median(rates) if rates else None
        yield {"work": task.work, "way": task.way, "threads": threads, "unit": task.unit,
               "rate": rate, "repeats": rates, "gflops": rate and rate * task.useful / 1e9,
               "gflops_done": rate and rate * task.done / 1e9, "note": task.note}


def run_work(work, size, ways, threads, repeats):
    torch.manual_seed(0)
    torch.set_num_threads(max(threads))
    make, offered = WORKS[work]
    tasks = list(make(size, [way for way in offered if not ways or way in ways]))
    return list(lines_of(tasks, measure(tasks, threads, repeats)))


# ---- the program


def print_table(report):
    print(f"torch {report['torch']}, size {report['size']}")
    best = {}
    for line in report["sgemm"]:
        best[line["threads"]] = max(best.get(line["threads"], 0), line["rate"])
        print(f"sgemm {line['way']:8} {line['threads']:2} threads {line['rate']:9.1f} GFLOP/s")
    for line in report["lines"]:
        name = f"{line['work']:8} {line['way']:9} {line['threads']:2} threads"
        if line["rate"] is None:
            print(f"{name} {line['note']}")
            continue
        of = best[line["threads"]]
        print(f"{name} {line['rate']:9.4g} {line['unit']:9} useful {line['gflops']:7.2f}, "
              f"done {line['gflops_done']:7.2f} GFLOP/s = {line['gflops_done'] / of:4.0%} of sgemm"
              f"   {line['note']}, {len(line['repeats'])} repeats")


def numbers(text):
    values = [int(word) for word in text.split(",")]
    if min(values) < 1:
        raise argparse.ArgumentTypeError(f"{text}: thread counts are 1 or more")
    return values


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--size", choices=SIZES, default="standard")
    parser.add_argument("--work", choices=WORKS, action="append", help="default: all of them")
    ways = sorted({way for _, offered in WORKS.values() for way in offered})
    parser.add_argument("--way", choices=ways, action="append", help="default: all of them")
    parser.add_argument("--threads", type=numbers, default=[torch.get_num_threads()],
                        help="thread counts that alternate, such as 1,2 (default: all cores)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--fixture", metavar="FILE", help="write a reference file and time nothing")
    args = parser.parse_args()
    if args.repeats < 1:
        parser.error(f"--repeats {args.repeats}: 1 or more")
    return args


def main():
    args = arguments()
    size = SIZES[args.size]
    if args.fixture:
        torch.set_num_threads(1)  # on busy cores several threads would wait for each other
        write_fixture(args.fixture, size)
        return
    gemms = list(sgemm_tasks())
    sgemm = list(lines_of(gemms, measure(gemms, args.threads, max(args.repeats, 5))))
    lines = [line for work in args.work or WORKS
             for line in run_work(work, size, args.way, args.threads, args.repeats)]
    if not lines:
        sys.exit(f"peer_torch.py: {args.work} cannot be done by {args.way}; see --help")
    report = {"program": "peer_torch", "torch": torch.__version__.split("+")[0],
              "size": args.size, "threads": args.threads,
              "dims": {"layers": size.layers, "heads": size.heads, "width": size.width,
                       "inputs": size.inputs, "positions": size.positions},
              "sgemm": sgemm, "lines": lines}
    print(json.dumps(report)) if args.json else print_table(report)


if __name__ == "__main__":
    main()
