#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# journal.sh BINARY SOURCE PROBE - every prefix of a real journal is read safely; a run resumes from a
# journal cut anywhere, or damaged anywhere, to the same bits; files without a DONE line go, files of
# others stay; a journal of a later format is left alone.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" journal "$1" "$2"
probe=$(realpath -- "$3")
cd -- "$work/a folder"
cuts=${TASKVEC_CUTS:-8} # the full number is 100
if is_sanitised; then export ASAN_OPTIONS=detect_leaks=0; fi

cat >small.cfg <<'END'
name = "small"; seed = 1; source = { problem = "linear"; dims = 2; };
stages = (
  { stage = "pretrain"; model = { layers = 1; heads = 2; width = 8; positions = 16; };
    points = 4; steps = 12; batch = 8; checkpoint_every = 4; log_every = 12; },
  { stage = "fit"; of = "pretrain"; method = ["ltv", "constant"]; points = 6;
    prompts = 40; batch = 16; epochs = 2; checkpoint_every = 1; },
  { stage = "evaluate"; of = "fit"; also = ["plain"]; points = 4; functions = 8; }
);
END
begun() { launch 0 run small.cfg -o "$1" --in-process --quiet; }
goes_on() { # DIR WHAT: the run there ends with the wanted bits, and all is sound
    begun "$1"
    ((rc == 0)) || die "$2: code $rc: $(cat "$work/err")"
    [[ $(digest_of "$1") == "$wanted" ]] || die "$2: other bits"
    timeout 60 "$program" fsck "$1" >"$work/out" || die "$2: $(cat "$work/out")"
}

begun whole
((rc == 0)) || die "an undisturbed run: code $rc"
wanted=$(digest_of whole)

# ---- a journal with everything in it: a kill, a failed job, a retry
TASKVEC_INJECT=kill-all@event:12 begun rich
((rc > 100)) || die "a run that was to be killed: code $rc"
TASKVEC_INJECT=nan@job:2 begun rich
((rc == 1)) || die "a run with a failing job: code $rc: $(cat "$work/err")"
launch 0 run small.cfg -o rich --in-process --quiet --retry-failed
((rc == 0)) || die "a run that tries again: code $rc"
for kind in journal attempt start row checkpoint 'done' failed end; do
    grep -qaP "^[0-9a-f]{16}\t$kind" rich/journal || die "the journal has no line \"$kind\""
done
read_all=$("$probe" rich/journal) || fault "$read_all"

# ---- cut anywhere: status and fsck answer, the run resumes to the same bits
size=$(stat -c %s rich/journal)
for ((i = 0; i < cuts; i++)); do
    at=$((size * i / cuts + (i * 7919) % (size / cuts)))
    cp -r rich cut
    truncate -s "$at" cut/journal
    cp -- "$(find cut/artifacts -name '*.safetensors' | head -n 1)" foreign.safetensors
    fake="cut/artifacts/00/00$(printf '%062d' 0).safetensors" # of no job at all
    mkdir -p cut/artifacts/00
    cp foreign.safetensors "$fake"
    cp foreign.safetensors cut/artifacts/00/notes.safetensors
    echo mine >cut/notes.txt
    echo mine >cut/checkpoints/notes.txt
    rc=0
    timeout 60 "$program" status cut --exit-code >"$work/out" 2>&1 || rc=$?
    ((rc == 0 || rc == 1 || rc == 75)) || fault "status of $at bytes: code $rc: $(cat "$work/out")"
    grep -q '^not running' "$work/out" || fault "status of $at bytes: $(cat "$work/out")"
    rc=0
    timeout 60 "$program" fsck cut >"$work/out" 2>&1 || rc=$?
    ((rc <= 1 || (at == 0 && rc == 65))) || fault "fsck of $at bytes: code $rc: $(cat "$work/out")"
    launch 0 run small.cfg -o cut --in-process --quiet --retry-failed
    goes_on cut "a journal of $at bytes of $size"
    if (($(grep -ca $'\tend\t' cut/journal) > $(head -c "$at" rich/journal | grep -ca $'\tend\t'))); then
        [[ ! -e $fake ]] || fault "$at bytes: a file without a DONE line is still there"
    fi
    for file in cut/artifacts/00/notes.safetensors cut/notes.txt cut/checkpoints/notes.txt; do
        [[ -s $file ]] || fault "$at bytes: $file, which is not ours, is gone"
    done
    rm -rf cut
done

# ---- every line twice: nothing is lost, nothing runs again
cp -r rich twice
sed -i p twice/journal
before=$(grep -ca $'\tstart\t' twice/journal)
goes_on twice "every line twice"
[[ $(grep -ca $'\tstart\t' twice/journal) == "$before" ]] || fault "every line twice: jobs ran again"

# ---- DONE without its file: said, and run again
cp -r whole lost
rm -- "$(find lost/artifacts -name '*.safetensors' | sort | tail -n 1)"
launch 0 run small.cfg -o lost --in-process
grep -q 'its artifact is missing or truncated: it runs again' "$work/err" || fault "a lost artifact: $(cat "$work/err")"
goes_on lost "a lost artifact"

# ---- a later format: refused by all, and not a byte of it changed
cp -r whole later
python3 - later/journal <<'END'
import hashlib, sys
lines = open(sys.argv[1], "rb").read().split(b"\n")
rest = b"journal\tversion=2"
lines[0] = hashlib.sha256(rest).hexdigest()[:16].encode() + b"\t" + rest
lines.insert(2, b"a line that only the future understands")
open(sys.argv[1], "wb").write(b"\n".join(lines) + b"torn")
END
cp later/journal kept
for words in "run small.cfg -o later" "plan small.cfg -o later" "status later" "table later" "digest later" \
    "verify later" "explain later fit[0]" "status later --watch"; do
    # shellcheck disable=SC2086 # words
    launch 0 $words
    ((rc == 65)) || fault "$words on a later format: code $rc, not 65"
    grep -q 'later/journal: written in format 2, this taskvec knows formats up to 1' "$work/err" ||
        fault "$words on a later format: $(cat "$work/err")"
    cmp -s kept later/journal || fault "$words changed a journal of a later format"
done
rc=0
timeout 60 "$program" fsck later >"$work/out" 2>&1 || rc=$?
if ((rc != 1)) || ! grep -q 'another version of the format' "$work/out"; then
    fault "fsck on a later format: code $rc: $(cat "$work/out")"
fi
conclude "$read_all; $cuts cuts went on to the same bits; a later format is left alone"
