#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_fv_icv.sh BINARY [SOURCE] - function vectors, in-context vectors and the causal map, in all
# their forms: one digest on any number of ranks, and the same bits again; keys that do not fit the
# model stop the plan.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_fv_icv "$@"
. "$here/digest_runs.sh"
config="$work/a folder/fv_icv.cfg"
cat >"$config" <<'END'
name = "fv_icv"; seed = 5; source = { problem = "linear"; dims = 3; };
stages = (
  { stage = "pretrain"; model = { layers = 3; heads = 2; width = 16; positions = 40; };
    points = 8; batch = 16; shards = 1; steps = 20; },
  { stage = "fit"; of = "pretrain"; method = ["fv", "icv"]; basis = ["prompt", "mean"];
    points = 12; prompts = 60; batch = 16;
    fv = { reading = ["heads", "reprojected"]; corruption = ["shared", "redrawn"]; bias = "per_head";
           prompts = 20; layers = [0, 2]; };
    icv = { layer_shift = [0, 1]; scale = 0.5; prompts = 30; }; },
  { stage = "evaluate"; of = "fit"; also = "plain"; points = 16; functions = 24; chunk = 10; },
  { stage = "effects"; of = "pretrain"; points = [3, 10]; prompts = 20; chunk = 8;
    reading = ["heads", "reprojected"]; corruption = ["shared", "redrawn"]; }
);
END
launch 0 plan "$config" -s 'fit.fv.layers=[0,3]'
((rc == 65)) || die "a plan with a block that is not there: code $rc, not 65"
grep -q 'fit.fv.layers: block 3 of a model with blocks 0 to 2' "$work/err" || die "which block is not told"
launch 0 plan "$config" -s 'fit.fv.heads=7'
((rc == 65)) || die "a plan with more heads than there are: code $rc, not 65"
grep -q "fit.fv.heads: 7 of a model with 6 heads" "$work/err" || die "how many heads is not told"
same_on 1 2 3 5
conclude "one digest of fv, icv and effects, plainly and on 1, 2, 3 and 5 ranks"
