#!/usr/bin/env bash
# check_bad_inputs.sh BINARY [SOURCE] - every case of tests/bad_inputs/cases.txt is refused with its
# exit code and one clear line, and the input it spoils is accepted.
set -euo pipefail
(($#)) || { echo "usage: check_bad_inputs.sh BINARY [SOURCE]" >&2; exit 64; }
program=$(realpath -- "$1")
inputs=$(cd -- "${2:-$(dirname -- "$0")/../..}" && pwd)/tests/bad_inputs
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
python3 "$inputs/make_models.py" .
cp -- "$inputs/good.cfg" .
mkdir folder
mkfifo pipe
faults=0 cases=0

fault() { # NAME WHAT
    printf '%s\n    %s\n' "$1" "$2"
    sed 's/^/    > /' err
    faults=$((faults + 1))
}

timeout 60 "$program" plan good.cfg >out 2>err || fault "good.cfg" "is refused"

# fields LINE: cuts at " ;; " into the array field.
fields() {
    local rest=$1
    field=()
    while [[ $rest == *" ;; "* ]]; do
        field+=("${rest%%" ;; "*}")
        rest=${rest#*" ;; "}
    done
    field+=("$rest")
}

declare -A kinds=()
while IFS= read -r line; do
    if [[ -z $line || $line == \#* ]]; then continue; fi
    fields "$line"
    name=${field[0]} change=${field[1]} code=${field[3]} pattern=${field[4]}
    ((${#field[@]} == 5)) || { echo "cases.txt: not five fields: $line"; exit 1; }
    read -ra arguments <<<"${field[2]}"
    cases=$((cases + 1))
    kinds[${name%%:*}]=$((${kinds[${name%%:*}]:-0} + 1))
    if [[ $change == - ]]; then change=''; fi
    sed -e "$change" good.cfg >bad.cfg
    if [[ -n $change ]] && cmp -s good.cfg bad.cfg; then fault "$name" "the case changes nothing"; fi
    rc=0
    timeout 60 "$program" "${arguments[@]}" >out 2>err </dev/null || rc=$?
    if [[ $rc != "$code" ]]; then
        fault "$name" "exit code $rc, not $code"
    elif [[ $(wc -l <err) != 1 ]]; then
        fault "$name" "not one line on standard error"
    elif [[ -s out ]]; then
        fault "$name" "something on standard output"
    elif ! grep -qE -- "$pattern" err; then
        fault "$name" "the message does not match $pattern"
    fi
done <"$inputs/cases.txt"

((cases >= 40)) || { echo "only $cases cases"; faults=1; }
for kind in "${!kinds[@]}"; do
    ((${kinds[$kind]} >= 3)) || { echo "only ${kinds[$kind]} cases of kind $kind"; faults=1; }
done
if ((faults)); then
    echo "$faults of $cases bad inputs are not refused as they should be"
    exit 1
fi
