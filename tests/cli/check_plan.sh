#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of common.sh
# check_plan.sh BINARY [SOURCE] - the time that plan predicts: the calibration is measured once, used
# after that, measured again where its file is damaged, and changes no identity; no folder for it is no
# error. plan --summary prints ten lines.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_plan "$@"
cd -- "$work/a folder"
export XDG_CACHE_HOME=$work/cache HOME=$work
cp "$source_dir/experiments/quickstart.cfg" .
mkdir models
cp "$source_dir/experiments/models/sparse_linear_d8.safetensors" models/

plan() { # FILE ARGUMENTS: the output of plan in FILE
    local to=$1
    shift
    "$program" plan quickstart.cfg "$@" >"$to" 2>"$work/err" || die "plan $*: code $?"
}
field() { # NAME FILE: a number or text of plan --json
    sed -n "s/.*\"$1\": *\"\\{0,1\\}\\([^,\"}]*\\).*/\\1/p" "$2" | head -1
}
expect() { [[ $2 == "$3" ]] || fault "$1: expected $3, got $2"; }
above() { # WHAT A B
    awk "BEGIN { exit !($2 > $3) }" || fault "$1: $2 is not above $3"
}

plan first --json
expect 'the first calibration' "$(field calibration first)" measured
files=("$work"/cache/taskvec/calibration-*.json)
expect 'files in the cache' "${#files[@]}" 1
cache=${files[0]}
plan second --json
expect 'the second calibration' "$(field calibration second)" cached
expect 'core seconds from the cache' "$(field core_seconds second)" "$(field core_seconds first)"
above 'core seconds' "$(field core_seconds first)" 1
above 'seconds left' "$(field seconds_left first)" 0
above 'useful ranks' "$(field ranks_useful first)" 1

# A machine whose contexts take a thousand times as long: the same jobs take longer.
cp "$cache" whole.json
sed 's/\("contexts_[a-z]*": *\)[0-9.e-]*/\11e-8/g' whole.json >"$cache"
plan slow --json
expect 'a changed calibration' "$(field calibration slow)" cached
above 'core seconds on a slow machine' "$(field core_seconds slow)" "$(field core_seconds first)00"
for at in first slow; do grep -o '"identity": *"[0-9a-f]*"' $at >$at.identities; done
[[ -s first.identities ]] || fault 'plan --json has no identities'
cmp first.identities slow.identities || fault 'identities depend on the calibration'

head -c 100 whole.json >"$cache"
plan damaged --json
expect 'a truncated calibration' "$(field calibration damaged)" measured
plan again --json
expect 'the calibration after that' "$(field calibration again)" cached

# A calibration of a busy machine says so; of an idle one it does not.
sed 's/\("load": *\)[0-9.e-]*/\13.5/' whole.json >"$cache"
plan busy --summary
if grep -q 'measured earlier' busy; then
    grep -q 'measured earlier on a busy machine' busy || fault "a busy machine: $(cat busy)"
fi
sed 's/\("load": *\)[0-9.e-]*/\10.1/' whole.json >"$cache"
plan idle --summary
grep -q 'measured earlier$' idle || fault "an idle machine: $(cat idle)"

# Nowhere to write it.
XDG_CACHE_HOME='' HOME=/dev/null plan nowhere --json
expect 'HOME=/dev/null' "$(field calibration nowhere)" measured
(unset HOME XDG_CACHE_HOME && plan nowhere --json)

plan summary --summary
expect 'lines of --summary' "$(wc -l <summary)" 10
for line in 'name       quickstart, seed 1' 'folder     results/quickstart' 'jobs       53: fit 18, evaluate 33, estimate 2' \
    'state      0 done, 0 failed or blocked, 53 left' 'core time  [0-9]' 'contexts   [0-9]' \
    'left       [0-9].* at most (patience may end a fit earlier); [0-9]* ranks can be used and then take [0-9].* on idle cores' \
    'memory     largest job .*; request .* for each rank' 'speed      contexts .*, measured earlier' 'notes      0'; do
    grep -q "^$line" summary || fault "--summary lacks '$line': $(cat summary)"
done

# Every job has a time, and the last lines say how much there is in all.
plan text
! grep -qE 'PENDING +0 s' text || fault "a job of 0 s: $(grep -E 'PENDING +0 s' text | head -1)"
tr '\n' ' ' <text | grep -q 'Core time .* of it left.* and then take [0-9].* on idle cores\.' || fault "no core time: $(tail -4 text)"
# Core time of finished jobs is their processor time, although the calibration is measured anew.
cat >small.cfg <<'END'
name = "small"; seed = 1; source = { problem = "linear"; dims = 5; };
stages = ( { stage = "estimate"; estimator = ["averaging", "least_squares"]; points = 20; functions = 64; } );
END
"$program" run small.cfg -o small --quiet >"$work/out" 2>"$work/err" || die "run: code $?"
rm -f "$cache"
"$program" plan small.cfg -o small --json >finished 2>"$work/err" || die "plan of a finished run: code $?"
python3 - finished small/journal <<'END' || fault "plan of a finished run"
import json, re, sys
planned = {job["identity"]: job["seconds"] for job in json.load(open(sys.argv[1]))["jobs"]}
lines = [line for line in open(sys.argv[2]) if "\tdone\t" in line]
assert len(lines) == len(planned) == 2, lines
for line in lines:
    word = dict(re.findall(r"\t(\w+)=(\S+)", line))
    cpu, share, elapsed = (float.fromhex(word[key]) for key in ("cpu", "share", "seconds"))
    assert 0 < cpu < elapsed + 0.01, line
    assert abs(planned[word["job"]] * share - cpu) < 1e-5 * cpu, (planned, line)
END
conclude "calibrated once, $(printf %.0f "$(field core_seconds first)") s of core time planned"
