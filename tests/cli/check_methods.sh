#!/bin/sh
# shellcheck disable=SC1091 # find_python.sh
# check_methods.sh BINARY SOURCE - every method without published numbers against its NumPy twin in
# tests/reference/: `taskvec verify` compares all groups, and names one that is spoilt. Skipped (77)
# where no python3 has numpy and h5py, but not in CI.
set -eu
. "$(dirname -- "$0")/find_python.sh"
binary=$1 source=$2
if ! python=$(find_python "numpy, h5py"); then
    echo "no python3 with numpy and h5py: install python3-h5py"
    [ "${CI:-}" = true ] && exit 1
    exit 77
fi
export PYTHONDONTWRITEBYTECODE=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

"$python" "$source/tests/reference/make_methods.py" "$scratch/methods.h5"
"$binary" verify --require methods "$scratch/methods.h5" >"$scratch/report" ||
    { cat "$scratch/report"; fail "a method computes something else than its twin"; }

# One number of every comparison changed slightly, and an unknown group: `verify` must end with 1 and
# name it.
"$python" - "$binary" "$scratch/methods.h5" "$scratch/spoilt.h5" <<'END' || fail "a spoilt file passes"
import shutil, subprocess, sys
import h5py, numpy as np

binary, sound, spoilt = sys.argv[1:]
GIVEN = ("weights", "lengths", "l1")  # read, not compared


def expect_named(name, change):
    shutil.copy(sound, spoilt)
    with h5py.File(spoilt, "r+") as f:
        change(f)
    run = subprocess.run([binary, "verify", "--require", "methods", spoilt], capture_output=True, text=True)
    named = any(line.startswith(("DIFFERS ", "skipped ")) and name in line.split() for line in run.stdout.splitlines())
    if run.returncode != 1 or not named:
        sys.exit(f"{name}: exit {run.returncode}, wanted 1 and its name in:\n{run.stdout}{run.stderr}")


def spoil(name):
    def change(f):
        values = f[name][...]
        values.flat[-1] += 3e-4 * max(1, np.abs(values).max())
        f[name][...] = values
    return change


with h5py.File(sound) as f:
    names = [f"methods/{case}/{what}" for case, group in f["methods"].items() if hasattr(group, "keys")
             for what in group if what not in GIVEN]
assert names, "the file has no groups"
for name in names:
    expect_named(name, spoil(name))
expect_named("methods/unheard", lambda f: f.create_dataset("methods/unheard/curve", data=1.0))
END
echo "$(grep -c '^ok' "$scratch/report") comparisons with NumPy twins agree"
