#!/bin/bash
# par.sh PROBE RANKS: barrier and gather on RANKS ranks. Silent when all is well.
probe=$1 ranks=$2
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
bad=0
for what in wait many; do
  if [ "$ranks" = 1 ]; then timeout 60 "$probe" $what; else timeout 60 mpirun -q -n "$ranks" "$probe" $what; fi
  rc=$?
  [ "$rc" = 0 ] || { echo "ranks $ranks: $what: rc $rc"; bad=1; }
done
exit $bad
