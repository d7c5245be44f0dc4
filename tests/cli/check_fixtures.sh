#!/bin/sh
# check_fixtures.sh BINARY SOURCE - the reference numbers of TASKVEC_FIXTURES (default: the folder
# shared/fixtures beside the checkout). Absent: skipped (77), a failure with TASKVEC_REQUIRE_FIXTURES=1.
set -u
binary=$1 source=$2
fixtures=${TASKVEC_FIXTURES:-$source/../shared/fixtures}
if [ ! -d "$fixtures/regression" ]; then
    echo "no reference numbers in $fixtures (TASKVEC_FIXTURES names another folder)"
    [ "${TASKVEC_REQUIRE_FIXTURES:-0}" = 1 ] && exit 1
    exit 77
fi
failed=0 checked=0
check() { # FILE REQUIRED PARTS_THAT_MAY_BE_SKIPPED
    out=$("$binary" verify --require "$2" "$1") || { echo "$out"; echo "FAILED: $1"; failed=1; }
    skipped=$(printf '%s\n' "$out" | awk '$1 == "skipped" { print $2 }' | grep -vxE "$3" || true)
    [ -z "$skipped" ] || { echo "FAILED: $1: skipped $skipped"; failed=1; }
    checked=$((checked + 1))
}
for file in "$fixtures"/regression/*.h5; do check "$file" core,grad,adam,ltv,curve,fv,icv,shift none; done
for file in "$fixtures"/problems/*.h5; do check "$file" problems,baselines,shift none; done
[ "$checked" -gt 0 ] || { echo "no files in $fixtures"; exit 1; }

# What must not pass: nothing comparable, a required part that is skipped or absent, a wrong name.
expect() { # CODE FILE ARGS...
    want=$1 file=$2
    shift 2
    "$binary" verify "$@" "$file" >/dev/null 2>&1
    code=$?
    [ "$code" = "$want" ] || { echo "FAILED: verify $* $file: exit $code, wanted $want"; failed=1; }
}
for file in "$fixtures"/regression/*.h5; do
    expect 1 "$file" --require baselines
    expect 1 "$file" --require problems
    expect 64 "$file" --require cores
done
for file in "$fixtures"/text/*/expected.h5; do [ -f "$file" ] && expect 65 "$file"; done

# Words where numbers belong, where python3 has h5py to write them.
if python3 -c 'import h5py' 2>/dev/null; then
    spoilt=$(mktemp -d)
    for what in attribute dataset; do
        cp "$fixtures/regression/a.h5" "$spoilt/$what.h5" && chmod u+w "$spoilt/$what.h5"
    done
    python3 - "$spoilt" <<'END'
import sys
import h5py
with h5py.File(sys.argv[1] + "/attribute.h5", "r+") as f:
    f.attrs["n_head"] = "words"
with h5py.File(sys.argv[1] + "/dataset.h5", "r+") as f:
    del f["ltv/heads/head_matrix"]
    f["ltv/heads/head_matrix"] = "words"
END
    expect 65 "$spoilt/attribute.h5"
    expect 65 "$spoilt/dataset.h5"
    rm -r -- "$spoilt"
fi
exit $failed
