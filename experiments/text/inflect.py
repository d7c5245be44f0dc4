"""Regular English inflection, for the words of words/*.txt: irregular forms stand in those files.

Spelling is American."""

VOWELS = "aeiou"


def syllables(word):
    """Number of groups of vowels, without a final silent e."""
    stem = word[:-1] if word.endswith("e") and word[-2] not in VOWELS else word
    groups = [i for i, c in enumerate(stem) if c in VOWELS + "y" and (i == 0 or stem[i - 1] not in VOWELS + "y")]
    return len(groups)


def doubles(word):
    """Whether the last consonant is doubled before -ed, -ing, -er: stop, big, begin, but not open, sweep, fix."""
    if len(word) < 3 or word[-1] in VOWELS + "wxy" or word[-2] not in VOWELS or word[-3] in VOWELS:
        return False
    return syllables(word) == 1 or word in ("admit", "begin", "control", "forget", "occur", "permit", "prefer", "regret")


def consonant_y(word):
    return word.endswith("y") and word[-2] not in VOWELS


def plural(noun):
    if consonant_y(noun):
        return noun[:-1] + "ies"
    if noun.endswith(("s", "x", "z", "ch", "sh")) and noun not in ("stomach", "monarch"):
        return noun + "es"
    return noun + "s"


def third_person(verb):
    if verb in ("go", "do", "undo"):
        return verb + "es"
    return plural(verb)


def gerund(verb):
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return verb + (verb[-1] if doubles(verb) else "") + "ing"


def past(verb):
    if consonant_y(verb):
        return verb[:-1] + "ied"
    if verb.endswith("e"):
        return verb + "d"
    return verb + (verb[-1] if doubles(verb) else "") + "ed"


def comparative(adjective, ending="er"):
    """ending: "er" or "est"."""
    if consonant_y(adjective) and adjective not in ("shy", "sly"):
        return adjective[:-1] + "i" + ending
    if adjective.endswith("e"):
        return adjective + ending[1:]
    return adjective + (adjective[-1] if doubles(adjective) else "") + ending


def article(word):
    """By sound: "an hour", "a useful"."""
    if word in ("hour", "honest"):
        return "an"
    return "an" if word[0] in VOWELS and word not in ("one", "use", "useful", "usual", "unit") else "a"
