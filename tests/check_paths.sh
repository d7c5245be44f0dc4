#!/usr/bin/env bash
# check_paths.sh [BINARY [SOURCE]] - what the documents name exists: files and folders, functions written `name()`, and
# ctest names such as `par.worker`; and the documents that comments of the source name. Then it finds four wrong names.
# shellcheck disable=SC2016 # backquotes of Markdown
set -euo pipefail
export LC_ALL=C
source=$(cd -- "${2:-$(dirname -- "$0")/..}" && pwd)
cd -- "$source"

# FILE:LINE:NAME of what a page names. Words in capitals are placeholders.
paths() { grep -noE '(src|tests|docs|experiments|analysis|slurm|cmake|\.ci)/[A-Za-z0-9_./*-]*' "$@" | grep -vE ':[^:]*[A-Z]{4}' | sed -E 's/[.,]+$//' || true; }
functions() { grep -noE '`[a-z][a-z0-9_]*\(\)`' "$@" | tr -d '`()' || true; }
places() { # `name()` in `file`, `name()` (`file`): NAME@FILE
    grep -noE '`[a-z][a-z0-9_]*\(\)` (in |\()`[A-Za-z0-9_./]*`' "$@" | sed -E 's/`([a-z0-9_]+)\(\)` (in |\()`([^`]*)`/\1@\3/' || true
}
tests() { # only of pages that name no keys, which look the same
    grep -noE '`[a-z0-9]+\.[a-z][a-z0-9_]*`' "$@" | tr -d '`' | grep -vE '^docs/(config|methods|results)|\.(cfg|py|md|sh|h5|json|model|safetensors)$' || true
}

path_exists() { compgen -G "$1" >/dev/null; }
function_exists() { grep -rqE "\b$1\(" src; }
place_exists() { grep -qE "^[a-z].*\b${1%@*}\(" "${1#*@}"; } # declared or defined there
test_exists() { # FOLDER.NAME; true for what is in no folder of tests
    local folder=${1%%.*} name=${1#*.}
    case $folder in
    program) [[ -n $(find tests -name "$name.sh") ]] ;;
    mpi) [[ -e tests/mpi/${name%_[0-9]}.sh ]] ;;
    fuzz) [[ -e tests/fuzz/fuzz_${name#replay_}.c ]] ;;
    *) [[ -z $(find tests -type d -name "$folder") || -n $(find tests -path "*/$folder/test_$name.c") ]] ;;
    esac
}

faults() { # PAGE...: one line for each name that does not exist
    local kind file line name
    for kind in path function place test; do
        while IFS=: read -r file line name; do
            "${kind}_exists" "$name" || echo "$file:$line: no $kind $name"
        done < <("${kind}s" "$@" | sort -u)
    done
}

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
faults README.md CONTRIBUTING.md docs/*.md slurm/README.md results/README.md >"$work/found"
grep -rnoE 'docs/[a-z_]+\.md' src | while IFS=: read -r file line name; do
    [[ -e $name ]] || echo "$file:$line: no $name"
done >>"$work/found"
cat "$work/found"

echo 'See src/par/nothing.c, `no_such_function()`, `job_row()` in `src/main.c` and `program.check_nothing`.' >"$work/wrong.md"
[[ $(faults "$work/wrong.md" /dev/null | wc -l) == 4 ]] || { echo "check_paths.sh does not find wrong names"; exit 1; }
[[ ! -s $work/found ]]
