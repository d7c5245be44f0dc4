#!/usr/bin/env python3
"""journal.py COMMAND DIR [...] - reads DIR/journal without the program, for the tests.

    check DIR            what must hold in any journal: no damaged line, no job started after it was
                         done, checkpoints of a job never go back
    lines DIR            number of lines
    ended DIR            code of the last attempt's end, or "killed"
    bits DIR             one line a DONE job: identity, hash of its rows, hash of its artifact
    resumes DIR          starts that resumed from a checkpoint of an earlier start
    ranks DIR            world ranks that began a job, in all attempts
    used-after DIR RANK  "no" if two jobs or more were started after the last one that failed on RANK,
                         and none of them on RANK; else "yes"
    starts DIR LINE FILE how often the job of a line of plan was started; FILE: identities by line
    repeated DIR FILE    lines of plan of the jobs that were started after they were done
    shards DIR           "GROUP-RANK:COUNT ..." of every DONE job done by a group of two or more
"""
import hashlib
import sys
import urllib.parse


def read(folder):
    """[(kind, [(name, value)])] of every whole line; a wrong checksum is an error."""
    events = []
    with open(folder + "/journal", "rb") as file:
        data = file.read()
    for number, line in enumerate(data.split(b"\n")[:-1]):
        checksum, rest = line.split(b"\t", 1)
        if hashlib.sha256(rest).hexdigest()[:16].encode() != checksum:
            sys.exit(f"{folder}/journal: line {number} is damaged")
        kind, *fields = rest.decode().split("\t")
        pairs = [field.split("=", 1) for field in fields]
        events.append((kind, [(name, urllib.parse.unquote(value)) for name, value in pairs]))
    return events


def field(event, name):
    return next(value for key, value in event[1] if key == name)


def check(events):
    done, reached = set(), {}
    for number, event in enumerate(events):
        job = dict(event[1]).get("job", "")
        if event[0] in ("start", "done") and job in done:
            sys.exit(f"line {number}: {event[0]} of job {job[:12]}, which was done before")
        if event[0] == "done":
            done.add(job)
        if event[0] == "checkpoint":
            now = float.fromhex(field(event, "done"))
            if now < reached.get(job, 0):
                sys.exit(f"line {number}: job {job[:12]} was at {reached[job]} and is back at {now}")
            reached[job] = now


def resumes(events):
    reached, count = set(), 0
    for event in events:
        if event[0] == "checkpoint":
            reached.add(field(event, "job"))
        if event[0] == "start" and field(event, "job") in reached:
            count += 1
    print(count)


def ended(events):
    last = "killed"
    for event in events:
        if event[0] == "attempt":
            last = "killed"
        if event[0] == "end":
            last = field(event, "code")
    print(last)


def bits(events):
    rows, out = {}, []
    for event in events:
        if event[0] == "row":  # the last row of a number counts
            cells = [value for name, value in event[1] if name == "c"]
            rows.setdefault(field(event, "job"), {})[int(field(event, "number"))] = cells
        if event[0] == "done":
            job = field(event, "job")
            text = repr(sorted(rows.get(job, {}).items())).encode()
            out.append(f"{job} {hashlib.sha256(text).hexdigest()} {field(event, 'sha256') or '-'}")
    for line in sorted(out):
        print(line)


def ranks(events):
    used = {int(r) for e in events if e[0] == "start" for r in field(e, "ranks").split(",")}
    print(*sorted(used))


def used_after(events, rank):
    """An idle rank gets the next job, so of two jobs one goes to a rank that is still in use."""
    where, others, used = {}, 0, True
    for event in events:
        if event[0] == "start":
            where[field(event, "job")] = on = field(event, "ranks").split(",")
            used, others = used or rank in on, others + 1
        if event[0] == "failed" and rank in where.get(field(event, "job"), []):
            used, others = False, 0
    print("yes" if used or others < 2 else "no")


def lines_of(path):
    with open(path) as file:
        return {identity: line for line, identity in enumerate(file.read().split())}


def starts(events, line, path):
    lines = lines_of(path)
    print(sum(lines[field(e, "job")] == int(line) for e in events if e[0] == "start"))


def repeated(events, path):
    done, found = set(), set()
    for event in events:
        if event[0] == "start" and field(event, "job") in done:
            found.add(lines_of(path)[field(event, "job")])
        if event[0] == "done":
            done.add(field(event, "job"))
    print(*sorted(found))


def shards(events):
    for event in events:
        parts = field(event, "shards").split(",") if event[0] == "done" else []
        if len(parts) < 2:
            continue
        counts = []
        for part in parts:
            rank, span = part.split(":")
            first, last = span.split("-")
            counts.append(f"{rank}:{int(last) - int(first) + 1}")
        print(*counts)


def main():
    command, folder, *rest = sys.argv[1:]
    events = read(folder)
    if command == "lines":
        print(len(events))
    else:
        {"check": check, "ended": ended, "bits": bits, "resumes": resumes, "ranks": ranks,
         "used-after": used_after, "starts": starts, "repeated": repeated, "shards": shards}[command](events, *rest)


if __name__ == "__main__":
    main()
