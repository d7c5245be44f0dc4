"""text_faults.py BINARY PROBE MODEL WORK: task files with faults (one line, exit 65) and strange texts (right), seeds, names and
templates. MODEL is the folder of make_text_model.py, whose tokens are the printable characters and the line break."""
import json
import os
import random
import struct
import subprocess
import sys
import time

binary, probe, model, work = sys.argv[1:]
os.chdir(work)
GOOD = [{"input": f"w{i}", "output": f"A{i}"} for i in range(60)]
faults = []


def write(name, content):
    with open(name, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else json.dumps(content).encode())


def write_config(stages, seed=5, task="task.json", more=""):
    write("text.cfg", f'name = "t"; seed = {seed}; model = {{ checkpoint = "{model}"; }};\n'
          f'source = {{ kind = "text"; task = "{task}"; {more} }};\nstages = ( {stages} );\n')


def call(*words):
    return subprocess.run([binary, *words], capture_output=True, text=True, errors="replace")


def run(folder, stages, **keys):
    write_config(stages, **keys)
    done = call("run", "text.cfg", "-o", folder, "--quiet", "--in-process")
    assert done.returncode == 0, done.stderr
    return folder


def artifact(folder, job="evaluate[0]"):
    path = json.loads(call("artifact", folder, job, "--json").stdout)["path"]
    with open(path, "rb") as f:
        data = f.read()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + n])

    def rows(name):
        a, b = header[name]["data_offsets"]
        width = header[name]["shape"][-1]
        numbers = struct.unpack(f"<{(b - a) // 4}f", data[8 + n + a:8 + n + b])
        return [numbers[i:i + width] for i in range(0, len(numbers), width)]

    return rows, header.get("__metadata__", {})


def text_of(row):
    return "".join("\n" if t == 0 else chr(31 + int(t)) for t in row if t >= 0)


EVALUATE = '{ stage = "evaluate"; also = ["plain"]; points = %d; functions = 128; keep = ["prompts"]; }'


def check_refusals():
    body = json.dumps(GOOD)[1:-1]
    last = len(GOOD) + 1

    def with_item(item):
        return f"[{body},\n{item}]"

    cases = [
        ("an object", f'{{"pairs": [{body}]}}', ['expected a list of {"input": TEXT', "received an object"]),
        ("an empty file", "", ["line 1", "not valid JSON"]),
        ("an empty list", "[]", ["no pair"]),
        ("lines of JSON", '{"input": "a", "output": "b"}\n{"input": "c", "output": "d"}\n', ["line 2", "end of file expected"]),
        ("a table", "input,output\na,b\n", ["line 1", "not valid JSON"]),
        ("half a file", f"[{body}"[:-9], ["not valid JSON"]),
        ("100,000 brackets", "[" * 100000, ["line 1", "nested deeper than 64 levels"]),
        ("Latin-1", f"[{body},\n".encode() + b'{"input": "caf\xe9", "output": "b"}]', ["line 2", "0xe9", "save the file as UTF-8"]),
        ("UTF-16", f"[{body}]".encode("utf-16"), ["line 1", "0xff", "save the file as UTF-8"]),
        ("a byte order mark", b"\xef\xbb\xbf" + f"[{body}]".encode(), ["line 1", "byte order mark", "save the file as UTF-8 without one"]),
        ("a character 0", with_item('{"input": "a\\u0000b", "output": "b"}'), ["line 2", "remove the character 0"]),
        ("half a surrogate", with_item('{"input": "\\ud800", "output": "b"}'), ["line 2", "invalid Unicode"]),
        ("another key", with_item('{"input": "a", "target": "b"}'), [f"item {last}", 'no "output"']),
        ("one key more", with_item('{"input": "a", "output": "b", "id": 1}'), [f"item {last}", 'key "id"', "alone"]),
        ("a key of two lines", with_item('{"input": "a", "output": "b", "x\\n\\u001b[31my": 1}'), [f"item {last}", 'key "x??[31my"']),
        ("a key twice", with_item('{"input": "a", "input": "b", "output": "b"}'), ["line 2", "duplicate", "input"]),
        ("a nested object", with_item('{"input": {"word": "a"}, "output": "b"}'), [f"item {last}", "input", "expected a text, received an object"]),
        ("a nested list", with_item('[{"input": "a", "output": "b"}]'), [f"item {last}", "received an array"]),
        ("several answers", with_item('{"input": "a", "output": ["b", "c"]}'), [f"item {last}", "the one answer that counts"]),
        ("a number", with_item('{"input": 7, "output": "b"}'), [f"item {last}", "expected a text, received 7"]),
        ("a huge number", with_item('{"input": 1e999, "output": "b"}'), ["line 2", "1e999"]),
        ("a huge integer", with_item('{"input": 123456789012345678901234567890, "output": "b"}'), ["line 2", "too big integer"]),
        ("null", with_item('{"input": null, "output": "b"}'), [f"item {last}", "expected a text, received null"]),
        ("an empty input", with_item('{"input": "", "output": "b"}'), [f"item {last}", '"input" is empty', "remove the item"]),
        ("a blank answer", with_item('{"input": "a", "output": " \\n"}'), [f"item {last}", '"output" is empty', "remove the item"]),
    ]
    write_config(EVALUATE % 3)
    for name, content, words in cases:
        write("task.json", content)
        for command in ("plan", "text.cfg"), ("run", "text.cfg", "-o", "refused", "--quiet", "--in-process"):
            done = call(*command)
            one = done.returncode == 65 and done.stderr.count("\n") == 1 and "task.json" in done.stderr
            if not one or not all(word in done.stderr for word in words):
                faults.append(f"{name}: {command[0]}: code {done.returncode}, expected 65 and one line with {words}: {done.stderr}")
        if os.path.exists("refused"):
            faults.append(f"{name}: a run began")
    return len(cases)


