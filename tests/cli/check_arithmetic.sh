#!/usr/bin/env bash
# check_arithmetic.sh BINARY - the keys `arithmetic` and `gemm`: identities, errors of predictions, resumes and
# refusals. Where oneDNN or instructions for bfloat16 are missing, one line says so and only refusals are checked.
set -euo pipefail
program=$(realpath -- "$1")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
faults=0
fault() { echo "$1"; sed 's/^/    > /' out; faults=$((faults + 1)); }

cat >a.cfg <<'END'
name = "a"; seed = 3; source = { problem = "linear"; dims = 3; };
stages = (
  { stage = "pretrain"; model = { layers = 2; heads = 2; width = 32; positions = 16; }; points = 6; steps = 6; batch = 8; },
  { stage = "fit"; of = "pretrain"; points = 6; prompts = 16; batch = 8; epochs = 2; },
  { stage = "evaluate"; of = "fit"; also = ["plain"]; points = 6; functions = 8; keep = ["predictions"]; }
);
END
identities() { "$program" plan a.cfg --json "$@" | grep -oE '"identity": *"[0-9a-f]+"' | sort; }

# ---- f32 and gemm leave identities as they are, another arithmetic changes those of its jobs.
identities >plain
identities -s pretrain.arithmetic=f32 -s gemm=onednn >same
cmp -s plain same || { : >out; fault "identities depend on arithmetic = \"f32\" or on gemm"; }
identities -s evaluate.arithmetic=bf16 >other
(($(comm -12 plain other | wc -l) == 2)) || { : >out; fault "arithmetic of evaluate does not change its two jobs alone"; }

refused() { # WHAT REGEX COMMAND...
    local what=$1 regex=$2 rc=0
    shift 2
    "$@" >out 2>&1 || rc=$?
    if ((rc != 65)) || ! grep -qE -- "$regex" out; then fault "$what: exit code $rc, expected 65 and $regex"; fi
}

# ---- a library that cannot be loaded is refused before anything runs, and matters to f32 not at all.
mkdir broken
: >broken/libdnnl.so.2
refused "no library" 'pretrain.arithmetic: .*oneDNN' \
    env LD_LIBRARY_PATH="$work/broken" "$program" run a.cfg -o none -s pretrain.arithmetic=bf16x3
refused "no library for f32" 'gemm = "onednn": .*oneDNN' \
    env LD_LIBRARY_PATH="$work/broken" "$program" run a.cfg -o none -s gemm=onednn
[[ ! -e none/journal ]] || fault "a refused run has a journal"
refused "another name" 'gemm.*openblas' "$program" plan a.cfg -s gemm=mkl

"$program" run a.cfg -o f32 --quiet >out 2>&1 || fault "f32"
LD_LIBRARY_PATH="$work/broken" "$program" run a.cfg -o without --quiet >out 2>&1 || fault "f32 without the library"
[[ $("$program" digest f32) == "$("$program" digest without)" ]] || fault "f32 depends on oneDNN"

"$program" doctor >machine 2>&1 || true # 1: trouble with the machine
if ! grep -qE '^ok +arithmetic +oneDNN .*bf16x3 ' machine; then
    echo "skipped: $(grep ' arithmetic ' machine)"
    exit $((faults > 0))
fi

# ---- bf16x3 everywhere: the same bits on two ranks, recomputed and after a resume; close to f32.
all=()
for stage in pretrain fit evaluate; do all+=(-s "$stage.arithmetic=bf16x3"); done
"$program" run a.cfg -o x3 "${all[@]}" --quiet >out 2>&1 || fault "bf16x3"
"$program" verify x3 >out 2>&1 || fault "bf16x3 is not recomputed with the same bits"
"$program" run a.cfg -o parts "${all[@]}" --quiet --only pretrain >out 2>&1 || [[ $? == 75 ]] || fault "only pretrain"
"$program" run a.cfg -o parts "${all[@]}" --quiet >out 2>&1 || fault "resume"
[[ $("$program" digest x3) == "$("$program" digest parts)" ]] || fault "a resume changes bits"
mpirun -n 2 "$program" run a.cfg -o two "${all[@]}" --quiet >out 2>&1 || fault "two ranks"
[[ $("$program" digest x3) == "$("$program" digest two)" ]] || fault "two ranks change bits"

# largest difference of a column of two CSV tables over its largest value
difference() {
    paste -d, <("$program" table "$1" "$3" --format csv | cut -d, -f"$4") <("$program" table "$2" "$3" --format csv | cut -d, -f"$4") |
        awk -F, 'NR > 1 { d = $1 - $2; if (d < 0) d = -d; if (d > most) most = d; v = $1 < 0 ? -$1 : $1; if (v > top) top = v }
                 END { printf "%.3g\n", most / top }'
}
column() { "$program" table f32 "$1" --format csv | head -n 1 | tr , '\n' | grep -nx "$2" | cut -d: -f1; }
loss=$(column pretrain loss)
off=$(difference f32 x3 pretrain "$loss")
awk -v d="$off" 'BEGIN { exit !(d > 0 && d < 1e-4) }' || { : >out; fault "losses of pretraining differ by $off, expected 0 < d < 1e-4"; }

# ---- another instruction set, or f32 by another library, does not resume a run.
"$program" run a.cfg -o half "${all[@]}" --quiet --only pretrain >out 2>&1 || [[ $? == 75 ]] || fault "only pretrain"
refused "another instruction set" 'instructions for bfloat16' \
    env ONEDNN_MAX_CPU_ISA=AVX2 "$program" run a.cfg -o half "${all[@]}"
"$program" run a.cfg -o lib -s gemm=onednn --quiet --only pretrain >out 2>&1 || [[ $? == 75 ]] || fault "gemm"
refused "another library" 'computed with gemm = "onednn"' "$program" run a.cfg -o lib
ONEDNN_MAX_CPU_ISA=AVX2 "$program" run a.cfg -o avx2 -s gemm=onednn --quiet --only pretrain >out 2>&1 || [[ $? == 75 ]] ||
    fault "gemm on AVX2"
refused "other kernels" 'computed by oneDNN .*avx2, this machine has' "$program" run a.cfg -o avx2 -s gemm=onednn
"$program" run a.cfg -o avx2 -s gemm=onednn --mix --quiet >out 2>&1 || fault "--mix"

((faults == 0)) || { echo "$faults checks failed"; exit 1; }
