#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_bench.sh BINARY [SOURCE] - every bench runs at its smallest size, on one and on two ranks,
# prints what programs can read, and leaves nothing behind.  No claim of speed is made here:
# timings need only be positive and agree among themselves.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_bench "$@"
mkdir "$work/empty"
cd -- "$work/empty"

# holds CONDITION WHAT: a condition in Python on r, the object that was printed.
holds() {
    python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' \
        "$work/out" "$1" || fault "$2: $(cat "$work/out" "$work/err")"
}

for ranks in 1 2; do
    for bench in pretrain capture fit curve effects sharing model; do
        launch $ranks bench $bench --size tiny --repeats 3 --json
        ((rc == 0)) || die "$bench on $ranks ranks: code $rc"
        holds "r['bench'] == '$bench' and r['ranks'] == $ranks and r['core']" "$bench: its head"
        holds "r['limit']['gflops'] > 0 and r['limit']['bandwidth'] > 0" "$bench: its limit"
        holds "all(l['rate'] > 0 and l['limit'] > 0 for l in r['lines'])" "$bench: its rates"
    done
done
launch 0 bench fit --size tiny --repeats 1 --json
holds "[l['name'] for l in r['lines']] == ['cached', 'prefill', '50 epochs', 'recomputed', 'cached half']" \
    "the lines of fit"
holds "abs(r['lines'][2]['rate'] * (1 / r['lines'][0]['rate'] + .02 / r['lines'][1]['rate']) - 1) < 1e-9" \
    "what 50 epochs are made of"
launch 0 bench fit --size "$source_dir/experiments/quickstart.cfg" --repeats 1 --json
holds "r['dims']['width'] == 64 and r['size'].endswith('quickstart.cfg')" "the size of a config"
launch 0 bench effects --size tiny --repeats 1
grep -q 'all heads: the time of [0-9.]* full forwards' "$work/out" || fault "effects: no comparison"

launch 0 bench sharing --size tiny --repeats 1
grep -q 'six fits sharing: the time of [0-9.]* fits alone' "$work/out" || fault "sharing: no comparison"

for dtype in f16 bf16; do
    launch 0 bench model --size tiny --dtype $dtype --repeats 1 --processor-time --json
    holds "r['dims']['dtype'] == '$dtype'.upper() and r['clock'] == 'processor'" "the type of weights"
    holds "[l['name'] for l in r['lines']] == ['prefill', 'capture', 'query 64', 'query 256', 'one token', 'causal map']" \
        "the lines of model"
done
bytes() { # of weights that a query reads
    launch 0 bench model --size tiny --dtype "$1" --repeats 1 --json
    python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(r["lines"][4]["bytes"])' "$work/out"
}
holds "float('$(bytes f32)') - float('$(bytes bf16)') == 2 * 2 * (32 * 64 + 32 * 32 + 3 * 32 * 48)" \
    "the bytes of weights in halves"
launch 0 bench model --size tiny --layers 1 --repeats 1
grep -q '1 of 2 layers' "$work/out" || fault "model: its layers: $(cat "$work/out")"
launch 0 bench dispatch --size tiny --repeats 2 --json
holds "[l['name'] for l in r['lines']] == ['journal alone', 'in process', 'through children']" \
    "the lines of dispatch"
launch 2 bench dispatch --size tiny --repeats 2 --json
holds "all(l['rate'] > 0 for l in r['lines'])" "dispatch on two ranks"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
launch 0 bench scaling --size tiny --ranks 2 --repeats 1 --json
holds "{(l['name'], l['ranks']) for l in r['lines']} == {(n, k) for n in ('pretrain', 'fit', 'evaluate') for k in (1, 2)}" \
    "the lines of scaling"
rc=0 # Ctrl-C, and all that ends a program, ends it
timeout -k 10 -s TERM 1 "$program" bench fit --size small --repeats 99 >"$work/out" 2>"$work/err" || rc=$?
((rc == 124)) || fault "TERM to a bench: code $rc, not 124: it had to be killed"
[[ -z $(ls) ]] || fault "left behind: $(ls)"

# refused CODE WORDS ARGUMENTS...: one line that says them.
refused() {
    local code=$1 words=$2
    shift 2
    launch 0 bench "$@"
    ((rc == code)) || fault "bench $*: code $rc, expected $code"
    grep -qF -- "$words" "$work/err" || fault "bench $*: said $(cat "$work/err")"
    (($(wc -l <"$work/err") == 1)) || fault "bench $*: more than one line"
}
refused 64 'did you mean scaling?' scalin
refused 64 'taskvec bench --help' everything
refused 64 'got "huge"' fit --size huge
refused 64 'expected 1 to 99' fit --repeats 0
refused 64 'expected 1 to 99' fit --repeats 5x
refused 64 'expected 1 to 1024' scaling --ranks -1
refused 64 'expected tiny, gpt2-small, smollm2-135m or llama-3-8b, got "standard"' model --size standard
refused 64 'expected f32, f16 or bf16, got "q4"' model --dtype q4
refused 64 'are of bench model alone' fit folder
refused 64 'are of bench model alone' fit --dtype f16
refused 64 'expected 1 to 1000' model --layers 0
refused 64 'without a folder' model folder --size tiny
refused 65 'folder' model folder
cat >pretrain.cfg <<'END'
name = "x"; source = { problem = "linear"; dims = 2; };
stages = ( { stage = "pretrain"; model = { layers = 1; heads = 1; width = 8; }; steps = 1; points = 4; } );
END
refused 65 'takes its size from a stage fit' fit --size pretrain.cfg
conclude "all benches run, at one and two ranks"
