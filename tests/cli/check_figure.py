"""check_figure.py FOLDER - figures that FOLDER/figure.py draws of the runs of check_figure.sh in the current folder."""
import csv
import re
import subprocess
import sys

folder = sys.argv[1]
sys.path.insert(0, folder)
import figure  # noqa: E402

figure.import_libraries()
import matplotlib.pyplot as pyplot  # noqa: E402 (after import_libraries, which chooses the backend)


def make(*words):
    sys.argv = ["figure.py", *words]
    args = figure.read_arguments()
    runs = [figure.Run(path) for path in args.results]
    return figure.draw_figure(runs, args)


def draw(*words):
    """{title of a panel: {label: line}}."""
    drawn = make(*words)
    pyplot.close("all")
    return {axes.get_title("left"): {line.get_label(): line for line in axes.get_lines()
                                     if not line.get_label().startswith("_")}
            for axes in drawn.axes if axes.get_title("left")}


def check_looks():
    with open("help.txt", encoding="utf-8") as f:
        topics = f.read().split("topics")[1]
    names = re.search(r"methods (.*?)problems", topics, re.S)[1] + re.search(r"estimators (.*?)keys", topics, re.S)[1]
    names = [name for name in names.split() if name != "controls"]
    assert len(names) >= 25, names
    looks = [figure.look_of(name) for name in names]
    for i, look in enumerate(looks):
        assert look not in looks[:i], f"{names[i]} looks like {names[looks.index(look)]}"


def check_errors():
    """Learning rates are lines of their own, shifts are panels, and a folder is as good as its file."""
    panels = draw("one")
    assert len(panels) == 2, list(panels)
    clean, skewed = panels.values()
    wanted = {"plain model", "LTV, heads, lr = 0.01", "LTV, heads, lr = 0.001", "constant, lr = 0.01",
              "constant, lr = 0.001"}
    assert set(skewed) == wanted, set(skewed)
    assert set(clean) - wanted == {"least squares", "ridge"}, set(clean)
    assert [list(p) for p in draw("one/results.h5").values()] == [list(p) for p in panels.values()]
    ltv = [clean[f"LTV, heads, lr = {lr}"] for lr in ("0.01", "0.001")]
    assert {line.get_color() for line in ltv} == {figure.LOOKS["ltv"][0]}, "one method, one colour"
    assert len({line.get_marker() for line in ltv}) == 2, "lines of a method cannot be told apart"
    assert list(ltv[0].get_ydata()) != list(ltv[1].get_ydata())


def check_choices():
    assert len(draw("one", "two", "--where", "shift=none")) == 2
    assert len(draw("one", "two")) == 4
    (panel,) = draw("one", "--where", "shift=none", "--where", "fit.optimiser.lr=0.001").values()
    assert set(panel) == {"plain model", "LTV, heads", "constant", "least squares", "ridge"}, set(panel)
    (panel,) = draw("one", "--shift", "skewed", "--all", "--where", "lr=0.01").values()
    assert {"LTV, heads (fit at 5)", "LTV, heads (fit at 6)"} < set(panel), set(panel)
    (panel,) = draw("one", "--shift", "skewed", "--by", "lr").values()
    colours = {label: panel[label].get_color() for label in panel}
    assert colours["LTV, heads, lr = 0.01"] == colours["constant, lr = 0.01"] != colours["constant, lr = 0.001"], colours


def check_markers():
    """Lines of one value of --by differ in their markers, and what has no value keeps its look."""
    for words in (("--shift", "skewed", "--by", "lr", "--all"), ("--curve", "fit", "--by", "lr", "--all"),
                  ("--shift", "skewed", "--by", "points"), ("--curve", "fit", "--by", "points")):
        for run in "one", "folded":
            (panel,) = draw(run, *words).values()
            looks = [(repr(line.get_color()), line.get_marker(), line.get_fillstyle()) for line in panel.values()
                     if not line.get_label().startswith(("plain", "FV"))]
            assert len(looks) == (8 if run == "one" else 4) == len(set(looks)), (words, list(zip(panel, looks)))
    clean = draw("one", "--by", "points")["linear functions"]
    for label, method in ("plain model", "plain"), ("least squares", "least_squares"):
        assert clean[label].get_color() == figure.LOOKS[method][0], label


def check_legend():
    """A legend that is too tall for its place goes below the panels, which keep their size."""
    drawn = make("many", "--all")
    drawn.draw_without_rendering()
    (legend,) = drawn.legends
    assert len(legend.get_texts()) == 19, len(legend.get_texts())
    box, panels = legend.get_window_extent(), [axes.get_window_extent() for axes in drawn.axes]
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= drawn.bbox.x1, box
    assert all(panel.height > 1.5 * drawn.dpi and panel.y0 > box.y1 for panel in panels), panels
    beside = make("one")
    assert not beside.legends, "a short legend is beside the panels"
    titles = {axes.get_legend().get_title().get_text() for axes in beside.axes if axes.get_legend()}
    assert titles == {"fits at 6 points"}, titles
    assert {axes.get_legend().get_title().get_text() for axes in make("one", "--all").axes if axes.get_legend()} <= {""}
    usual = figure.new_figure
    try:
        figure.new_figure = lambda n, size: usual(1, (0.4, 0.4)) if n == 1 else usual(n, size)
        sys.argv = ["figure.py", "one", "--shift", "skewed", "-o", "small.png"]
        figure.main()
        raise AssertionError("panels without room were drawn")
    except SystemExit as e:
        assert "no room" in str(e.code), e
    finally:
        figure.new_figure = usual


