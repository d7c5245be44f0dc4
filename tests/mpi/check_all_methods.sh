#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_all_methods.sh BINARY [SOURCE] - fits of every kind, learned, derived and chosen, and their
# evaluations give one digest on any number of ranks, after kills, and the same bits again.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_all_methods "$@"
. "$here/digest_runs.sh"
config="$work/a folder/methods.cfg"
cat >"$config" <<'END'
name = "methods"; seed = 7; source = { problem = "linear"; dims = 3; };
stages = (
  { stage = "pretrain"; model = { layers = 2; heads = 2; width = 16; positions = 40; };
    points = 8; batch = 16; steps = 20; optimiser = { lr = 3e-3; }; },
  { stage = "fit"; of = "pretrain";
    method = ["task_vector", "state_vector", "linear_vector", "learned_vector", "site", "loreft",
              "fv", "icv"];
    task_vector = { form = ["difference", "replace"]; };
    state_vector = { average = [1, 3]; };
    linear_vector = { form = ["linear", "constant"]; anchors = 24; };
    basis = ["prompt", "mean"]; points = 12; prompts = 60; batch = 16; epochs = 3;
    optimiser = { lr = 1e-2; }; checkpoint_every = 1; },
  { stage = "evaluate"; of = "fit"; also = ["plain"]; points = 14; functions = 20; chunk = 8; }
);
END
rank_counts=(1 2 3) kills=4 kill_ranks=(2 0) resume_ranks=(0 3)
if is_sanitised; then rank_counts=(3) kills=1; fi
same_on "${rank_counts[@]}"
kills_and_resumes "$(journal lines "$first")" "$kills" "${TASKVEC_TEST_SEED:-1}"
conclude "one digest of every method, plainly, on ${rank_counts[*]} ranks and after kills"
