#!/usr/bin/env bash
# text_faults.sh BINARY SOURCE PROBE - task files with faults, strange texts, seeds and names: see text_faults.py.
set -euo pipefail
binary=$(realpath -- "$1") source_dir=$(cd -- "$2" && pwd) probe=$(realpath -- "$3")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
export ASAN_OPTIONS=detect_leaks=0 PYTHONDONTWRITEBYTECODE=1
python3 "$source_dir/tests/mpi/make_text_model.py" "$work/model" 700
rm "$work"/model/*.task
python3 "$source_dir/tests/cli/text_faults.py" "$binary" "$probe" "$work/model" "$work"
