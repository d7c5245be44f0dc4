#!/usr/bin/env python3
"""Write word_model/tokenizer.json: a WordLevel vocabulary over the words of the tasks in tasks/.

    build_word_tokenizer.py [FOLDER]     # default: word_model/ beside this file
    build_word_tokenizer.py --check      # compare the files with what would be written; exit code 1 where they differ

A token is a word, a comma, one line break or two; blanks separate words and are no tokens. Ids are those of the order below:
special tokens, those of the template, and all words, sorted. The files are the same on every machine."""

import argparse
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Of the word model: tasks that are added to tasks/ later change no id. Lists are of the same words.
TASKS = """antonym bijection_case capitalize capitalize_first_letter capitalize_last_letter comparative country-capital country-code
    country-continent country-currency country-language english-french english-german english-spanish first_letter gerund hypernym
    indefinite_article last_letter lowercase lowercase_first_letter lowercase_last_letter next_letter present-past previous_letter
    second_letter singular-plural superlative synonym third_person uppercase vowel_count word_length""".split()
SPECIAL = ["<unk>", "<s>"]
# "Q:" to "," are of the default template and the tasks of lists; the others allow a few further templates.
TEMPLATE = ["\n", "\n\n", "Q:", "A:", ",", ":", "=", "->", "Input:", "Output:"]
TOKEN = r"\n\n|\n|,|[^\s,]+"


def words_of_tasks(folder):
    words = set()
    for name in TASKS:
        with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
            for item in json.load(file):
                words.update(re.findall(TOKEN, item["input"]), re.findall(TOKEN, item["output"]))
    return sorted(words - set(TEMPLATE))


def added(token, number):
    return {"id": number, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def tokenizer(words):
    ids = {token: number for number, token in enumerate(SPECIAL + TEMPLATE + words)}
    begin = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    text = [{"Sequence": {"id": name, "type_id": number}} for number, name in enumerate("AB")]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [added(token, ids[token]) for token in SPECIAL],
        "normalizer": None,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": TOKEN}, "behavior": "Removed", "invert": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, text[0]],
            "pair": [begin, *text],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [ids["<s>"]], "tokens": ["<s>"]}},
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": ids, "unk_token": "<unk>"},
    }


CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": "<s>",
    "unk_token": "<unk>",
    "add_bos_token": True,
    "clean_up_tokenization_spaces": False,
}


def files():
    """Name of a file -> its text."""
    values = {"tokenizer.json": tokenizer(words_of_tasks(os.path.join(HERE, "tasks"))), "tokenizer_config.json": CONFIG}
    return {name: json.dumps(value, ensure_ascii=False, indent=1) + "\n" for name, value in values.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=os.path.join(HERE, "word_model"), metavar="FOLDER")
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    differ = 0
    for name, text in files().items():
        path = os.path.join(args.folder, name)
        if not args.check:
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
        elif not os.path.exists(path) or open(path, encoding="utf-8", newline="").read() != text:
            print(f"{path} differs from the words of tasks/", file=sys.stderr)
            differ = 1
    return differ


if __name__ == "__main__":
    sys.exit(main())
