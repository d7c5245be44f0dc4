#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_estimate.sh BINARY [SOURCE] - estimators, every one that this build has, give one digest on any
# number of ranks, and the same bits again; an absent one is said and stops the plan.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_estimate "$@"
. "$here/digest_runs.sh"
config="$work/a folder/estimate.cfg"
cat >"$config" <<'END'
name = "estimate"; seed = 5; source = { problem = "noisy_linear"; dims = 4; };
stages = (
  { stage = "estimate"; estimator = ["least_squares", "ridge", "lasso", "knn", "averaging", "two_layer_net", "cart"];
    lasso = { alpha = [0.1, 0.001]; stop = ["gap", "as_published"]; };
    two_layer_net = { hidden = 10; steps = 10; batch = 6; };
    points = 12; functions = 20; chunk = 8; },
  { stage = "estimate"; name = "boosted"; estimator = "xgboost"; xgboost = { rounds = 5; };
    points = 6; functions = 4; }
);
END
launch 0 run --help
if grep -q 'not in this build' "$work/out"; then
    launch 0 plan "$config"
    ((rc == 65)) || die "a plan with an absent estimator: code $rc, not 65"
    grep -q 'boosted.estimator: this build has no xgboost: install libxgboost-dev' "$work/err" ||
        die "an absent estimator is not told"
    sed -i '/name = "boosted"/,/functions = 4/d; s/chunk = 8; },/chunk = 8; }/' "$config"
fi
same_on 1 2 3 5
conclude "one digest of every estimator, plainly and on 1, 2, 3 and 5 ranks"
