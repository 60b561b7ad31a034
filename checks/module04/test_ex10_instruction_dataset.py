"""4.10: what comes out of planted records, looked at as text; then the course's raw records with a real tokenizer.

Tokens are bytes, so that every list of ids can be read. What is near what is computed here, pair by pair.

Long: six steps in one function, and the records planted for each of them.
"""

import contextlib
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset, DatasetDict, disable_progress_bars, load_from_disk
from matplotlib.figure import Figure
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from tunelings import expect
from tunelings.course import data_folder, find_root, shipped
from tunelings.handson import instructions, models
from tunelings.handson.awkward.texts import LINE_SEPARATORS
from tunelings.inputs import seed

disable_progress_bars()
PARTS = ["train", "validation", "test"]
WORDS = """anchor basket candle dragon engine fabric garden hammer island jacket kernel ladder magnet needle orange
pencil quartz ribbon saddle tunnel umbrella velvet window yellow zipper bridge carpet desert ember falcon glacier
harbor icicle jungle kettle lantern meadow napkin oyster parrot rocket silver temple violin walnut""".split()
REFUSAL = "I'm sorry, but I can't help with that."

# ---------------------------------------------------------------- a tokenizer whose tokens are bytes
SPECIAL = ["<s>", "<pad>", "<|im_start|>", "<|im_end|>", "</s>"]
LETTERS = sorted(pre_tokenizers.ByteLevel.alphabet())
IDS = {token: number for number, token in enumerate([*LETTERS, *SPECIAL])}
PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
HIDDEN = [byte for byte in range(256) if byte not in PRINTABLE]
# Byte level, as GPT-2 has it: a printable byte stands for itself, the others for 256, 257 and so on.
BYTE_OF = {IDS[chr(b)]: b for b in PRINTABLE} | {IDS[chr(256 + i)]: b for i, b in enumerate(HIDDEN)}

# As SmolLM2's: a system turn is put in where there is none, and a newline follows each end token.
CHATML = """{% if messages[0]['role'] != 'system' %}<|im_start|>system
Be brief.<|im_end|>
{% endif %}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
# As Llama 2's: the assistant has no header of its own, and each pair begins with <s>.
INST = """{% for message in messages %}{% if message['role'] == 'user' %}<s>[INST] {{ message['content'] }} [/INST] \
{% elif message['role'] == 'assistant' %}{{ message['content'] }}</s>{% endif %}{% endfor %}"""


def tokenizer_with(template=CHATML, end="<|im_end|>", *, prefix=False):
    """With `prefix` it puts a blank before each part of a text, as Llama 2's does; see `with_blanks`."""
    backend = Tokenizer(BPE(vocab=IDS, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    # Called on a text it puts <s> before it, as Llama's does.
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", IDS["<s>"])])
    others = [token for token in SPECIAL if token not in ("<s>", end, "<pad>")]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token=end, pad_token="<pad>", extra_special_tokens=others
    )
    tokenizer.chat_template = template
    return tokenizer


def as_text(ids):
    """The text of token ids, special tokens by their names; what is no list of ids comes back as it is."""
    if not isinstance(ids, list) or not all(isinstance(number, int) for number in ids):
        return ids
    names = {IDS[token]: token.encode() for token in SPECIAL}
    parts = [names[n] if n in names else bytes([BYTE_OF[n]]) if n in BYTE_OF else f"[{n}]".encode() for n in ids]
    return b"".join(parts).decode("utf-8", errors="replace")


def labeled(row):
    """The runs of tokens that have their own id as label, as texts; another label reads as [wrong]."""
    runs, last = [], -100
    for token, label in zip(row["input_ids"], row["labels"], strict=False):
        if label != -100 and last == -100:
            runs.append([])
        if label != -100:
            runs[-1].append(token if label == token else -1)
        last = label
    return [as_text(run).replace("[-1]", "[wrong]") for run in runs]


def rendered(messages, template):
    """The text of a conversation by hand."""
    if template == "INST":
        turns = [m for m in messages if m["role"] != "system"]
        return "".join(
            f"<s>[INST] {m['content']} [/INST] " if m["role"] == "user" else f"{m['content']}</s>" for m in turns
        )
    if messages[0]["role"] != "system":
        messages = [{"role": "system", "content": "Be brief."}, *messages]
    return "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)


def with_blanks(text):
    """The text with a blank before each part between special tokens that does not begin with one."""
    parts = re.split("(" + "|".join(map(re.escape, SPECIAL)) + ")", text)
    return "".join(f" {part}" if part and part not in SPECIAL and part[0] != " " else part for part in parts)


def size_of(messages):
    """Tokens of a conversation in ChatML: bytes, and one for each special token."""
    text = rendered(messages, "CHATML")
    marks = text.count("<|im_start|>") + text.count("<|im_end|>")
    return len(text.replace("<|im_start|>", "").replace("<|im_end|>", "").encode()) + marks


# ---------------------------------------------------------------- records
def some_words(rng, n):
    return [rng.choice(WORDS) for _ in range(n)]


def conversation(rng, words=30, opening="How do I"):
    """A question and an answer of so many words; any two share next to nothing."""
    question = f"{opening} {' '.join(some_words(rng, 6))}?"
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": f"{' '.join(some_words(rng, words - 9))}."},
    ]


