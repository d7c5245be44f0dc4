#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of common.sh
# check_planned_files.sh BINARY [SOURCE] - a model file that is replaced, or written to, after the run was
# planned fails the jobs that would read the other content; both hashes are named.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_planned_files "$@"
cd -- "$work/a folder"
models="$source_dir/experiments/models"
a=$models/linear_d5.safetensors b=$models/linear_d5_seed2.safetensors
hash_a=$(sha256sum "$a" | cut -d' ' -f1) hash_b=$(sha256sum "$b" | cut -d' ' -f1)
functions=6000
if is_sanitised; then functions=600; fi
cat >two.cfg <<END
name = "two"; seed = 1; model = { checkpoint = "m.safetensors"; }; source = { problem = "linear"; dims = 5; };
stages = ( { stage = "evaluate"; name = "long"; also = ["plain"]; points = 8; functions = $functions; },
           { stage = "evaluate"; name = "short"; also = ["plain"]; points = 8; functions = 8; } );
END

# disturbed FOLDER COMMAND...: a run during whose first job the command changes the model file.
disturbed() {
    local folder=$1 waited=0 pid
    shift
    cp -- "$a" m.safetensors
    "$program" run two.cfg -o "$folder" --quiet >/dev/null 2>&1 &
    pid=$!
    until grep -qa $'\tstart\t' "$folder/journal" 2>/dev/null; do
        ((++waited < 1000)) || die "$folder: no job starts"
        sleep 0.02
    done
    "$@"
    rc=0
    wait "$pid" || rc=$?
    ((rc == 1)) || fault "$folder: code $rc, not 1"
}
replace() { cp -- "$b" m.new && mv -- m.new m.safetensors; }
overwrite() { dd if="$b" of=m.safetensors conv=notrunc status=none; } # a file that shrinks for a moment kills its readers
expect() { # PATTERN WHAT
    grep -qE -- "$1" "$work/out" || fault "$2: no \"$1\" in: $(cat "$work/out")"
}

cp -- "$a" m.safetensors
"$program" run two.cfg -o quiet --quiet >/dev/null 2>&1 || die "the undisturbed run: code $?"

# The first job has opened the file before or after it was replaced: it is right, or it fails.
disturbed replaced replace
cp -- "$a" m.safetensors
"$program" status replaced >"$work/out" 2>&1 || true
expect "short\\[0\\].*m\\.safetensors: other content .*was $hash_a, is $hash_b" "a replaced file"

while read -r artifact; do
    cmp -s "replaced/$artifact" "quiet/$artifact" || fault "$artifact was computed with the other model"
done < <(cd replaced && find . -path './artifacts/*' -type f)

disturbed overwritten overwrite
cp -- "$a" m.safetensors
"$program" status overwritten >"$work/out" 2>&1 || true
expect '2 FAILED' "a file that is written to"
expect "long\\[0\\].*m\\.safetensors: other content .*was $hash_a, is $hash_b" "a file that is written to"
conclude "jobs read the content that was planned, or fail and name both hashes"
