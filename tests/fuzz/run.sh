#!/usr/bin/env bash
# run.sh [SECONDS] [NAME...] - fuzzes the readers of tests/fuzz, each for SECONDS (600) on one core under
# ASan and UBSan, from tests/fuzz/corpus/NAME on. Needs clang and its libFuzzer (Debian: clang
# libclang-rt-14-dev). What it finds lies in build/fuzz/found/; what brought something new, made as
# small as can be, in build/fuzz/corpus/NAME: copy to tests/fuzz/corpus/NAME what is worth keeping.
set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
seconds=${1:-600}
names=("${@:2}")
if ((${#names[@]} == 0)); then names=(journal config safetensors hf_config shard_index tokenizer); fi
declare -A longest=([journal]=16000 [config]=4000 [safetensors]=40000 [hf_config]=4000 [shard_index]=4000 [tokenizer]=4000)
# libconfig loses tokens after a syntax error (tests/lsan.supp); looking for it at each would be slow.
declare -A leaks=([journal]=1 [config]=0 [safetensors]=1 [hf_config]=1 [shard_index]=1 [tokenizer]=1)
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0

cmake --preset fuzz >/dev/null
cmake --build build/fuzz --target "${names[@]/#/fuzz_}" | tail -n 1
mkdir -p build/fuzz/found
faults=0
for name in "${names[@]}"; do
    work=build/fuzz/work/$name kept=build/fuzz/corpus/$name
    rm -rf -- "$kept"
    mkdir -p "$work" "$kept"
    options=(-timeout=10 -rss_limit_mb=2048 -max_len="${longest[$name]}" -detect_leaks="${leaks[$name]}"
        -artifact_prefix="build/fuzz/found/$name-")
    "build/fuzz/fuzz_$name" "${options[@]}" -max_total_time="$seconds" "$work" "tests/fuzz/corpus/$name" \
        2>"build/fuzz/$name.log" || faults=$((faults + 1))
    grep -E 'SUMMARY|does not hold' "build/fuzz/$name.log" || true
    printf '%s: %s\n' "$name" "$(tail -n 1 "build/fuzz/$name.log")"
    "build/fuzz/fuzz_$name" "${options[@]}" -merge=1 "$kept" "tests/fuzz/corpus/$name" "$work" \
        2>"build/fuzz/$name.merge.log"
done
((faults == 0)) || { echo "run.sh: found something in $faults readers: build/fuzz/found/"; exit 1; }
