#!/bin/bash
# farm.sh PROBE RANKS: the farm on RANKS ranks, with real ranks and children and synthetic jobs. What a
# single message does is tested in tests/par. Silent when all is well.
probe=$1 ranks=$2
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
folder=${TMPDIR:-/tmp}
[ -w /dev/shm ] && folder=/dev/shm # these tests kill processes, not machines: spare the disk
work=$(mktemp -d -p "$folder") || exit 1
trap 'rm -rf "$work"' EXIT
bad=0
fail() { echo "ranks $ranks: $*"; bad=1; }

# farm N DIR PLAN ...: output in $out, exit code in $rc.
farm() {
  local n=$1
  shift
  if [ "$n" = 1 ]; then out=$(timeout 60 "$probe" "$@" 2>"$work/stderr"); else
    out=$(timeout 60 mpirun -q -n "$n" "$probe" "$@" 2>"$work/stderr")
  fi
  rc=$?
}
digest() { sed -n 's/^digest=\([0-9a-f]*\).*/\1/p' <<<"$out"; }
expect() { # expect WHAT PATTERN
  grep -Eq -- "$2" <<<"$out" || fail "$1: expected \"$2\", got rc $rc, $out, $(tail -3 "$work/stderr")"
}
same() { [ "$(digest)" = "$reference" ] || fail "$1: digest $(digest), expected $reference"; }

# The same bits in the program itself and on any number of ranks; a finished run has nothing to do.
farm 1 "$work/here" mixed --in-process
reference=$(digest)
expect 'in process' '^done=34 failed=0 blocked=0 pending=0 now=34 exit=0'
farm "$ranks" "$work/a" mixed
expect mixed '^done=34 failed=0 blocked=0 pending=0 now=34 exit=0'
same mixed
farm "$ranks" "$work/a" mixed
expect 'nothing to do' '^done=34 .* now=0 exit=0'
expect 'nothing to do' 'attempts=1 '

# Every rank of a group computed at least one shard.
[ "$ranks" -ge 4 ] && expect shards '^group job=15 ranks=[0-9],[0-9],[0-9],[0-9] shards=0:0-1,1:2-3,2:4-5,3:6-7$'

# A job that crashes costs itself, and what reads it, only; it is not tried again unless told.
sanitized=$(nm -C "$probe" 2>/dev/null | grep -c '__asan_init')
TASKVEC_INJECT=segv@job:3 farm "$ranks" "$work/segv" mixed
expect segv '^done=32 failed=1 blocked=1 pending=0 now=32 exit=1'
expect segv '^failed job=3 class=segv '
[ "$rc" = 1 ] || fail "segv: rc $rc"
farm "$ranks" "$work/segv" mixed
expect 'no retry' '^done=32 failed=1 blocked=1 pending=0 now=0 exit=1'
farm "$ranks" "$work/segv" mixed --retry-failed
expect retry '^done=34 failed=0 blocked=0 pending=0 now=2 exit=0'
same retry

# The child of one rank of a group dies: the job of the group fails, and no rank waits for it.
TASKVEC_INJECT=segv@job:14 farm "$ranks" "$work/group" mixed
expect 'group crash' '^done=31 failed=1 blocked=2 pending=0 now=31 exit=1'
expect 'group crash' '^failed job=14 class=segv '

# A row that is not of its columns is a bug of the program: the run ends with 70, under mpirun too.
farm "$ranks" "$work/refused" refused
[ "$rc" = 70 ] || fail "refused row: rc $rc, expected 70; $out $(cat "$work/stderr")"
grep -q 'refused\[0\] on rank [0-9]*: column kind of a row' "$work/stderr" || fail "refused row: $(cat "$work/stderr")"

# Large messages of a group: in shared memory, after a crash in that of the children before, and
# through the sockets where there is no room for it.
farm "$ranks" "$work/sum" sum:3
expect sums '^done=2 failed=0 '
TASKVEC_INJECT=segv@job:0 farm "$ranks" "$work/sum2" sum:2
expect 'sums after a crash' '^done=1 failed=1 '
if [ "$sanitized" = 0 ]; then
  limit=$(ulimit -S -v)
  ulimit -S -v 2000000
  farm "$ranks" "$work/sum3" sum:2
  ulimit -S -v "$limit"
  expect 'sums through sockets' '^done=2 failed=0 '
fi

# All processes killed at chosen lines of the journal, resumed on other numbers of ranks.
n=$ranks
for line in 17 75; do
  TASKVEC_INJECT=kill-all@event:$line farm "$n" "$work/killed" mixed
  [ "$rc" = 0 ] && fail "kill-all@event:$line: rc 0"
  n=$((n % 3 + 1))
done
farm "$n" "$work/killed" mixed
expect 'killed and resumed' '^done=34 failed=0 blocked=0 pending=0'
expect 'killed and resumed' 'twice=0 rows_missing=0'
same 'killed and resumed'

# USR1: a checkpoint, exit with 75; the run is resumed from there and gives the same bits.
farm 1 "$work/whole" steps:300 --in-process
reference=$(digest)
if [ "$ranks" = 1 ]; then "$probe" "$work/stop" steps:300 >"$work/out" 2>"$work/stderr" & else
  mpirun -q -n "$ranks" "$probe" "$work/stop" steps:300 >"$work/out" 2>"$work/stderr" &
fi
pid=$!
for _ in $(seq 200); do
  grep -q checkpoint "$work/stop/journal" 2>/dev/null && break
  sleep 0.05
done
kill -USR1 "$pid"
wait "$pid"
rc=$? out=$(cat "$work/out")
[ "$rc" = 75 ] || fail "USR1: rc $rc, expected 75; $out $(cat "$work/stderr")"
expect USR1 '^done=0 failed=0 blocked=0 pending=1 now=0 exit=75'
farm "$ranks" "$work/stop" steps:300
expect 'after USR1' '^done=1 .* exit=0'
expect 'after USR1' 'rows=300 twice=0 rows_missing=0 attempts=2'
made=$(grep -c "$(printf '\tcheckpoint\t')" "$work/stop/journal")
[ "$made" -le 31 ] || fail "after USR1: $made checkpoints of 31: it did not continue from its checkpoint"
same 'after USR1'

# Ranks on different machines, a directory in use.
if [ "$ranks" -gt 1 ]; then
  PROBE_OTHER_MACHINE=haswell farm "$ranks" "$work/m" mixed
  [ "$rc" = 65 ] && grep -q 'OPENBLAS_CORETYPE=Haswell' "$work/stderr" || fail "mixed machines: rc $rc, $(cat "$work/stderr")"
fi
mkdir -p "$work/busy"
"$probe" "$work/busy" sleep:40 >/dev/null 2>&1 &
pid=$!
for _ in $(seq 100); do [ -e "$work/busy/lock" ] && break; sleep 0.05; done
farm "$ranks" "$work/busy" sleep:40
[ "$rc" = 65 ] && grep -q "in use by process $pid on " "$work/stderr" || fail "busy: rc $rc, $(cat "$work/stderr")"
wait "$pid"
exit $bad
