#!/usr/bin/env bash
# check_packaging.sh [BINARY [SOURCE]] - packaging/ and the version: the Spack recipe is Python that names options of
# CMakeLists.txt, the Apptainer definition copies what exists, installs what quickstart.sh installs, and its shell parts
# are valid; CMake, CITATION.cff and CHANGELOG.md have one version.
set -euo pipefail
source=$(cd -- "${2:-$(dirname -- "$0")/..}" && pwd)
cd -- "$source"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
faults=0
fault() {
    echo "check_packaging: $*"
    faults=$((faults + 1))
}

# ---- version
version=$(sed -n 's/^project(taskvec VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fault "CMakeLists.txt has the version '$version'"
grep -qx "version: $version" CITATION.cff || fault "CITATION.cff has another version than $version"
date=$(sed -n "s/^## $version (\([0-9-]*\))$/\1/p" CHANGELOG.md)
[[ $date == 20??-??-?? ]] || fault "CHANGELOG.md does not begin a section with ## $version (DATE)"
grep -q "DATE\[\] = \"$date\"" src/cli/help_man.c || fault "the man page has another date than CHANGELOG.md: $date"

# ---- Spack
recipe=packaging/spack/packages/taskvec/package.py
if command -v python3 >/dev/null; then
    python3 - "$recipe" >"$work/options" <<'END' || fault "$recipe cannot be parsed"
import ast, sys
tree = ast.parse(open(sys.argv[1]).read())
[recipe] = [n for n in tree.body if isinstance(n, ast.ClassDef)]
assert recipe.name == "Taskvec" and recipe.bases[0].id == "CMakePackage" and ast.get_docstring(recipe)
calls = [n for n in ast.walk(recipe) if isinstance(n, ast.Call)]
named = lambda c: c.func.attr if isinstance(c.func, ast.Attribute) else c.func.id
assert {"version", "variant", "depends_on", "license"} <= {named(c) for c in calls}
variants = {c.args[0].value for c in calls if named(c) == "variant"}
for c in calls:
    if named(c) == "define":
        print(c.args[0].value)
    if named(c) == "define_from_variant":
        print(c.args[0].value)
        assert c.args[1].value in variants
END
    while read -r option; do
        case $option in
        TASKVEC_*) grep -qE "^(option|set)\($option " CMakeLists.txt ;;
        *_INCLUDE | *_LIBRARY) grep -q "^dependency(${option%_*} " cmake/dependencies.cmake ;;
        HDF5_ROOT) ;;
        *) false ;;
        esac || fault "$recipe sets $option, which CMake does not know"
    done <"$work/options"
    (($(wc -l <"$work/options") >= 5)) || fault "$recipe sets only: $(cat "$work/options")"
fi

# ---- Apptainer: STAGE.SECTION files of the definition.
definition=packaging/apptainer/taskvec.def
awk -v to="$work/" '/^Stage:/ { stage = $2; section = "" } /^%/ { section = substr($1, 2); next }
    /^Bootstrap:/ { section = "" } section { print > (to stage "." section) }' "$definition"
for part in build.post final.post final.test final.runscript final.environment; do
    sh -n "$work/$part" || fault "$definition: %${part#*.} is not valid"
done
while read -r from _; do
    [[ -z $from || -e $from ]] || fault "$definition copies $from, which does not exist"
done <"$work/build.files"
packages() { tr -s ' \\\n' '\n' | sed -n '/^[a-z]/p' | sort; }
sed -n '/^build_packages=(/,/)$/p' quickstart.sh | sed 's/^build_packages=(//; s/)$//' | packages >"$work/expected"
sed -n '/apt-get install/,/[^\\]$/p' "$work/build.post" | sed 's/.*--no-install-recommends//' | packages >"$work/found"
diff "$work/expected" "$work/found" || fault "$definition installs other packages than quickstart.sh"
grep -qx "    Version $version" "$work/final.labels" || fault "$definition has another version than $version"
((faults == 0))
