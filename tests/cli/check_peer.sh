#!/bin/sh
# shellcheck disable=SC1091 # find_python.sh
# check_peer.sh BINARY SOURCE - the PyTorch peer that speed is compared with computes what this
# program computes: its reference file passes `taskvec verify`, a spoilt one does not and is not
# timed. Skipped (77) where no python3 has torch and h5py; TASKVEC_PYTHON names one.
set -eu
. "$(dirname -- "$0")/find_python.sh"
binary=$1 source=$2
python=$(find_python "torch, h5py") || { echo "skipped: no python3 with torch and h5py"; exit 77; }
export PYTHONDONTWRITEBYTECODE=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
parts=core,grad,adam,ltv,curve
fail() { echo "FAILED: $*"; exit 1; }

"$python" "$source/tests/reference/peer_torch.py" --size tiny --fixture "$scratch/peer.h5"
"$binary" verify --require $parts "$scratch/peer.h5" >"$scratch/report" ||
    { cat "$scratch/report"; fail "the peer computes something else"; }

# One prediction of the fit and one weight after it, a little off.
for name in ltv/reprojected/query_prediction ltv/heads/phi_after_6_adam_steps; do
    cp "$scratch/peer.h5" "$scratch/spoilt.h5"
    "$python" - "$scratch/spoilt.h5" "$name" <<'END'
import sys, h5py
with h5py.File(sys.argv[1], "r+") as f:
    f[sys.argv[2]][0] += 1e-3
END
    code=0
    "$binary" verify --require $parts "$scratch/spoilt.h5" >"$scratch/report" 2>&1 || code=$?
    [ "$code" = 1 ] || fail "verify of a file with another $name: exit $code, wanted 1"
    grep -q "^DIFFERS .*$name" "$scratch/report" || fail "verify does not name $name"
done

# A program that disagrees is not timed: this one says what verify said of the spoilt file.
cat >"$scratch/wrong" <<END
#!/bin/sh
[ "\$1" = verify ] || { echo timed >"$scratch/timed"; exit 1; }
exec "$binary" verify --json --require $parts "$scratch/spoilt.h5"
END
chmod +x "$scratch/wrong"
code=0
"$python" "$source/analysis/compare_peer.py" --taskvec "$scratch/wrong" --size tiny \
    >"$scratch/out" 2>&1 || code=$?
[ "$code" = 1 ] || fail "compare_peer.py with a program that disagrees: exit $code, wanted 1"
grep -q 'nothing is timed' "$scratch/out" || fail "compare_peer.py says: $(cat "$scratch/out")"
[ ! -e "$scratch/timed" ] || fail "compare_peer.py timed a program that disagrees"
echo "the peer's reference file agrees, and a spoilt one is refused"
