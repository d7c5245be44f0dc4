#!/usr/bin/env bash
# quickstart.sh - from a clone to the first table and figure, or to tested sources.
set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

build_packages=(build-essential cmake ninja-build pkg-config libopenmpi-dev openmpi-bin libhdf5-dev
    libopenblas-pthread-dev liblapacke-dev libconfig-dev librandom123-dev libjansson-dev nettle-dev
    libpcre2-dev libunistring-dev)
figure_packages=(python3-h5py python3-numpy python3-matplotlib)
test_packages=(libcmocka-dev libxgboost-dev libdnnl-dev clang-format shellcheck hdf5-tools python3-tables python3-pandas
    python3-scipy git slurm-wlm munge groff-base mandoc zsh)

config=experiments/quickstart.cfg
results=results/quickstart
drawn=plain,ltv,fv,icv,constant,bias_only,window,least_squares # the methods in the figure
takes="about two minutes"

usage() {
    cat <<'END'
usage: ./quickstart.sh [-n RANKS]              install dependencies, build, run, show the table and the figure
       ./quickstart.sh --text [-n RANKS]       the same for text, on the shipped word model
       ./quickstart.sh test [-n RANKS]         install, build, run the tests that take less than 20 s each
       ./quickstart.sh test --all [-n RANKS]   every test, in release with -Werror and under ASan + UBSan

Installs missing Debian packages with apt-get, as root or with sudo, and lists them.
Builds in build/ and writes results/quickstart/ (--text: results/text_quickstart/). If it was interrupted,
run it again: it resumes, and finished work is not repeated. RANKS: MPI ranks and build jobs (default: one
per core).
On other systems, first install the libraries listed in README.md; the script then only builds and runs.
END
}

