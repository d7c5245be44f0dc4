#!/usr/bin/env bash
# check_report.sh BINARY SOURCE - the page of `taskvec report`: its data by check_report.py, and in a browser
# (chromium, where there is one) that it loads without an error, is drawn, and fits a screen of 400 pixels.
set -euo pipefail
(($# == 2)) || { echo "usage: check_report.sh BINARY SOURCE" >&2; exit 64; }
program=$(realpath -- "$1") source=$(realpath -- "$2")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
export ASAN_OPTIONS=detect_leaks=0
die() { echo "check_report: $*" >&2; exit 1; }
cp -- "$source/experiments/models/linear_d5.safetensors" "$work/"
cd -- "$work"

cat >run.cfg <<'END_OF_CONFIG'
name = "report"; seed = 1; model = { checkpoint = "linear_d5.safetensors"; }; source = { problem = "linear"; dims = 5; };
stages = (
  { stage = "fit"; method = ["ltv", "constant"]; points = 16; repeat = [0, 1]; prompts = 24; batch = 16; epochs = 2; },
  { stage = "evaluate"; of = "fit"; also = ["plain"]; points = 18; functions = 6; },
  { stage = "effects"; points = 12; prompts = 6; },
  { stage = "pretrain"; steps = 4; points = 6; batch = 8; log_every = 1;
    model = { layers = 1; heads = 1; width = 8; }; }
);
END_OF_CONFIG
# A folder with a name that would end the element of the page that holds the data.
mkdir -p '</script><b>'
timeout 120 "$program" run run.cfg -o one --quiet >/dev/null
timeout 120 "$program" run run.cfg -o '</script><b>/two' -s seed=2 --quiet >/dev/null || true
TASKVEC_INJECT='exit@job:1' timeout 120 "$program" run run.cfg -o failed --quiet >/dev/null 2>&1 || true
"$program" report one -o one.html
"$program" report one '</script><b>/two' failed -o all.html
python3 "$source/tests/cli/check_report.py" one.html all.html "$program"

rc=0
"$program" report nothing-here 2>err || rc=$?
{ ((rc == 65)) && grep -q nothing-here err; } || die "a folder without a run: code $rc, $(cat err)"
rc=0
"$program" report one -o no/such/folder/page.html 2>err || rc=$?
{ ((rc != 0)) && grep -q no/such err; } || die "a page that cannot be written: code $rc, $(cat err)"

# ---- in a browser
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    { echo "check_report: no chromium: the page was not drawn"; exit 0; }
drawn() { # PAGE: the document after its script ran
    timeout 100 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" \
        --allow-file-access-from-files --virtual-time-budget=5000 --dump-dom "file://$work/$1" 2>browser.err
}
[[ $(drawn run.cfg) == *stages* ]] || { echo "check_report: chromium does not start here: $(head -c 200 browser.err)"; exit 0; }
for page in one all; do
    python3 "$source/tests/cli/check_report.py" --watched "$page.html" >watched.html
    for width in 400 1200; do
        # A window has at least 500 pixels, a frame any width; its document takes the place of the frame's.
        cat >frame.html <<END_OF_PAGE
<!doctype html><iframe src="watched.html" style="width:${width}px; height:900px; border:0"
onload="document.documentElement.replaceWith(document.importNode(this.contentDocument.documentElement, true))"></iframe>
END_OF_PAGE
        drawn frame.html >dom.html
        python3 "$source/tests/cli/check_report.py" --drawn dom.html "$width"
    done
done
echo "check_report: pages of one and of three runs, drawn on 400 and 1200 pixels"