def check_unread_keys():
    """A method that does not read the key of --by, or `points`, is one line in its own look."""
    for words in ("--by", "lr"), ("--by", "fit_points"), ("--all",), ("--where", "fit_points=5"), ():
        (panel,) = draw("folded", "--shift", "skewed", *words).values()
        assert panel["FV"].get_color() == figure.LOOKS["fv"][0], (words, set(panel))
        assert sum(label.startswith("LTV") for label in panel) == (4 if words in (("--by", "fit_points"), ("--all",))
                                                                   else 2), (words, set(panel))


def check_losses():
    (panel,) = draw("one", "--curve", "fit", "--where", "points=6").values()
    assert len(panel) == 4 and list(panel["constant, lr = 0.01"].get_xdata()) == [1, 2], panel
    assert len(draw("one", "two", "--curve", "fit", "--by", "run").popitem()[1]) == 8
    assert len(draw("one", "--curve", "fit", "--all").popitem()[1]) == 8
    (panel,) = draw("folded", "--curve", "fit", "--all").values()
    assert "LTV, heads (fit at 5), lr = 0.01" in panel, set(panel)
    (longest,), (given,) = (draw("one", "--curve", "fit", *words).values() for words in ((), ("--fit-points", "6")))
    for label, line in longest.items():
        assert list(line.get_ydata()) == list(given[label].get_ydata()), label
    (panel,) = draw("one", "--curve", "pretrain").values()
    assert set(panel) == {"training", "validation"}, set(panel)
    assert list(panel["training"].get_xdata()) == list(range(1, 9)), panel["training"].get_xdata()
    assert list(panel["validation"].get_xdata()) == [1, 3, 6, 8], panel["validation"].get_xdata()
    assert min(min(line.get_ydata()) for line in panel.values()) > 0
    looks = [(line.get_color(), line.get_linestyle()) for line in panel.values()]
    assert looks[0][0] == looks[1][0] and looks[0][1] != looks[1][1], looks
    both = draw("one", "two", "--curve", "pretrain").popitem()[1]
    assert len(both) == 4 and len({line.get_color() for line in both.values()}) == 2, set(both)
    (absolute,) = draw("one", "--curve", "pretrain", "--absolute").values()
    assert absolute["validation"].get_ydata()[0] != panel["validation"].get_ydata()[0]


def check_answers():
    """A run on text: a panel for each task and for their mean, whose marks are the accuracies of the main table."""
    with open("text.csv", newline="", encoding="utf-8") as f:
        table = list(csv.DictReader(f))
    drawn = make("text")
    drawn.draw_without_rendering()
    panels = {axes.get_title("left"): axes for axes in drawn.axes if axes.get_title("left")}
    assert list(panels) == ["same", "first", "mean over 2 tasks"], list(panels)
    names = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert names == ["plain model", "LTV, heads", "constant"], names
    kinds = {"2-shot": ("2", "none"), "2-shot, shuffled labels": ("2", "shuffled_labels"), "zero-shot": ("0", "none")}
    lines = ["plain", "ltv heads", "constant"]
    seen = set()
    for task in "same", "first":
        for bars in panels[task].containers:
            k, shift = kinds[bars.get_label()]
            wanted = [float(row["accuracy"]) for method in lines for row in table
                      if (row["method"], row["task"], row["k"], row["shift"]) == (method, task, k, shift)]
            marks = list(bars.lines[0].get_xdata())
            assert len(wanted) == len(marks) == 3 and max(abs(a - b) for a, b in zip(wanted, marks)) < 1e-6, (task, k, shift)
            seen.update(marks)
        assert len(panels[task].containers) == 3
    assert len(seen) > 1 and not {0, 1} >= seen, seen
    both = {bars.get_label(): list(bars.lines[0].get_xdata()) for bars in panels["mean over 2 tasks"].containers}
    plain = [float(r["accuracy"]) for r in table if r["method"] == "plain" and r["k"] == "2" and r["shift"] == "none"]
    assert abs(both["2-shot"][0] - sum(plain) / 2) < 1e-6, (both, plain)
    assert [len(a.containers) for a in make("text", "--methods", "plain", "--where", "k=0").axes if a.containers] == [1, 1, 1]


def check_refusals():
    listed = r"no column 'nothing'; there are: (?!.*\b(joined|run_path|own|of|keys|table)\b).*"
    for words, wanted in ((("--where", "nothing=1"), listed + "shift"),
                          (("--curve", "fit", "--by", "nothing"), listed + "optimiser_lr"),
                          (("--where", "lr=0.5"), "no row has fit_optimiser_lr = 0.5; there are: 0.01, 0.001"),
                          (("--where", "lr"), "expected KEY=VALUE"), (("--table", "fti"), "no /tables/fti; there are"),
                          (("--methods", "ltb"), "no method 'ltb'; there are: ")):
        done = subprocess.run([sys.executable, f"{folder}/figure.py", "one", *words], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and re.search(wanted, done.stderr), (words, done.stderr)
    command = [sys.executable, f"{folder}/figure.py", "best", "--by", "lr"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    wanted = r"'lr': optimiser.lr was chosen on validation.*fit_choice.*--curve fit --all --by optimiser.lr"
    assert done.returncode == 1 and re.search(wanted, done.stderr), done.stderr
    assert len(draw("best", "--curve", "fit", "--all", "--by", "optimiser.lr").popitem()[1]) == 8
    done = subprocess.run([sys.executable, f"{folder}/figure.py", "one", "-o", "out.png"], check=True)
    with open("out.png", "rb") as f:
        assert f.read(4) == b"\x89PNG"


check_looks()
check_errors()
check_choices()
check_markers()
check_legend()
check_unread_keys()
check_losses()
check_answers()
check_refusals()
print("figures of sweeps, settings, runs, fits, pretrainings and text")
