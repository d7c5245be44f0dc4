# shellcheck shell=bash disable=SC2154
# cluster.sh - a Slurm of four nodes on this machine's loopback, for tests. cluster_start starts munged,
# slurmctld and four slurmd, with key, sockets, logs and spools of their own in $work/slurm; cluster_end
# ends them and all that runs under them. Nothing outside that folder is read or written. Sourced after
# common.sh.

skip() {
    echo "$test_name: skipped, $*"
    exit 77
}

# cluster_require: skips the test where no cluster can be started, and under the sanitisers, which see the
# same code without Slurm. Missing programs are a failure with CI=true.
cluster_require() {
    local tool missing=()
    if is_sanitised; then skip "the sanitisers see the same code without Slurm"; fi
    ((EUID == 0)) || skip "only root can start slurmd"
    for tool in munged slurmctld slurmd sbatch srun mpirun; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    if ((${#missing[@]})); then
        if [[ ${CI:-} == true ]]; then die "not found: ${missing[*]}"; fi
        skip "not found: ${missing[*]} (Debian: munge, slurm-wlm, openmpi-bin)"
    fi
    trap 'cluster_end; finish' EXIT
    unset "${!SLURM_@}" "${!SBATCH_@}" # of a job that runs this test
    chmod 711 "$work" # munged refuses a socket that others cannot reach
}

# free_ports: the first of five free ports in a row.
free_ports() {
    local first port taken
    taken=$(sed -n 's/^ *[0-9]*: [0-9A-F]*:\([0-9A-F]\{4\}\) .*/0x\1/p' /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        xargs -r printf '%d\n')
    for ((first = 17000; first < 17800; first += 8)); do
        for ((port = first; port < first + 5; port++)); do
            if grep -qx "$port" <<<"$taken"; then continue 2; fi
        done
        echo "$first"
        return
    done
    return 1
}

cluster_conf() { # HOST FIRST_PORT
    cat <<END
ClusterName=test
SlurmctldHost=$1(127.0.0.1)
SlurmctldPort=$2
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$cluster/munge.socket,cred_expire=5
StateSaveLocation=$cluster/state
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmctldLogFile=$cluster/slurmctld.log
SlurmdSpoolDir=$cluster/spool.%n
SlurmdPidFile=$cluster/slurmd.%n.pid
SlurmdLogFile=$cluster/slurmd.%n.log
TmpFS=$cluster/tmp.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=1
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
KillWait=5
MinJobAge=300
JobRequeue=0
NodeName=n[1-4] NodeHostname=$1 NodeAddr=127.0.0.1 Port=[$(($2 + 1))-$(($2 + 4))] CPUs=8 RealMemory=16000
PartitionName=all Nodes=ALL Default=YES State=UP MaxTime=INFINITE
END
}

# daemon NAME COMMAND: in the background, as one of $cluster_daemons.
cluster_daemons=()
daemon() {
    local name=$1
    shift
    "$@" >"$cluster/$name.out" 2>&1 </dev/null &
    cluster_daemons+=($!)
}

# soon SECONDS COMMAND: until it succeeds.
soon() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= deadline)); then return 1; fi
        sleep 0.2
    done
}

all_idle() { [[ $(timeout 5 sinfo -h -o '%T %D') == 'idle 4' ]]; }

# start_daemons: up to 40 s; exports SLURM_CONF.
start_daemons() {
    local first n
    cluster=$work/slurm
    mkdir -p "$cluster"/state "$cluster"/{spool,tmp}.n{1,2,3,4}
    chmod 711 "$cluster"
    first=$(free_ports) || return 1
    cluster_conf "$(hostname)" "$first" >"$cluster/slurm.conf"
    echo "CgroupPlugin=cgroup/v1" >"$cluster/cgroup.conf" # unused; looking for one ends slurmd where none is mounted
    export SLURM_CONF=$cluster/slurm.conf
    (umask 077 && head -c 128 /dev/urandom >"$cluster/munge.key")
    daemon munged munged -F --socket="$cluster/munge.socket" --key-file="$cluster/munge.key" \
        --log-file="$cluster/munged.log" --pid-file="$cluster/munged.pid" --seed-file="$cluster/munged.seed"
    soon 10 test -S "$cluster/munge.socket" || return 1
    daemon slurmctld slurmctld -D
    for n in n1 n2 n3 n4; do daemon "slurmd.$n" slurmd -D -N "$n"; done
    soon 30 all_idle
}

# cluster_refused: the output of a daemon that ended by itself; nothing if all of them run.
cluster_refused() {
    local i name
    local names=(munged slurmctld slurmd.n1 slurmd.n2 slurmd.n3 slurmd.n4)
    for i in "${!cluster_daemons[@]}"; do
        name=${names[i]}
        if ! kill -0 "${cluster_daemons[i]}" 2>/dev/null; then
            echo "$name: $(tail -n 2 "$cluster/$name.out" | xargs -0)"
            return
        fi
    done
}

# cluster_start: skips the test where a daemon refuses to run on this machine.
cluster_start() {
    local refused
    if start_daemons; then return; fi
    refused=$(cluster_refused)
    [[ -z $refused ]] || skip "this machine does not let Slurm start: $refused"
    tail -n 20 "$cluster"/*.out
    die "the cluster does not start"
}

# Processes of this cluster, its jobs' steps included: their environment names its slurm.conf.
cluster_processes() {
    grep -lzsxF "SLURM_CONF=$cluster/slurm.conf" /proc/[0-9]*/environ | cut -d/ -f3
}

cluster_end() {
    local pid
    if [[ -z ${cluster:-} ]]; then return; fi
    for pid in "${cluster_daemons[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in $(cluster_processes); do kill -KILL "$pid" 2>/dev/null || true; done
    wait "${cluster_daemons[@]}" 2>/dev/null || true
}
