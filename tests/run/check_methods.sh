#!/bin/sh
# check_methods.sh BINARY SOURCE - every method without published numbers against its NumPy twin in
# tests/reference/: `taskvec verify` compares all groups, and names one that is spoilt. Skipped (77)
# where no python3 has numpy and h5py, but not in CI.
set -eu
binary=$1 source=$2
for python in "${TASKVEC_PYTHON:-}" python3 /usr/bin/python3; do
    [ -n "$python" ] && "$python" -c 'import numpy, h5py' 2>/dev/null && break
    python=
done
if [ -z "$python" ]; then
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

# One number of every comparison, a little off; and a group that nobody knows.
"$python" - "$scratch/methods.h5" >"$scratch/names" <<'END'
import sys, h5py
with h5py.File(sys.argv[1]) as f:
    for case, group in f["methods"].items():
        if hasattr(group, "keys"):
            for what in group:
                if what not in ("weights", "lengths", "l1"):  # given, not compared
                    print(f"methods/{case}/{what}")
END
[ -s "$scratch/names" ] || fail "the file has no groups"
while read -r name; do
    cp "$scratch/methods.h5" "$scratch/spoilt.h5"
    "$python" - "$scratch/spoilt.h5" "$name" <<'END'
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "r+") as f:
    values = f[sys.argv[2]][...]
    values.flat[-1] += 3e-4 * max(1, np.abs(values).max())
    f[sys.argv[2]][...] = values
END
    code=0
    "$binary" verify --require methods "$scratch/spoilt.h5" >"$scratch/spoilt" 2>&1 || code=$?
    [ "$code" = 1 ] || fail "verify of a file with another $name: exit $code, wanted 1"
    grep -q "^DIFFERS .*$name" "$scratch/spoilt" || fail "verify does not name $name"
done <"$scratch/names"
cp "$scratch/methods.h5" "$scratch/spoilt.h5"
"$python" -c 'import sys, h5py; h5py.File(sys.argv[1], "r+")["methods/unheard/curve"] = 1.0' "$scratch/spoilt.h5"
code=0
"$binary" verify --require methods "$scratch/spoilt.h5" >"$scratch/spoilt" 2>&1 || code=$?
[ "$code" = 1 ] || fail "verify of a group that nobody knows: exit $code, wanted 1"
echo "$(grep -c '^ok' "$scratch/report") comparisons with NumPy twins agree"
