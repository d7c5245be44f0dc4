#!/usr/bin/env python3
"""check_tokenizer.py TASKVEC FOLDER [COUNT [SEED]] - the tokenizer compared with the library `tokenizers` on random text.

Tokenizers of every supported kind are trained on a few sentences or put together by hand, saved as tokenizer.json, and
read by both. COUNT random texts each (default 300) are encoded, with and without special tokens, and decoded, also from
ids cut out of the middle. Exits with 77 where the library is not installed.
"""
import itertools, json, os, random, subprocess, sys, unicodedata

try:
    import tokenizers
    from tokenizers import Tokenizer, trainers, pre_tokenizers, models
except ImportError:
    print("skipped: python has no module tokenizers")
    raise SystemExit(77)

taskvec, folder = sys.argv[1:3]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 300
rng = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)

CORPUS = [
    "The capital of France is Paris, and the capital of Italy is Rome.",
    "It's what they've done; we'll see what I'd do: he's gone, you're here, I'm not.",
    "In 2026 there were 1234567 people, 42 of them 3.14159 years old.",
    "Der Bär läuft über die Straße. Où est la bibliothèque? Ça alors!",
    "def f(x):\n    return x ** 2\n\n\nprint(f(3))\t# nine\r\n",
    "敏捷的棕色狐狸跳过懒狗。 こんにちは世界 안녕하세요 नमस्ते दुनिया שלום مرحبا",
] * 4
WORDS = sorted({w for line in CORPUS for w in line.split()}) + ["\n", "\n\n", "  ", "   ", " ", "\t", "\r\n", "'s", "'LL", "'ſ", "<s>", "</s>", "[A]", "[B]", "[AB]", "ab", "  x"]
# Line ends, white space of every kind, what looks like it (U+180E, U+200B), combining marks in any order, Hangul by
# parts, digits and numbers of other scripts, letters that case folding changes, what NFC recomposes, emoji.
ODD = [0, 7, 9, 0xA, 0xB, 0xC, 0xD, 0x1C, 0x1F, 0x20, 0x7F, 0x85, 0xA0, 0xAD, 0x1680, 0x180E, 0x2000, 0x200A, 0x200B, 0x200C, 0x200D, 0x2028, 0x2029,
       0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF, 0x300, 0x301, 0x323, 0x327, 0x338, 0x345, 0x5B0, 0x94D, 0xE38, 0x1100, 0x1161, 0x11A8, 0xAC00,
       0x660, 0x966, 0x2160, 0xBD, 0x2460, 0x4E00, 0x3007, 0x17F, 0x212A, 0x130, 0x131, 0x1E9E, 0xDF, 0x149, 0xFB03, 0x1F600, 0x1F468, 0xFE0F, 0x1F1E9,
       0x212B, 0x2126, 0x340, 0x344, 0x958, 0x2ADC, 0xFB1D, 0x1D15E, 0x2F800, 0x2581, 0x120, 0x10A, 0xFFFD, 0x10FFFF, 0xE000, 0x3042, 0x30FC, 0xE9, 0xE8,
       0x1D7CE, 0x104A0, 0x16FE0, 0x20000, 0x5F, 0x27, 0x2019]

def random_text(vocab):
    def part():
        kind = rng.randrange(8)
        if kind < 3: return rng.choice(WORDS)
        if kind == 3: return " " * rng.choice([1, 1, 2, 3, 5])
        if kind == 4: return chr(rng.choice(ODD))
        if kind == 5: return rng.choice(vocab)
        if kind == 6: return "".join(rng.choice("aAbB .,'-sStTlL0123\n") for _ in range(rng.randrange(1, 6)))
        while True:
            c = rng.randrange(0x3000) if rng.random() < .7 else rng.randrange(0x110000)
            if 0xD800 <= c < 0xE000: continue
            if assigned(chr(c)): return chr(c)
    return "".join(part() for _ in range(rng.randrange(0, 12)))

def assigned(c):
    """In Unicode 3.2 and so in the tables of both sides, which are of different ages."""
    return unicodedata.ucd_3_2_0.category(c) != "Cn"

def added(content, id, **flags):
    return dict(dict(id=id, content=content, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True), **flags)

def trained(vocab_size=500, byte_level=True):
    t = Tokenizer(models.BPE())
    if byte_level: t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else: t.pre_tokenizer = pre_tokenizers.Metaspace(split=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet() if byte_level else []
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False))
    return json.loads(t.to_str())