say() { printf '\n== %s\n' "$*"; }
die() {
    printf 'quickstart.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

# ---- cores this process may use: its CPU mask, and a container's quota.
cores() {
    local n quota period
    n=$(nproc)
    if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [[ $quota != max ]]; then
        quota=$(((quota + period - 1) / period))
        if ((quota < n)); then n=$quota; fi
    fi
    echo "$n"
}

# ---- packages: only dpkg is asked, so the network is not used when nothing is missing.
missing_packages() {
    local package state
    for package in "$@"; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
        [[ $state == installed ]] || echo "$package"
    done
}

# without_daemons COMMAND: as root, runs COMMAND so that installed packages (munge, Slurm) do not start their daemons.
without_daemons() {
    local policy=/usr/sbin/policy-rc.d
    if [[ -e $policy ]]; then
        "$@"
        return
    fi
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    "$@"
}

install_packages() {
    local missing as_root=()
    if ! command -v dpkg-query >/dev/null; then
        say "not a Debian system: the libraries listed in README.md must already be installed"
        return
    fi
    mapfile -t missing < <(missing_packages "$@")
    if ((${#missing[@]} == 0)); then return; fi
    if ((EUID != 0)); then
        command -v sudo >/dev/null ||
            die "not root and sudo not found; ask an administrator to run: apt-get install ${missing[*]}" 71
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update </dev/null
    "${as_root[@]}" bash -c "$(declare -f without_daemons); without_daemons \"\$@\"" bash \
        env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
        "${missing[@]}" </dev/null >/dev/null
}

build() { # PRESET TARGET
    say "building preset $1 in build/$1"
    mkdir -p "build/$1"
    cmake --preset "$1" >"build/$1/configure.log" 2>&1 || {
        cat "build/$1/configure.log" >&2
        die "cmake --preset $1 failed"
    }
    cmake --build "build/$1" --target "$2" -j "$ranks"
}

# ---- settings that Open MPI needs in containers and on machines with few cores.
mpi_settings() {
    export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
    export OMPI_MCA_plm_rsh_agent=false # one machine: ssh is not needed, and may not be installed
    if ((EUID == 0)); then
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
}

# The first python on PATH need not be the one for which Debian installs packages.
find_python() { # MODULES
    local python
    for python in python3 /usr/bin/python3 /usr/local/bin/python3 python; do
        if "$python" -c "import $1" >/dev/null 2>&1; then
            echo "$python"
            return
        fi
    done
    return 1
}

draw_figure() {
    local figure=$results/figure.png python
    if [[ $figure -nt $results/results.h5 && -z $(find analysis -name 'figure*.py' -newer "$figure") ]]; then
        echo "figure:  $figure"
    elif python=$(find_python "h5py, numpy, matplotlib"); then
        "$python" analysis/figure.py "$results/results.h5" -o "$figure" --methods "$drawn" >/dev/null
        echo "figure:  $figure"
    else
        echo "figure:  not drawn: no python3 found that can import h5py, numpy and matplotlib"
    fi
}

run_quickstart() {
    local launch=() rc=0
    install_packages "${build_packages[@]}" "${figure_packages[@]}"
    build release taskvec
    if ((ranks > 1)); then launch=(mpirun -q -n "$ranks"); fi
    say "running $config on $ranks rank(s): $takes of computing in all"
    "${launch[@]}" build/release/taskvec run "$config" -o "$results" || rc=$?
    if ((rc == 1 || rc > 128)); then # perhaps that of mpirun, which replaces the code of a run that was stopped
        rc=0
        build/release/taskvec status --exit-code "$results" >/dev/null 2>&1 || rc=$?
    fi
    if ((rc == 75)); then
        die "the run was stopped: work remains, to resume: $command" 75
    elif ((rc != 0)); then
        die "the run ended with code $rc; for the reason: build/release/taskvec status $results" "$rc"
    fi
    say "taskvec table $results"
    build/release/taskvec table "$results"
    echo
    echo "results: $results/results.h5"
    draw_figure
}

# failures LOG: the output of the tests that failed, repeated at the end of a long log.
failures() {
    awk '/^ *(Start +[0-9]+:|[0-9]+\/[0-9]+ Test +#)/ { shown = /\*\*\*/ && !/\*\*\*(Skipped|Not Run)/ }
        /^[0-9]+% tests passed/ { exit }
        shown' "$1"
}

# slowest LOG: the ten tests that took longest.
slowest() {
    sed -En 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) \.+ *[^0-9]* ([0-9.]+) sec *$/\2 \1/p' "$1" |
        sort -rn | awk 'NR <= 10 { printf "%8.1f s  %s\n", $1, $2 }'
}

# run_tests: without the label slow in one preset, or with --all everything in two.
run_tests() {
    local preset presets=(release) chosen=(-LE slow) log failed=0
    if ((all)); then presets=(ci dev) chosen=() test_packages+=(chromium); fi # check_report draws pages with it
    install_packages "${build_packages[@]}" "${figure_packages[@]}" "${test_packages[@]}"
    export TASKVEC_REQUIRE_MODELS=1
    if [[ ${CI:-} == true ]]; then export TASKVEC_REQUIRE_FIXTURES=1; fi
    for preset in "${presets[@]}"; do
        build "$preset" all
        say "tests of preset $preset"
        log=build/$preset/ctest.log
        ctest --preset "$preset" "${chosen[@]}" -j "$ranks" 2>&1 | tee "$log" || failed=1
    done
    for preset in "${presets[@]}"; do
        log=build/$preset/ctest.log
        say "preset $preset: the slowest tests, and the result"
        slowest "$log"
        failures "$log"
        sed -n '/tests passed/,$p' "$log"
    done
    if ((!all)); then echo "The slow tests were left out: ./quickstart.sh test --all runs them too."; fi
    return $failed
}

command="./quickstart.sh${*:+ $*}"
action=run all=0 text=0 ranks=$(cores)
while (($#)); do
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    test) action='test' ;;
    --all) all=1 ;;
    --text) text=1 ;;
    -n)
        [[ ${2:-} =~ ^[1-9][0-9]{0,4}$ ]] || die "-n needs a number of ranks, got '${2:-}'" 64
        ranks=$2
        shift
        ;;
    *) die "unknown argument '$1'; ./quickstart.sh --help" 64 ;;
    esac
    shift
done

if ((all)) && [[ $action != test ]]; then die "--all belongs to test: ./quickstart.sh test --all" 64; fi
if ((text)); then
    if [[ $action == test ]]; then die "--text does not go with test, which covers both" 64; fi
    config=experiments/text/quickstart.cfg
    results=results/text_quickstart
    drawn=plain,ltv,fv,constant,random
fi
trap 'die "interrupted: work remains, to resume: $command" 130' INT TERM
mpi_settings
if [[ $action == test ]]; then run_tests; else run_quickstart; fi
