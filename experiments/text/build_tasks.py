#!/usr/bin/env python3
"""Write the task files experiments/text/tasks/*.json from the hand-written lists in experiments/text/words.

    build_tasks.py [FOLDER]        # default: tasks/ beside this file
    build_tasks.py --check         # compare the files with what would be written; exit code 1 where they differ

A task is a JSON list of {"input", "output"}, one item a line, sorted by input, no input twice. Needs python3 alone; the
files are the same on every machine and with every version of Python. What a task holds and where it is from: tasks/README.md."""

import argparse
import hashlib
import json
import os
import sys

import inflect

HERE = os.path.dirname(os.path.abspath(__file__))
LANGUAGES = ("french", "german", "spanish")
EXTRACTIVE_ITEMS = 400


class Refused(Exception):
    pass


# ---- lists


def read_rows(name, columns):
    """The rows of words/NAME.txt, each of `columns` words."""
    path = os.path.join(HERE, "words", name + ".txt")
    rows = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            row = line.split()
            if line.startswith("#") or not row:
                continue
            if len(row) != columns:
                raise Refused(f"{path}:{number}: {len(row)} words, expected {columns}: {line.strip()}")
            rows.append(row)
    return rows


class Words:
    """All lists: nouns, verbs, adjectives with their forms; pairs; countries."""

    def __init__(self):
        self.nouns = read_rows("nouns", 5)
        self.verbs = read_rows("verbs", 5)
        self.adjectives = read_rows("adjectives", 5)
        self.antonyms = read_rows("antonyms", 2)
        self.synonyms = read_rows("synonyms", 2)
        self.countries = [[word.lower() for word in row] for row in read_rows("countries", 4)]

    def kinds(self):
        """Noun -> its kind."""
        return {bare(row[0]): row[1] for row in self.nouns if row[1] != "-"}


def bare(noun):
    """The singular of a noun as it stands in the list: "mouse=mice" -> "mouse", "milk!" -> "milk"."""
    return noun.split("=")[0].rstrip("!")


# ---- tasks of word lists


def without_gaps(pairs):
    return {x: y for x, y in pairs if y != "-"}


def singular_plural(words):
    task = {}
    for row in words.nouns:
        noun, _, irregular = row[0].partition("=")
        if not noun.endswith("!"):
            task[noun] = irregular or inflect.plural(noun)
    return task


def compared(words, ending, irregular):
    """irregular: of the three adjectives whose forms follow no rule."""
    task = {}
    for word, comparison, *_ in words.adjectives:
        if comparison.startswith("er"):
            task[word] = irregular.get(word) or inflect.comparative(word, ending)
    return task


def translations(words, language):
    """English -> language, of all nouns, verbs and adjectives that have a translation."""
    column = 2 + LANGUAGES.index(language)
    task = {}
    for rows in (words.nouns, words.verbs, words.adjectives):
        for row in rows:
            english, other = bare(row[0]), row[column]
            if other != "-" and task.setdefault(english, other) != other:
                raise Refused(f"words: {english} is {task[english]} and {other} in {language}")
    return task


def inverse(task):
    """The pairs of outputs that one input has."""
    outputs = list(task.values())
    return {y: x for x, y in task.items() if outputs.count(y) == 1}


def both_ways(task):
    """A task united with its inverse, of the pairs whose output is no input."""
    pairs = {x: y for x, y in task.items() if y not in task}
    back = inverse(pairs)
    return {**{x: y for y, x in back.items()}, **back}


def symmetric(pairs):
    task = {}
    for x, y in [*pairs, *((y, x) for x, y in pairs)]:
        if x in task:
            raise Refused(f"words/antonyms.txt: {x} stands in two pairs")
        task[x] = y
    return task


def word_tasks(words):
    verbs = [(row[0], row[1]) for row in words.verbs]
    tasks = {
        "antonym": symmetric(words.antonyms),
        "synonym": dict(words.synonyms),
        "hypernym": words.kinds(),
        "singular-plural": singular_plural(words),
        "present-past": {verb: past if past != "-" else inflect.past(verb) for verb, past in verbs},
        "third_person": {verb: inflect.third_person(verb) for verb, _ in verbs},
        "gerund": {verb: inflect.gerund(verb) for verb, _ in verbs},
        "comparative": compared(words, "er", {"good": "better", "bad": "worse", "far": "farther"}),
        "superlative": compared(words, "est", {"good": "best", "bad": "worst", "far": "farthest"}),
    }
    for column, name in enumerate(("capital", "currency", "language"), 1):
        tasks["country-" + name] = without_gaps((row[0], row[column]) for row in words.countries)
    for language in LANGUAGES:
        tasks["english-" + language] = translations(words, language)
    tasks["french-english"] = inverse(tasks["english-french"])
    tasks["bijection_english-french"] = both_ways(tasks["english-french"])
    return tasks


# ---- tasks of letters: over every word that is an input of another task


