# shellcheck shell=sh
# find_python.sh - sourced by scripts that need a Python with certain modules.

# find_python MODULES ("h5py, numpy"): prints the first of TASKVEC_PYTHON, python3 and
# /usr/bin/python3 that can import them all; fails where none can.
find_python() {
    for candidate in "${TASKVEC_PYTHON:-}" python3 /usr/bin/python3; do
        if [ -n "$candidate" ] && "$candidate" -c "import $1" 2>/dev/null; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}
