"""check_progress.py BINARY CONFIG FOLDER SOURCE - what a run prints on a pseudo-terminal and in a log, with and
without mpirun, until Ctrl-C."""
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time

program, config, folder, source = sys.argv[1:]
MPIRUN = ["mpirun", "-n", "2", "--oversubscribe", "--bind-to", "none"]
LONG = ["-s", "pretrain.steps=400000", "-s", "pretrain.checkpoint_every=50"]
SOON = 3.0  # seconds until the first progress
TRIES = 3  # of which one must be in time, since other tests may keep the machine busy


class Terminal:
    """A command on a pseudo-terminal; its output so far is in .text."""

    def __init__(self, words):
        self.began, self.text = time.monotonic(), ""
        self.process, self.fd = os.forkpty()
        if self.process == 0:
            os.execvp(words[0], words)

    def wait_for(self, text, seconds):
        """Seconds since the start when the output holds `text`; None: it ended, or took longer."""
        while text not in self.text and time.monotonic() - self.began < seconds:
            ready, _, _ = select.select([self.fd], [], [], 0.05)
            try:
                data = os.read(self.fd, 65536) if ready else None
            except OSError:  # the other end was closed
                data = b""
            if data == b"":
                break
            self.text += (data or b"").decode(errors="replace")
        return time.monotonic() - self.began if text in self.text else None

    def interrupt(self):
        """Ctrl-C; returns the exit code."""
        os.write(self.fd, b"\x03")
        self.wait_for("\0", time.monotonic() - self.began + 30)
        code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        os.close(self.fd)
        return code


def last_line(text):
    return [line.split("\r")[-1].replace("\x1b[K", "") for line in text.replace("\r\n", "\n").split("\n") if line][-1]


def check_terminal(name, launcher, form, shown, codes):
    for number in range(TRIES):
        run = f"{folder}/{name} {number}"
        terminal = Terminal([*launcher, program, "run", config, "-o", run, *LONG, *form])
        late = terminal.wait_for(shown, 30)
        assert late, f"{name}: no progress: {terminal.text}"
        terminal.wait_for("\0", late + 1)
        code = terminal.interrupt()
        assert code in codes, f"{name}: Ctrl-C gives code {code}, not {codes}"
        last = last_line(terminal.text)
        assert "work remains, to resume: " in last, f"{name}: the last line after Ctrl-C: {last}"
        command = shlex.split(last.split("to resume: ")[1])
        assert command[:len(launcher)] == launcher and run in command, f"{name}: resumes by {command}"
        if late <= SOON:
            return command
    raise AssertionError(f"{name}: progress after {late:.1f} s, not {SOON} s, {TRIES} times")


def check_log(name, launcher):
    """Standard error is a file: lines, of which the first comes in time and each later than the last."""
    for number in range(TRIES):
        path = f"{folder}/{name} {number}.log"
        with open(path, "wb") as log:
            began = time.monotonic()
            child = subprocess.Popen([*launcher, program, "run", config, "-o", f"{folder}/{name} {number}", *LONG],
                                     stdout=subprocess.DEVNULL, stderr=log, stdin=subprocess.DEVNULL)
        while time.monotonic() - began < SOON and "jobs done" not in open(path).read():
            time.sleep(0.05)
        in_time = "jobs done" in open(path).read()
        time.sleep(max(0.0, began + 4 - time.monotonic()))
        child.terminate()
        child.wait(timeout=30)
        text = open(path).read()
        lines = [line for line in text.splitlines() if "jobs done" in line and "remains" not in line]
        assert 0 < len(lines) <= 3 and "\r" not in text, f"{name}: {lines}"
        assert "work remains, to resume: " in text or not launcher, f"{name}: the end of the log: {text}"
        if in_time:
            return
    raise AssertionError(f"{name}: no line within {SOON} s, {TRIES} times: {text}")


BAR = "\r[    "
check_terminal("plain terminal", [], [], BAR, [75])
resume = check_terminal("mpirun terminal", MPIRUN, [], BAR, [1])
check_terminal("lines", MPIRUN, ["--progress", "lines"], "taskvec: 0%, 0 of", [1])
def check_quickstart(stop):
    """quickstart.sh with these binaries instead of a build: whoever is stopped, the last line says how to resume."""
    run = f"{folder}/quickstart by {stop}"
    os.makedirs(f"{run}/build/release")
    os.makedirs(f"{run}/bin")
    os.makedirs(f"{run}/experiments")
    os.symlink(program, f"{run}/build/release/taskvec")
    with open(config) as given, open(f"{run}/experiments/quickstart.cfg", "w") as longer:
        longer.write(re.sub(r"\bsteps = \d+", "steps = 400000", given.read()))
    for name in "cmake", "dpkg-query":  # everything is built and installed
        with open(f"{run}/bin/{name}", "w") as stub:
            stub.write("#!/bin/sh\nprintf installed\n")
        os.chmod(f"{run}/bin/{name}", 0o755)
    shutil.copy(f"{source}/quickstart.sh", run)
    terminal = Terminal(["env", f"PATH={run}/bin:{os.environ['PATH']}", f"{run}/quickstart.sh", "-n", "2"])
    shown = terminal.wait_for("0 of", 30)
    assert shown, f"quickstart.sh: no progress: {terminal.text}"
    terminal.wait_for("\0", shown + 1)
    if stop == "terminal":
        code = terminal.interrupt()
    else:
        with open(f"/proc/{terminal.process}/task/{terminal.process}/children") as children:
            os.kill(int(children.read().split()[0]), signal.SIGINT)
        terminal.wait_for("\0", shown + 30)
        code = os.waitstatus_to_exitcode(os.waitpid(terminal.process, 0)[1])
    last = last_line(terminal.text)
    assert last.endswith("work remains, to resume: ./quickstart.sh -n 2"), f"{stop}: the last line: {terminal.text}"
    assert "mpirun: stopping" in terminal.text or stop == "terminal", terminal.text
    assert code == {"terminal": 130, "mpirun": 75}[stop], f"{stop}: code {code}"


check_quickstart("terminal")
check_quickstart("mpirun")
check_log("plain log", [])
check_log("mpirun log", MPIRUN)
subprocess.run([*resume, "--max-time", "3", "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
with open(resume[resume.index("-o") + 1] + "/journal") as journal:
    attempts = sum("\tattempt\t" in line for line in journal)
assert attempts == 2, f"the command that resumes began attempt {attempts}, not 2"
print("progress is shown in time on terminals and in logs, and Ctrl-C names the command that resumes")
