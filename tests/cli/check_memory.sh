#!/usr/bin/env bash
# check_memory.sh BINARY [SOURCE] - each stage takes the memory that `plan` says, within 5% and
# 64 MiB: with all contexts kept, and with a budget in which they are not. Pages that a job never
# writes take no memory, so the batches of derived vectors have the size of their validation.  77
# under ASan, whose own memory is many times the program's.
set -euo pipefail
(($#)) || { echo "usage: check_memory.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
if nm -- "$program" | grep -c __asan_init >/dev/null; then
    echo "check_memory: this build is sanitised, its memory says nothing"
    exit 77
fi
cat >memory.cfg <<'END'
name = "memory"; seed = 1; source = { problem = "linear"; dims = 5; };
stages = (
  { stage = "pretrain"; model = { layers = 6; heads = 4; width = 64; positions = 96; };
    points = 41; batch = 64; shards = 1; steps = 2; },
  { stage = "fit"; of = "pretrain"; points = 41; basis_points = 16; prompts = 1200; batch = 600;
    epochs = 1; },
  { stage = "fit"; name = "heads"; of = "pretrain"; method = "fv"; points = 41; prompts = 1200;
    batch = 240; fv = { prompts = 0; }; },
  { stage = "fit"; name = "steps"; of = "pretrain"; method = "icv"; points = 41; prompts = 1200;
    batch = 240; icv = { prompts = 0; }; },
  { stage = "capture"; of = "pretrain"; points = 41; prompts = 1000; chunk = 500; },
  { stage = "effects"; of = "pretrain"; points = 41; prompts = 1000; chunk = 500; },
  { stage = "evaluate"; of = "fit"; points = 41; functions = 500; chunk = 500; }
);
END
"$program" plan memory.cfg --json >plan.json

# peak STAGE DIR OPTIONS...: MiB at the peak of a run of that stage, by the kernel's count.
peak() {
    local stage=$1 dir=$2
    shift 2
    python3 - "$program" run memory.cfg --in-process --quiet --only "$stage" -o "$dir" "$@" <<'END'
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
if code not in (0, 75):  # 75: other stages are left
    sys.exit(f"code {code}")
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
END
}

planned() { # STAGE KEY: MiB
    python3 - "$1" "$2" <<'END'
import json, sys
jobs = json.load(open("plan.json"))["jobs"]
job = [j for j in jobs if j["job"].startswith(sys.argv[1])][0]
print(int(job[sys.argv[2]] / 2**20))
END
}

faults=0
expect() { # WHAT PEAK PLANNED
    local allowed=$((64 + $3 / 20)) off=$(($2 > $3 ? $2 - $3 : $3 - $2))
    if ((off > allowed)); then
        echo "check_memory: $1: $2 MiB at the peak, $3 MiB planned"
        faults=1
    fi
}
for stage in pretrain fit heads steps capture effects evaluate; do
    used=$(peak $stage run)
    expect $stage "$used" "$(planned $stage memory)"
done
mkdir tight && cp -r run/artifacts run/journal tight
sed 's/epochs = 1/epochs = 2/' memory.cfg >again.cfg && mv again.cfg memory.cfg # another job
least=$(planned fit memory_least)
used=$(peak fit tight --memory "$((least + 16))M")
expect "fit in $((least + 16)) MiB" "$used" "$least"
exit $faults
