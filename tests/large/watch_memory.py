#!/usr/bin/env python3
"""watch_memory.py PROGRAM FOLDER COMMAND...: runs a command and looks at the memory of every process of PROGRAM that it starts.

Prints one line: "WEIGHTS RANK RANKS": the largest sum over all processes of the proportional set size (Pss) of the mapped files
in FOLDER, where a page that n processes map counts 1/n in each; the largest sum, over the supervisor of a rank and its compute child,
of their own memory (RssAnon); and the most ranks seen at once. MiB."""
import os
import subprocess
import sys
import time

INTERVAL = 0.02  # seconds between two looks at own memory
RARELY = 100  # looks at own memory for each look at mapped files, which takes longer


def processes(program):
    """{pid: parent} of all processes that run the program."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe") == program:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                    found[int(pid)] = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass  # it has ended, or is another user's
    return found


def mapped(pid, folder):
    """KiB of Pss in files of the folder."""
    size, inside = 0, False
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as f:
        for line in f:
            word = line.split()
            if not word[0].endswith(":"):  # the first line of a mapping
                inside = len(word) > 5 and word[5].startswith(folder)
            elif inside and word[0] == "Pss:":
                size += int(word[1])
    return size


def own(pid):
    """KiB of memory that is in no file."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as f:
        return sum(int(line.split()[1]) for line in f if line.startswith(("RssAnon:", "RssShmem:")))


def total(found, size):
    """{rank: sum of size(pid)}; a compute child belongs to the rank of its parent."""
    ranks = {}
    for pid, parent in found.items():
        rank = parent if parent in found else pid
        try:
            ranks[rank] = ranks.get(rank, 0) + size(pid)
        except (OSError, ProcessLookupError):
            pass  # it has just ended
    return ranks


def descendant_of(root):
    def descends(pid):
        while pid > 1:
            if pid == root:
                return True
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                    pid = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                return False
        return False

    return descends


def main(program, folder, *command):
    program, folder = os.path.realpath(program), os.path.realpath(folder) + "/"
    run = subprocess.Popen(command, stdout=sys.stderr)
    descends, found, weights, rank, ranks, looks = descendant_of(run.pid), {}, 0, 0, 0, 0
    while run.poll() is None:
        if looks % RARELY == 0:
            found = {pid: parent for pid, parent in processes(program).items() if descends(pid)}
            weights = max(weights, sum(total(found, lambda pid: mapped(pid, folder)).values()))
        sizes = total(found, own)
        rank, ranks = max([rank, *sizes.values()]), max(ranks, len(sizes))
        looks += 1
        time.sleep(INTERVAL)
    print(weights // 1024, rank // 1024, ranks)
    sys.exit(run.returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
