#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_measure_runs.sh BINARY [SOURCE] - the stages that measure vectors: one digest on any number of ranks, and the same bits again.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_measure_runs "$@"
. "$here/digest_runs.sh"
config="$work/a folder/measures.cfg"
cat >"$config" <<'END'
name = "measures"; seed = 5; source = { problem = "linear"; dims = 3; };
stages = (
  { stage = "pretrain"; model = { layers = 2; heads = 2; width = 16; positions = 40; };
    points = 8; batch = 16; shards = 1; steps = 20; },
  { stage = "fit"; of = "pretrain"; method = "ltv"; points = 12; prompts = 60; batch = 16; epochs = 2; },
  { stage = "compare"; of = "fit"; also = ["plain", "mismatched"]; k = 14; functions = 16; chunk = 4; axes = 4; },
  { stage = "probe"; of = "fit"; also = "plain"; functions = 40; chunk = 20; },
  { stage = "leave_one_out"; of = "fit"; functions = 16; chunk = 8; }
);
END
same_on 1 2 3
conclude "one digest of compare, probe and leave_one_out, plainly and on 1, 2 and 3 ranks"
