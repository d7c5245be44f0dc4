# shellcheck shell=bash disable=SC2154,SC2034
# digest_runs.sh - the runs that must all give the same digest, of any config. Sourced after
# common.sh; expects $config and the lists $kill_ranks and $resume_ranks (0: a plain start).

# same_bits NAME RANKS ARGUMENTS: a whole run from nothing to the wanted digest.
same_bits() {
    local name=$1 ranks=$2
    shift 2
    launch "$ranks" run "$config" -o "$work/a folder/$name" --quiet "$@"
    expect_done "$ranks" "$work/a folder/$name" "$name"
    rm -rf -- "$work/a folder/$name"
}

# same_on RANKS...: a plain run, left in $first, gives the wanted digest; every count of ranks gives
# the same, and verify the same bits again.
same_on() {
    local ranks
    first="$work/a folder/first"
    launch 0 run "$config" -o "$first" --quiet
    ((rc == 0)) || die "a plain start: code $rc"
    wanted=$(digest_of "$first")
    for ranks in "$@"; do same_bits "ranks $ranks" "$ranks"; done
    launch 0 verify "$first"
    ((rc == 0)) || die "not the same bits again: $(cat "$work/out")"
}

# bytes_for_least: a budget with which every job runs and no fit caches all its contexts.
bytes_for_least() {
    timeout 60 "$program" plan "$config" --json >"$work/plan.json" || die "plan --json"
    python3 - "$work/plan.json" <<'END'
import json, sys
jobs = json.load(open(sys.argv[1]))["jobs"]
least = int(max(job["memory_least"] for job in jobs)) + 4096
fits = [job for job in jobs if job["kind"] == "fit"]
kept = [job["job"] for job in fits if job["memory"] <= least]
if kept or not fits:
    sys.exit(f"a budget of {least} bytes would cache all contexts of {kept}")
print(least)
END
}

# kill_at RANKS DIR LINE: starts or resumes, and everything is killed when journal line LINE is written.
kill_at() {
    local ranks=$1 folder=$2 line=$3
    TASKVEC_INJECT=kill-all@event:$line launch "$ranks" run "$config" -o "$folder" --quiet
    ((rc == 137)) || die "killed at line $line on $ranks ranks: code $rc, not 137"
    [[ $(journal lines "$folder") == $((line + 1)) && $(journal ended "$folder") == killed ]] ||
        die "killed at line $line on $ranks ranks: the journal has lines after it"
}

# kills_and_resumes LINES KILLS SEED: one kill in each of KILLS equal parts of the LINES of a whole
# journal, the position drawn from SEED; every third run is killed twice more before it may end.
kills_and_resumes() {
    local lines=$1 kills=$2 i k at folder from to span part
    RANDOM=$3 resumed=0 killed=0
    part=$(((lines - 3) / kills))
    for ((i = 0; i < kills; i++)); do
        folder="$work/a folder/killed $i"
        from=${kill_ranks[i % ${#kill_ranks[@]}]}
        to=${resume_ranks[i % ${#resume_ranks[@]}]}
        at=$((2 + i * part + RANDOM % part))
        kill_at "$from" "$folder" "$at"
        for ((k = 0; k < 2 && i % 3 == 2; k++)); do
            # an attempt writes its own line, then at least a start and what follows it
            span=$(((lines - at) / 3))
            at=$((at + 2 + (span > 0 ? RANDOM % span : 0)))
            kill_at "$to" "$folder" "$at"
            killed=$((killed + 1))
        done
        launch "$to" run "$config" -o "$folder" --quiet
        expect_done "$to" "$folder" "killed at line $at on $from ranks"
        [[ -s "$folder/results.h5" ]] || die "$folder: no results.h5"
        resumed=$((resumed + $(journal resumes "$folder")))
        killed=$((killed + 1))
        rm -rf -- "$folder"
    done
}

# resumed_from_checkpoint DIR: killed when the first checkpoint that DIR's journal names was written (the
# order of lines of a plain start is always the same), and gone on with from there, on 2 ranks.
resumed_from_checkpoint() {
    local folder="$work/a folder/checkpoint" at
    at=$(awk '$2 == "checkpoint" { print NR - 1; exit }' "$1/journal")
    [[ -n $at ]] || die "$1: no checkpoint in a whole run"
    kill_at 0 "$folder" "$at"
    launch 2 run "$config" -o "$folder" --quiet
    expect_done 2 "$folder" "killed at the checkpoint of line $at"
    (($(journal resumes "$folder") > 0)) || die "no job resumed from the checkpoint of line $at"
    rm -rf -- "$folder"
}
