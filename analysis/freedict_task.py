#!/usr/bin/env python3
"""Make a translation task from a FreeDict dictionary: a JSON list of {"input", "output"}, as experiments/text/tasks has.

    apt-get install dict-freedict-eng-fra
    freedict_task.py eng-fra english-french.json                    # reads /usr/share/dictd
    freedict_task.py FOLDER/freedict-eng-fra.index TASK.json        # another place; FILE.dict.dz or FILE.dict beside it

An item is a word in lower case whose entries have one translation in all, which is one word; --first takes words with several
translations too, with the first that is one word. FreeDict is under the GPL, and so is what this script makes of it: no such file
is part of taskvec. Needs python3 alone. Exit code 65: the dictionary cannot be read."""

import argparse
import gzip
import json
import os
import re
import string
import sys

DIGITS = {c: i for i, c in enumerate(string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/")}
WORD = re.compile(r"[^\W\d_]+")
NOTES = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\([^()]*\)|^\s*\d+\.")


class Refused(Exception):
    pass


def number(text):
    """A number of an index of dictd: digits of base 64, the highest first."""
    value = 0
    for c in text:
        value = 64 * value + DIGITS[c]
    return value


def read_text(stem):
    """The dictionary's bytes; .dz is gzip."""
    for name, opener in ((stem + ".dict.dz", gzip.open), (stem + ".dict", open)):
        if os.path.exists(name):
            with opener(name, "rb") as file:
                return file.read()
    raise Refused(f"{stem}.dict.dz: no such file")


def entries(index, text):
    """(headword, text of the entry), in the order of the index."""
    with open(index, encoding="utf-8") as file:
        for place, line in enumerate(file, 1):
            fields = line.rstrip("\n").split("\t")
            try:
                first, size = number(fields[1]), number(fields[2])
            except (IndexError, KeyError):
                raise Refused(f"{index}:{place}: no headword, offset and size: is it an index of dictd?") from None
            yield fields[0], text[first : first + size].decode("utf-8", "replace")


def translations(headword, entry):
    """What the lines of an entry give: no examples, notes or references, which are indented or refer by name.

    Empty for an entry of a longer word, which the index also has under its parts."""
    lines = entry.split("\n")
    if re.split(r" [/<\[]", lines[0])[0].strip() != headword:
        return []
    found = []
    for line in lines[1:]:
        if line.startswith("  ") or re.match(r" *(see|Note|Synonym)s?:", line):
            continue
        for part in re.split(r"[,;]", NOTES.sub("", line)):
            if part.strip():
                found.append(part.strip())
    return found


def task_of(index, first):
    """Word -> translation."""
    text = read_text(index[: -len(".index")])
    every = {}
    for headword, entry in entries(index, text):
        if WORD.fullmatch(headword) and headword == headword.lower():
            known = every.setdefault(headword, [])
            known += [word for word in translations(headword, entry) if word not in known]
    task = {}
    for headword, words in every.items():
        words = [word for word in words if WORD.fullmatch(word)] if first else words
        if words and (first or len(words) == 1) and WORD.fullmatch(words[0]):
            task[headword] = words[0]
    return task


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dictionary", metavar="PAIR|INDEX", help="such as eng-fra")
    parser.add_argument("task", metavar="TASK.json")
    parser.add_argument("--first", action="store_true", help="words with several translations too")
    args = parser.parse_args()
    index = args.dictionary
    if not index.endswith(".index"):
        index = f"/usr/share/dictd/freedict-{index}.index"
    try:
        if not os.path.exists(index):
            raise Refused(f"{index}: no such file: apt-get install dict-freedict-{args.dictionary}")
        task = task_of(index, args.first)
    except (Refused, OSError) as error:
        print(f"freedict_task.py: {error}", file=sys.stderr)
        return 65
    lines = [json.dumps({"input": word, "output": task[word]}, ensure_ascii=False) for word in sorted(task)]
    with open(args.task, "w", encoding="utf-8", newline="\n") as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{args.task}: {len(task):,} items (FreeDict, GPL)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