def letter_tasks(common, countries, foreign):
    """Case tasks of the common English words alone and two tasks of every word: each word is an input of four tasks, and
    the vocabulary of the word model stays small. foreign: the inputs of french-english."""
    upper = {word: word.upper() for word in common}
    english = common + countries
    return {
        "uppercase": upper,
        "lowercase": inverse(upper),
        "bijection_case": both_ways(upper),
        "capitalize": {word: word[0].upper() + word[1:] for word in common},
        "first_letter": {word: word[0] for word in english + foreign},
        "last_letter": {word: word[-1] for word in english + foreign},
        "next_letter": {word: chr(ord(word[0]) + 1) for word in english if word[0] < "z"},
        "word_length": {word: str(len(word)) for word in english},
    }


# ---- extractive tasks: a list of words is the input


def draw(key, n):
    """A number in 0 .. n - 1 that depends on the text `key` alone."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % n


def draw_lists(name, pools):
    """EXTRACTIVE_ITEMS lists of distinct words, the word at i out of pools[i]."""
    lists, i = [], 0
    while len(lists) < EXTRACTIVE_ITEMS:
        words = [pool[draw(f"{name} {i} {place}", len(pool))] for place, pool in enumerate(pools)]
        i += 1
        if len(set(words)) == len(words) and words not in lists:
            lists.append(words)
    return lists


def pick(name, pool, n, choose):
    return {", ".join(words): choose(words) for words in draw_lists(name, [pool] * n)}


def odd_one_out(name, pool, others):
    """Three words, one of them of `pool` at a drawn place, which is the answer."""
    task = {}
    for i, words in enumerate(draw_lists(name, [pool, others, others])):
        place = draw(f"{name} place {i}", 3)
        task[", ".join(words[1 : place + 1] + words[:1] + words[place + 1 :])] = words[0]
    return task


def extractive_tasks(words, base):
    kinds = words.kinds()
    animals = sorted(word for word, kind in kinds.items() if kind in ("animal", "bird", "fish", "insect", "reptile"))
    objects = sorted(word for word, kind in kinds.items() if kind in ("tool", "furniture", "clothing", "instrument", "vehicle"))
    nouns = {bare(row[0]) for row in words.nouns}
    adjectives = {row[0] for row in words.adjectives}
    pure_verbs = sorted({row[0] for row in words.verbs} - nouns - adjectives)
    pure_adjectives = sorted(adjectives - nouns - {row[0] for row in words.verbs})
    return {
        "choose_first_of_3": pick("choose_first_of_3", base, 3, lambda three: three[0]),
        "choose_middle_of_3": pick("choose_middle_of_3", base, 3, lambda three: three[1]),
        "choose_last_of_3": pick("choose_last_of_3", base, 3, lambda three: three[2]),
        "alphabetically_first_3": pick("alphabetically_first_3", base, 3, min),
        "alphabetically_last_3": pick("alphabetically_last_3", base, 3, max),
        "animal_v_object_3": odd_one_out("animal_v_object_3", animals, objects),
        "verb_v_adjective_3": odd_one_out("verb_v_adjective_3", pure_verbs, pure_adjectives),
    }


# ---- files


def build():
    """Name of a task -> its pairs."""
    words = Words()
    tasks = word_tasks(words)
    inputs = {name: set(task) for name, task in tasks.items()}
    french = inputs.pop("french-english") | inputs.pop("bijection_english-french")
    countries = {row[0] for row in words.countries}
    common = set().union(*inputs.values()) - countries
    tasks.update(letter_tasks(sorted(common), sorted(countries), sorted(french - common - countries)))
    tasks.update(extractive_tasks(words, sorted(common)))
    return tasks


def text_of(task):
    lines = [json.dumps({"input": x, "output": task[x]}, ensure_ascii=False) for x in sorted(task)]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def write(folder, tasks):
    os.makedirs(folder, exist_ok=True)
    for name, task in tasks.items():
        with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8", newline="\n") as file:
            file.write(text_of(task))


def differences(folder, tasks):
    """What differs from the files in folder, as lines to print."""
    found = []
    there = {name[: -len(".json")] for name in os.listdir(folder) if name.endswith(".json")}
    found += [f"{name}.json: built by no rule" for name in sorted(there - set(tasks))]
    for name in sorted(tasks):
        path = os.path.join(folder, name + ".json")
        if name not in there:
            found.append(f"{name}.json: missing")
        elif open(path, encoding="utf-8", newline="").read() != text_of(tasks[name]):
            found.append(f"{name}.json: differs from the lists in words/")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=os.path.join(HERE, "tasks"), metavar="FOLDER")
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    args = parser.parse_args()
    try:
        tasks = build()
    except Refused as error:
        print(f"build_tasks.py: {error}", file=sys.stderr)
        return 65
    if not args.check:
        write(args.folder, tasks)
        return 0
    found = differences(args.folder, tasks)
    print("".join(line + "\n" for line in found), end="", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
