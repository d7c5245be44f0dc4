#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_paper.sh BINARY [SOURCE] - the experiment at the published sizes plans, with memory and
# core-hours, and its 12/8/256 pretraining and a small fit on that model really step; says at what
# rates.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_paper "$@"
if is_sanitised; then exit 77; fi # an hour's work under ASan
experiments="$work/a folder/experiments"
cp -r -- "$source_dir/experiments" "$experiments"
config=$experiments/paper/linear_regression.cfg

timeout 60 "$program" plan "$config" >"$work/out" 2>"$work/err" || die "plan: code $?"
grep -qE '^ *0 +pretrain\[0\].* 8 ' "$work/out" || die "plan does not show the pretraining by 8 ranks"
memory=$(sed -n 's/^memory of the largest job .*ask for \(.*\) a rank$/\1/p' "$work/out")
hours=$(sed -n 's/^\([0-9.e+]*\) core-hours .*/\1/p' "$work/out")
[[ -n $memory && -n $hours ]] || die "plan prints no memory or no core-hours: $(tail -3 "$work/out")"
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

# rates: tokens/s and prompts/s from the journal's DONE lines.
python3 - "$folder/journal" "$steps" "$prompts" "$epochs" "$memory" "$hours" <<'END' || die "nothing stepped"
import math, sys
journal, steps, prompts, epochs = sys.argv[1], *map(int, sys.argv[2:5])
done, rows = [], []
for line in open(journal):
    kind, *fields = line.rstrip("\n").split("\t")[1:]
    values = dict(f.split("=", 1) for f in fields)
    if kind == "done":
        done.append(float.fromhex(values["seconds"]))
    if kind == "row":
        rows.append([f[4:] for f in fields if f.startswith("c=r:")])
losses = [float.fromhex(r[0]) for r in rows[:-1]]
if len(done) != 2 or len(losses) != steps or not all(math.isfinite(x) for x in losses):
    sys.exit(f"{len(done)} jobs done, losses {losses}")
if len(set(losses)) != steps:
    sys.exit(f"the loss does not move: {losses}")
tokens = steps * 64 * 2 * 41 / done[0]
print(f"check_paper: planned {sys.argv[6]} core-hours with {sys.argv[5]} a rank; a 12/8/256 "
      f"pretraining steps at {tokens:.0f} tokens/s, a fit on it, contexts included, at "
      f"{prompts * epochs / done[1]:.1f} prompts/s, on one core")
END
((faults == 0))
