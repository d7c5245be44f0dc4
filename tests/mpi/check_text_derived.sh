#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_text_derived.sh BINARY [SOURCE] - methods that are derived from text, their evaluations and controls: the same bits on
# 1, 2 and 3 ranks and after a kill; the validation loss at the prompts that are asked; one line for what a method cannot do on text.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_text_derived "$@"
home="$work/a folder"
config="$home/text.cfg"
python3 "$here/make_text_model.py" "$home/model"
mkdir "$home/tasks"
mv "$home/model/capital.task" "$home/tasks/capital.json"
mv "$home/model/number.task" "$home/tasks/number.json"
cat >"$config" <<'END'
name = "text"; seed = 5;
model = { checkpoint = "model"; };
source = { kind = "text"; task = "tasks"; };
stages = ( { stage = "fit"; method = ["task_vector", "state_vector", "icv", "fv", "linear_vector", "i2cl"]; points = [1, 3]; basis_points = 4;
             basis = "mean"; prompts = 20; batch = 6; task_vector = { form = ["replace", "difference"]; }; fv = { heads = 2; };
             linear_vector = { anchors = 8; }; i2cl = { demonstrations = 5; epochs = 4; }; },
           { stage = "fit"; name = "own"; method = ["icv", "state_vector", "fv", "task_vector"]; points = 1; basis_points = 4; prompts = 20;
             batch = 6; state_vector = { average = 3; }; fv = { heads = 2; }; },
           { stage = "evaluate"; of = ["fit", "own"]; points = [1, 4]; also = ["plain", "random", "mismatched"]; functions = 8;
             chunk = 5; shift = ["none", "shuffled_labels"]; } );
END

one="$home/one"
expect_same_bits "$config" "$home" 30

# ---- every method has a loss of its own, at 1 and at 3 points
launch 0 table "$one" fit --format csv
((rc == 0)) || die "table: code $rc"
python3 - "$work/out" <<'END' || fault "rows of fits"
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
assert len(rows) == 14, rows
losses = {r["validation_loss"] for r in rows}
assert len(losses) == 14 and all(0 < float(x) < 20 for x in losses), losses
assert all(r["end"] == "derived" for r in rows), rows
END

# ---- refusals: one line, exit 65, nothing computed
refuses() { expect_refusal "$config" "$@"; } # WORDS ARGUMENT...
refuses 'set basis_points' -s fit.basis_points=0
refuses 'one map for the whole task' -s fit.basis=prompt
refuses 'shuffled once for each prompt' -s fit.fv.corruption=redrawn
refuses 'averages the last 5 xs' -s own.state_vector.average=5
refuses '"oracle" shows the last points' -s 'evaluate.also=["oracle"]'
conclude "18 fits and their evaluations on 0 to 3 ranks and after a kill"
