"""Reads the results of taskvec runs and chooses from them the panels, lines and curves that figure.py draws.

A line is (method, reading, fit_points, ((key, value), ...)); the keys are those that vary in the run."""

import json
import os
import struct
import sys

HIDDEN = ("zero",)  # equals plain bit for bit
NEEDED = ("method", "reading", "source", "k", "functions", "mse", "mse_low", "mse_high", "mse_over_variance")
SETTING = ("run", "table", "source", "shift", "dummies", "wpe_seed")  # each combination is a panel
USUAL = {"shift": "none", "dummies": "none", "wpe_seed": 0}
LINE = ("method", "reading", "fit_points")
KINDS_READ = ("fit_", "pretrain_")  # columns of keys of the jobs that an evaluation reads
PANELS_MOST = 24
NO_COLUMNS = ("run_path", "table", "joined", "own", "keys", "of")  # of a row here, but not of a table


def fail(message):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


def import_libraries():
    """Imports late, so that --help works, and a missing module has a clear message, with any python3."""
    global h5py, np
    try:
        import h5py
        import matplotlib
        import numpy as np
    except ImportError as e:
        fail(f"{sys.executable} has no module {e.name}; on Debian: "
             "apt-get install python3-h5py python3-numpy python3-matplotlib, then /usr/bin/python3 analysis/figure.py")
    matplotlib.use("Agg")


# ---- reading


