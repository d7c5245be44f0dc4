# shellcheck shell=bash disable=SC2154
# cluster.sh - a Slurm of four nodes on this machine's loopback, for tests. cluster_start FOLDER starts
# munged, slurmctld and four slurmd, with key, sockets, logs and spools of their own in FOLDER;
# cluster_end ends them and all that runs under them. Nothing outside FOLDER is read or written.

# cluster_wants: what is missing here for a cluster, or nothing.
cluster_wants() {
    local tool
    if ((EUID != 0)); then echo "only root can start slurmd"; fi
    for tool in munged slurmctld slurmd sbatch srun mpirun; do
        command -v "$tool" >/dev/null || echo "no $tool here (Debian: munge, slurm-wlm)"
    done
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

# cluster_start FOLDER: up to 30 s; exports SLURM_CONF.
cluster_start() {
    local first n
    cluster=$1
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