def check_unknown_words():
    """Of a vocabulary of words without a token for others."""
    write("words.json", {"pre_tokenizer": {"type": "WhitespaceSplit"},
                         "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"Q:": 0, "A:": 1, "b": 2}}})
    write("task.json", [{"input": f"z\n{i}", "output": "b"} for i in range(60)])
    write_config(EVALUATE % 3, more='tokenizer = "words.json";')
    done = call("plan", "text.cfg")
    assert done.returncode == 65 and done.stderr.count("\n") == 1, done.stderr
    for words in "task.json: ", 'asks about "z?', "the word 'z' is not in the vocabulary", "another tokenizer":
        assert words in done.stderr, done.stderr


def check_few_pairs():
    write("task.json", GOOD[:5])
    for stage in EVALUATE % 11, '{ stage = "fit"; method = "constant"; points = 11; prompts = 8; }':
        write_config(stage)
        done = call("plan", "text.cfg")
        assert done.returncode == 65 and done.stderr.count("\n") == 1, done.stderr
        assert "task.json" in done.stderr and "of its 5 pairs" in done.stderr, done.stderr
        assert "too small" in done.stderr or "10 shots need" in done.stderr, done.stderr


def check_strange_texts():
    """Spaces, quotes, line breaks, answers that begin others: prompts hold them unchanged, and answers are those of the file."""
    pairs = [("New York", "New"), ("New", "New York"), ('say "hi"', "it's"), ("two\nlines", "a\nb"), (" before", "after "),
             ("{x}", "{y}"), ("Q: a", "A: b"), ("back\\slash", "\\n"), ("a" * 40, "b"), ("an", "anal"), ("ana", "an"), ("tab", "a"), ("x ", "x")]
    pairs += [(f"n{i}", f"{i}") for i in range(90)]  # 1 begins 10 ... 19
    repeated = [("New", "Old"), ("an", "other"), ("n7", "8")]
    rng = random.Random(2)
    rng.shuffle(pairs)
    write("task.json", [{"input": x, "output": y} for x, y in pairs + repeated])
    known = dict(pairs)
    rows, notes = artifact(run("strange", EVALUATE % 4))
    questions = json.loads(notes["questions"])
    assert len({x for _, x, _ in questions}) == len(questions) > 15, questions
    for (_, x, y), prompt, answer in zip(questions, rows("prompt_ids"), rows("answer_ids")):
        prompt, answer = text_of(prompt), text_of(answer)
        assert known[x] == y, (x, y, known[x])
        assert answer == " " + y and prompt.endswith(f"Q: {x}\nA:"), (prompt, x, answer)
        shots = prompt[:-len(f"Q: {x}\nA:")]
        shown = [f"Q: {a}\nA: {b}\n\n" for a, b in known.items() if f"Q: {a}\nA: {b}\n\n" in shots]
        assert len(shown) >= 3 and not shots.startswith(f"Q: {x}\n"), (shots, shown)


def check_many_pairs():
    write("many.json", [{"input": f"w{i}", "output": f"A{i}"} for i in range(100000)])
    begin = time.monotonic()
    folder = run("many", '{ stage = "evaluate"; also = ["plain"]; points = 3; functions = 8; keep = ["prompts"]; }', task="many.json")
    assert len(artifact(folder)[0]("scores")) == 8
    assert time.monotonic() - begin < 60, time.monotonic() - begin


FIT = ('{ stage = "fit"; method = "ltv"; points = 1; basis = "mean"; basis_points = 3; prompts = 12; batch = 5; epochs = %d; '
       'optimiser = { lr = 0.05; }; %s }')


def prompts_of(stage, seed, **keys):
    write_config(stage, seed=seed, **keys)
    return json.loads(subprocess.run([probe, "text.cfg", "fit" if '"fit"' in stage else "evaluate"], capture_output=True, text=True,
                                     check=True).stdout)


def shots_of(prompts):
    return [text_of(p["ids"]).split("\n\n")[:-1] for p in prompts]


def permutation(clean, mixed):
    """Where each label of a prompt went; the pairs of GOOD have different labels."""
    own, other = ([shot.split("A: ")[1] for shot in shots] for shots in (clean, mixed))
    return tuple(own.index(label) for label in other)


def check_seeds():
    """Another seed asks other pairs first, shows other shots, shuffles labels otherwise, begins from other weights and takes the samples
    in another order; the same seed changes nothing. Test items are the same ones, in another order."""
    write("task.json", GOOD)
    fit = FIT % (1, "")
    many = fit.replace("basis_points = 3", "basis_points = 9")
    first, again, other = (prompts_of(many, seed) for seed in (5, 5, 6))
    assert first == again
    for part in "asked", "basis", "shuffled":
        assert first[part] != other[part], part
    assert [text_of(p["ids"]) for p in first["asked"]] != [text_of(p["ids"]) for p in other["asked"]]
    moves = [[permutation(c, m) for c, m in zip(shots_of(p["clean"]), shots_of(p["shuffled"]))] for p in (first, other)]
    assert moves[0] != moves[1] and all(sorted(m) == list(range(8)) for m in moves[0]), moves
    test = [[text_of(p["ids"]) for p in prompts_of(EVALUATE % 1, seed)["asked"]] for seed in (5, 6)]
    assert test[0] != test[1] and sorted(test[0]) == sorted(test[1]), test

    weights = [artifact(run(f"start{seed}", FIT % (0, ""), seed=seed), "fit[0]")[0]("weights") for seed in (5, 6)]
    assert weights[0] != weights[1]
    # Every pair for training once, from weights of 0, one after the other: only their order depends on the seed.
    pairs = len({text_of(p["ids"]) for p in prompts_of((FIT % (0, "")).replace("prompts = 12", "prompts = 200"), 5)["asked"][:160]})
    ordered = (f'{{ stage = "fit"; method = "constant"; points = 1; prompts = {pairs + 3}; validation = {3 / (pairs + 3)}; batch = 1; '
               "epochs = 1; optimiser = { lr = 0.05; }; }")
    asked = [[text_of(p["ids"]) for p in prompts_of(ordered, seed)["asked"][:pairs]] for seed in (5, 6)]
    assert sorted(asked[0]) == sorted(asked[1]) and len(set(asked[0])) == pairs, (pairs, asked)
    ends = [artifact(run(f"order{seed}", ordered, seed=seed), "fit[0]")[0]("weights") for seed in (5, 6)]
    assert ends[0] != ends[1]


def check_names():
    """A renamed file runs nothing again; another template, or another pair, everything."""
    write("task.json", GOOD)
    stages = FIT % (1, "") + ', { stage = "evaluate"; of = "fit"; also = ["plain"]; points = [1, 3]; functions = 4; }'
    run("names", stages)

    def pending(**keys):
        write_config(stages, **keys)
        done = call("plan", "text.cfg", "-o", "names")
        assert done.returncode == 0, done.stderr
        return done.stdout.count("PENDING")

    assert pending() == 0
    os.rename("task.json", "renamed.json")
    assert pending(task="renamed.json") == 0
    assert pending(task="renamed.json", more='template = "{x} is {y}. ";') == 5
    write("changed.json", GOOD + [{"input": "new", "output": "pair"}])
    assert pending(task="changed.json") == 5


refused = check_refusals()
check_unknown_words()
check_few_pairs()
check_strange_texts()
check_many_pairs()
check_seeds()
check_names()
print("".join(f"text_faults: {line}\n" for line in faults), end="")
if faults:
    sys.exit(1)
print(f"{refused} faulty files are refused in one line")
