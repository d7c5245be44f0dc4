#!/usr/bin/env bash
# check_planted.sh BINARY [SOURCE] - text methods on a language model whose weights are set by hand (make_planted_model.py), so that
# the answers are known: one head carries the task of each direction, and nothing but the query tells the direction of the bijection.
set -euo pipefail
(($#)) || { echo "usage: check_planted.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
here=$(cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
export ASAN_OPTIONS=detect_leaks=0 PYTHONDONTWRITEBYTECODE=1
python3 "$here/make_planted_model.py" model
mv model/pairs.task pairs.json
cat >planted.cfg <<'END_OF_CONFIG'
name = "planted"; seed = 2; model = { checkpoint = "model"; };
source = { kind = "text"; task = "pairs.json"; template = "{x} {y} ; "; bos = ";"; };
stages = (
  { stage = "effects"; points = 9; prompts = 8; measure = ["patching", "gradient"]; },
  { stage = "fit"; method = ["ltv", "site", "learned_vector", "loreft"]; points = 1; basis = "mean"; basis_points = 9; prompts = 24;
    batch = 8; epochs = 40; patience = 0; repeat = [0, 1]; site = { gate = 0.5; init = 0.0; }; learned_vector = { layer = 2; };
    loreft = { layer = 1; rank = 1; }; optimiser = { lr = 0.3; epsilon = 1.0; }; },
  { stage = "fit"; name = "states"; method = "state_vector"; points = 1; basis = "mean"; basis_points = 9; prompts = 24; batch = 8; },
@FV@
  { stage = "evaluate"; of = ["fit", "states"]; also = ["plain", "random"]; points = [1, 9]; functions = 128;
    shift = ["none", "shuffled_labels"]; } );
END_OF_CONFIG
for selection in aie gradient bottom; do
    cat <<END_OF_STAGES
  { stage = "fit"; name = "$selection"; method = "fv"; fv = { heads = 1; selection = "$selection"; sites = ["one_layer", "distributed"]; };
    points = 1; basis = "mean"; basis_points = 9; prompts = 24; batch = 8; },
  { stage = "evaluate"; name = "test_$selection"; of = "$selection"; points = 1; functions = 128; },
END_OF_STAGES
done >stages.txt
sed -i -e '/@FV@/r stages.txt' -e '/@FV@/d' planted.cfg
for form in forward inverse bijection; do
    timeout 300 "$program" run planted.cfg -o "$form" --quiet --in-process -s "source.form=$form" >/dev/null
done
python3 "$here/check_planted.py" "$program" forward inverse bijection
