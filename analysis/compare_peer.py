#!/usr/bin/env python3
"""Compare the speed of taskvec and PyTorch on this machine: the same work, checked to agree, then timed alternately.

    compare_peer.py [--taskvec build/release/taskvec] [--size standard] [--works fit,curve]

The peer is tests/reference/peer_torch.py, run by the same python (it needs torch and h5py; use the newest PyTorch for
CPUs). First the peer writes reference numbers with the functions that will be timed, and `taskvec verify` must agree
with them; otherwise nothing is timed.
Then `mpirun -n RANKS taskvec bench WORK` and the peer take turns, at every thread setting. Each
rate is the median of all repeats; for the peer, the best thread setting of each variant is shown.
"""
import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "tests" / "reference" / "peer_torch.py"
PARTS = "core,grad,adam,ltv,curve"
EPOCHS = 50

# work, title, line of taskvec bench, ways of the peer. "50 epochs" is computed from two lines.
ROWS = (
    ("pretrain", "pretrain, a step", "step", ("published", "fused", "compiled", "bfloat16")),
    ("fit", "fit, contexts cached", "cached", ("published", "stream")),
    ("fit", f"fit, {EPOCHS} epochs with prefill", "50 epochs", ("published", "50 epochs")),
    ("fit", "fit, contexts recomputed", "recomputed", ("published",)),
    ("curve", "curve, all lengths", "curve", ("published", "stream")),
    ("capture", "capture of heads", "capture", ("published", "stream")),
)
WORKS = tuple(dict.fromkeys(row[0] for row in ROWS))


def fail(message):
    sys.exit(f"compare_peer.py: {message}")


def environment():
    """Environment of the programs: OpenBLAS chooses its kernel, and root may start mpirun."""
    env = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    if os.geteuid() == 0:
        env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    return env


def run(command):
    """Standard output of a command; exits when it fails."""
    try:
        done = subprocess.run(command, env=environment(), capture_output=True, text=True,
                              check=False)
    except OSError as e:
        fail(f"{command[0]}: {e.strerror}")
    if done.returncode:
        output = (done.stderr or done.stdout).strip().splitlines()
        fail(f"{' '.join(map(str, command))}: exit code {done.returncode}: "
             f"{output[-1] if output else 'no message'}")
    return done.stdout


def run_json(command):
    out = run(command)
    try:
        return json.loads(out)
    except ValueError as e:
        fail(f"{' '.join(map(str, command))}: its output is not JSON ({e})")


