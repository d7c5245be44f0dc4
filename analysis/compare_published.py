#!/usr/bin/env python3
"""Print the accuracies of a run on text beside published ones.

    compare_published.py RUN FILE [--methods plain,ltv]

RUN is the folder of a run with evaluations on text, or its results.h5; FILE a JSON object with "source", which says where its
numbers come from, and "accuracy", a number for each task. For each task and each kind of prompts the accuracy of each method is
printed, repeats averaged, and at the end the mean of the differences from the published numbers over the tasks that both have.
The published setting may be another one: nothing here passes or fails."""
import argparse
import json

from figure_answers import accuracy_of, name_of_kind, sort_kinds
from figure_data import Run, answer_rows, choose_methods, fail, import_libraries


def line_name(line):
    """"ltv blocks fit_epochs=0": the method, its variant, and the keys of its fit that vary."""
    points = [f"points={line[2]}"] if line[2] else []
    return " ".join([line[0]] + [line[1]] * bool(line[1]) + points + [f"{name}={value}" for name, value in line[3]])


def read_published(path):
    with open(path, encoding="utf-8") as f:
        published = json.load(f)
    if not isinstance(published, dict) or not isinstance(published.get("accuracy"), dict):
        fail(f"{path}: expected an object with \"source\" and \"accuracy\"")
    return published


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("published")
    parser.add_argument("--methods", default="plain,ltv", help="default: plain,ltv")
    args = parser.parse_args()
    import_libraries()
    published = read_published(args.published)
    rows = choose_methods(answer_rows([Run(args.run)], None), args.methods.split(","))
    accuracy = accuracy_of(rows, [row["source"] for row in rows])
    kinds = sort_kinds({kind for _, _, kind in accuracy})
    names = {line: line_name(line) for line in dict.fromkeys(row["line"] for row in rows)}
    print(f"published: {published.get('source', 'no source is given')}\n")
    print(f"{'task':24} {'method':28} {'published':>9}" + "".join(f"{name_of_kind(kind):>25}" for kind in kinds))
    for task in dict.fromkeys(row["source"] for row in rows):
        wanted = published["accuracy"].get(task)
        for line, name in names.items():
            cells = [f"{accuracy[task, line, kind][0]:25.3f}" if (task, line, kind) in accuracy else f"{'-':>25}"
                     for kind in kinds]
            print(f"{task:24} {name:28} {'-' if wanted is None else format(wanted, '.3f'):>9}" + "".join(cells))
    for line, name in names.items():
        for kind in kinds:
            found = [accuracy[task, line, kind][0] - wanted for task, wanted in published["accuracy"].items()
                     if (task, line, kind) in accuracy]
            if found:
                print(f"{name}, {name_of_kind(kind)}: {sum(found) / len(found):+.3f} from the published numbers, mean over "
                      f"{len(found)} tasks")


if __name__ == "__main__":
    main()
