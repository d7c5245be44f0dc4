#!/usr/bin/env bash
# check_arithmetic.sh BINARY - the keys `arithmetic` and `gemm`: identities, errors of predictions, resumes and
# refusals. Where oneDNN or instructions for bfloat16 are missing, one line says so and only refusals are checked.
set -euo pipefail
program=$(realpath -- "$1")
fixtures=$(realpath -m -- "${TASKVEC_FIXTURES:-$(dirname -- "$0")/../../../shared/fixtures}")
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
usage() { # WHAT REGEX COMMAND...: exit code 64
    local what=$1 regex=$2 rc=0
    shift 2
    "$@" >out 2>&1 || rc=$?
    if ((rc != 64)) || ! grep -qE -- "$regex" out; then fault "$what: exit code $rc, expected 64 and $regex"; fi
}
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

# ---- jobs of a rank with other kernels than rank 0 fail and say so, in place of rows with other bits.
rc=0
mix=(run a.cfg -o kinds --quiet -s gemm=onednn -s 'evaluate.points=[2,3,4,5,6]')
mpirun -n 1 "$program" "${mix[@]}" : -n 1 -x ONEDNN_MAX_CPU_ISA=AVX2 "$program" "${mix[@]}" >out 2>&1 || rc=$?
((rc == 1)) || fault "ranks of two kinds: exit code $rc, expected 1"
grep -qE 'this rank has oneDNN .*avx2, rank 0 has oneDNN .*avx512' out || fault "ranks of two kinds are not named"

# ---- plan predicts the time of an arithmetic by its measured rate: a third of the depth is faster.
seconds() { "$program" plan a.cfg --json -s pretrain.steps=3000 -s "pretrain.arithmetic=$1" | grep -oE '"core_seconds":[0-9.e+-]+' | cut -d: -f2; }
awk -v three="$(seconds bf16x3)" -v one="$(seconds bf16)" 'BEGIN { exit !(0 < one && one < three) }' ||
    { : >out; fault "plan: bf16 is not predicted to be faster than bf16x3"; }

# ---- reference files agree, within bounds that widen with the arithmetic, and show its errors.
error_of() { { "$program" verify "$fixtures/$2" --arithmetic "$1" 2>/dev/null || true; } | awk -v name="$3" 'index($0, name) { for (i = 1; i < NF; i++) if ($i == "error") print $(i + 1) }'; }
usage "verify of a run in another arithmetic" '--arithmetic is for reference files' "$program" verify x3 --arithmetic bf16
if [[ -f $fixtures/regression/a.h5 ]]; then
    for file in regression/a.h5 regression/b.h5 text/gpt2_f16 text/gptj_bf16 text/llama3_f32; do
        "$program" verify "$fixtures/$file" --arithmetic bf16x3 >out || fault "$file in bf16x3"
    done
    "$program" verify "$fixtures/text/gptj_bf16" --arithmetic bf16x2 >out || fault "gptj_bf16 in bf16x2"
    one=$(error_of f32 regression/a.h5 core/predictions) three=$(error_of bf16x3 regression/a.h5 core/predictions)
    half=$(error_of bf16 regression/a.h5 core/predictions)
    awk -v a="$one" -v b="$three" -v c="$half" 'BEGIN { exit !(a < b && 100 * b < c) }' ||
        { : >out; fault "errors of predictions: f32 $one, bf16x3 $three, bf16 $half"; }
    [[ $(error_of bf16x3 text/gptj_bf16 "logits of all") == $(error_of bf16x2 text/gptj_bf16 "logits of all") ]] ||
        { : >out; fault "bf16x2 of weights in BF16 is not bf16x3"; }
    usage "another name" 'expected f32, bf16x3, bf16x2 or bf16' "$program" verify "$fixtures/regression/a.h5" --arithmetic bf8
    usage "no model" 'has no model' "$program" verify "$fixtures/$(cd "$fixtures" && printf '%s\n' problems/*.h5 | head -n 1)" \
        --arithmetic bf16
elif [[ ${TASKVEC_REQUIRE_FIXTURES:-0} == 1 ]]; then
    : >out
    fault "no reference files in $fixtures"
fi

((faults == 0)) || { echo "$faults checks failed"; exit 1; }
