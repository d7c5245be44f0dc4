#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154,SC2034 # variables of and for common.sh
# check_status.sh BINARY [SOURCE] - status of a running run, from another shell: who works on what
# and for how long; --watch ends with it; after a kill of everything it is "not running" and nothing is
# RUNNING; a lock whose holder lives on another host is kept, whatever its clock says.
set -euo pipefail
. "$(dirname -- "$0")/../mpi/common.sh" check_status "$@"
config="$work/a folder/tiny.cfg"
cp -- "$here/tiny.cfg" "$config"
long=(-s pretrain.steps=2000 -s pretrain.checkpoint_every=50)
if is_sanitised; then long=(-s pretrain.steps=500 -s pretrain.checkpoint_every=50); fi
folder="$work/a folder/run"

begin() { # a run on 2 ranks in the background
    mpirun "${mpi[@]}" -n 2 "$program" run "$config" -o "$folder" --quiet "${long[@]}" \
        >"$work/out" 2>"$work/err" </dev/null &
    pid=$!
}
when_at_work() { # until it left a checkpoint
    local i
    for ((i = 0; i < 600; i++)); do
        if grep -qs $'\tcheckpoint\t' "$folder/journal"; then return; fi
        sleep 0.05
    done
    die "no checkpoint within 30 s"
}
expect() { # CODE PATTERN ARGUMENTS OF status
    local code=$1 pattern=$2
    shift 2
    rc=0
    timeout 60 "$program" status "$folder" "$@" >"$work/status" 2>&1 || rc=$?
    ((rc == code)) || fault "status $*: code $rc, not $code: $(cat "$work/status")"
    grep -qE -- "$pattern" "$work/status" || fault "status $*: no \"$pattern\" in: $(cat "$work/status")"
}
reject() { # PATTERN: the last status does not say it
    if grep -qE -- "$1" "$work/status"; then fault "status says \"$1\": $(cat "$work/status")"; fi
}

# ---- killed: not running
begin
when_at_work
expect 75 "^running on $(hostname), process [0-9]+, 2 ranks, since .*, heard [0-9]+ s ago" --exit-code
expect 0 "^RUNNING  pretrain\[0\] on rank 0,1 \($(hostname)\) for [0-9]+ s, checkpoint at [0-9]+%"
expect 0 '"state":"RUNNING","ranks":"0,1","hosts":"[^"]+","seconds":[0-9.]+' --json
end_all
wait "$pid" 2>/dev/null || true
none_left || die "processes are left: $(own_processes | xargs)"
expect 75 '^not running: its last attempt died' --exit-code
reject 'RUNNING|^running'
expect 0 '17 PENDING'
expect 75 '^not running' --watch --every 1 --exit-code

# ---- watched to its end
begin
for ((i = 0; i < 600; i++)); do # the second attempt's lock
    if timeout 10 "$program" status "$folder" 2>/dev/null | grep -q '^running'; then break; fi
    sleep 0.05
done
expect 0 '^[0-9TZ:-]+  [0-9]+ of 17 jobs done, [0-9]+ running, .* to go' --watch --every 1 --exit-code
grep -qE '17 DONE; 2 attempts' "$work/status" || fault "the last word of --watch: $(cat "$work/status")"
grep -q '^not running$' "$work/status" || fault "--watch ended before the run: $(cat "$work/status")"
wait "$pid" || fault "the watched run: code $?"
expect 64 '--every needs --watch' --every 1

# ---- a finished job whose artifact is missing or truncated is not done
artifact=$(find "$folder/artifacts" -name '*.safetensors' | sort | head -n 1)
cp -- "$artifact" "$work/kept"
truncate -s -1 -- "$artifact"
expect 75 '17 jobs, 1 PENDING, 16 DONE' --exit-code
rm -- "$artifact"
expect 75 '17 jobs, 1 PENDING, 16 DONE' --exit-code
cp -- "$work/kept" "$artifact"
expect 0 '17 jobs, 17 DONE' --exit-code
none_left || die "processes are left: $(own_processes | xargs)"

# ---- a lock that names nobody
for content in '' 'garbage'; do
    printf '%s' "$content" >"$folder/lock"
    expect 0 '^not running: its lock is unreadable' --exit-code
    rm -- "$folder/lock"
done

# ---- a holder on another host, whose clock is three hours behind and whose heart beats
printf 'host node17.elsewhere\npid 4242\nborn 1\nslurm 77\nstarted 2020-01-01T00:00:00Z\n' >"$folder/lock"
(while sleep 0.5; do touch -d '-3 hours' "$folder/lock"; done) &
beating=$!
launch 0 run "$config" -o "$folder" --quiet "${long[@]}"
kill "$beating"
wait "$beating" 2>/dev/null || true
((rc == 65)) || fault "a folder in use on another host: code $rc, not 65: $(cat "$work/err")"
grep -q 'in use by process 4242 on node17.elsewhere (Slurm job 77' "$work/err" ||
    fault "it does not name the host: $(cat "$work/err")"
expect 0 '^not running: its last attempt, on node17.elsewhere, has been silent for 1[0-9]{4} s'
rm -- "$folder/lock"
conclude "status tells who works on what, watches a run to its end, and calls a killed one not running;" \
    "a live lock of another host stands"
