#!/bin/sh
# check_layers.sh [BINARY [SOURCE]] - src/LAYERS holds: who includes whom, and whose library is whose.
#
# Every include in src/ must be "floor/file.h" of a floor that LAYERS allows, or <header.h> that is
# behind no other floor's door. Comments, continued lines, digraphs and trigraphs are undone first,
# so the spelling does not matter; what cannot be read as one of the two forms is refused. Then the
# checker is fed a tree of evasions: it must flag every one, and none of the lawful files.
set -eu
export LC_ALL=C

source=${2:-$(dirname -- "$0")/..}
source=$(cd -- "$source" && pwd)

# check SRC: one line for each fault, nothing when all is well.
check() {
    (
        cd -- "$1"
        [ -f LAYERS ] || { echo "LAYERS: missing"; exit; }
        find . ! -type d ! -name LAYERS | sed 's|^\./||' | sort >"$work/files"
        awk -v floors_file=LAYERS '
        function fault(text) { print FILENAME ":" line ": " text }

        # ---- LAYERS: "floor: floors" and "<door: floors".
        function read_layers(   row, name, n, words, i) {
            while ((getline row < floors_file) > 0) {
                if (row ~ /^#/ || row ~ /^[ \t]*$/) continue
                if (row !~ /^[^: \t]+:/) { print "LAYERS: cannot read \"" row "\""; continue }
                name = row; sub(/:.*/, "", name)
                sub(/^[^:]*:/, "", row)
                n = split(row, words, " ")
                for (i = 1; i <= n; i++) {
                    if (!(words[i] in floor)) print "LAYERS: " name ": " words[i] " is not a floor above this line"
                    allowed[name, words[i]] = 1
                }
                if (name ~ /^</) doors[++n_doors] = name
                else floor[name] = 1
            }
        }

        # ---- from bytes to logical lines without comments, as the compiler sees them.
        function untrigraph(s) {
            gsub(/\?\?=/, "#", s); gsub(/\?\?\//, "\\", s)
            return s
        }
        function strip(s,   out, at, mark, rest) {
            out = ""
            while (s != "") {
                if (in_comment) {
                    at = index(s, "*/")
                    if (!at) return out
                    s = substr(s, at + 2); in_comment = 0; out = out " "
                    continue
                }
                if (!match(s, /\/\*|\/\/|"|\047/)) return out s
                mark = substr(s, RSTART, RLENGTH)
                out = out substr(s, 1, RSTART - 1)
                rest = substr(s, RSTART + RLENGTH)
                if (mark == "//") return out
                if (mark == "/*") { in_comment = 1; s = rest; continue }
                out = out mark
                while (rest != "" && substr(rest, 1, 1) != mark) {
                    at = substr(rest, 1, 1) == "\\" ? 2 : 1
                    out = out substr(rest, 1, at); rest = substr(rest, at + 1)
                }
                out = out substr(rest, 1, 1); s = substr(rest, 2)
            }
            return out
        }

        # ---- one include.
        function check_door(header,   d, tail, at) {
            for (d = 1; d <= n_doors; d++) {
                tail = header
                for (;;) {
                    if (index(tail, substr(doors[d], 2)) == 1) {
                        if (!((doors[d], from) in allowed)) fault("<" header "> is behind the door \"" doors[d] "\", which is not open to " from)
                        return
                    }
                    at = index(tail, "/")
                    if (!at) break
                    tail = substr(tail, at + 1)
                }
            }
        }
        function check_include(what,   name, to) {
            gsub(/^[ \t\v\f\r]+|[ \t\v\f\r]+$/, "", what)
            name = substr(what, 2, length(what) - 2)
            if (what !~ /^"[^"<>]+"$/ && what !~ /^<[^"<>]+>$/) { fault("cannot read include " what ": write \"floor/file.h\" or <header.h>"); return }
            if (name ~ /(^|\/)\.\.?(\/|$)/ || name ~ /^\// || name ~ /\/\// || name ~ /\\/) { fault("include of " what ": no . or .. or absolute path"); return }
            check_door(name)
            to = name; sub(/\/.*/, "", to)
            if (what ~ /^</) {
                if (name ~ /\// && (to in floor)) fault("include of " what ": floors are included as \"floor/file.h\"")
                return
            }
            if ((name == "build_info.h" || name == "build_diff.h") && from == "base") return
            if (name !~ /^[^\/]+\/[^\/]+\.h$/) { fault("include of " what ": write \"floor/file.h\""); return }
            if (!(to in floor)) fault("include of " what ": " to " is not a floor of LAYERS")
            else if (to != from && !((from, to) in allowed)) fault(from " may not include " what)
        }
        function check_line(s) {
            s = strip(s)
            if (s !~ /^[ \t\v\f\r]*(#|%:)/) return
            sub(/^[ \t\v\f\r]*(#|%:)[ \t\v\f\r]*/, "", s)
            if (s ~ /^(include_next|import|embed)/) { fault("#" s ": only plain #include"); return }
            if (s ~ /^include/) { sub(/^include/, "", s); check_include(s) }
        }
        function check_file(path,   row, held, n, parts) {
            FILENAME = path; line = 0; in_comment = 0; held = ""
            n = split(path, parts, "/")
            from = n == 1 ? path : parts[1]
            if (n > 2) { fault("a folder below a floor"); from = parts[1] }
            if (path !~ /\.[ch]$/) { fault("only .c and .h files live in src"); return }
            if (!(from in floor)) { fault("floor " from " is not in LAYERS"); return }
            while ((getline row < path) > 0) {
                line++
                row = untrigraph(row)
                sub(/\r$/, "", row)
                if (row ~ /\\[ \t]*$/) { sub(/\\[ \t]*$/, "", row); held = held row; continue }
                check_line(held row); held = ""
            }
            if (held != "") check_line(held)
            close(path)
        }
        BEGIN { read_layers() }
        { check_file($0) }
        ' "$work/files"
        find . -type l | sed 's|^\./||; s|$|: a link|'
    )
}

# ---- the checker against evasions: file, then its content; BAD must be flagged, GOOD must not.
self_test() {
    tree=$work/tree
    mkdir -p "$tree/par/inner" "$tree/ops" "$tree/base" "$tree/nowhere" "$tree/model"
    cp "$source/src/LAYERS" "$tree/LAYERS"
    : >"$work/bad"; : >"$work/good"
    bad() { printf '%b' "$2" >"$tree/$1"; echo "$1" >>"$work/bad"; }
    good() { printf '%b' "$2" >"$tree/$1"; echo "$1" >>"$work/good"; }

    bad ops/quotes.c '#include "mpi.h"\n'
    bad ops/space.c '#  include <mpi.h>\n'
    bad ops/before.c '\t # include\t<mpi.h>\n'
    bad ops/prefix.c '#include <mpi-ext.h>\n'
    bad ops/hdf5_hl.c '#include <hdf5_hl.h>\n'
    bad ops/h5.c '#include <H5Tpublic.h>\n'
    bad ops/folder.c '#include <hdf5/serial/hdf5.h>\n'
    bad ops/openmpi.c '#include <openmpi/mpi.h>\n'
    bad ops/comment.c '#include/**/<mpi.h>\n'
    bad ops/comment_before.c '/* x */ #include <mpi.h>\n'
    bad ops/comment_lines.c '/* x\n */ # /* y */ include /* z */ <mpi.h>\n'
    bad ops/continued.c '#inc\\\nlude <mpi.h>\n'
    bad ops/continued_name.c '#include <mp\\\ni.h>\n'
    bad ops/after_string.c 'const char *s = "/*";\n#include <mpi.h>\n'
    bad ops/after_quote.c 'const char c = \047"\047;\n#include <mpi.h>\n'
    bad ops/after_error.c '#error don\047t /*\n*/\n#include <mpi.h>\n'
    bad ops/digraph.c '%:include <mpi.h>\n'
    bad ops/trigraph.c '?\077=include <mpi.h>\n'
    bad ops/trigraph_line.c '#include ?\077/\n<mpi.h>\n'
    bad ops/crlf.c '#include <mpi.h>\r\n'
    bad ops/no_newline.c '#include <mpi.h>'
    bad ops/macro.c '#define HEADER <mpi.h>\n#include HEADER\n'
    bad ops/next.c '#include_next <mpi.h>\n'
    bad ops/import.c '#import <mpi.h>\n'
    bad ops/dots.c '#include "../store/journal.h"\n'
    bad ops/dots_angle.c '#include <../par/farm.h>\n'
    bad ops/inside.c '#include "ops/../par/farm.h"\n'
    bad ops/dot.c '#include "./rows.h"\n'
    bad ops/slashes.c '#include "par//farm.h"\n'
    bad ops/bare.c '#include "rows.h"\n'
    bad ops/absolute.c '#include "/usr/include/math.h"\n'
    bad ops/absolute_angle.c '#include </usr/lib/openmpi/mpi.h>\n'
    bad ops/upward.c '#include "model/forward.h"\n'
    bad ops/angle_floor.c '#include <par/farm.h>\n'
    bad ops/source_file.c '#include "ops/rows.c"\n'
    bad ops/unknown.c '#include "elsewhere/x.h"\n'
    bad ops/skipped.c '#if 0\n#include <mpi.h>\n#endif\n'
    bad ops/rows.inc 'int x;\n'
    bad ops/header.h '#include <libconfig.h>\n'
    bad model/blas.c '#include <cblas.h>\n'
    bad model/json.c '#include <jansson.h>\n'
    bad model/hash.c '#include <nettle/sha2.h>\n'
    bad par/hdf5.c '#include <hdf5.h>\n'
    bad par/inner/deep.c 'int x;\n'
    bad nowhere/x.c 'int x;\n'
    bad main.c '#include "par/farm.h"\n'
    bad other.c 'int x;\n'

    good par/farm.c '#include <mpi.h>\n#include "par/farm.h"\n#include "base/err.h"\n'
    good ops/blas.c '#include <cblas.h>\n#  include <math.h>\n#include <sys/stat.h>\n'
    good ops/talk.c '/* #include <mpi.h> */\n// #include <mpi.h>\nconst char *s = "#include <mpi.h>";\n'
    good ops/talk_lines.c '/*\n#include <mpi.h>\n*/\n#include "base/err.h" /* why */\n'
    good ops/quote.c 'const char c = \047\\\047\047;\n/*\n#include <mpi.h>\n*/\n'
    good model/edit.h '#include "ops/rows.h"\n#include "config/config.h"\n'

    check "$tree" >"$work/flags"
    while read -r name; do
        grep -q "^$name:" "$work/flags" || { echo "the checker does not see $name"; faults=1; }
    done <"$work/bad"
    while read -r name; do
        if grep "^$name:" "$work/flags"; then echo "the checker refuses lawful $name"; faults=1; fi
    done <"$work/good"
}

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT TERM
faults=0
check "$source/src" >"$work/found"
if [ -s "$work/found" ]; then
    sed 's|^|src/|' "$work/found"
    faults=1
fi
self_test
exit $faults