def check_agreement(taskvec, size):
    """Largest ratio of a difference to its tolerance, and the number of arrays compared."""
    with tempfile.TemporaryDirectory() as folder:
        fixture = str(Path(folder) / "peer.h5")
        run([sys.executable, str(PEER), "--size", size, "--fixture", fixture])
        done = subprocess.run([taskvec, "verify", "--json", "--require", PARTS, fixture],
                              env=environment(), capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        fail(f"taskvec verify: {done.stderr.strip() or 'no message'}")
    lines = json.loads(done.stdout)["lines"]
    for line in lines:
        if line["status"] == "DIFFERS":
            print(f"DIFFERS {line['name']}: max error {line['max_error']}, tolerance "
                  f"{line['tolerance']} {line['reason']}", file=sys.stderr)
    if done.returncode:
        fail("the two programs do not compute the same: nothing is timed")
    return max(line["max_error"] / line["tolerance"] for line in lines), len(lines)


# ---- rates


class Rates:
    """Repeats of each line, pooled over rounds."""

    def __init__(self):
        self.repeats, self.limits, self.notes = {}, {}, {}

    def add(self, key, repeats, limit=None, note=""):
        self.repeats.setdefault(key, []).extend(repeats)
        if limit:
            self.limits.setdefault(key, []).append(limit)
        self.notes[key] = note

    def median(self, key):
        values = self.repeats.get(key)
        return statistics.median(values) if values else None

    def fraction(self, key):
        rate, limits = self.median(key), self.limits.get(key)
        return rate / statistics.median(limits) if rate and limits else None


def amortised(step, made):
    """Prompts per second where contexts are computed once and used for EPOCHS epochs."""
    return 1 / (1 / step + 1 / (EPOCHS * made)) if step and made else None


def time_taskvec(rates, work, args):
    command = [args.taskvec, "bench", work, "--size", args.size, "--json",
               "--repeats", str(args.repeats)]
    if args.ranks > 1:
        command = ["mpirun", "-q", "-n", str(args.ranks), "--bind-to", "none", *command]
    report = run_json(command)
    for line in report["lines"]:
        rates.add((work, line["name"]), line["repeats"], line["limit"])
    return report


def time_peer(rates, work, args):
    report = run_json([sys.executable, str(PEER), "--size", args.size, "--work", work, "--json",
                       "--threads", ",".join(map(str, args.threads)),
                       "--repeats", str(args.repeats)])
    for line in report["lines"]:
        rates.add((work, line["way"], line["threads"]), line["repeats"], note=line["note"])
    for line in report["sgemm"]:
        rates.add(("sgemm", line["way"], line["threads"]), line["repeats"])
    return report


def time_work(taskvec, peer, work, args):
    """Times both alternately, and alternates which comes first; returns the last report of each."""
    for turn in range(args.rounds):
        first = [time_taskvec(taskvec, work, args)] if turn % 2 == 0 else []
        theirs = time_peer(peer, work, args)
        ours = first[0] if first else time_taskvec(taskvec, work, args)
    if ours["dims"] != theirs["dims"]:
        fail(f"bench {work}: {ours['dims']} here, {theirs['dims']} there: not the same work")
    return ours, theirs


def our_rate(rates, work, line):
    """(rate, its fraction of the limit measured in the same run)."""
    if line != "50 epochs":
        return rates.median((work, line)), rates.fraction((work, line))
    rate = amortised(rates.median((work, "cached")), rates.median((work, "prefill")))
    limits = rates.limits.get((work, line))
    return rate, rate / statistics.median(limits) if rate and limits else None


def their_rate(rates, work, way, threads):
    if way != "50 epochs":
        return rates.median((work, way, threads))
    return amortised(rates.median((work, "stream", threads)),
                     rates.median((work, "prefill", threads)))


def rows(taskvec, peer, args):
    """The printed rows, as objects."""
    for work, title, line, ways in ROWS:
        if work not in args.works:
            continue
        rate, fraction = our_rate(taskvec, work, line)
        if rate is None:
            fail(f"taskvec bench {work} prints no line \"{line}\"")
        peers = []
        for way in ways:
            best = max(((their_rate(peer, work, way, n) or 0, n) for n in args.threads))
            label = "stream" if way == "50 epochs" else way
            peers.append({"way": label, "rate": best[0] or None, "threads": best[1],
                          "ratio": rate / best[0] if best[0] else None,
                          "note": peer.notes.get((work, way, best[1]), "")})
        yield {"work": work, "title": title, "unit": "tokens/s" if work == "pretrain" else
               "prompts/s", "rate": rate, "fraction": fraction, "peers": peers}


# ---- the table


def print_row(row):
    of = f"{row['fraction']:6.0%}" if row["fraction"] else "     -"
    head = f"{row['title']:31} {row['rate']:10.4g} {row['unit']:9} {of}"
    for i, peer in enumerate(row["peers"]):
        lead = head if i == 0 else " " * len(head)
        if peer["rate"] is None:
            print(f"{lead}   {peer['way']:10} {peer['note']}")
            continue
        print(f"{lead}   {peer['way']:10} {peer['threads']:2} threads {peer['rate']:10.4g} "
              f"{peer['ratio']:8.3g}x")


def print_report(report):
    check, machine = report["agreement"], report["taskvec"]
    print(f"taskvec {machine['revision'][:12]}, {machine['ranks']} ranks, BLAS core "
          f"{machine['core']}; PyTorch {report['torch']}, threads "
          f"{' and '.join(map(str, report['threads']))}; size {report['size']}")
    print(f"{check['lines']} arrays agree; the largest difference is "
          f"{check['largest']:.0%} of its tolerance")
    for line in report["sgemm"]:
        print(f"PyTorch's sgemm {line['shape']}, {line['threads']} threads: "
              f"{line['gflops']:.4g} GFLOP/s")
    print(f"\n{'':31} {'taskvec':>10} {'':9} {'of its':>6}   PyTorch, its best")
    print(f"{'':31} {'':10} {'':9} {'limit':>6}   {'thread setting':21} {'rate':>10} {'ratio':>8}")
    for row in report["rows"]:
        print_row(row)
    if "fit" in {row["work"] for row in report["rows"]}:
        print(f"\npublished caches no contexts, so its rate is the same over {EPOCHS} epochs; its "
              "capture of heads\nis not counted, while the other two include contexts and basis.")


def comma(text):
    words = text.split(",")
    if unknown := [w for w in words if w not in WORKS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]}: works are {', '.join(WORKS)}")
    return words


def counts(text):
    values = sorted({int(word) for word in text.split(",")})
    if values[0] < 1:
        raise argparse.ArgumentTypeError(f"{text}: thread counts are 1 or more")
    return values


def count(text):
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: 1 or more")
    return int(text)


def arguments():
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--taskvec", default=str(ROOT / "build" / "release" / "taskvec"))
    parser.add_argument("--size", default="standard", choices=("tiny", "small", "standard"))
    parser.add_argument("--works", type=comma, default=list(WORKS), help=f"some of {','.join(WORKS)}")
    parser.add_argument("--ranks", type=count, default=cores, help="default: one for each core")
    parser.add_argument("--threads", type=counts, default=sorted({1, cores}),
                        help="thread counts of PyTorch (default: 1, and one for each core)")
    parser.add_argument("--repeats", type=count, default=3, help="repeats in a round (default: 3)")
    parser.add_argument("--rounds", type=count, default=2, help="alternating rounds of each program (default: 2)")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def find_programs(args):
    missing = [m for m in ("torch", "h5py") if importlib.util.find_spec(m) is None]
    if missing:
        fail(f"{sys.executable} has no module {' and no '.join(missing)}; install PyTorch for CPUs "
             "and h5py into a virtual environment and run this with its python")
    if not shutil.which(args.taskvec):
        fail(f"{args.taskvec}: no such program; give its path with --taskvec")
    args.taskvec = str(Path(shutil.which(args.taskvec)).resolve())


def main():
    args = arguments()
    find_programs(args)
    largest, lines = check_agreement(args.taskvec, args.size)
    taskvec, peer = Rates(), Rates()
    for work in args.works:
        print(f"{work} ...", file=sys.stderr)
        ours, theirs = time_work(taskvec, peer, work, args)
    report = {
        "size": args.size, "torch": theirs["torch"], "threads": args.threads,
        "agreement": {"lines": lines, "largest": largest},
        "taskvec": {k: ours.get(k) for k in ("revision", "ranks", "core", "dims", "limit")},
        "sgemm": [{"shape": key[1], "threads": key[2], "gflops": peer.median(key)}
                  for key in peer.repeats if key[0] == "sgemm"],
        "rows": list(rows(taskvec, peer, args)),
    }
    print(json.dumps(report, indent=1)) if args.json else print_report(report)


if __name__ == "__main__":
    main()
