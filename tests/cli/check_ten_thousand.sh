#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_ten_thousand.sh BINARY [SOURCE] - a run with 10,002 finished jobs: how long `status` takes, and
# how long a resumed run takes from its start to its first new job. The promise is 1 s and 2 s on a quiet
# machine; here ten times that is a failure (TASKVEC_FACTOR=1 holds the promise itself).
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_ten_thousand "$@"
factor=${TASKVEC_FACTOR:-10}
cd -- "$work/a folder"
if is_sanitised; then
    echo "check_ten_thousand: a sanitised build says nothing about times"
    exit 77
fi

cat >ten.cfg <<'END'
name = "ten"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 1; heads = 2; width = 8; positions = 16; };
    points = 4; steps = 8; batch = 8; },
  { stage = "fit"; of = "pretrain"; method = ["ltv", "constant"]; points = 6; repeat = REPEATS;
    prompts = 40; batch = 16; epochs = 1; },
  { stage = "evaluate"; of = "fit"; also = ["plain"]; points = 8; functions = 8; }
);
END
sed -i "s/REPEATS/[$(seq -s, 0 2499)]/" ten.cfg
limit=600 launch 0 run ten.cfg -o run --in-process --quiet
((rc == 0)) || die "the first run: code $rc"

python3 - "$program" "$factor" "${mpi[*]}" <<'END' || exit 1
import os, subprocess, sys, time
program, factor, mpi = sys.argv[1], float(sys.argv[2]), sys.argv[3].split()

def seconds_of_status():
    began = time.monotonic()
    told = subprocess.run([program, "status", "run"], capture_output=True, text=True, check=True)
    assert "10002 DONE" in told.stdout, told.stdout
    return time.monotonic() - began

def seconds_to_first_job(more, launcher):
    """From the start of the launcher to the first new start line; the run continues to its end."""
    config = open("ten.cfg").read().replace("2499]", ",".join(map(str, range(2499, 2500 + more))) + "]")
    open("more.cfg", "w").write(config)
    size = os.path.getsize("run/journal")
    began = time.monotonic()
    process = subprocess.Popen([*launcher, program, "run", "more.cfg", "-o", "run"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with open("run/journal", "rb") as journal:
        journal.seek(size)
        news = b""
        while b"\tstart\t" not in news:
            assert process.poll() is None and time.monotonic() - began < 60, process.stderr.read()
            time.sleep(0.005)
            news += journal.read()
    took = time.monotonic() - began
    said = process.communicate()[1]
    assert process.returncode == 0, said
    assert f"4 new, {9998 + 4 * more} unchanged, 0 no longer planned" in said, said
    return took

faults = 0
def report(what, seconds, most):
    global faults
    faults += min(seconds) > most * factor
    every = ", ".join(f"{s:.2f}" for s in sorted(seconds))
    print(f"check_ten_thousand: {what}: {every} s (promised {most:g} s, here a failure above {most * factor:g} s)")

report("status", [seconds_of_status() for _ in range(3)], 1.0)
report("first new job of a plain start", [seconds_to_first_job(i, []) for i in (1, 2, 3)], 2.0)
report("first new job of mpirun -n 2", [seconds_to_first_job(i, ["mpirun", *mpi, "-n", "2"]) for i in (4, 5)], 2.0)
sys.exit(faults > 0)
END
