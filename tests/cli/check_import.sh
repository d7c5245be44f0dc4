#!/usr/bin/env bash
# shellcheck disable=SC1091 # find_python.sh
# check_import.sh BINARY [SOURCE] - files that PyTorch wrote (tests/reference/make_checkpoints.py)
# become safetensors with their numbers; hostile ones are refused in one line; what was imported
# runs. 77 where no python3 has numpy (not in CI).
set -euo pipefail
. "$(dirname -- "$0")/find_python.sh"
(($#)) || { echo "usage: check_import.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"

if ! python=$(find_python numpy); then
    echo "no python3 with numpy: install python3-numpy"
    if [[ ${CI:-} == true ]]; then exit 1; fi
    exit 77
fi
"$python" "$source_dir/tests/cli/check_import.py" "$source_dir"

# The vector's weights as they are, on the imported model: those of the file reach the artifact, and
# another file makes another job.
cat >imported.cfg <<'END'
name = "imported"; seed = 1; source = { problem = "linear"; dims = 2; };
model = { checkpoint = "model.safetensors"; };
stages = (
  { stage = "fit"; points = [6, 7]; weights = ["ltv.safetensors", "ltv_dict.safetensors"];
    zip = ( ["points", "weights"] ); ltv = { reading = "reprojected"; };
    epochs = 0; prompts = 8; validation = 0.5; batch = 4; },
  { stage = "evaluate"; of = "fit"; also = ["plain"]; points = 8; functions = 8; }
);
END
ASAN_OPTIONS=detect_leaks=0 timeout 120 "$program" run imported.cfg -o run --quiet >out
"$program" table run fit --format csv >fit.csv
"$program" table run evaluate --format csv >evaluate.csv
"$python" - <<'END'
import csv
fits = list(csv.DictReader(open("fit.csv")))
assert [f["points"] for f in fits] == ["6", "7"] and all(f["epochs"] == "0" for f in fits), fits
norm = sum(((37 * i + 7) % 101 - 50) ** 2 for i in range(4)) ** 0.5 / 512
assert all(abs(float(f["weight_norm"]) - norm) < 1e-6 for f in fits), fits
rows = list(csv.DictReader(open("evaluate.csv")))
curves = {m: [r["mse"] for r in rows if r["method"] == m and r["fit_points"] in ("", "6")] for m in ("plain", "ltv")}
assert len(curves["plain"]) == len(curves["ltv"]) == 8 and curves["plain"] != curves["ltv"], curves
END
"$program" plan imported.cfg --csv >before
printf '\0' | dd of=ltv.safetensors bs=1 seek=$(($(stat -c %s ltv.safetensors) - 1)) conv=notrunc status=none
"$program" plan imported.cfg --csv >after
if cmp -s before after; then echo "other weights plan the same jobs"; exit 1; fi

rc=0
sed 's/"ltv_dict/"model/' imported.cfg >wrong.cfg
"$program" plan wrong.cfg 2>err >out || rc=$?
if [[ $rc != 65 || $(wc -l <err) != 1 ]] || ! grep -q 'wrong.cfg:4: .*no tensor named "weights"' err; then
    echo "a model as weights: code $rc: $(cat err)"
    exit 1
fi
echo "imported files have their numbers, run, and are refused where they must be"