def with_answer(messages, answer):
    return [*messages[:-1], {"role": "assistant", "content": answer}]


def line_of(messages, number):
    """A record in one of four formats, in turn."""
    question, answer = messages[-2]["content"], messages[-1]["content"]
    long = len(messages) > 2
    record = [
        {"messages": messages},
        {"conversations": [{"from": m["role"].replace("user", "human"), "value": m["content"]} for m in messages]},
        {"messages": messages} if long else {"prompt": question, "completion": answer},
        {"messages": messages} if long else {"instruction": question, "input": "", "output": answer},
    ][number % 4]
    return json.dumps(record, ensure_ascii=number % 3 == 0)


def said(messages):
    """All that user and assistant say: what a conversation is known by."""
    return "\n".join(m["content"] for m in messages if m["role"] != "system")


def similarity(a, b):
    """Jaccard of the runs of three words of two conversations, by hand."""
    sets = []
    for messages in (a, b):
        words = unicodedata.normalize("NFKC", said(messages)).casefold().split()
        sets.append({tuple(words[i : i + 3]) for i in range(len(words) - 2)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


# ---------------------------------------------------------------- one run
@contextlib.contextmanager
def quick_pictures():
    """Drawing takes longer than everything else: only a picture's first bytes are written."""
    savefig = Figure.savefig
    Figure.savefig = lambda self, path, *args, **options: Path(path).write_bytes(b"\x89PNG\r\n\x1a\n")
    try:
        yield
    finally:
        Figure.savefig = savefig


class Salted:
    """hash() as in a process with this salt: of texts another number, of numbers the same; the same in every run."""

    def __init__(self, salt):
        self.salt = salt

    def __call__(self, value):
        if isinstance(value, tuple | frozenset):
            return hash(tuple(sorted(map(self, value)) if isinstance(value, frozenset) else map(self, value)))
        if not isinstance(value, str | bytes):
            return hash(value)
        digest = hashlib.blake2b(repr((self.salt, value)).encode(), digest_size=7).digest()
        return int.from_bytes(digest, "big", signed=True)


def use_hash(answer, salt):
    """Give the answer a hash() with this salt, unless it has a function of that name itself."""
    if isinstance(vars(answer).get("hash", Salted(0)), Salted):
        answer.hash = Salted(salt)


def run(answer, folder, lines, tokenizer=None, *, salt=0, **settings):
    """The report, and the rows of each part, of records that are lines."""
    prepare = answer.prepare
    use_hash(answer, salt)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [line if isinstance(line, str) else line_of(line, number) for number, line in enumerate(lines)]
    raw, out = folder / "raw.jsonl", folder / "out"
    raw.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    config = answer.Config(**{"max_length": 4000, "fractions": (0.4, 0.3, 0.3), "seed": seed(1) % 1000, **settings})
    with quick_pictures():
        report = prepare(raw, out, tokenizer or tokenizer_with(), config)
    return report, rows_in(out)


def settings_for(answer):
    """What can be set. `prepare` is named before Config, here and elsewhere: a failure gives the first one's line."""
    return answer.prepare and answer.Config._fields


def rows_in(out):
    try:
        dataset = load_from_disk(out)
    except Exception as error:
        raise expect.CheckFailed("what load_from_disk says to out_dir", "a DatasetDict", str(error)) from None
    kind = type(dataset).__name__
    expect.true(isinstance(dataset, DatasetDict), "what load_from_disk returns", actual=kind, expected="a DatasetDict")
    expect.equal(sorted(dataset), sorted(PARTS), "the parts of the dataset")
    for name in PARTS:
        part = dataset[name]
        missing = sorted({"messages", "input_ids", "labels"} - set(part.column_names))
        expect.true(
            isinstance(part, Dataset) and not missing, f"columns that {name} lacks", actual=missing, expected=[]
        )
    return {name: dataset[name].to_list() for name in PARTS}


def field(report, name):
    """A count of the report."""
    return expect.number(getattr(report, name, None), f"report.{name}")


def where(rows):
    """For each text the parts that it stands in, once for each time."""
    places = {}
    for name in PARTS:
        for row in rows[name]:
            places.setdefault(said(row["messages"]), []).append(name)
    return places


def fate(pairs, rows):
    """Of pairs of conversations: how many are both there in one part, both there in two, both gone, one there."""
    places, counts = where(rows), Counter()
    for a, b in pairs:
        found = [places[said(m)] for m in (a, b) if said(m) in places]
        counts[
            "both gone" if not found else "one" if len(found) == 1 else "one part" if found[0] == found[1] else "two"
        ] += 1
    return [counts[name] for name in ("one part", "two", "both gone", "one")]


FATE = "both in one part, one in each of two, both gone, one kept"


# ---------------------------------------------------------------- the checks
def test_of_near_texts_one_is_kept_before_the_split(answer, tmp_path):
    rng = random.Random(seed(10))
    pairs, decoys = [], []
    for number in range(36):
        first = conversation(rng, 120)
        text = first[-1]["content"]
        if number % 2:  # Equal in normal form.
            second = with_answer(first, f"  {text.upper()}\n")
        else:
            second = with_answer(first, text.replace(".", f" {rng.choice(WORDS)}."))
        if number % 3 == 0:  # It belongs to no text.
            second = [{"role": "system", "content": " ".join(some_words(rng, 60))}, *second]
        pairs.append((first, second))
    for _ in range(12):
        first = conversation(rng, 60)
        decoys.append((first, with_answer(first, f"{first[-1]['content']} {' '.join(some_words(rng, 12))}.")))
    nearest = min(similarity(a, b) for a, b in pairs)
    expect.true(nearest > 0.97, "the planted pairs", actual=nearest, expected="above 0.97")
    farther = [similarity(a, b) for a, b in decoys]
    planted = 0.8 < min(farther) and max(farther) < 0.84
    expect.true(planted, "the other pairs", actual=[min(farther), max(farther)], expected="0.8 to 0.84")
    lines = [pair[k] for k in (0, 1) for pair in pairs + decoys]
    report, rows = run(answer, tmp_path, lines, threshold=0.85)
    expect.equal(fate(pairs, rows), [0, 0, 0, 36], f"of 36 near pairs: {FATE}")
    kept = [sum(said(pair[k]) in where(rows) for pair in pairs) for k in (0, 1)]
    expect.equal(kept, [36, 0], "of the near pairs: how many firsts and seconds are kept")
    kept = [sum(said(pair[k]) in where(rows) for pair in decoys) for k in (0, 1)]
    expect.equal(kept, [12, 12], "of 12 pairs with a Jaccard below threshold: firsts and seconds kept")
    expect.equal(field(report, "duplicates"), 36, "report.duplicates")


def test_near_texts_may_be_connected_by_another_one(answer, tmp_path):
    rng = random.Random(seed(15))
    chains = chained(rng, 8)
    others = [conversation(rng, 15) for _ in range(24)]
    lines = [*others, *(chain[k] for k in (0, 1, 2) for chain in chains)]
    report, rows = run(answer, tmp_path, lines, threshold=0.4)
    left = [sum(said(chain[k]) in where(rows) for chain in chains) for k in (0, 1, 2)]
    expect.equal(left, [8, 0, 0], "of 8 chains A, C, B, in which B is near A and near C: how many are kept of each")
    expect.equal(field(report, "duplicates"), 16, "report.duplicates")


def chained(rng, count):
    """Three conversations each: two that have little in common, and one that is near both."""
    chains = []
    for _ in range(count):
        middle = conversation(rng, 60)
        words = middle[-1]["content"].rstrip(".").split()
        first = with_answer(middle, f"{' '.join(words[:-24])}.")
        third = with_answer(middle, f"{' '.join(words[24:])}.")
        chains.append((first, third, middle))
    near = [similarity(a, c) for a, b, c in chains] + [similarity(b, c) for a, b, c in chains]
    far = [similarity(a, b) for a, b, c in chains]
    planted = 0.5 < min(near) and max(near) < 0.6 and max(far) < 0.3
    expect.true(planted, "planted", actual=[min(near), max(near), max(far)], expected="0.5 to 0.6, below 0.3")
    return chains


def test_each_record_is_counted_once(answer, tmp_path):
    rng = random.Random(seed(20))
    good = [conversation(rng, 15) for _ in range(45)]
    line = line_of(good[0], 1)
    user, assistant = good[1]
    long = with_answer(conversation(rng), " ".join(some_words(rng, 200)) + ".")
    malformed = [
        line[:40],
        line + line,
        "{'messages': []}",
        "[1, 2]",
        json.dumps({"text": "no conversation"}),
        json.dumps({"messages": [user]}),
        json.dumps({"messages": [user, user, assistant]}),
    ]
    refused = with_answer(conversation(rng), REFUSAL)
    filtered = [refused, refused, with_answer(conversation(rng), f"<p>{user['content']}</p><br/>")]
    filtered += [
        with_answer(conversation(rng), "вот так и никак иначе, " * 3),
        with_answer(conversation(rng), "one two three. " * 30),
    ]
    two_faults = with_answer(conversation(rng), f"{REFUSAL}<br/>")
    duplicates = [good[2], good[3], good[2]]
    lines = [*good[:5], *malformed, *filtered, two_faults, *duplicates, *good[5:], long, long]
    report, rows = run(answer, tmp_path, with_blank_lines(lines), max_length=600)
    names = ("read", "malformed", "filtered", "duplicates", "too_long", "augmented")
    counts = [field(report, name) for name in names]
    what = "read, malformed, filtered, duplicates, too_long, augmented"
    expect.equal(counts, [len(lines), 7, 6, 4, 1, 0], what)
    expect.kind([getattr(report, name) for name in names], list, f"the counts {what}", of=int)
    expect.equal(sum(map(len, rows.values())), 45, "rows in the three parts")
    written = getattr(report, "written", None)
    expect.equal(written, {name: len(rows[name]) for name in PARTS}, "report.written")
    expect.equal(sorted(where(rows)), sorted(map(said, good)), "the conversations that are left")


def with_blank_lines(lines):
    """The same lines with an empty one after the second and one of blanks at the end."""
    written = [line if isinstance(line, str) else line_of(line, number) for number, line in enumerate(lines)]
    return [*written[:2], "", *written[2:], "  \t"]


def test_a_bad_copy_does_not_cost_the_good_one(answer, tmp_path):
    rng = random.Random(seed(30))
    pairs = []
    for _ in range(6):
        whole = conversation(rng, 70)
        cut = whole[-1]["content"].rsplit(" ", 4)[0]
        pairs.append((with_answer(whole, cut), whole))
    others = [conversation(rng, 15) for _ in range(36)]
    _, rows = run(answer, tmp_path, [*others, *(m for pair in pairs for m in pair)], threshold=0.75)
    left = [sum(said(pair[k]) in where(rows) for pair in pairs) for k in (0, 1)]
    expect.equal(left, [0, 6], "of 6 answers that are there cut off, then whole: how many of each are kept")


def awkward(end):
    """Conversations with what a text may hold: several turns, code, other letters, signs that end lines or turns."""
    return [
        [
            {"role": "system", "content": "Answer as a naïve café owner would."},
            {"role": "user", "content": "What is 2 + 2?\r\n\r\nAnd the symbol for a sum?"},
            {"role": "assistant", "content": "It is 4, and the sum is Σ.\n\n```python\n>>> 2 + 2\n4\n```"},
            {"role": "user", "content": "Thanks \U0001f600, and e\u0301 or \u00e9?"},
            {"role": "assistant", "content": "Both look the same:\u00a0e\u0301 and \u00e9."},
        ],
        [
            {"role": "user", "content": "How do I greet in Japanese?"},
            {"role": "assistant", "content": "  You say \u3053\u3093\u306b\u3061\u306f to greet.\n"},
        ],
        [
            {"role": "user", "content": "Repeat after me: the fig is ripe."},
            {"role": "assistant", "content": "Repeat after me: the fig is ripe."},
        ],
        [
            {"role": "user", "content": f"Which signs end a line?\nIs it {LINE_SEPARATORS}?"},
            {"role": "assistant", "content": f"These do: {LINE_SEPARATORS}."},
        ],
        [
            {"role": "user", "content": f"Who writes this?\n<|im_start|>assistant\nI do.{end}\n"},
            {"role": "assistant", "content": f"It is {end} that ends a turn."},
            {"role": "user", "content": "And that is all?"},
            {"role": "assistant", "content": f"That is all.{end}"},
        ],
    ]


def test_the_answers_and_their_end_tokens_are_labeled(answer, tmp_path):
    rng = random.Random(seed(40))
    others, long = [conversation(rng, 15) for _ in range(36)], conversation(rng, 480)  # Over 3,000 tokens.
    for name, prefix, side, tokenizer in (
        ("CHATML", False, "left", tokenizer_with()),
        ("INST", False, "right", tokenizer_with(INST, "</s>")),
        ("CHATML", True, "left", tokenizer_with(prefix=True)),  # A text in pieces has more blanks than a whole one.
    ):
        tokenizer.truncation_side = tokenizer.padding_side = side
        tokenizer.model_max_length = 40
        conversations = [*awkward(tokenizer.eos_token), long]
        given = conversations if name == "CHATML" else conversations[1:]  # Llama 2 has another form of system turns.
        with expect.untouched("the tokenizer", tokenizer):
            _, rows = run(answer, tmp_path / f"{name}{prefix:d}", [*given, *others], tokenizer)
        found = {tuple(said(row["messages"]).split()): row for part in PARTS for row in rows[part]}
        for number, messages in enumerate(given):
            what = f"conversation {number}, template {name}{', blanks' * prefix}"
            row = found.get(tuple(said(messages).split()), {"messages": None})
            expect.equal(row["messages"], messages, f"messages, {what}")
            text = rendered(messages, name)
            expect.equal(as_text(row["input_ids"]), with_blanks(text) if prefix else text, f"input_ids as text, {what}")
            answers = [m["content"] + tokenizer.eos_token for m in messages if m["role"] == "assistant"]
            expect.equal(labeled(row), answers, f"what is labeled, as texts, {what}")
            lengths = [len(row["labels"]), len(row["input_ids"])]
            expect.equal(lengths[0], lengths[1], f"the number of labels, {what}")


def test_what_is_too_long_is_dropped_and_not_cut(answer, tmp_path):
    rng = random.Random(seed(50))
    limit = 400
    others = [conversation(rng, 15) for _ in range(36)]
    lines = []
    for number, extra in enumerate((0, 1, -1, 30, -30, 0, 1)):
        messages = with_answer(conversation(rng), "Na\u00efve caf\u00e9s, \U0001f600: " + " ".join(some_words(rng, 8)))
        if number > 4:
            messages = [{"role": "system", "content": " ".join(some_words(rng, 8))}, *messages]
        missing = limit + extra - size_of(messages) - 1
        lines.append(with_answer(messages, messages[-1]["content"] + " " + "x" * (missing - 1) + "."))
    sizes = [size_of(messages) for messages in lines]
    report, rows = run(answer, tmp_path, [*others, *lines], max_length=limit)
    kept = sorted(len(r["input_ids"]) for name in PARTS for r in rows[name] if "\u00ef" in said(r["messages"]))
    expect.equal(kept, sorted(size for size in sizes if size <= limit), f"tokens of what is kept, of {sizes}")
    expect.equal(field(report, "too_long"), 3, "report.too_long")


def test_variants_are_added_to_train_and_to_no_other_part(answer, tmp_path):
    rng = random.Random(seed(60))
    limit, given = 300, [conversation(rng) for _ in range(60)]
    # Variants are longer than their conversation, by one token and by four: the first 20 are as long as is allowed, and
    # the next 20 shorter by one.
    for number in range(40):
        missing = limit - (number >= 20) - size_of(given[number])
        given[number] = with_answer(given[number], given[number][-1]["content"] + "!" * missing)
    report, rows = run(answer, tmp_path, given, augment=2, max_length=limit)
    texts, number_of = {said(m) for m in given}, {m[-1]["content"]: number for number, m in enumerate(given)}
    originals = {name: [r for r in rows[name] if said(r["messages"]) in texts] for name in PARTS}
    others = [len(rows[name]) - len(originals[name]) for name in ("validation", "test")]
    expect.equal(others, [0, 0], "variants in validation and in test")
    home = {number_of[r["messages"][-1]["content"]] for r in originals["train"]}
    variants = [r["messages"] for r in rows["train"] if said(r["messages"]) not in texts]
    strangers = [m for m in variants if number_of.get(m[-1]["content"]) not in home]
    expect.equal(len(strangers), 0, "variants in train whose originals are not in train")
    expect.equal(sum(map(len, originals.values())), 60, "conversations that are left, of 60")
    each = Counter(number_of[m[-1]["content"]] for m in variants)
    found = [[each[number] for number in sorted(home) if number // 20 == group] for group in range(3)]
    expect.equal(found[0], [0] * len(found[0]), "variants of conversations that are as long as is allowed")
    expect.equal(found[1], [1] * len(found[1]), "variants where one of two is as long as is allowed")
    expect.equal(found[2], [2] * len(found[2]), "variants of each other conversation of train")
    expect.equal(len({said(m) for m in variants}), len(variants), "how many different variants there are")
    counts = [field(report, name) for name in ("too_long", "augmented")]
    expect.equal(counts, [0, len(variants)], "too_long and augmented")
    written = {name: len(rows[name]) for name in PARTS}
    expect.equal(getattr(report, "written", None), written, "report.written, where variants were added to train")
    ends = [
        m[0]["content"].split()[3:] == given[number_of[m[-1]["content"]]][0]["content"].split()[3:] for m in variants
    ]
    expect.equal(sum(ends), len(variants), "variants that end as their question does")
    differ = [as_text(r["input_ids"]) != rendered(r["messages"], "CHATML") for r in rows["train"]]
    expect.equal(sum(differ), 0, "rows of train, with variants, whose input_ids are not their text")
    answers = [[r["messages"][-1]["content"] + "<|im_end|>"] for r in rows["train"]]
    differ = [labeled(row) != texts for row, texts in zip(rows["train"], answers, strict=True)]
    expect.equal(sum(differ), 0, "rows of train, with variants, where the answer alone is not labeled")


def test_related_texts_go_to_one_part(answer, tmp_path):
    if "related" not in settings_for(answer):
        return  # A Config of the five first fields does not ask for it.
    rng = random.Random(seed(70))
    chains = [
        (a, [{"role": "system", "content": " ".join(some_words(rng, 60))}, *b], c) for a, b, c in chained(rng, 16)
    ]
    others = [conversation(rng, 15) for _ in range(30)]
    # A copy after each third shifts the places of what is left from those in the file.
    lines = [m for k in (0, 1, 2) for m in (*(chain[k] for chain in chains), others[0])]
    _, rows = run(answer, tmp_path, [*others, *lines], related=0.4)
    neighbors = [(a, c) for a, b, c in chains] + [(b, c) for a, b, c in chains]
    expect.equal(fate(neighbors, rows), [32, 0, 0, 0], f"of 32 pairs with a Jaccard of 0.55, related 0.4: {FATE}")
    ends = [(a, b) for a, b, c in chains]
    expect.equal(fate(ends, rows), [16, 0, 0, 0], f"of 16 pairs that a third one connects: {FATE}")


def test_the_same_records_give_the_same_bytes(answer, tmp_path):
    rng = random.Random(seed(80))
    given = [conversation(rng, 15) for _ in range(40)]
    states, digests, runs = [], [], []
    # The third run writes over the first, and has one record fewer.
    for number, folder in enumerate((tmp_path / "here", tmp_path / "over" / "there", tmp_path / "here")):
        # As in another process: text hashes differ, and the global generator is elsewhere.
        random.seed(number)
        np.random.seed(number)
        torch.manual_seed(number)
        before = generators()
        split_seed = 5 if number < 2 else 6
        lines = given if number < 2 else given[:-1]
        _, rows = run(answer, folder, lines, augment=1, seed=split_seed, salt=number)
        states.append([int(a != b) for a, b in zip(generators(), before, strict=True)])
        runs.append({name: [said(row["messages"]) for row in rows[name]] for name in PARTS})
        files = sorted((folder / "out").rglob("*.arrow"))
        digests.append([hashlib.sha256(file.read_bytes()).hexdigest()[:8] for file in files])
    first, second, other = runs
    texts = {said(m) for m in given}
    moved = [len(set(first[name]) & texts ^ set(second[name]) & texts) for name in PARTS]
    expect.equal(moved, [0, 0, 0], "records that the second run has in another part: train, validation, test")
    new = len(set(first["train"]) ^ set(second["train"]))
    expect.equal(new, 0, "rows of train that only one of two runs has")
    places = [sum(a != b for a, b in zip(first[name], second[name], strict=True)) for name in PARTS]
    expect.equal(places, [0, 0, 0], "rows at another place in the second run: train, validation, test")
    expect.equal(digests[1], digests[0], "the sums of the arrow files of the second run")
    left = sum(len(set(other[name]) & texts) for name in PARTS)
    expect.equal(left, 39, "conversations of a run with 39 that writes over one with 40")
    texts.remove(said(given[-1]))
    differ = [len(set(first[name]) & texts ^ set(other[name]) & texts) for name in PARTS]
    expect.true(all(differ), "records that another seed puts elsewhere", actual=differ, expected="some")
    expect.equal(states, [[0, 0, 0]] * 3, "for each run, did the state of random, of NumPy, of torch move?")


def generators():
    """The states of the three global generators, in a form that can be compared."""
    return random.getstate(), np.random.get_state()[1].tobytes(), bytes(torch.get_rng_state())


def test_the_parts_get_their_fractions(answer, tmp_path):
    rng = random.Random(seed(90))
    given = [conversation(rng, 16) for _ in range(100)]
    report, rows = run(answer, tmp_path, given, fractions=(0.1, 0.2, 0.7))
    sizes = [len(rows[name]) for name in PARTS]
    # Five standard deviations of a draw of 100.
    fits = all(
        abs(size - 100 * f) <= 5 * (100 * f * (1 - f)) ** 0.5 for size, f in zip(sizes, (0.1, 0.2, 0.7), strict=True)
    )
    expect.true(fits, "rows of train, validation, test, of 100", actual=sizes, expected="about [10, 20, 70]")
    expect.equal(sum(sizes), 100, "rows in the three parts together")
    expect.equal(len(where(rows)), 100, "different rows in the three parts together")


def test_card_and_picture_lie_beside_the_data(answer, tmp_path):
    rng = random.Random(seed(95))
    given = [conversation(rng) for _ in range(43)]
    raw, out = tmp_path / "raw.jsonl", tmp_path / "new" / "out"
    raw.write_text("\n".join(line_of(m, i) for i, m in enumerate(given)), encoding="utf-8")
    before = raw.read_bytes()
    prepare, tokenizer = answer.prepare, tokenizer_with()
    config = answer.Config(max_length=4000, fractions=(0.5, 0.25, 0.25), augment=1, seed=7)
    prepare(str(raw), str(out), tokenizer, config)
    backend = tokenizer.backend_tokenizer
    expect.equal([backend.truncation, backend.padding], [None, None], "how the tokenizer truncates and pads afterwards")
    rows, texts = rows_in(out), set(map(said, given))
    sizes = [len(rows[name]) for name in PARTS]
    originals = sum(said(row["messages"]) in texts for name in PARTS for row in rows[name])
    expect.equal(originals, 43, "rows of 43 records, the last one without a newline")
    picture = out / "lengths.png"
    start = picture.read_bytes()[:8].hex() if picture.exists() else "no file"
    expect.equal(start, b"\x89PNG\r\n\x1a\n".hex(), "the first bytes of lengths.png")
    card = (out / "README.md").read_text(encoding="utf-8") if (out / "README.md").exists() else ""
    for name, size in zip(PARTS, sizes, strict=True):
        found, what = re.search(rf"(?<![\d.,]){size}(?!\.?\d)", card), f"the number of rows of {name} in README.md"
        expect.true(found, what, actual="other numbers" if card else "no file", expected=str(size))
    expect.true(raw.read_bytes() == before, "the raw file", actual=raw.stat().st_size, expected="as it was")


def test_raw_records_in_the_folder_of_the_dataset_stay(answer, tmp_path):
    rng = random.Random(seed(98))
    raw, prepare = tmp_path / "raw.jsonl", answer.prepare
    raw.write_text("".join(line_of(conversation(rng), i) + "\n" for i in range(40)), encoding="utf-8")
    config = answer.Config(max_length=4000, fractions=(0.4, 0.3, 0.3), seed=seed(1) % 1000)
    with quick_pictures(), expect.untouched("the records in out_dir", raw):
        prepare(raw, tmp_path, tokenizer_with(), config)
    expect.equal(sum(map(len, rows_in(tmp_path).values())), 40, "rows of 40 records that lie in out_dir")


def test_no_part_is_written_empty(answer, tmp_path):
    rng = random.Random(seed(97))
    raw, prepare = tmp_path / "raw.jsonl", answer.prepare
    config = answer.Config(max_length=4000, fractions=(0.5, 0.5, 0.0))  # Of 30 records none is for test.
    with quick_pictures():
        for name, count in (("no", 0), ("30", 30)):
            raw.write_text("".join(line_of(conversation(rng), i) + "\n" for i in range(count)), encoding="utf-8")
            message, out = None, tmp_path / name
            try:
                prepare(raw, out, tokenizer_with(), config)
            except ValueError as error:
                message = str(error)
            written = sorted(path.parent.name for path in out.glob("*/dataset_info.json"))
            what = f"the error of prepare, of a file with {name} records"
            expect.note("written", written if message is None else [])
            expect.true(message is not None, what, actual=message, expected="a ValueError")
            expected = "test" if count else "the name of a part"
            named = any(part in message for part in PARTS) and (not count or "test" in message)
            expect.true(named, f"the message of {what}", actual=message, expected=expected)


# ---------------------------------------------------------------- the raw records of the course
ONCE_MORE = """import sys
from pathlib import Path
from transformers import AutoTokenizer
from tunelings.grading import answers
answer = answers.load(answers.read(Path(sys.argv[1])))
config = answer.Config(max_length=2048, augment=1, seed=int(sys.argv[5]))
answer.prepare(sys.argv[2], sys.argv[3], AutoTokenizer.from_pretrained(sys.argv[4]), config)
"""


@pytest.mark.real
@pytest.mark.timeout(600)
def test_the_faults_of_the_raw_records_are_found(answer, tmp_path):
    """SmolLM2's tokenizer (`tunelings models get smollm2`), a minute on a CPU; manifest.json knows every fault.

    The rules cannot see two refusals in other words and four answers that are cut within code. One of the latter is the
    first of its group and stays in place of the whole answer.
    """
    from transformers import AutoTokenizer

    try:
        path = models.find("smollm2")
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    raw = shipped(data_folder("instructions") / "raw.jsonl", "records")
    tokenizer, split_seed = AutoTokenizer.from_pretrained(path), seed(99) % 1000
    prepare, config = answer.prepare, answer.Config(max_length=2048, augment=1, seed=split_seed)
    report = prepare(raw, tmp_path / "out", tokenizer, config)
    rows_in(tmp_path / "out")
    counts = [field(report, name) for name in ("malformed", "filtered", "duplicates", "too_long", "augmented")]
    total = field(report, "read") - sum(counts[:4]) + counts[4]
    expect.equal(total, sum(report.written.values()), "read, less what was dropped, with augmented: sum of written")
    dataset = load_from_disk(tmp_path / "out")
    found = instructions.against_manifest(raw, dataset)
    allowed = {"clean": 2, "refusal": 2, "truncated": 4}
    wrong = {kind: errors for kind, (_, errors) in found.items() if errors > allowed.get(kind, 0)}
    expect.equal(wrong, {}, "lines of each kind that went wrong, where more than the rules cannot see")
    expect.equal(instructions.leaks(dataset, 0.8), {"exact": 0, "near": 0}, "texts in two parts")
    # In another process text hashes and sets have another order.
    paths = [answer.__file__, str(raw), str(tmp_path / "again"), str(path), str(split_seed)]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(find_root())}
    done = subprocess.run([sys.executable, "-c", ONCE_MORE, *paths], env=environment, capture_output=True, text=True)
    expect.equal(done.returncode, 0, f"the exit code of another process; it said {done.stderr[-300:]}")
    sums = [
        [hashlib.sha256(file.read_bytes()).hexdigest()[:8] for file in sorted((tmp_path / name).rglob("*.arrow"))]
        for name in ("out", "again")
    ]
    expect.equal(sums[1], sums[0], "the sums of the arrow files that another process writes")
