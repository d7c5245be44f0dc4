# shellcheck shell=bash disable=SC2154,SC2034
# scenario.sh - what the tests of faults share: named scenarios, each a run with a fault injected by
# TASKVEC_INJECT or from outside, and what must hold of it and of the run that resumes it.
# Sourced after common.sh. Lines of plan of tiny.cfg: 0 pretrain (2 ranks), 1-4 fit, 5 shared
# (2 ranks), 6-9 evaluate of fit, 10 of shared, 11-14 controls, 15-16 capture (these leave a file
# and no checkpoint).
config="$work/a folder/tiny.cfg"
cp -- "$here/tiny.cfg" "$config"
jobs=17 scenarios=0 name='a clean run' folder="$work/a folder/clean"
launch 3 run "$config" -o "$folder" --quiet
((rc == 0)) || die "$name: code $rc"
wanted=$(digest_of "$folder")
journal bits "$folder" >"$work/clean.bits"
timeout 60 "$program" plan "$config" --json >"$work/plan.json" || die "plan --json: code $?"
python3 -c '
import json, sys
for job in json.load(open(sys.argv[1]))["jobs"]:
    print(job["identity"])' "$work/plan.json" >"$work/identities"

scenario() { # NAME
    name=$1 folder="$work/a folder/run"
    scenarios=$((scenarios + 1))
    rm -rf -- "$folder"
}

# inject RANKS CODE SPEC ARGUMENTS: a run with these faults, which must exit with this code.
inject() {
    local ranks=$1 code=$2 spec=$3
    shift 3
    TASKVEC_INJECT=$spec launch "$ranks" run "$config" -o "$folder" --quiet "$@"
    ((rc == code)) || die "$name: code $rc, not $code"
}

says() { # WORDS: on standard error
    grep -qF -- "$1" "$work/err" || die "$name: it does not say \"$1\""
}

ended() { # PATTERN: the code of the last attempt, by its journal; "killed" if it has no end
    local found
    found=$(journal ended "$folder")
    [[ $found =~ ^($1)$ ]] || die "$name: the journal ends with $found, not $1"
}

# trouble: "LINE STATE CLASS" of each FAILED or BLOCKED job, by plan line.
trouble() {
    timeout 60 "$program" status --json "$folder" >"$work/status.json" 2>"$work/err" ||
        die "$name: status: code $?"
    python3 -c '
import json, sys
for job in json.load(open(sys.argv[1]))["trouble"]:
    print(job["line"], job["state"], job.get("class", ""))' "$work/status.json" | sed 's/ *$//'
}

reason() { # LINE PATTERN: of a FAILED job, after trouble
    python3 -c '
import json, re, sys
job = next(j for j in json.load(open(sys.argv[1]))["trouble"] if j["line"] == int(sys.argv[2]))
if not re.search(sys.argv[3], job["reason"]):
    sys.exit("the reason of job %d is \"%s\", not \"%s\"" % (job["line"], job["reason"], sys.argv[3]))
' "$work/status.json" "$1" "$2" || die "$name: another reason"
}

# in_trouble EXPECTED: these jobs and no others, all the rest DONE with the bits of the clean run.
in_trouble() {
    local found
    found=$(trouble)
    [[ $found == "$1" ]] || die "$name: in trouble are"$'\n'"$found"$'\n'"and not"$'\n'"$1"
    ended 1
    journal check "$folder"
    journal bits "$folder" >"$work/with_fault.bits"
    [[ $(wc -l <"$work/with_fault.bits") == $((jobs - $(wc -l <<<"$1"))) ]] ||
        die "$name: not all other jobs are done"
    [[ -z $(comm -13 "$work/clean.bits" "$work/with_fault.bits") ]] || die "$name: other bits"
}

# whole RANKS ARGUMENTS: the same command without the fault ends with the bits of the clean run.
whole() {
    local ranks=$1
    shift
    launch "$ranks" run "$config" -o "$folder" --quiet "$@"
    expect_done "$ranks" "$folder" "$name"
}

# resumable RANKS: after a run with a fault, status reports that work remains; the same command finishes it.
resumable() {
    rc=0
    timeout 60 "$program" status --exit-code "$folder" >"$work/out" 2>"$work/err" || rc=$?
    ((rc == 75)) || die "$name: status says $rc, not 75"
    whole "$1"
}

# begin RANKS SPEC ARGUMENTS: a run in the background; $pid, also of mpirun.
begin() {
    local ranks=$1 spec=$2 command=()
    shift 2
    if ((ranks > 0)); then command=(mpirun "${mpi[@]}" -n "$ranks"); fi
    TASKVEC_INJECT=$spec "${command[@]}" "$program" run "$config" -o "$folder" --quiet "$@" \
        >"$work/out" 2>"$work/err" </dev/null &
    pid=$!
}

# when_at_work EVENT: waits until the journal holds one.
when_at_work() {
    local i
    for ((i = 0; i < 3000; i++)); do
        if grep -qs $'\t'"$1"$'\t' "$folder/journal"; then return; fi
        sleep 0.01
    done
    die "$name: no $1 within 30 s"
}

# expect_exit SECONDS: what was begun exits by itself within this time; its code in $rc.
expect_exit() {
    local i
    for ((i = 0; i < 10 * $1; i++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$pid" 2>/dev/null; then die "$name: it has not left after $1 s"; fi
    rc=0
    { wait "$pid"; } 2>/dev/null || rc=$?
    none_left || die "$name: processes are left: $(own_processes | xargs)"
}