BYTES, SPACES = trained(), trained(byte_level=False)
level = lambda **k: dict(dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True), **k)
split = lambda regex, behavior="Isolated", invert=False: dict(type="Split", pattern={"Regex": regex}, behavior=behavior, invert=invert)
literal = lambda text, behavior="Isolated", invert=False: dict(type="Split", pattern={"String": text}, behavior=behavior, invert=invert)
sequence = lambda *parts: dict(type="Sequence", pretokenizers=list(parts))
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace("{1,3}", "")

def bytes_file(pre, n=None, **changes):
    f = json.loads(json.dumps(BYTES))
    f.update(pre_tokenizer=pre, decoder=level(), **changes)
    f["post_processor"] = level(trim_offsets=False)
    return f

def template(*ids_before, after=()):
    names = {i: f"special{i}" for i in [*ids_before, *after]}
    part = lambda i: {"SpecialToken": {"id": names[i], "type_id": 0}}
    return dict(type="TemplateProcessing", single=[part(i) for i in ids_before] + [{"Sequence": {"id": "A", "type_id": 0}}] + [part(i) for i in after],
                pair=[{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                special_tokens={names[i]: dict(id=names[i], ids=[i], tokens=[names[i]]) for i in names})

def space_file(normalizer, pre, fallback, fuse=True, unk="<unk>", scheme="always", drop=()):
    """Byte fallback; `drop`: bytes that have no token."""
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256) if fallback and i not in drop]
    own = json.loads(json.dumps(SPACES["model"]))
    vocab = {n: i for i, n in enumerate(names)}
    for token in sorted(own["vocab"], key=own["vocab"].get): vocab.setdefault(token, len(vocab))
    own.update(vocab=vocab, byte_fallback=fallback, fuse_unk=fuse, unk_token=unk)
    decoder = dict(type="Sequence", decoders=[dict(type="Replace", pattern={"String": "▁"}, content=" "), dict(type="ByteFallback"), dict(type="Fuse"),
                                             dict(type="Strip", content=" ", start=1, stop=0)])
    if pre: decoder = dict(type="Sequence", decoders=[dict(type="ByteFallback"), dict(type="Metaspace", replacement="▁", prepend_scheme=scheme, split=True)])
    f = json.loads(json.dumps(SPACES))
    f.update(model=own, normalizer=normalizer, pre_tokenizer=pre, decoder=decoder, post_processor=template(1, after=[2]),
             added_tokens=[added(n, i) for i, n in enumerate(names[:3])])
    return f

def word_file(pre, unk="<unk>"):
    vocab = {"<unk>": 0, "\n": 1}
    for w in WORDS + list("abAB ,.'0123"): vocab.setdefault(w, len(vocab))
    return dict(version="1.0", truncation=None, padding=None, added_tokens=[added("<unk>", 0)], normalizer=None, pre_tokenizer=pre, post_processor=None,
                decoder=None, model=dict(type="WordLevel", vocab=vocab, unk_token=unk))

