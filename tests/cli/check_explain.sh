#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_explain.sh BINARY [SOURCE] - explain says of every job whether it would run again, and the next
# run does just that; and names the key that makes a job another one, with its old and new value.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_explain "$@"
cp -- "$here/tiny.cfg" "$work/a folder"
cd -- "$work/a folder"

begun() { # RUN ARGUMENTS: a run in one process, which may fail jobs
    if is_sanitised; then export ASAN_OPTIONS=detect_leaks=0; fi
    launch 0 run "$@" --quiet
    unset ASAN_OPTIONS
}
expect() { # CODE PATTERN ARGUMENTS OF explain
    local code=$1 pattern=$2
    shift 2
    rc=0
    timeout 60 "$program" explain "$@" >"$work/out" 2>"$work/err" || rc=$?
    ((rc == code)) || fault "explain $*: code $rc, not $code: $(cat "$work/out" "$work/err")"
    grep -qE -- "$pattern" "$work/out" "$work/err" ||
        fault "explain $*: no \"$pattern\" in: $(cat "$work/out" "$work/err")"
}

TASKVEC_INJECT=segv@job:2 begun tiny.cfg -o run
((rc == 1)) || die "a run with one failing job: code $rc, not 1"
expect 0 '^  DONE: would not run again' run 'fit[0]'
expect 0 '^  optimiser.lr +0.01' run 'fit[0]'
expect 0 '^  reads pretrain\[0\]  [0-9a-f]{64}  DONE' run 'fit[0]'
expect 0 '^  attempt 1, utc .*, hosts .*command ' run 'fit[0]'
expect 0 '^  FAILED \(segv\): .*--retry-failed' run 'fit[1]'
TASKVEC_INJECT=kill@job:2 begun tiny.cfg -o killed
expect 0 "^  FAILED \\(kill\\): .*machine may be the cause: run --retry-failed" killed 'fit[1]'
expect 0 '^  blocked by fit\[1\], which FAILED \(segv\)' run 'evaluate[1]'
expect 0 '^fit\[1\]  ' run 2 # the line of the plan
expect 64 '^taskvec: 00000002: no such job' run 00000002 # which no line is written as
expect 64 'did you mean fit\[[0-3]\]' run 'fit[7]'
expect 65 'config.cfg is missing' nowhere 'fit[0]'

# ---- a change, before it is run: of its own key, of one of the job it reads, of one that changes nothing
expect 0 '^  never started: would run: from its beginning, after pretrain\[0\]|^  never started: would run$' \
    run 'fit[0]' -s fit.optimiser.lr=0.02
expect 0 '^  optimiser.lr +was 0.01, is 0.02' run 'fit[0]' -s fit.optimiser.lr=0.02
(($(grep -c ' was .*, is ' "$work/out") == 1)) || fault "one changed key is not one: $(cat "$work/out")"
expect 0 '^  pretrain.optimiser.lr +was 0.003, is 0.01' run 'fit[0]' -s pretrain.optimiser.lr=0.01
expect 0 'after pretrain\[0\]' run 'fit[0]' -s pretrain.optimiser.lr=0.01
expect 0 'DONE: would not run again' run 'fit[0]' -s fit.checkpoint_every=5
sed 's/points = 14/points = 13/' tiny.cfg >other.cfg
expect 0 '^  points +was 14, is 13' run 'fit[2]' --with other.cfg

# ---- the change is run: what was is found by its identity, and what is says what made it another
identity_of() { # JOB [OPTIONS]
    "$program" plan tiny.cfg "${@:2}" --json | python3 -c 'import json, sys
print(next(j["identity"] for j in json.load(sys.stdin)["jobs"] if j["job"] == sys.argv[1]))' "$1"
}
old=$(identity_of 'fit[2]')
begun other.cfg -o run
expect 0 '^  no longer planned' run "${old:0:10}"
expect 0 '^  points +was 14, is 13' run "${old:0:10}"
expect 0 '^  points +was 14, is 13' run 'fit[2]'
begun tiny.cfg -o run # and back

# ---- what is damaged or gone runs again: as explain says of every job, so the next run does
artifact=$(find run/artifacts -name "$old*")
rm -- "$artifact"
expect 0 '^  DONE, but its artifact is missing or truncated: runs again' run 'fit[2]'
# A byte of a row of an evaluation.
row=$(grep -an $'\trow\tjob='"$(identity_of 'evaluate[0]')" run/journal | tail -n 1 | cut -d: -f1)
sed -i "${row}s/number=/numbes=/" run/journal
python3 - "$program" run >expected <<'END'
import json, subprocess, sys
program, folder = sys.argv[1:]
plan = json.loads(subprocess.check_output([program, "plan", "tiny.cfg", "-o", folder, "--json"]))
for job in plan["jobs"]:
    told = json.loads(subprocess.check_output([program, "explain", folder, job["job"], "--json"]))
    assert told["identity"] == job["identity"], (job["job"], told["identity"], job["identity"])
    if told["would_run"]:
        print(told["identity"], told["why"])
END
grep -q 'lines of its rows are damaged' expected || fault "no job has lost a row: $(cat expected)"
before=$(wc -l <run/journal)
begun tiny.cfg -o run
tail -n "+$((before + 1))" run/journal | grep -aoP '\tstart\tjob=\K[0-9a-f]{64}' | sort -u >started
cut -d' ' -f1 expected | sort -u | diff - started >difference ||
    fault "what explain says would run (<) and what ran (>): $(cat difference)"

# ---- a file with another content
cp -- "$(find run/artifacts -name "$(identity_of 'pretrain[0]')*")" model.safetensors
cat >file.cfg <<'END'
name = "file"; seed = 3; source = { problem = "linear"; dims = 3; };
stages = ( { stage = "fit"; model = { checkpoint = "model.safetensors"; }; method = "ltv"; points = 14;
    prompts = 80; batch = 16; epochs = 2; } );
END
begun file.cfg -o filed
((rc == 0)) || die "a fit on a file: code $rc"
sum=$(sha256sum model.safetensors | cut -d' ' -f1)
expect 0 "^  file model.checkpoint +$sum" filed 'fit[0]'
begun tiny.cfg -o again -s pretrain.steps=61
cp -- "$(find again/artifacts -name "$(identity_of 'pretrain[0]' -s pretrain.steps=61)*")" model.safetensors
expect 0 "^  was $sum, is $(sha256sum model.safetensors | cut -d' ' -f1)" filed 'fit[0]'
expect 0 '^  never started: would run' filed 'fit[0]'
conclude "explain says what makes a job another one, and what would run again is what does"
