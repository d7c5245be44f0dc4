#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_faults.sh BINARY [SOURCE] - seven kinds of fault are injected into seven of 50 jobs at random: 43
# are DONE with the bits of a clean run, 7 are FAILED with the right class, the code is 1, and every rank
# works on. A compute child costs a job at most 5 ms. TASKVEC_FAULT_TRIALS=20: 20 times.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_faults "$@"
trials=${TASKVEC_FAULT_TRIALS:-1} seed=${TASKVEC_TEST_SEED:-1} most_ms=5
config="$work/a folder/fifty.cfg"
cp -- "$(dirname -- "$0")/fifty.cfg" "$config"
kinds=(kill segv abort exit hang oom nan)
first=9 last=49 # lines of plan that no job reads

clean="$work/a folder/clean"
launch 2 run "$config" -o "$clean" --quiet
((rc == 0)) || die "a clean run: code $rc"
wanted=$(digest_of "$clean")
journal bits "$clean" >"$work/clean.bits"
[[ $(wc -l <"$work/clean.bits") == 50 ]] || die "not 50 jobs"

# draw: $spec with one fault of each kind, $expected, "LINE CLASS" in the order of plan.
draw() {
    local i line lines=() class
    while ((${#lines[@]} < ${#kinds[@]})); do
        line=$((first + RANDOM % (last - first + 1)))
        if [[ " ${lines[*]} " != *" $line "* ]]; then lines+=("$line"); fi
    done
    spec='' expected=''
    for i in "${!kinds[@]}"; do
        class=${kinds[i]}
        if [[ $class == oom ]] && is_sanitised; then class='kill'; fi # no memory limit under ASan
        spec+="${spec:+,}${kinds[i]}@job:${lines[i]}"
        expected+="${lines[i]} $class"$'\n'
    done
    expected=$(sort -n <<<"${expected%$'\n'}")
}

failed() { # DIR: "LINE CLASS" of each FAILED job
    timeout 60 "$program" status --json "$1" >"$work/status.json" 2>"$work/err" || die "status: code $?"
    python3 -c '
import json, sys
for job in json.load(open(sys.argv[1]))["trouble"]:
    print(job["line"], job.get("class", job["state"]))' "$work/status.json"
}

one_trial() { # RANKS
    local folder="$work/a folder/with_fault" rank found
    draw
    TASKVEC_INJECT=$spec launch "$1" run "$config" -o "$folder" --quiet --hang-after 8
    ((rc == 1)) || die "$spec: code $rc, not 1"
    found=$(failed "$folder")
    [[ $found == "$expected" ]] || die "$spec: failed are"$'\n'"$found"$'\n'"and not"$'\n'"$expected"
    journal bits "$folder" >"$work/with_fault.bits"
    [[ $(wc -l <"$work/with_fault.bits") == 43 ]] || die "$spec: not 43 jobs are done"
    [[ -z $(comm -13 "$work/clean.bits" "$work/with_fault.bits") ]] || die "$spec: other bits"
    journal check "$folder"
    [[ $(journal ended "$folder") == 1 ]] || die "$spec: the attempt did not end in order"
    for ((rank = 0; rank < $1; rank++)); do
        [[ $(journal used-after "$folder" $rank) == yes ]] || die "$spec: rank $rank stays idle after faults"
    done
    launch 2 run "$config" -o "$folder" --quiet --retry-failed
    expect_done 2 "$folder" "$spec, then --retry-failed"
    rm -rf -- "$folder"
}
RANDOM=$seed
for ((trial = 1; trial <= trials; trial++)); do
    one_trial $((2 + trial % 2))
    if ((trials > 1)); then echo "check_faults: $((SECONDS)) s, trial $trial of $trials: $spec"; fi
done

# The cost of the isolation: the time of an empty job through a child, less that in process.
cost='not measured under ASan'
if ! is_sanitised; then
    cd -- "$work"
    launch 0 bench dispatch --size tiny --repeats 3 --json
    ((rc == 0)) || die "bench dispatch: code $rc"
    cost=$(python3 -c '
import json, sys
rate = {line["name"]: line["rate"] for line in json.load(open(sys.argv[1]))["lines"]}
print("%.3f" % (1e3 / rate["through children"] - 1e3 / rate["in process"]))' "$work/out")
    if awk "BEGIN { exit !($cost > $most_ms) }"; then fault "a child costs a job $cost ms, not $most_ms"; fi
    cost="$cost ms a job"
fi
conclude "$trials of $trials times 43 of 50 jobs done with the bits of a clean run, 7 failed; isolation: $cost"
