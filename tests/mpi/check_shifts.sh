#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_shifts.sh BINARY [SOURCE] - every shift, dummies, controls of a fit and redrawn positions: one
# digest on any number of ranks, and the same bits again; tables keep them apart.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_shifts "$@"
. "$here/digest_runs.sh"
config="$work/a folder/shifts.cfg"
cat >"$config" <<'END'
name = "shifts"; seed = 5; source = { problem = "linear"; dims = 3; };
model = { wpe_seed = [0, 4]; };
stages = (
  { stage = "pretrain"; model = { layers = 2; heads = 2; width = 16; positions = 40; };
    points = 8; batch = 16; shards = 1; steps = 20; },
  { stage = "fit"; of = "pretrain"; method = ["ltv", "constant"]; points = 12; prompts = 60;
    batch = 16; epochs = 2; },
  { stage = "evaluate"; of = "fit"; also = ["plain", "oracle", "random", "mismatched"];
    points = 10; functions = 20; chunk = 8;
    shift = ["none", "skewed", "half_subspace", "noisy", "noisy_as_published", "orthogonal",
             "random_quadrants", "overlapping", "scale_x", "scale_y", "shuffled_labels"];
    noisy = { sigma = [0.5, 1.0]; }; scale_x = { factor = 0.5; }; },
  { stage = "evaluate"; name = "dummies"; of = "fit"; also = ["plain", "window"];
    points = 10; functions = 20; chunk = 8; dummies = ["none", "as_published", "corrected"]; }
);
END
same_on 1 2 3

# A line for each of 12 shifts, 2 seeds and 2 fits, 2 controls of a model, random of 2 fits and
# mismatched of one; then 3 rules of dummies for fits and controls. No line of several.
launch 0 table "$first" --format csv
lines=$(grep -c '^[a-z]*,[-a-z.]*,[0-9]*,' "$work/out")
((lines == 12 * 2 * (2 + 2 + 2 + 1) + 3 * 2 * (2 + 2))) || die "$lines lines in the table"
head -1 "$work/out" | grep -q '^method,.*,shift,.*,noisy_sigma,' || die "no column for the shift or its level"
conclude "one digest of every shift, plainly and on 1, 2 and 3 ranks"
