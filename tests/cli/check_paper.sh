#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_paper.sh BINARY [SOURCE] - the experiment at the published sizes plans, with memory and
# core time, and its 12/8/256 pretraining and a small fit on that model really step; says at what
# rates.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_paper "$@"
if is_sanitised; then exit 77; fi # an hour's work under ASan
experiments="$work/a folder/experiments"
cp -r -- "$source_dir/experiments" "$experiments"
config=$experiments/paper/linear_regression.cfg

COLUMNS=1000 timeout 60 "$program" plan "$config" >"$work/out" 2>"$work/err" || die "plan: code $?"
grep -qE '^ *0 +pretrain\[0\].* 8 ' "$work/out" || die "plan does not show the pretraining by 8 ranks"
memory=$(sed -n 's/^Memory of the largest job: .*request \(.*\) for each rank.$/\1/p' "$work/out")
hours=$(sed -n 's/^Core time \([0-9a-z. ]*\), .* of it left.*/\1/p' "$work/out")
[[ -n $memory && -n $hours ]] || die "plan prints no memory or no core time: $(tail -3 "$work/out")"
timeout 60 "$program" plan "$experiments/paper/linear_regression_fast.cfg" >"$work/out" 2>"$work/err" ||
    die "plan of the faster schedule: code $?"

# The sizes of the model are the config's; only how much of the work is done is cut down. All
# dimensions and points from the first step: the full cost of a step.
steps=2 prompts=40 epochs=3
folder="$work/a folder/paper"
limit=300 launch 0 run "$config" -o "$folder" --only pretrain --only fit \
    -s "pretrain.steps=$steps" -s pretrain.curriculum.interval=0 -s pretrain.group=1 \
    -s "fit.prompts=$prompts" -s "fit.epochs=$epochs" -s fit.points=71 -s fit.batch=16
((rc == 0)) || die "a few steps: code $rc, not 0"

rate() { sed -n "s|^$1: \([0-9.e+kM]*\) $2/s .*|\1|p" "$work/out"; }
tokens=$(rate pretrain tokens) fitted=$(rate fit prompts)
[[ -n $tokens && -n $fitted ]] || die "the run shows no tokens/s or no prompts/s: $(cat "$work/out")"

# The tokens/s are those of the DONE line's seconds, and the losses are numbers.
python3 - "$folder/journal" "$steps" "$tokens" <<'END' || die "nothing stepped as it says"
import math, sys
steps, shown = int(sys.argv[2]), sys.argv[3]
shown = float(shown.rstrip("kM")) * {"k": 1e3, "M": 1e6}.get(shown[-1], 1)
done, rows = [], []
for line in open(sys.argv[1]):
    kind, *fields = line.rstrip("\n").split("\t")[1:]
    values = dict(f.split("=", 1) for f in fields)
    if kind == "done":
        done.append(float.fromhex(values["seconds"]))
    if kind == "row":
        rows.append([f[4:] for f in fields if f.startswith("c=r:")])
losses = [float.fromhex(r[0]) for r in rows[:-1]]
if len(done) != 2 or len(losses) != steps or not all(math.isfinite(x) for x in losses):
    sys.exit(f"{len(done)} jobs done, losses {losses}")
rate = steps * 64 * 2 * 41 / done[0]
if not 0.9 * rate < shown < 1.1 * rate:
    sys.exit(f"{shown} tokens/s shown, {rate} by the journal")
END
conclude "planned $hours of core time with $memory a rank; a 12/8/256 pretraining steps at $tokens" \
    "tokens/s, a fit on it at $fitted prompts/s, on one core"
