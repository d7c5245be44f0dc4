#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2154 # variables of and for common.sh; find_python.sh
# check_writing.sh BINARY [SOURCE] - runs ended by SIGKILL while they write: results.h5, an artifact,
# a checkpoint, config.cfg, or at any moment. After each, every published file is whole, and in the
# end the bits are those of an undisturbed run. TASKVEC_WRITING_KILLS=200 is the full number.
set -euo pipefail
. "$(dirname -- "$0")/common.sh" check_writing "$@"
. "$(dirname -- "$0")/../cli/find_python.sh"
kills=${TASKVEC_WRITING_KILLS:-10} seed=${TASKVEC_TEST_SEED:-1}
if is_sanitised && [[ -z ${TASKVEC_WRITING_KILLS:-} ]]; then kills=5; fi
config="$work/a folder/writing.cfg"
cp -- "$here/writing.cfg" "$config"
if ! python=$(find_python h5py); then
    echo "check_writing: no python3 with h5py: install python3-h5py"
    if [[ ${CI:-} == true ]]; then exit 1; fi
    exit 77
fi

# start DIR: a run in the background; its process in $pid. One that has nothing left to do writes
# config.cfg all the same, since a key that changes no result has another value each time.
start() {
    local folder=$1 other=()
    find "$folder" -name '*.tmp.*' -delete 2>/dev/null || true # of the kill before
    if [[ $folder == "$finished" ]]; then other=(-s "fit.checkpoint_every=$((2 + RANDOM % 9000))"); fi
    "$program" run "$config" "${other[@]}" -o "$folder" --quiet >"$work/out" 2>"$work/err" </dev/null &
    pid=$!
    disown "$pid" # else the shell reports that it was killed
}

pause() { read -r -t "$1" <>"$work/never" || true; }
mkfifo "$work/never"

# kill_at PATTERN [WAIT]: SIGKILL to all of the run when a file of this pattern is there, and up to
# WAIT milliseconds later. False: it ended before.
kill_at() {
    until compgen -G "$1" >/dev/null; do
        kill -0 "$pid" 2>/dev/null || return 1
    done
    if (($2 > 0)); then pause "$(printf '0.%03d' $((RANDOM % $2)))"; fi
    kill -9 "$pid" 2>/dev/null || return 1
    end_all
    none_left || die "processes are left: $(own_processes | xargs)"
}

# one_kill FOLDER PATTERN WAIT: until a run is killed; one that ends before is started again.
one_kill() {
    local folder=$1 pattern=$2 wait=$3 try
    for ((try = 0; try < 100; try++)); do
        start "$folder"
        if kill_at "$pattern" "$wait"; then return 0; fi
        none_left || die "processes are left: $(own_processes | xargs)"
        [[ $folder == "$finished" ]] || check_end
    done
    die "never killed while $pattern was there"
}

# The run in $unfinished was not killed in time: its bits are right, and the next one begins.
check_end() {
    journal check "$unfinished"
    [[ $(digest_of "$unfinished") == "$wanted" ]] || die "other bits after kills"
    ends=$((ends + 1))
    rm -rf -- "$unfinished"
}

half_written() { find "$1" -name '*.tmp.*' 2>/dev/null | wc -l; }

whole() { # FOLDER WHAT
    "$python" "$here/published.py" "$1" >"$work/looked" 2>"$work/err" || die "after a kill while $2: not whole"
    read -r tables tensors <"$work/looked"
    h5=$((h5 + tables)) safetensors=$((safetensors + tensors))
    if (($(half_written "$1") > 0)); then half=$((half + 1)); fi
    if [[ -e "$1/config.cfg" ]]; then
        timeout 60 "$program" status "$1" >"$work/out" 2>"$work/err" || die "after a kill while $2: status: code $?"
    fi
}

trial() { # I
    local i=$1
    case $((i % 5)) in
    0) one_kill "$finished" "$finished/results.h5.tmp.*" 4 && whole "$finished" "results.h5 was written" ;;
    1) one_kill "$unfinished" "$unfinished/artifacts/*/*.tmp.*" 2 && whole "$unfinished" "an artifact was written" ;;
    2) one_kill "$unfinished" "$unfinished/checkpoints/*.tmp.*" 2 && whole "$unfinished" "a checkpoint was written" ;;
    3) one_kill "$finished" "$finished/config.cfg.tmp.*" 0 && whole "$finished" "config.cfg was written" ;;
    4) one_kill "$unfinished" "$unfinished" 900 && whole "$unfinished" "it ran" ;;
    esac
}

finished="$work/a folder/finished" unfinished="$work/a folder/unfinished"
ends=0 h5=0 safetensors=0 half=0
RANDOM=$seed
launch 0 run "$config" -o "$finished" --quiet
((rc == 0)) || die "undisturbed: code $rc"
wanted=$(digest_of "$finished")
for ((i = 0; i < kills; i++)); do trial "$i"; done
launch 0 run "$config" -o "$unfinished" --quiet
check_end
for file in "$finished/results.h5" "$finished"/configs/*.cfg; do
    touch "$file.tmp.host.7" # of no living process: the next run deletes it
done
launch 0 run "$config" -o "$finished" --quiet
[[ $(digest_of "$finished") == "$wanted" ]] || die "other bits of a finished run after kills"
[[ $(half_written "$finished") == 0 ]] || die "a run that ended in order left temporaries: $(ls "$finished")"
((half > 0)) || die "no kill left a half-written file: none came while something was written"
conclude "$kills kills while writing, $half of them with a file half written; $h5 results.h5 and" \
    "$safetensors safetensors files looked at, all whole; one digest, seed $seed, $SECONDS s"
