#!/usr/bin/env bash
# check_fsck.sh BINARY [SOURCE] - fsck finds every flipped byte of a journal, of artifacts and checkpoints, says
# what is missing, and a run mends it: the same digest.
set -euo pipefail
(($#)) || { echo "usage: check_fsck.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
source_dir=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
die() { echo "check_fsck: $*"; exit 1; }
flips=${TASKVEC_FLIPS:-200} # the full number is 1000

expect() { # CODE PATTERN DIR
    local code=0
    "$program" fsck "$3" >out 2>err || code=$?
    [[ $code == "$1" ]] || die "$3: exit code $code, expected $1: $(cat out err)"
    grep -q -- "$2" out err || die "$3: '$2' is missing: $(cat out err)"
}

"$program" run "$source_dir/tests/mpi/tiny.cfg" -o run --in-process --quiet >/dev/null
digest=$("$program" digest run)
expect 0 'all sound' run
code=0 # a run killed with a checkpoint on the disk
{ TASKVEC_INJECT=kill-all@event:20 "$program" run "$source_dir/tests/mpi/tiny.cfg" -o killed --in-process \
    --quiet >/dev/null 2>&1; } 2>/dev/null || code=$?
((code > 128)) || die "a run that was to be killed: exit code $code"
expect 0 ' [1-9][0-9]* checkpoints*: all sound' killed
expect 65 'no run there' .

python3 - "$program" "$flips" <<'END' || exit 1
import pathlib, random, subprocess, sys
program, flips = sys.argv[1], int(sys.argv[2])
found = {"run": [pathlib.Path("run/journal"), *sorted(pathlib.Path("run/artifacts").rglob("*.safetensors"))],
         "killed": sorted(pathlib.Path("killed/checkpoints").rglob("*.safetensors"))}
assert len(found["run"]) > 3 and found["killed"], found
draw = random.Random(7)
missed = 0
for i in range(flips + flips // 10): # and a tenth as many in a checkpoint
    run = "run" if i < flips else "killed"
    path = found["run"][0] if i % 2 and run == "run" else draw.choice(found[run][run == "run":])
    data = bytearray(path.read_bytes())
    at, bit = draw.randrange(len(data)), 1 << draw.randrange(8)
    data[at] ^= bit
    path.write_bytes(data)
    done = subprocess.run([program, "fsck", run], capture_output=True, text=True)
    if done.returncode != 1 or "TROUBLE" not in done.stdout:
        missed += 1
        print(f"{path} byte {at} bit {bit}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    data[at] ^= bit
    path.write_bytes(data)
total = flips + flips // 10
print(f"check_fsck: {total - missed} of {total} flipped bits found")
sys.exit(missed > 0)
END
expect 0 'all sound' run

# A changed checkpoint does not become another result: said, and its job begins again.
checkpoint=$(find killed/checkpoints -name '*.safetensors')
size=$(stat -c %s -- "$checkpoint")
printf 'x' | dd of="$checkpoint" bs=1 seek=$((size - 7)) conv=notrunc status=none
"$program" run "$source_dir/tests/mpi/tiny.cfg" -o killed --in-process --quiet >out 2>err ||
    die "a run from a changed checkpoint: exit code $?: $(cat err)"
grep -q 'its content differs from its checksum.*begins again' err || die "a changed checkpoint: $(cat err)"
[[ $("$program" digest killed) == "$digest" ]] || die "from a changed checkpoint: another digest"

# An attempt that does not say all it should.
cp -r run lacking
python3 - lacking/journal <<'END'
import hashlib, sys
lines = open(sys.argv[1], "rb").read().split(b"\n")
for i, line in enumerate(lines):
    if line[17:25] == b"attempt\t":
        rest = b"\t".join(f for f in line[17:].split(b"\t") if not f.startswith((b"libc=", b"hosts=")))
        lines[i] = hashlib.sha256(rest).hexdigest()[:16].encode() + b"\t" + rest
open(sys.argv[1], "wb").write(b"\n".join(lines))
END
expect 1 'attempt 1: its provenance lacks hosts, libc' lacking

# A config changed by hand, a kept one, a row that is gone, an attempt that is.
cp -- run/config.cfg kept.cfg
sed -i 's/seed = /seed =  /' run/config.cfg
expect 1 'run/config.cfg: no run wrote this content' run
cp -- kept.cfg run/config.cfg
config=$(find run/configs -name '*.cfg')
echo >>"$config"
expect 1 'configs/.*: its content does not match its name' run
cp -- kept.cfg "$config"
expect 0 'all sound; results.h5 is not checked' run
cp -r run rowless
line=$(grep -an -m 1 $'\trow\t' run/journal | cut -d: -f1)
sed -i "${line}d" rowless/journal
expect 1 '[0-9]* of its [0-9]* rows are readable in the journal: it runs again' rowless
"$program" run "$source_dir/tests/mpi/tiny.cfg" -o rowless --in-process --quiet >out 2>err ||
    die "a run that lost a row: exit code $?: $(cat err)"
grep -q '[0-9]* of its [0-9]* rows are readable in the journal: it runs again' err || die "a lost row is not reported: $(cat err)"
expect 0 'all sound' rowless
[[ $("$program" digest rowless) == "$digest" ]] || die "from a lost row: another digest"
# A damaged line stays for ever; fsck says whether its job stands again.
cp -r run stained
line=$(grep -an -m 1 $'\tdone\t' run/journal | cut -d: -f1)
sed -i "${line}s/seconds=/secondz=/" stained/journal
expect 1 'it is skipped and stays; 1 of the [0-9]* jobs in the other lines are not DONE: taskvec status' stained
"$program" run "$source_dir/tests/mpi/tiny.cfg" -o stained --in-process --quiet >out 2>err ||
    die "a run that lost a DONE line: exit code $?: $(cat err)"
expect 1 'it is skipped and stays; all [0-9]* jobs in the other lines are DONE' stained
[[ $("$program" digest stained) == "$digest" ]] || die "from a damaged line: another digest"
cp -r run anonymous
line=$(grep -an $'\tattempt\t' run/journal | cut -d: -f1)
sed -i "${line}s/hosts=/hostt=/" anonymous/journal
expect 1 'attempt 1: its line is damaged or missing' anonymous

# A torn end, a lost artifact: said, and mended by the next run.
printf 'half a li' >>run/journal
expect 1 'last line: it is incomplete' run
rm "$(find run/artifacts -name '*.safetensors' | sort | head -n 1)"
expect 1 'safetensors: missing' run
"$program" run "$source_dir/tests/mpi/tiny.cfg" -o run --in-process --quiet >/dev/null
expect 0 'all sound' run
[[ $("$program" digest run) == "$digest" ]] || die "the mended run has another digest"
