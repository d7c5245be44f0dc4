"""check_report.py ONE ALL BINARY - the data of the pages of one run and of three.
check_report.py --watched PAGE - prints the page with a script that records errors, presses every button and
measures the width.
check_report.py --drawn DOM WIDTH - what that page became in a browser."""
import json
import re
import subprocess
import sys

CATCH = """<script>window.onerror = text => { document.documentElement.dataset.error = text; };</script>"""
PRESS = """<script>
const wide = () => document.documentElement.scrollWidth;
document.documentElement.dataset.width = wide();
const before = document.querySelectorAll("svg.plot path").length;
for (const button of document.querySelectorAll(".legend button")) button.click();
document.documentElement.dataset.hidden = before - document.querySelectorAll("svg.plot path").length;
for (const button of document.querySelectorAll("th button")) { button.click(); button.click(); }
document.documentElement.dataset.sorted = document.querySelectorAll("th[aria-sort=descending]").length;
document.documentElement.dataset.later = wide();
</script>"""


def data_of(page):
    text = open(page, encoding="utf-8").read()
    inside = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S).group(1)
    assert len(text) < 2 << 20, len(text)
    assert not re.search(r'(src|href)="?(https?:)?//', text), "the page loads something"
    return json.loads(inside)


def check_run(run, program):
    rows = json.loads(subprocess.run([program, "table", run["dir"], "--format", "json"], check=True, capture_output=True).stdout)
    main = next(t for t in run["tables"] if t["main"])
    printed = [{name: value for name, value in zip(main["columns"], row)} for row in main["rows"]]
    for ours, theirs in zip(printed, rows):
        assert all(theirs[name] == value for name, value in ours.items()), (ours, theirs)
    assert len(printed) == len(rows) == 3, len(printed)
    curves = [c for c in run["curves"] if c["kind"] == "evaluate"]
    assert len(curves) == 5 and all(len(c["at"]) == len(c["values"]) == len(c["half"]) == 18 for c in curves)
    csv = json.loads(subprocess.run([program, "table", run["dir"], "--rows", "--format", "json"], check=True, capture_output=True).stdout)
    first = [row for row in csv if row["job"] == curves[0]["keys"]["job"]]
    assert all(abs(a - b["mse"]) <= 1e-3 * abs(b["mse"]) for a, b in zip(curves[0]["values"], first))
    assert all(abs(h - (b["mse_high"] - b["mse"])) <= 2e-3 * (abs(h) + b["mse"]) for h, b in zip(curves[0]["half"], first))
    losses = [c for c in run["curves"] if c["y"] == "loss"]
    assert len(losses) == 1 and losses[0]["at"] == [1, 2, 3, 4], losses
    maps = run["maps"]
    assert [m["title"] for m in maps] == ["effect", "ltv", "ltv"], [m["title"] for m in maps]
    effects = json.loads(subprocess.run([program, "table", run["dir"], "effects", "--format", "json"], check=True, capture_output=True).stdout)
    for row in effects:
        drawn = maps[0]["values"][row["layer"]][row["head"]]
        assert abs(drawn - row["effect"]) <= 1e-3 * abs(row["effect"]), (drawn, row)
    layers, heads = 1 + max(row["layer"] for row in effects), 1 + max(row["head"] for row in effects)
    assert all(len(m["values"]) == layers and all(len(row) == heads for row in m["values"]) for m in maps)
    assert "linear_d5.safetensors" in run["config"] and not run["failures"]


def check_data(one, everything, program):
    run, = data_of(one)["runs"]
    check_run(run, program)
    first, second, failed = data_of(everything)["runs"]
    assert first == run and second["dir"] == "</script><b>/two", second["dir"]
    check_run(second, program)
    assert [f["job"] for f in failed["failures"] if f["kind"] != "blocked"] == ["fit[1]"], failed["failures"]
    assert any(f["kind"] == "blocked" for f in failed["failures"])
    assert failed["states"]["FAILED"] == 1


def check_drawn(dom, width):
    text = open(dom, encoding="utf-8").read()
    root = text[: text.index(">", text.index("<html"))]
    facts = dict(re.findall(r'data-(\w+)="([^"]*)"', root))
    assert "error" not in facts, facts
    assert facts.get("ready") == "yes", facts
    assert int(facts["width"]) <= width and int(facts["later"]) <= width, (facts, width)
    assert int(facts["hidden"]) > 0 and int(facts["sorted"]) > 0, facts
    assert text.count("<table") >= 3 and text.count('class="plot"') >= 2 and text.count('class="map"') >= 1
    assert "<b>/two" not in text.replace("&lt;b&gt;", ""), "a text became an element"


if sys.argv[1] == "--watched":
    page = open(sys.argv[2], encoding="utf-8").read()
    sys.stdout.write(page.replace("<head>", "<head>" + CATCH, 1).replace("</body>", PRESS + "</body>"))
elif sys.argv[1] == "--drawn":
    check_drawn(sys.argv[2], int(sys.argv[3]))
else:
    check_data(*sys.argv[1:])
