# shellcheck shell=bash disable=SC2034,SC2154
# asking.sh - a run in the background that is asked to stop. Sourced after common.sh.

# begin RANKS ARGUMENTS: as launch(), in the background with default signals; $pid, also of mpirun.
begin() {
    local ranks=$1 command=()
    shift
    if ((ranks > 0)); then command=(mpirun "${mpi[@]}" -n "$ranks"); fi
    set -m # a background job of a script ignores SIGINT otherwise
    "${command[@]}" "$program" "$@" >"$work/out" 2>"$work/err" </dev/null &
    pid=$!
    set +m
    asked=''
}

# lines_of KIND DIR: journal lines of that kind, 0 while there is no journal.
lines_of() {
    local n
    n=$(grep -c $'\t'"$1"$'\t' "$2/journal" 2>/dev/null) || true
    echo "${n:-0}"
}

# when_at_work DIR [EVENT [COUNT]]: waits until the journal holds so many events (1), and the run is
# still there.
when_at_work() {
    local i
    for ((i = 0; i < 1200; i++)); do
        if (($(lines_of "${2:-checkpoint}" "$1") >= ${3:-1})); then
            kill -0 "$pid" 2>/dev/null || die "$1: it ended before it was asked"
            return
        fi
        sleep 0.05
    done
    die "$1: no ${2:-checkpoint} within 60 s"
}

milliseconds() { echo $((${EPOCHREALTIME/./} / 1000)); }

ask() { # SIGNAL [PID ...]: to the run unless told otherwise; the first one starts the clock
    local signal=$1
    shift
    kill -s "$signal" "${@:-$pid}"
    asked=${asked:-$(milliseconds)}
}

# expect_exit SECONDS: the run exits within this time after the request; its exit code in $rc.
expect_exit() {
    local i
    for ((i = 0; i < 20 * ($1 + 20); i++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    took=$(($(milliseconds) - asked))
    if kill -0 "$pid" 2>/dev/null; then die "it has not exited $(($1 + 20)) s after the request"; fi
    rc=0
    { wait "$pid"; } 2>/dev/null || rc=$?
    ((took <= 1000 * $1)) || fault "exited after $took ms, not within $1 s"
    none_left || die "processes are left: $(own_processes | xargs)"
}

calm() { # no traces: at most the lines of the program itself
    if grep -qiE 'signal code|stack|backtrace|\[[0-9]+\] ' "$work/err"; then
        fault "$1: not calm:"$'\n'"$(cat "$work/err")"
    fi
}
