"""check_terminal.py BINARY CONFIG RUN - what `table` and `plan` print in terminals of several widths,
and the forms of a table that programs read."""
import csv
import fcntl
import io
import json
import os
import struct
import subprocess
import sys
import termios

program, config, run = sys.argv[1:]
environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}


def in_terminal(width, *words):
    """Lines that a command prints on a pseudo-terminal of so many columns."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    child = subprocess.Popen([program, *words], stdout=theirs, env=environment)
    os.close(theirs)
    data = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the other end was closed
            more = b""
        if not more:
            break
        data += more
    os.close(ours)
    assert child.wait(timeout=60) == 0, words
    return data.decode().replace("\r\n", "\n").splitlines()


def in_pipe(*words, columns=None):
    extra = {"COLUMNS": columns} if columns else {}
    done = subprocess.run([program, *words], stdout=subprocess.PIPE, env=environment | extra, check=True)
    return done.stdout.decode()


def check_widths():
    for words in (["table", run], ["table", run, "fit"], ["table", run, "evaluate"], ["plan", config]):
        for width in (80, 100, 200):
            lines = in_terminal(width, *words)
            widest = max(lines, key=len)
            assert len(widest) <= width, f"{words[0]}: {len(widest)} of {width} columns: {widest}"
        assert in_terminal(80, *words)[0] == in_pipe(*words).splitlines()[0], f"{words}: not 80 in a pipe"
        assert in_terminal(100, *words)[0] == in_pipe(*words, columns="100").splitlines()[0], words


def check_groups():
    lines = in_terminal(100, "table", run)
    titles = [line for line in lines[:lines.index("")] if not line.startswith(" ")]
    assert titles == ["baseline", "vectors", "controls", "estimators, without the model"], titles
    assert lines[lines.index("baseline") + 1].split()[0] == "plain", lines
    head = lines[0].split("  ")
    for name in ("method", "k 40", "recovered"):
        assert any(name in cell for cell in head), (name, head)
    note = " ".join(in_terminal(80, "table", run))  # the note may break a line anywhere
    assert "did not fit" in note, "a table of 80 columns does not say which columns it leaves out"


def check_forms():
    rows = list(csv.DictReader(io.StringIO(in_pipe("table", run, "--format", "csv"))))
    same_rows = json.loads(in_pipe("table", run, "--format", "json"))
    assert len(same_rows) == len(rows) and all(row["stage"] == "evaluate" for row in rows)
    for a, b in zip(rows, same_rows):
        assert list(a) == list(b)
        for name, value in a.items():
            same = value == b[name] if isinstance(b[name], str) else value == "" if b[name] is None \
                else float(value) == b[name]
            assert same, (name, value, b[name])
    latex = in_pipe("table", run, "--format", "latex").splitlines()
    columns = latex[1].count("l", len("\\begin{tabular}{")) + latex[1].count("r", len("\\begin{tabular}{"))
    assert latex[3].count("&") == columns - 1, latex[:4]
    wide, intervals = in_pipe("table", run, "--wide"), in_pipe("table", run, "--intervals", "--wide")
    assert "±" in wide and "did not fit" not in wide
    assert " low" in intervals.splitlines()[0] and "±" not in intervals


check_widths()
check_groups()
check_forms()
print("tables and plan fit terminals of 80, 100 and 200 columns; csv and json agree")
