#!/usr/bin/env bash
# check_large_model.sh BINARY [SOURCE] - a language model of 2.4 GB in shards of BF16, in the shape of
# GPT-J: captures on 1 and on 4 ranks. The weights are resident once on the node, and a rank takes the
# memory that `plan` says, within 10%. Not among the tests of ctest: it needs 3 GB of disk in TMPDIR, 8 GB of
# memory, python3 with numpy, mpirun, and minutes of both ranks' time.
set -euo pipefail
(($#)) || { echo "usage: check_large_model.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
# shellcheck source=tests/cli/find_python.sh disable=SC1091
. "$source_dir/tests/cli/find_python.sh"
python=$(find_python "numpy") || { echo "no python3 with numpy"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
free=$(df --output=avail -k . | tail -n 1)
((free > 3 * 1024 * 1024)) || { echo "$work has $((free / 1024)) MiB left: 3 GB are needed (TMPDIR names another folder)"; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_plm_rsh_agent=false

"$python" "$source_dir/tests/large/make_gptj.py" model
weights=$(($(cat model/*.safetensors | wc -c) / 1024 / 1024))
cp -- "$source_dir/experiments/text/tasks/antonym.json" task.json
cat >large.cfg <<'END'
name = "large"; seed = 1;
model = { checkpoint = "model"; };
source = { kind = "text"; task = "task.json"; };
stages = ( { stage = "capture"; points = [17, 18, 19, 20]; prompts = 4; chunk = 4; } );
END
"$program" plan large.cfg --json >plan.json
planned=$("$python" -c 'import json; print(int(max(j["memory"] for j in json.load(open("plan.json"))["jobs"]) / 2**20))')
faults=0

# watch RANKS COMMAND...: a run, and what it may take. Contexts are not kept for later jobs, which would take
# whatever is left of the memory budget.
watch() {
    local ranks=$1 seen resident private
    shift
    seen=$("$python" "$source_dir/tests/large/watch_memory.py" "$program" model "$@")
    read -r resident private ranks_seen <<<"$seen"
    echo "$ranks ranks: weights $resident MiB of $weights MiB, a rank $private MiB, planned $planned MiB"
    ((ranks_seen == ranks)) || { echo "$ranks_seen ranks were seen, not $ranks"; faults=1; }
    ((resident <= weights + weights / 50)) || { echo "the weights are resident more than once"; faults=1; }
    local off=$((private > planned ? private - planned : planned - private))
    ((off <= planned / 10)) || { echo "$off MiB off the plan: more than 10%"; faults=1; }
}
watch 1 "$program" run large.cfg -o one --quiet --share-contexts no
watch 4 mpirun -q --bind-to none -n 4 "$program" run large.cfg -o four --quiet --share-contexts no
[[ $("$program" digest one) == "$("$program" digest four)" ]] || { echo "1 and 4 ranks gave other results"; faults=1; }
exit $faults
