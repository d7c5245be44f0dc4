#!/usr/bin/env python3
"""check_tasks.py TEXT - the files of the folder TEXT (experiments/text): every task is well formed, and the vocabulary of the word
model has every token. Prints, for `taskvec verify CASES --tokenizer`, one prompt of all items of each task with its ids.
If the module lemminflect is there, inflected forms are compared with it."""

import glob
import json
import os
import re
import sys

# Inputs in capitals; answers with capitals. Inputs of lists/ are three words.
UPPER = {"lowercase", "bijection_case", "lowercase_first_letter", "lowercase_last_letter"}
CAPITALS = {"uppercase", "bijection_case", "capitalize", "capitalize_first_letter", "capitalize_last_letter", "english-german"}
# Fewer than 150 items: the subject has no more.
SMALL = {"country-capital": 120, "country-language": 140}
LARGE = 600  # of the inflections in large/: 128 items or more are for test
FORMS = {"singular-plural": "NNS", "present-past": "VBD", "third_person": "VBZ", "gerund": "VBG", "comparative": "JJR",
         "superlative": "JJS"}
KNOWN = {"singular-plural": "mouse mice box boxes city cities key keys leaf leaves stomach stomachs knife knives",
         "present-past": "stop stopped cry cried agree agreed visit visited lie lied travel traveled begin began",
         "gerund": "die dying run running agree agreeing make making begin beginning open opening see seeing",
         "third_person": "go goes watch watches carry carries play plays kiss kisses",
         "comparative": "big bigger dry drier wide wider good better shy shyer new newer free freer",
         "superlative": "hot hottest happy happiest nice nicest bad worst",
         "antonym": "hot cold cold hot", "hypernym": "dog animal rose flower", "synonym": "buy purchase",
         "country-capital": "france paris japan tokyo", "country-currency": "india rupee", "country-language": "brazil portuguese",
         "english-french": "house maison", "english-german": "house Haus", "english-spanish": "house casa",
         "country-continent": "france europe", "country-code": "japan jp", "large/country-capital": "France Paris",
         "large/present-past": "prefer preferred visit visited copy copied", "large/gerund": "tie tying stop stopping",
         "large/singular-plural": "tomato tomatoes zoo zoos shelf shelves arch arches", "indefinite_article": "hour an useful a apple an dog a",
         "first_letter": "house h", "last_letter": "house e", "next_letter": "house i", "word_length": "house 5",
         "uppercase": "house HOUSE", "lowercase": "HOUSE house", "capitalize": "house House",
         "bijection_case": "house HOUSE HOUSE house", "second_letter": "house o", "previous_letter": "house g", "vowel_count": "house 3 fly 0",
         "capitalize_first_letter": "house H", "capitalize_last_letter": "house E", "lowercase_first_letter": "HOUSE h",
         "lowercase_last_letter": "HOUSE e"}
failed = []


def fault(*words):
    failed.append(" ".join(map(str, words)))


def read(path, name):
    """A task's pairs. Adds faults of the file's form."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    items = json.loads(text)
    inputs = [item["input"] for item in items]
    if any(set(item) != {"input", "output"} for item in items):
        fault(name, "has an item with other keys")
    if inputs != sorted(set(inputs)):
        fault(name, "is not sorted, or has an input twice")
    if text.count("\n") != len(items) + 2 or not text.endswith("\n]\n"):
        fault(name, "does not have one item a line")
    folder, _, last = name.rpartition("/")
    if len(items) < (LARGE if folder == "large" and last in FORMS else SMALL.get(last, 150)):
        fault(name, "has", len(items), "items")
    return {item["input"]: item["output"] for item in items}


def check_words(name, task):
    word = re.compile(r"\d+|[^\W\d_]+")
    for x, y in task.items():
        words = x.split(", ") if name.startswith("lists/") else [x]
        if len(words) != (3 if name.startswith("lists/") else 1) or not all(word.fullmatch(w) for w in [*words, y]):
            fault(name, "has the item", x, y)
        if name.startswith("lists/") and y not in words:
            fault(name, "has an answer that is not in its list:", x, y)
        names = name.startswith("large/country-")
        if (x != x.lower() and name not in UPPER and not names) or (y != y.lower() and name not in CAPITALS and not names):
            fault(name, "has capitals:", x, y)
        if y == x and name in ("antonym", "synonym", "hypernym", "gerund", "third_person", "comparative", "superlative"):
            fault(name, "answers its input:", x)


def check_known(tasks):
    for name, text in KNOWN.items():
        words = text.split()
        for x, y in zip(words[::2], words[1::2]):
            if tasks[name].get(x) != y:
                fault(name, x, "is", tasks[name].get(x), "expected", y)
    for name in ("antonym", "bijection_case"):
        if any(tasks[name].get(y) != x for x, y in tasks[name].items()):
            fault(name, "is not its own inverse")


def check_four_tasks(tasks):
    """Only the context tells the task: every input has at least four tasks."""
    count = {}
    for name, task in tasks.items():
        if "_v_" not in name and not name.startswith("large/"):
            count.update((x, count.get(x, 0) + 1) for x in task)
    few = sorted(x for x, n in count.items() if n < 4)
    if few:
        fault("in fewer than four tasks:", *few[:10])


def check_forms(tasks):
    try:
        from lemminflect import getInflection
    except ImportError:
        return
    other = {"freer", "freest", "truer", "stinging", "people"}  # forms that lemminflect gets wrong
    for name, tag in FORMS.items():
        for x, y in [*tasks[name].items(), *tasks.get("large/" + name, {}).items()]:
            if y not in getInflection(x, tag) and y not in other:
                fault(name, x, "is", y, "in lemminflect", *getInflection(x, tag))


def cases(tasks, vocabulary):
    """One prompt for each task: all its items, then a query."""
    for name, task in sorted(tasks.items()):
        if name.startswith("large/"):
            continue
        prompt = "".join(f"Q: {x}\nA: {y}\n\n" for x, y in task.items()) + f"Q: {next(iter(task), '')}\nA:"
        tokens = re.findall(r"\n\n|\n|,|[^\s,]+", prompt)
        missing = [token for token in tokens if token not in vocabulary]
        if missing:
            fault("the vocabulary lacks", *missing[:10])
        ids = [vocabulary.get(token, 0) for token in tokens]
        yield {"text": prompt, "ids": ids, "ids_with_special": [vocabulary["<s>"], *ids], "decoded": " ".join(tokens)}


def main():
    folder = sys.argv[1]
    paths = glob.glob(os.path.join(folder, "tasks", "**", "*.json"), recursive=True)
    names = [os.path.relpath(path, os.path.join(folder, "tasks"))[: -len(".json")] for path in paths]
    tasks = {name: read(path, name) for path, name in zip(paths, names)}
    if len(tasks) < 20:
        fault("only", len(tasks), "tasks")
    for name, task in tasks.items():
        check_words(name, task)
    check_known(tasks)
    check_four_tasks(tasks)
    check_forms(tasks)
    with open(os.path.join(folder, "word_model", "tokenizer.json"), encoding="utf-8") as file:
        vocabulary = json.load(file)["model"]["vocab"]
    if sorted(vocabulary.values()) != list(range(len(vocabulary))) or len(vocabulary) > 6000:
        fault("the vocabulary has", len(vocabulary), "tokens, or a gap")
    json.dump(list(cases(tasks, vocabulary)), sys.stdout)
    print("".join(f"check_tasks: {line}\n" for line in failed), end="", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