def plain_value(value):
    """A cell as text, int or float; None for a missing one."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bytes):
        return value.decode() or None
    return None if value != value else value


def rows_of(table):
    names = table.dtype.names
    return [{name: plain_value(cell) for name, cell in zip(names, row)} for row in table[()]]


class Run:
    """The tables of one results.h5, as lists of dicts."""

    def __init__(self, path):
        self.folder = path if os.path.isdir(path) else os.path.dirname(path) or "."
        self.path = os.path.join(path, "results.h5") if os.path.isdir(path) else path
        self.name = os.path.basename(os.path.abspath(self.folder))
        try:
            with h5py.File(self.path, "r") as f:
                if "tables" not in f:
                    fail(f"{self.path}: no group /tables; expected the results.h5 of a taskvec run")
                self.jobs = rows_of(f["jobs"]) if "jobs" in f else []
                self.columns = {name: table.dtype.names or () for name, table in f["tables"].items()}
                self.tables = {name: rows_of(table) for name, table in f["tables"].items()}
        except FileNotFoundError:
            fail(f"{self.path}: no such file; taskvec run writes results.h5 into its folder when it ends")
        except OSError as e:
            fail(f"{self.path}: cannot be read as HDF5 ({e})")

    def kind(self, table):
        """evaluate, answers (evaluate on text), estimate, fit, pretrain or other: told by the columns, since stages may have any name."""
        columns = self.columns[table]
        if "accuracy_low" in columns:
            return "answers"
        if "mse" in columns:
            return "evaluate" if "fit_points" in columns else "estimate"
        if "best_epoch" in columns:
            return "fit"
        return "pretrain" if "lr" in columns and "step" in columns else "other"

    def named(self, kinds, wanted):
        """Names of the tables of these kinds that have rows, or the wanted one."""
        if wanted:
            if wanted not in self.tables:
                fail(f"{self.path}: no /tables/{wanted}; there are: {', '.join(sorted(self.tables)) or 'none'} "
                     "(--table NAME)")
            if self.kind(wanted) not in kinds:
                fail(f"{self.path}: /tables/{wanted} is no table of {' or '.join(kinds)}")
            found = [wanted]
        else:
            found = [name for name in self.tables if self.kind(name) in kinds]
        full = [name for name in found if self.tables[name]]
        if found and not full:
            fail(f"{self.path}: /tables/{found[0]} is empty; taskvec status shows which jobs are not done")
        return full

    def choice_of(self, name):
        """(stage, key) of the stage `choose` that chose the value of a key; None: none did."""
        for stage, columns in self.columns.items():
            for row in self.tables[stage] if {"chosen", "candidates", "key"} <= set(columns) else ():
                if ("_" + row["key"].replace(".", "_")).endswith("_" + name):
                    return stage, row["key"]
        return None

    def trained_points(self):
        """Points of the longest training prompt, by the basis of the fits or the pretraining; None: unknown."""
        found = set()
        for name, rows in self.tables.items():
            if self.kind(name) == "fit":
                found.update(row["basis_points"] for row in rows if row["basis_points"])
            elif self.kind(name) == "pretrain" and rows:
                found.add(rows[-1]["points"])
        return found.pop() if len(found) == 1 else None


def read_losses(path):
    """The tensor validation_losses of an artifact (safetensors: header size, JSON header, data); None: it has none."""
    try:
        with open(path, "rb") as f:
            (size,) = struct.unpack("<Q", f.read(8))
            info = json.loads(f.read(size)).get("validation_losses")
            if info is None:
                return None
            first, last = info["data_offsets"]
            f.seek(8 + size + first)
            return np.frombuffer(f.read(last - first), dtype="<f4").astype(float)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, struct.error) as e:
        fail(f"{path}: cannot be read ({e})")


# ---- choosing rows


def column_named(rows, key, runs):
    """The column of a key: by its whole name, or by its end where one column has it ("lr" of fit_optimiser_lr)."""
    name = key.replace(".", "_")
    columns = [c for c in dict.fromkeys(column for row in rows for column in row) if c not in NO_COLUMNS]
    ends = [column for column in columns if column.endswith("_" + name)]
    if name in columns:
        return name
    if len(ends) == 1:
        return ends[0]
    choice = next(filter(None, (run.choice_of(name.removeprefix("fit_")) for run in runs)), None)
    if choice and not ends:
        fail(f"no column '{key}': {choice[1]} was chosen on validation prompts (/tables/{choice[0]}), and only "
             f"the chosen fits are evaluated; --curve fit --all --by {choice[1]} draws all candidates")
    what = f"several columns end in '{key}': {', '.join(ends)}" if ends else \
        f"no column '{key}'; there are: {', '.join(columns)}"
    fail(what)


def equals(cell, wanted):
    try:
        return float(cell) == float(wanted)
    except (TypeError, ValueError):
        return str(cell) == wanted


def choose_where(rows, conditions, runs):
    """Rows with these values. A row that lacks the key stays: a learning rate says nothing of the plain model."""
    for condition in conditions:
        key, found, wanted = condition.partition("=")
        if not found or not key:
            fail(f"--where {condition}: expected KEY=VALUE")
        column, wanted = column_named(rows, key, runs), wanted.split(",")
        known = list(dict.fromkeys(str(row[column]) for row in rows if row.get(column) is not None))
        for value in wanted:
            if not any(equals(row.get(column), value) for row in rows):
                fail(f"--where {condition}: no row has {column} = {value}; there are: {', '.join(known)}")
        rows = [row for row in rows if row.get(column) is None or any(equals(row[column], v) for v in wanted)]
    return rows


def choose_lengths(rows, args, by):
    """Rows of the fits at length --fit-points; by default at the longest of each method; --all: of every length.

    Controls, estimators and fits of methods that do not read `points` have no length and are always there. --by and
    --where with the length replace the default."""
    lengths = ("fit_points", "fit.points", "points")
    if args.all or by in lengths or any(c.partition("=")[0] in lengths for c in args.where):
        return rows
    if args.fit_points is not None:
        if not any(row["fit_points"] == args.fit_points for row in rows):
            known = sorted({row["fit_points"] for row in rows if row["fit_points"]})
            fail(f"no fit at {args.fit_points} points; there are: {', '.join(map(str, known))}")
        return [row for row in rows if row["fit_points"] in (0, None, args.fit_points)]
    longest = {}
    for row in rows:
        key = (row["method"], row["reading"])
        longest[key] = max(longest.get(key, 0), row["fit_points"] or 0)
    return [row for row in rows if row["fit_points"] in (0, None, longest[row["method"], row["reading"]])]


def choose_methods(rows, names):
    known = sorted({row["method"] for row in rows})
    for name in names:
        if name not in known:
            fail(f"no method '{name}'; there are: {', '.join(known)}")
    return [row for row in rows if row["method"] in names]


# ---- errors


def shift_text(row):
    """"none", "skewed", "scale_y=2"."""
    level = row.get("shift_level") or 0
    return f"{row['shift']}={level:g}" if level else row["shift"]


def error_rows(run, name, joined):
    columns = run.columns[name]
    missing = [c for c in NEEDED if c not in columns]
    if missing:
        fail(f"{run.path}: /tables/{name} has no column {', '.join(missing)}")
    later = columns[columns.index("job") + 1:] if "job" in columns else ()
    estimate = run.kind(name) == "estimate"
    own = [c for c in later if not c.startswith(KINDS_READ) and (not estimate or c.startswith("source_"))]
    out = []
    for row in run.tables[name]:
        setting = {c: row[c] for c in own if row[c] is not None and not c.startswith(str(row.get("shift")) + "_")}
        points = row.get("fit_points", 0)  # a float in a table where some fit has none
        keys = {} if estimate else {c: row[c] for c in later if c.startswith(KINDS_READ) and row[c] is not None}
        out.append({**USUAL, "reading": None, "repeat": 0, **row, "run": run.name, "run_path": run.path, "table": name,
                    "fit_points": None if points is None else int(points), "joined": joined, "own": setting,
                    "keys": keys, "shift": shift_text({**USUAL, **row})})
    return out


def collect_errors(runs, wanted):
    """Rows of all evaluations and estimators, each with its run, table, setting and the keys of its line."""
    rows = []
    for run in runs:
        names = run.named(("evaluate",) if not wanted else ("evaluate", "estimate"), wanted)
        alone = not names or wanted and run.kind(wanted) == "estimate"
        if alone:
            names = names or run.named(("estimate",), None)
        if not names:
            fail(f"{run.path}: no table of errors; it has: {', '.join(sorted(run.tables)) or 'none'}")
        estimates = [] if alone else [n for n in run.tables if run.kind(n) == "estimate"]
        for name in names + estimates:
            rows += error_rows(run, name, name in estimates)
    return rows


def setting_of(row):
    return tuple((c, row[c]) for c in SETTING) + tuple(row["own"].items())


def panels_of(rows):
    """[(setting, rows)]: estimators are lines in every panel with their source and shift."""
    panels = {}
    for row in rows:
        if not row["joined"]:
            panels.setdefault((row["run_path"], setting_of(row)), []).append(row)
    for (path, setting), chosen in panels.items():
        known = dict(setting)
        chosen += [row for row in rows if row["joined"] and row["run_path"] == path and
                   all(row[c] == known[c] for c in ("source", "shift")) and
                   all(known.get(c) == v for c, v in row["own"].items())]
    if len(panels) > PANELS_MOST:
        fail(f"{len(panels)} panels are too many for one figure; choose with --where, as --where shift=none")
    return [(dict(setting), chosen) for (_, setting), chosen in panels.items()]


def error_panels(runs, args):
    """[(setting, rows)] of the evaluations and estimators that args choose, and the column of --by (None: none)."""
    rows = choose_where(collect_errors(runs, args.table), args.where, runs)
    rows = choose_methods(rows, args.methods.split(",") if args.methods else
                          [m for m in dict.fromkeys(row["method"] for row in rows) if m not in HIDDEN])
    by = column_named(rows, args.by, runs) if args.by else None
    panels = panels_of(choose_lengths(rows, args, by))
    if not panels:
        fail("nothing is left to draw")
    return panels, by


def lines_of(rows):
    """{(method, reading, fit_points, other keys): {k: (mse, low, high, mse over variance)}}, repeats averaged.

    With repeats, the band spans the mean of the lower and of the upper bounds: it shows the uncertainty over functions,
    not over repeats."""
    groups, seen = {}, set()
    for row in rows:
        key = (*(row[c] for c in LINE), tuple(row["keys"].items()))
        once = (*key, row["repeat"], row["k"])
        if once in seen:
            fail(f"{row['run_path']}: several fits of {key[0]} differ in keys that the table lacks; "
                 "run taskvec run once more, which writes results.h5 anew with a column for each")
        seen.add(once)
        groups.setdefault(key, {}).setdefault(row["k"], []).append(
            [row[c] for c in ("mse", "mse_low", "mse_high", "mse_over_variance")])
    return {key: {k: np.mean(np.array(v, dtype=float), axis=0) for k, v in sorted(points.items())}
            for key, points in groups.items()}


def value_by(line, column):
    """The value of a column; None: the line has none, as a control has no length of its fit."""
    if column == "fit_points":
        return line[2] or None
    return dict(zip(LINE, line)).get(column, dict(line[3]).get(column))


# ---- answers of text

PLACED = ("points", "source_task", "shift", "fit_source_task")  # the panel and the mark say it


def task_of(row, own):
    """Task, with the folder where that tells it apart, and other keys of the evaluation that vary, as "template Q: {x}"."""
    folder = os.path.dirname(row.get("source_task") or "")
    return ", ".join([os.path.join(os.path.basename(folder), row["source"])] +
                     [f"{name.removeprefix('source_')} {row[name]}" for name in own if row[name]])


def is_of_own_task(row):
    return row.get("fit_source_task") in (None, row.get("source_task"))


def answer_rows(runs, wanted):
    """Rows of evaluations on text, each with its task and its line; not those of fits of other tasks (fits = "all")."""
    rows = []
    for run in runs:
        for name in run.named(("answers",), wanted):
            columns = run.columns[name]
            later = [c for c in columns[columns.index("job") + 1:] if c not in PLACED]
            own = [c for c in later if not c.startswith(KINDS_READ)]
            for row in filter(is_of_own_task, run.tables[name]):
                keys = tuple((c, row[c]) for c in later if c.startswith(KINDS_READ) and row[c] is not None)
                task = f"{run.name}, {task_of(row, own)}" if len(runs) > 1 else task_of(row, own)
                points = None if row["fit_points"] is None else int(row["fit_points"])
                rows.append({**row, "task": task, "line": (row["method"], row["reading"], points, keys)})
    if not rows:
        fail("no evaluation on text")
    return rows


# ---- losses


def loss_rows(runs, kind, wanted):
    """Rows of the tables of one kind with the keys of their line."""
    rows = []
    for run in runs:
        names = run.named((kind,), wanted)
        if not names:
            fail(f"{run.path}: no table of {kind}; it has: {', '.join(sorted(run.tables)) or 'none'}")
        for name in names:
            columns = run.columns[name]
            later = columns[columns.index("job") + 1:]
            for row in run.tables[name]:
                keys = {c: row[c] for c in later if row[c] is not None}
                keys |= {"run": run.name} if len(runs) > 1 else {}
                keys |= {"stage": name} if len(names) > 1 else {}
                points = {"fit_points": row["points"] and int(row["points"])} if kind == "fit" else {}
                rows.append({**row, **points, **keys, "of": run, "table": name, "keys": keys})
    return rows


def curve_of_fits(rows):
    """{line: [(epochs, losses)]}: a curve for each repeat."""
    curves = {}
    for row in rows:
        run, losses = row["of"], None
        identity = next((job["identity"] for job in run.jobs if job["job"] == row["job"]), None)
        if identity:
            losses = read_losses(os.path.join(run.folder, "artifacts", identity[:2], identity + ".safetensors"))
        if losses is None:
            continue  # derived in closed form, or not finished
        line = (row["method"], row["reading"], row["fit_points"], tuple(row["keys"].items()))
        curves.setdefault(line, []).append((np.arange(1, len(losses) + 1), losses))
    if not curves:
        fail("no fit recorded validation losses; methods derived in closed form have none, and the folder "
             "artifacts must be beside results.h5")
    return curves


def curve_of_pretraining(rows, relative):
    """{line: [(steps, losses)]}: a curve for each job, and one of its loss on held-out prompts where it was measured."""
    columns = (("training", "loss_over_variance"), ("validation", "validation_over_variance")) if relative else \
        (("training", "loss"), ("validation", "validation_loss"))
    curves = {}
    for row in rows:
        for name, column in columns:
            if row.get(column) is not None:  # measured in this step
                line = (name, None, 0, tuple({**row["keys"], "job": row["job"]}.items()))
                curves.setdefault(line, []).append((row["step"], row[column]))
    return {line: [tuple(np.array(points, dtype=float).T)] for line, points in curves.items()}


def loss_curves(runs, args):
    """{line: [(epochs or steps, losses)]} of the fits or pretrainings that args choose, and the column of --by."""
    rows = choose_where(loss_rows(runs, args.curve, args.table), args.where, runs)
    if args.curve == "fit" and args.methods:
        rows = choose_methods(rows, args.methods.split(","))
    by = column_named(rows, args.by, runs) if args.by else None
    if args.curve == "pretrain":
        return curve_of_pretraining(rows, not args.absolute), by
    return curve_of_fits(choose_lengths(rows, args, by)), "fit_points" if by == "points" else by