def files():
    n = len(BYTES["model"]["vocab"])
    flags = [dict(lstrip=True), dict(rstrip=True), dict(lstrip=True, rstrip=True), dict(single_word=True), dict(normalized=True, special=False),
             dict(normalized=True, single_word=True, lstrip=True)]
    tokens = ["<s>", "</s>", "[A]", "[AB]", "[B]", "ab", "  ", "   ", "é", "ñ"]
    yield "gpt2", bytes_file(level())
    yield "gpt2 prefix", bytes_file(level(add_prefix_space=True), normalizer=dict(type="NFC"))
    yield "llama3", bytes_file(sequence(split(LLAMA3), level(use_regex=False)), post_processor=None)
    yield "qwen", bytes_file(sequence(split(QWEN), level(use_regex=False)), normalizer=dict(type="Sequence", normalizers=[dict(type="NFC")]))
    for form in ["NFD", "NFKC", "NFKD"]: yield form, bytes_file(level(), normalizer=dict(type=form))
    yield "digits", bytes_file(sequence(dict(type="Digits", individual_digits=True), level()))
    yield "digit runs", bytes_file(sequence(dict(type="Digits", individual_digits=False), level()))
    for behavior, invert in itertools.product(["Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"], [False, True]):
        yield f"{behavior} {invert}", bytes_file(sequence(split(r"\s|[aA]+", behavior, invert), literal("b", behavior, invert), level(use_regex=False)))
    for i in range(12):
        chosen = rng.sample(tokens, rng.randrange(2, len(tokens)))
        f = bytes_file(level(add_prefix_space=i % 2 == 0), normalizer=rng.choice([None, dict(type="NFC"), dict(type="NFD"), dict(type="Replace", pattern={"String": "b"}, content="é")]))
        f["added_tokens"], next_id = [], n
        for t in chosen:
            known = f["model"]["vocab"].get(t)
            f["added_tokens"].append(added(t, next_id if known is None else known, **(rng.choice(flags) if rng.random() < .7 else {})))
            next_id += known is None
        f["model"]["ignore_merges"] = i % 3 == 0
        f["post_processor"] = dict(type="Sequence", processors=[level(), template(5, 6, after=[7])])
        yield f"added {i}", f
    lost = bytes_file(level())
    for t in ["a", "Ġ", "Ċ"]:
        lost["model"]["merges"] = [m for m in lost["model"]["merges"] if t not in "".join(m)]
    gone = [t for t in lost["model"]["vocab"] if any(c in t for c in "aĠĊ")]
    kept = [t for t in sorted(lost["model"]["vocab"], key=lost["model"]["vocab"].get) if t not in gone]
    lost["model"]["vocab"] = {t: i for i, t in enumerate(kept)}
    lost["post_processor"] = None
    yield "bytes without token", lost
    llama = dict(type="Sequence", normalizers=[dict(type="Prepend", prepend="▁"), dict(type="Replace", pattern={"String": " "}, content="▁")])
    meta = lambda scheme, split=True: dict(type="Metaspace", replacement="▁", prepend_scheme=scheme, split=split)
    yield "llama2", space_file(llama, None, True)
    yield "llama2 unknown", space_file(llama, None, False)
    yield "llama2 unknown apart", space_file(llama, None, False, fuse=False)
    yield "llama2 no unknown", space_file(llama, None, False, unk=None)
    yield "some bytes", space_file(llama, None, True, drop=range(0x80, 0xC4))
    yield "some bytes apart", space_file(llama, None, True, fuse=False, drop=range(0x80, 0xC4))
    for scheme, cut in itertools.product(["always", "first", "never"], [True, False]):
        yield f"metaspace {scheme} {cut}", space_file(None, meta(scheme, cut), True, scheme=scheme)
    yield "words", word_file(dict(type="WhitespaceSplit"))
    lines = word_file(dict(type="WhitespaceSplit"))
    lines["added_tokens"].append(added("\n", 1))
    yield "added lines", lines
    yield "lines", word_file(sequence(literal(" ", "Removed"), literal("\n")))
    yield "lines and spaces", word_file(sequence(split(r"\n", "Isolated"), split(r"[ \t]+", "Removed")))

def cases_of(tokenizer, vocab):
    size = tokenizer.get_vocab_size()
    for _ in range(count):
        text = random_text(vocab)
        try: ids = tokenizer.encode(text, add_special_tokens=False).ids
        except BaseException as e: # the library panics where stripped tokens of white space overlap
            if type(e).__name__ != "PanicException": raise
            continue
        yield dict(text=text, ids=ids, ids_with_special=tokenizer.encode(text).ids, decoded=tokenizer.decode(ids, skip_special_tokens=False))
        some = [rng.randrange(size) for _ in range(rng.randrange(1, 6))] if rng.random() < .3 else ids[len(ids) // 3:][1:]
        yield dict(text=None, ids=some, decoded=tokenizer.decode(some, skip_special_tokens=False))

wrong = 0
for name, content in files():
    path = os.path.join(folder, "tokenizer.json")
    json.dump(content, open(path, "w"))
    tokenizer = Tokenizer.from_file(path)
    cases = os.path.join(folder, "cases.json")
    json.dump(list(cases_of(tokenizer, list(tokenizer.get_vocab()))), open(cases, "w"))
    done = subprocess.run([taskvec, "verify", "--require", "tokenizer", cases, "--tokenizer", folder], capture_output=True, text=True)
    if done.returncode != 0:
        wrong += 1
        print(f"{name}: exit {done.returncode}\n{done.stdout}{done.stderr}", end="")
        with open(os.path.join(folder, name.replace(" ", "_") + ".wrong.json"), "w") as f: json.dump(dict(tokenizer=content, cases=json.load(open(cases))), f)
print(f"tokenizers {tokenizers.__version__}: {wrong} tokenizers differ")
raise SystemExit(wrong > 0)
