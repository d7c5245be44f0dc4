#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of common.sh
# check_apply_vector.sh BINARY [SOURCE] - analysis/apply_vector.py gives the predictions of every method
# and control on a shipped model in PyTorch. Skipped (77) where no python3 has torch; TASKVEC_PYTHON
# names one.
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
python=$(find_python "torch, numpy") || { echo "skipped: no python3 with torch and numpy"; exit 77; }
. "$(dirname -- "$0")/../mpi/common.sh" check_apply_vector "$@"
export ASAN_OPTIONS=detect_leaks=0
cd -- "$work"

cat >all.cfg <<END
name = "all"; seed = 3; source = { problem = "linear"; dims = 5; };
model = { checkpoint = "$source_dir/experiments/models/linear_d5.safetensors"; };
stages = (
  { stage = "fit"; name = "learned"; points = 9; prompts = 16; batch = 8; epochs = 1;
    basis = ["prompt", "mean"]; basis_points = 7; optimiser = { lr = 1e-1; };
    ltv = { reading = ["heads", "heads_bias", "reprojected", "blocks"]; };
    learned_vector = { layer = [0, 2]; }; loreft = { layer = 1; };
    method = ["ltv", "constant", "bias_only", "learned_vector", "site", "loreft"]; },
  { stage = "fit"; name = "derived"; points = 9; prompts = 16; basis = ["prompt", "mean"]; basis_points = 7;
    task_vector = { form = ["difference", "replace"]; layer = 2; }; state_vector = { average = [1, 3]; last = 1; };
    linear_vector = { form = ["linear", "constant"]; anchors = 12; };
    fv = { reading = "reprojected"; bias = ["once", "per_head"]; prompts = 4; sites = ["layers", "distributed"]; };
    icv = { layer_shift = 1; prompts = 8; };
    method = ["task_vector", "state_vector", "linear_vector", "fv", "icv"]; },
  { stage = "evaluate"; of = ["learned", "derived"]; also = ["plain", "zero"]; points = 6; functions = 2;
    keep = ["predictions", "prompts"]; },
  { stage = "evaluate"; name = "windows"; also = ["window", "oracle"]; points = 18; functions = 2; basis_points = 5;
    keep = ["predictions", "prompts"]; },
  { stage = "fit"; name = "one"; method = "task_vector"; points = 9; prompts = 16; basis_points = 7; },
  { stage = "evaluate"; name = "shifted"; of = "one"; also = "mismatched"; points = 4; functions = 2;
    shift = ["orthogonal", "shuffled_labels"]; keep = ["predictions", "prompts"]; }
);
END
timeout 120 "$program" run all.cfg -o run --quiet >/dev/null 2>err || die "run: $(cat err)"
"$program" plan all.cfg --json >plan.json 2>err
"$python" "$source_dir/tests/cli/check_apply_vector.py" "$program" "$source_dir" run >out 2>err || die "$(cat out err)"

# Every name of the registry is there, but random, which has another vector for every function, and i2cl, which is of text.
wanted=$("$program" help methods && "$program" help controls)
wanted=$(awk '/^  [a-z]/ { print $1 }' <<<"$wanted" | grep -vxE "random|i2cl" | sort -u | xargs)
[[ $(tail -n 1 out) == "$wanted" ]] || fault "compared: $(tail -n 1 out); registered: $wanted"

# ---- models with rotary positions and without any
cat >positions.cfg <<'END'
name = "positions"; seed = 3; source = { problem = "linear"; dims = 3; };
stages = (
  { stage = "pretrain"; points = 8; batch = 16; shards = 1; steps = 20; optimiser = { lr = 3e-2; warmup = 1; };
    model = { layers = 2; heads = 2; width = 16; positions = 40; position_encoding = ["rotary", "none"]; rotary_base = 50.0; }; },
  { stage = "evaluate"; of = "pretrain"; also = "plain"; points = 9; functions = 4; keep = ["predictions", "prompts"]; }
);
END
timeout 120 "$program" run positions.cfg -o positions --quiet >/dev/null 2>err || die "run: $(cat err)"
"$python" - "$program" "$source_dir" >out 2>err <<'END' || die "$(cat out err)"
import json, subprocess, sys
sys.path.insert(0, f"{sys.argv[2]}/analysis")
import numpy as np, torch, apply_vector

def path(job):
    return json.loads(subprocess.run([sys.argv[1], "artifact", "positions", job, "--json"], check=True,
                                     capture_output=True).stdout)["path"]

for i in range(2):
    model = apply_vector.Model(path(f"pretrain[{i}]"))
    tensors, _ = apply_vector.read_safetensors(path(f"evaluate[{i}]"))
    with torch.no_grad():
        got = apply_vector.predict(model, apply_vector.NO_EDITS, model.tensor(tensors["x"]), model.tensor(tensors["y"])).numpy()
    worst = np.max(np.abs(got - tensors["predictions"]) / (1 + np.abs(got)))
    assert worst < 1e-5 and np.ptp(got) > 0.1 and (model.rotary_base is None) == (i == 1), (i, worst, np.ptp(got))
END

((faults == 0)) || exit 1
