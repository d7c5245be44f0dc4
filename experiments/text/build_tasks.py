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
LISTS = 250  # of one kind


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
        self.countries = read_rows("countries", 6)
        self.more_nouns = read_rows("more_nouns", 1)
        self.more_verbs = read_rows("more_verbs", 1)

    def kinds(self):
        """Noun -> its kind."""
        return {bare(row[0]): row[1] for row in self.nouns if row[1] != "-"}


def bare(noun):
    """The singular of a noun as it stands in the list: "mouse=mice" -> "mouse", "milk!" -> "milk"."""
    return noun.split("=")[0].rstrip("!")


# ---- tasks of word lists


def without_gaps(pairs):
    return {x: y for x, y in pairs if y != "-"}


def plurals(nouns):
    """nouns: as they stand in the lists."""
    task = {}
    for row in nouns:
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


def country_tasks(countries, columns):
    return {"country-" + name: without_gaps((row[0], row[i]) for row in countries) for i, name in enumerate(columns, 1)}


def verb_tasks(pairs):
    """pairs: verb and past, "-" where it is regular."""
    return {
        "present-past": {verb: past if past != "-" else inflect.past(verb) for verb, past in pairs},
        "third_person": {verb: inflect.third_person(verb) for verb, _ in pairs},
        "gerund": {verb: inflect.gerund(verb) for verb, _ in pairs},
    }


def word_tasks(words):
    nouns, adjectives = [bare(row[0]) for row in words.nouns], [row[0] for row in words.adjectives]
    tasks = {
        "antonym": symmetric(words.antonyms),
        "synonym": dict(words.synonyms),
        "hypernym": words.kinds(),
        "singular-plural": plurals(words.nouns),
        **verb_tasks([row[:2] for row in words.verbs]),
        "indefinite_article": {word: inflect.article(word) for word in nouns + adjectives},
        "comparative": compared(words, "er", {"good": "better", "bad": "worse", "far": "farther"}),
        "superlative": compared(words, "est", {"good": "best", "bad": "worst", "far": "farthest"}),
    }
    countries = [[word.lower() for word in row] for row in words.countries]
    tasks.update(country_tasks(countries, ("capital", "currency", "language", "continent", "code")))
    tasks.update(("english-" + language, translations(words, language)) for language in LANGUAGES)
    return tasks


# ---- tasks of letters: over every word that is an input of another task


def letter_tasks(common, countries):
    """Tasks of the common English words; countries, which have four tasks of their own, take part in two."""
    upper = {word: word.upper() for word in common}
    return {
        "uppercase": upper,
        "lowercase": inverse(upper),
        "bijection_case": both_ways(upper),
        "lowercase_first_letter": {word.upper(): word[0] for word in common},
        "lowercase_last_letter": {word.upper(): word[-1] for word in common},
        "capitalize": {word: word[0].upper() + word[1:] for word in common},
        "capitalize_first_letter": {word: word[0].upper() for word in common},
        "capitalize_last_letter": {word: word[-1].upper() for word in common},
        "first_letter": {word: word[0] for word in common + countries},
        "last_letter": {word: word[-1] for word in common + countries},
        "second_letter": {word: word[1] for word in common},
        "next_letter": {word: chr(ord(word[0]) + 1) for word in common if word[0] < "z"},
        "previous_letter": {word: chr(ord(word[0]) - 1) for word in common if word[0] > "a"},
        "vowel_count": {word: str(sum(c in "aeiou" for c in word)) for word in common},
        "word_length": {word: str(len(word)) for word in common},
    }


# ---- extractive tasks: a list of words is the input


def draw(key, n):
    """A number in 0 .. n - 1 that depends on the text `key` alone."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % n


def draw_lists(name, pools):
    """LISTS lists of distinct words, the word at i out of pools[i]."""
    lists, i = [], 0
    while len(lists) < LISTS:
        words = [pool[draw(f"{name} {i} {place}", len(pool))] for place, pool in enumerate(pools)]
        i += 1
        if len(set(words)) == len(words) and words not in lists:
            lists.append(words)
    return lists


def odd_one_out(name, pool, others):
    """Lists of three words, one of them of `pool` at a drawn place, which is the answer."""
    task = {}
    for i, words in enumerate(draw_lists(name, [pool, others, others])):
        place = draw(f"{name} place {i}", 3)
        task[", ".join(words[1 : place + 1] + words[:1] + words[place + 1 :])] = words[0]
    return task


def list_tasks(words, common):
    """The same lists are in all tasks of a place or an order: a list alone does not tell its task."""
    kinds = words.kinds()
    animals = sorted(word for word, kind in kinds.items() if kind in ("animal", "bird", "fish", "insect", "reptile"))
    objects = sorted(word for word, kind in kinds.items() if kind in ("tool", "furniture", "clothing", "instrument", "vehicle"))
    nouns, verbs, adjectives = ({bare(row[0]) for row in rows} for rows in (words.nouns, words.verbs, words.adjectives))
    tasks = {
        "animal_v_object_3": odd_one_out("animal_v_object_3", animals, objects),
        "verb_v_adjective_3": odd_one_out("verb_v_adjective_3", sorted(verbs - nouns - adjectives), sorted(adjectives - nouns - verbs)),
    }
    lists = [", ".join(three) for three in draw_lists("lists of 3", [common] * 3)]
    lists += [three for task in tasks.values() for three in task]
    choices = {
        "choose_first_of_3": lambda three: three[0],
        "choose_middle_of_3": lambda three: three[1],
        "choose_last_of_3": lambda three: three[2],
        "alphabetically_first_3": min,
        "alphabetically_last_3": max,
    }
    tasks.update((name, {three: choose(three.split(", ")) for three in lists}) for name, choose in choices.items())
    return tasks


# ---- large tasks, for models that know more words than the word model


def large_tasks(words):
    """Items enough for 128 test items where the words are, and names as they are written."""
    verbs = [row[:2] for row in words.verbs]
    for row in words.more_verbs:
        verb, _, past = row[0].partition("=")
        verbs.append([verb, past or "-"])
    return {
        "singular-plural": plurals(words.nouns + words.more_nouns),
        **verb_tasks(verbs),
        **country_tasks(words.countries, ("capital", "currency", "language")),
    }


# ---- files


def build():
    """Name of a task -> its pairs."""
    words = Words()
    tasks = word_tasks(words)
    countries = {row[0].lower() for row in words.countries}
    common = {word for task in tasks.values() for word in task} - countries
    tasks.update(letter_tasks(sorted(common), sorted(countries)))
    tasks.update(("lists/" + name, task) for name, task in list_tasks(words, sorted(common)).items())
    tasks.update(("large/" + name, task) for name, task in large_tasks(words).items())
    return tasks


def text_of(task):
    lines = [json.dumps({"input": x, "output": task[x]}, ensure_ascii=False) for x in sorted(task)]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def write(folder, tasks):
    for name, task in tasks.items():
        path = os.path.join(folder, name + ".json")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text_of(task))


def differences(folder, tasks):
    """What differs from the files in folder, as lines to print."""
    there = [os.path.relpath(os.path.join(root, name), folder) for root, _, names in os.walk(folder) for name in names]
    there = {name[: -len(".json")] for name in there if name.endswith(".json")}
    found = [f"{name}.json: built by no rule" for name in sorted(there - set(tasks))]
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
