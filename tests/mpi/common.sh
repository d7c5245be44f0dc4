# shellcheck shell=bash disable=SC2034,SC2154
# common.sh - what the whole-program tests share. Sourced as: . common.sh NAME BINARY [SOURCE]
#
# Works on a copy of the binary in a folder of its own, so that its processes are recognised by their
# executable; leaves neither files nor processes behind.
test_name=$1
[[ -x ${2:-} ]] || {
    echo "usage: $test_name.sh BINARY [SOURCE]" >&2
    exit 64
}
# HUP is ignored under nohup, and would be in all processes that a test starts.
if ((0x$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/$$/status) & 1)); then
    exec env --default-signal=HUP "$0" "${@:2}"
fi
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd -- "${3:-$here/../..}" && pwd)
work=$(mktemp -d)
mkdir "$work/a folder" "$work/tmp"
program="$work/a folder/taskvec"
cp -- "$2" "$program"
export TMPDIR=$work/tmp OMPI_MCA_btl_vader_backing_directory=$work/tmp # what MPI leaves
# One calibration for all tests of a build.
XDG_CACHE_HOME=$(dirname -- "$(realpath -- "$2")")/cache
export XDG_CACHE_HOME
unset TASKVEC_INJECT SLURM_PROCID SLURM_NTASKS SLURM_JOB_END_TIME
faults=0

# Processes that run the copied binary.
own_processes() {
    find /proc -maxdepth 2 -path '/proc/[0-9]*/exe' -lname "$program*" -printf '%h\n' 2>/dev/null |
        sed 's|/proc/||'
}

# none_left: all its processes end within 20 seconds.
none_left() {
    local i
    for ((i = 0; i < 200; i++)); do
        if [[ -z $(own_processes) ]]; then return 0; fi
        sleep 0.1
    done
    return 1
}

end_all() {
    local pid
    for pid in $(own_processes); do kill -9 "$pid" 2>/dev/null || true; done
}

finish() {
    end_all
    if mountpoint -q "$work/full" 2>/dev/null; then umount "$work/full"; fi
    rm -rf -- "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

fault() {
    echo "$test_name: $*"
    faults=$((faults + 1))
}
die() { # a fault after which the rest of the test makes no sense
    fault "$@"
    if [[ -s $work/err ]]; then sed 's/^/    > /' "$work/err"; fi
    exit 1
}

# By the symbols: a build with local changes holds their text, which may name __asan_init too.
is_sanitised() { nm -- "$program" | grep -c __asan_init >/dev/null; }

# launch RANKS ARGUMENTS: 0 is a plain start. Output in $work/out and $work/err, exit code in $rc.
launch() {
    local ranks=$1 command=()
    shift
    if ((ranks > 0)); then command=(mpirun "${mpi[@]}" -n "$ranks"); fi
    rc=0
    { timeout -k 5 "${limit:-120}" "${command[@]}" "$program" "$@" >"$work/out" 2>"$work/err" \
        </dev/null; } 2>/dev/null || rc=$? # the shell's own line about a killed process
    none_left || die "after \"$*\" on $ranks ranks processes are left: $(own_processes | xargs)"
}
mpi=(-q --oversubscribe --allow-run-as-root --bind-to none)

journal() { python3 "$here/journal.py" "$@" || die "journal.py $*"; }

digest_of() {
    local out
    out=$(timeout 60 "$program" digest "$1" 2>"$work/err") || die "digest $1: code $?"
    echo "$out"
}

# expect_done RANKS DIR WHAT: the run just launched has finished with the right bits.
expect_done() {
    ((rc == 0)) || die "$2 ($3): code $rc on $1 ranks"
    journal check "$2"
    [[ $(digest_of "$2") == "$wanted" ]] || die "$2 ($3): other bits on $1 ranks"
}

# expect_same_bits CONFIG DIR EVENT: the run of the config in one process, in DIR/one, on 1, 2 and 3 ranks, and on 3 ranks
# after 2 were killed at that event of the journal. Sets $wanted.
expect_same_bits() {
    local ranks
    launch 0 run "$1" -o "$2/one" --quiet --in-process
    ((rc == 0)) || die "in process: code $rc"
    wanted=$(digest_of "$2/one")
    for ranks in 1 2 3; do
        launch "$ranks" run "$1" -o "$2/by $ranks" --quiet
        expect_done "$ranks" "$2/by $ranks" "undisturbed"
    done
    TASKVEC_INJECT=kill-all@event:$3 launch 2 run "$1" -o "$2/killed" --quiet
    ((rc == 137)) || die "killed: code $rc, not 137"
    launch 3 run "$1" -o "$2/killed" --quiet
    expect_done 3 "$2/killed" "killed and resumed"
}

# expect_refusal CONFIG WORDS ARGUMENT...: a run of the config with these arguments ends with 65 and one line that has the words,
# and begins no run.
expect_refusal() {
    local config=$1 words=$2
    shift 2
    launch 0 run "$config" -o "$work/refused" --quiet "$@"
    [[ $rc == 65 && $(wc -l <"$work/err") == 1 ]] || fault "$*: code $rc, not 65 and one line: $(cat "$work/err")"
    grep -qF -- "$words" "$work/err" || fault "$*: no '$words' in $(cat "$work/err")"
    [[ ! -e $work/refused/journal ]] || fault "$*: a run began"
}

conclude() { # SENTENCE
    ((faults == 0)) || exit 1
    echo "$test_name: $*"
}
