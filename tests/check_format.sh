#!/bin/sh
# check_format.sh [BINARY [SOURCE]] - every C file in src/ and tests/ is as clang-format leaves it.
set -eu
source=${2:-$(dirname -- "$0")/..}
if ! command -v clang-format >/dev/null; then
    echo "clang-format is not installed (apt-get install clang-format)"
    [ "${CI:-}" = true ] && exit 1
    exit 77
fi
cd -- "$source"
find src tests -name '*.[ch]' -exec clang-format --style=file --dry-run -Werror {} +
