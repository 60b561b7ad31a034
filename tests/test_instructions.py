"""The given steps of 4.10, and the raw records: their faults are those of the manifest, and come out again as bytes."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from datasets import DatasetDict, load_from_disk

from tests.conftest import ROOT
from tunelings import live
from tunelings.handson import duplicates, instructions

RAW = ROOT / "data" / "instructions" / "raw.jsonl"
MANIFEST = json.loads(RAW.with_name("manifest.json").read_text(encoding="utf-8"))
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
TURNS = [{"role": "user", "content": "How do I sort?"}, {"role": "assistant", "content": "Call sorted()."}]


def chat(answer: str, question: str = "How do I sort?") -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


# ---------------------------------------------------------------- reading
@pytest.mark.parametrize("name", ["raw.jsonl", "raw.jsonl.gz"])
def test_lines_are_read_one_by_one_and_blank_ones_left_out(tmp_path: Path, name: str, monkeypatch):
    data = b'\xef\xbb\xbf{"a": "\xe2\x80\xa8"}\r\n\n  \n{"b": "\xff"}'
    path = tmp_path / name  # A byte order mark, U+2028, and a byte that is no UTF-8.
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    heard = []
    monkeypatch.setattr(live, "progress", lambda done, text: heard.append((done, text)))
    assert list(instructions.read_lines(path)) == ['{"a": "\u2028"}\n', '{"b": "\ufffd"}']
    assert heard[-1] == (1.0, "reading") and all(0 <= done <= 1 for done, _ in heard)
    with pytest.raises(FileNotFoundError):
        next(instructions.read_lines(tmp_path / "none.jsonl"))


@pytest.mark.parametrize(
    "record",
    [
        {"messages": TURNS},
        {"instruction": "How do I sort?", "output": "Call sorted()."},
        {"instruction": "How do I sort?", "input": " \n", "output": "Call sorted()."},
        {"conversations": [{"from": "human", "value": "How do I sort?"}, {"from": "gpt", "value": "Call sorted()."}]},
        {"prompt": "How do I sort?", "completion": "Call sorted()."},
        {"prompt": TURNS[:1], "completion": TURNS[1:], "id": 7},
    ],
)
def test_each_format_becomes_the_same_messages(record: dict):
    assert instructions.to_messages(json.dumps(record)) == TURNS
    assert instructions.to_messages(json.dumps(record | {"system": "Be brief."}))[1:] == TURNS


def test_contents_are_kept_and_alpacas_input_follows():
    line = json.dumps({"instruction": " Sort\r\n", "input": "3 1 2", "output": "1 2 3\n"})
    assert [m["content"] for m in instructions.to_messages(line)] == [" Sort\r\n\n\n3 1 2", "1 2 3\n"]


@pytest.mark.parametrize(
    "line",
    [
        '{"messages": ',
        "[]",
        "NaN",
        '{"text": "a"}',
        '{"messages": []}',
        '{"messages": "a"}',
        '{"messages": ["a"]}',
        json.dumps({"messages": TURNS, "prompt": "a", "completion": "b"}),
        json.dumps({"messages": TURNS[:1]}),
        json.dumps({"messages": TURNS[1:]}),
        json.dumps({"messages": [*TURNS, *TURNS[1:]]}),
        json.dumps({"messages": [{"role": "tool", "content": "a"}, *TURNS]}),
        json.dumps({"messages": [{"role": ["user"], "content": "a"}, *TURNS[1:]]}),
        json.dumps({"messages": [TURNS[0], {"role": "system", "content": "a"}, TURNS[1]]}),
        json.dumps({"messages": [{"role": "system", "content": "a"}, *TURNS], "system": "b"}),
        json.dumps({"messages": TURNS, "system": 3}),
        json.dumps({"prompt": "a", "completion": " \u00a0\n"}),
        json.dumps({"prompt": "a", "completion": None}),
        json.dumps({"instruction": None, "input": "b", "output": "c"}),
        '{"prompt": "a", "completion": "\\ud83d"}',
    ],
)
def test_what_is_no_conversation_is_a_value_error(line: str):
    with pytest.raises(ValueError):
        instructions.to_messages(line)


# ---------------------------------------------------------------- quality
@pytest.mark.parametrize(
    ("answer", "issues"),
    [
        ("Paris.", []),
        ("42", []),
        ("Na\u00efve caf\u00e9s, Ελλάδα and \U0001f600 are fine in an English text.", []),
        ("Use this:\n\n   <b>not markup, but code</b> &amp; more\n\nIt is `<br>` that ends the line.", []),
        ("x" * 210 + " is the name of it.\n\n    for i in range(3)\n        print(i)", []),
        ("It can be one of these, and each of them has its use in some program or other, as the text above says"
         " with all the detail that one could ever wish for, and then some more:\n\n* this\n* that one here", []),
        ("I'm sorry, but I can't help.", ["refusal"]),
        ("As an AI, I\u2019m not able to.", ["refusal"]),
        ("<p>Call sorted().</p>", ["markup"]),
        ("Fish &amp; chips, and that is it.", ["markup"]),
        ("It\u00e2\u20ac\u2122s done.", ["encoding"]),
        ("The byte \ufffd is lost.", ["encoding"]),
        ("Das ist nicht der Fall, und man wird es sehen.", ["language"]),
        ("Это зависит от версии.", ["language"]),
        ("It is so. " * 20, ["repetition"]),
        ("The list is sorted in place and nothing is returned. " + "word " * 3 + "of the text " * 1
         + "that goes on and on with other words each time, such as apple, pear, plum, cherry, peach, melon, grape,"
         " fig, date, lime, kiwi, mango, and so on and so forth until it is cut in the", ["truncated"]),
        ("```python\nprint(1)", ["truncated"]),
    ],
)  # fmt: skip
def test_quality_issues_are_the_clear_cases(answer: str, issues: list[str]):
    assert instructions.quality_issues(chat(answer)) == issues


def test_the_faults_are_found_as_the_manifest_has_them():
    found = Counter()
    for line, entry in zip(instructions.read_lines(RAW), MANIFEST["lines"], strict=True):
        try:
            issues = instructions.quality_issues(instructions.to_messages(line))
        except ValueError:
            issues = ["malformed"]
        found[entry["fault"], " ".join(issues)] += 1
    same = ("encoding", "language", "markup", "refusal", "repetition", "truncated")
    expected = Counter({(kind, kind): MANIFEST["counts"][kind] for kind in same})
    for kind, unseen in (("refusal", 2), ("truncated", 4)):
        expected[kind, kind] -= unseen
        expected[kind, ""] += unseen
    for kind in ("broken_json", "no_conversation", "empty"):
        expected[kind, "malformed"] = 12
    for kind in ("exact_duplicate", "near_duplicate", "paraphrase", "too_long"):
        expected[kind, ""] = MANIFEST["counts"][kind]
    expected[None, ""] = 175
    assert found == expected


# ---------------------------------------------------------------- near texts
def random_texts(rng: random.Random, n: int, words: int = 30) -> list[str]:
    return [" ".join(f"w{rng.randrange(500)}" for _ in range(words)) for _ in range(n)]


def groups_by_hand(texts: list[str], threshold: float) -> list[int]:
    root = list(range(len(texts)))
    for j in range(len(texts)):
        for i in range(j):
            if root[i] != root[j] and duplicates.jaccard(texts[i], texts[j]) >= threshold:
                old, new = max(root[i], root[j]), min(root[i], root[j])
                root = [new if r == old else r for r in root]
    return root


@pytest.mark.parametrize("threshold", [0.4, 0.6, 0.8, 0.95])
def test_near_groups_are_those_of_brute_force(threshold: float):
    rng = random.Random(3)
    texts = random_texts(rng, 40)
    for text in texts[:30]:  # Similarities that are well away from the thresholds, where no pair may be missed.
        words = text.split()
        texts += [text.upper(), " ".join(words[:26]), " ".join([*words, "more"])]
    similarities = {duplicates.jaccard(a, b) for a in texts for b in texts}
    assert all(abs(s - threshold) > 0.015 for s in similarities)
    order = list(range(len(texts)))
    rng.shuffle(order)
    texts = [texts[i] for i in order]
    assert duplicates.near_groups(texts, threshold) == groups_by_hand(texts, threshold)


def test_near_groups_take_short_texts_and_none():
    assert duplicates.near_groups([], 0.8) == []
    assert duplicates.near_groups(["", "a", "A ", "a b", " ", "\uff21  B"], 0.8) == [0, 1, 1, 3, 0, 3]


def test_jaccard_counts_runs_of_three_words():
    assert duplicates.jaccard("a b c d", "a b c e") == pytest.approx(1 / 3)
    assert duplicates.jaccard("A  b", "a B") == 1 and duplicates.jaccard("a", "b") == 0


def test_parted_groups_are_counted():
    texts = ["a b c d e f g h i j k l", "A b c d e f g h i j k l", "a b c d e f g h i j k l m", "other"]
    assert duplicates.parted(texts, ["train", "train", "train", "test"], 0.8) == {"exact": 0, "near": 0}
    assert duplicates.parted(texts, ["train", "test", "validation", "test"], 0.8) == {"exact": 1, "near": 2}


# ---------------------------------------------------------------- parts and variants
def test_a_part_depends_on_key_and_seed_alone():
    keys = [f"text {number}" for number in range(4000)]
    parts = [instructions.part_of(key, (0.7, 0.2, 0.1), 3) for key in keys]
    for name, fraction in zip(instructions.PARTS, (0.7, 0.2, 0.1), strict=True):
        assert abs(parts.count(name) - 4000 * fraction) < 5 * (4000 * fraction * (1 - fraction)) ** 0.5
    assert parts[:3] == [instructions.part_of(key, (0.7, 0.2, 0.1), 3) for key in keys[:3]]
    assert parts != [instructions.part_of(key, (0.7, 0.2, 0.1), 4) for key in keys]
    assert {instructions.part_of(key, (0, 0, 1), 3) for key in keys[:50]} == {"test"}


def test_variants_differ_in_the_questions_phrases_alone():
    messages = [{"role": "system", "content": "How do I"}, *chat("How do I know?", "How do I sort a big list?")]
    found = instructions.augment(messages, 4, random.Random(0))
    assert len(found) == 4 and len({m[1]["content"] for m in found} | {messages[1]["content"]}) == 5
    assert all(m[0] == messages[0] and m[2] == messages[2] and m[1]["content"].endswith(" list?") for m in found)
    assert found == instructions.augment(messages, 4, random.Random(0))
    assert messages[1]["content"] == "How do I sort a big list?"
    assert len(instructions.augment(messages, 100, random.Random(0))) == 5  # Three openings, two adjectives.
    assert instructions.augment(chat("Yes.", "Is `How do I` code?"), 3, random.Random(0)) == []
    assert instructions.augment(messages, 0, random.Random(0)) == []


# ---------------------------------------------------------------- what is written
def dataset(**parts: list[list[dict[str, str]]]) -> DatasetDict:
    found = DatasetDict()
    for name, conversations in parts.items():
        rows = instructions.Rows()
        for messages in conversations:
            rows.append({"messages": messages, "input_ids": [5, 70_000], "labels": [-100, 70_000], "other": 1})
        found[name] = rows.to_dataset()
    return found


def test_rows_come_back_from_disk_with_the_same_files_each_time(tmp_path: Path):
    conversations = [chat(f"Answer {number}.") for number in range(1234)]
    for folder in ("a", "b"):
        dataset(train=conversations, test=conversations[:1]).save_to_disk(tmp_path / folder)
    back = load_from_disk(tmp_path / "a")
    assert back["train"].features == instructions.FEATURES and len(back["train"]) == 1234
    assert back["train"][1233] == {"messages": conversations[-1], "input_ids": [5, 70_000], "labels": [-100, 70_000]}
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert any(path.suffix == ".arrow" for path in files)
    assert all((tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes() for path in files)


def test_leaks_are_counted_in_what_was_written():
    near = chat("Call sorted() with the list, and take what it returns, which is a new list.")
    other = chat("Call sorted() with the list, and take what it returns, which is a new list now.")
    assert instructions.leaks(dataset(train=[near], test=[TURNS]), 0.8) == {"exact": 0, "near": 0}
    assert instructions.leaks(dataset(train=[near, TURNS], test=[TURNS, other]), 0.8) == {"exact": 1, "near": 2}


def test_the_picture_and_the_card_are_written(tmp_path: Path):
    data = dataset(train=[TURNS], validation=[TURNS], test=[TURNS])
    for name in ("a.svg", "b.svg", "c.png"):
        instructions.draw_lengths(data, 100, tmp_path / name)
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert b"train (1)" in (tmp_path / "a.svg").read_bytes() or (tmp_path / "a.svg").stat().st_size > 5000


def test_the_manifest_is_held_against_what_was_written(tmp_path: Path):
    conversations, sources = [], []
    for line, entry in zip(instructions.read_lines(RAW), MANIFEST["lines"], strict=True):
        try:
            conversations.append(instructions.to_messages(line))
            sources.append(entry["fault"])
        except ValueError:
            pass
    everything = instructions.against_manifest(RAW, dataset(train=conversations, validation=[TURNS], test=[TURNS]))
    assert {kind: lines for kind, (lines, _) in everything.items()} == MANIFEST["counts"]
    wrong = {kind: errors for kind, (lines, errors) in everything.items() if errors}
    kinds = ("encoding", "exact_duplicate", "language", "markup", "near_duplicate", "refusal", "repetition", "too_long")
    assert wrong == {kind: MANIFEST["counts"][kind] for kind in (*kinds, "truncated")}
    paraphrases = [m for m, fault in zip(conversations, sources, strict=True) if fault == "paraphrase"]
    clean = [m for m, fault in zip(conversations, sources, strict=True) if fault is None]
    parted = instructions.against_manifest(RAW, dataset(train=clean, test=paraphrases))
    assert {kind: errors for kind, (_, errors) in parted.items() if errors} == {"paraphrase": 24}
    nothing = instructions.against_manifest(RAW, dataset(train=[TURNS]))
    assert {kind: errors for kind, (_, errors) in nothing.items() if errors} == {"clean": 175}


def test_the_raw_records_are_made_again_byte_for_byte(tmp_path: Path):
    script = RAW.with_name("make.py")
    subprocess.run([sys.executable, script, tmp_path], env=ENVIRONMENT, check=True, capture_output=True)
    for name in ("raw.jsonl", "manifest.json"):
        assert (tmp_path / name).read_bytes() == RAW.with_name(name).read_bytes()
    text = RAW.with_name("README.md").read_text(encoding="utf-8")
    for name in ("raw.jsonl", "manifest.json"):
        assert f"`{hashlib.sha256(RAW.with_name(name).read_bytes()).hexdigest()}`" in text
    counts = {**MANIFEST["counts"]}
    assert counts.pop("clean") == 175 and all(f"| {kind} | {count} |" in text for kind, count in counts.items())


def test_the_hands_on_says_in_one_line_what_is_missing(tmp_path: Path):
    script = ROOT / "solutions" / "module04" / "ex10_instruction_dataset.py"
    for options, says in (
        (["--model", "smollm2"], "The model smollm2 is not here: run `tunelings models get smollm2`"),
        (["--raw", "none.jsonl"], "none.jsonl"),
    ):
        environment = {**ENVIRONMENT, "TUNELINGS_MODELS": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, script, *options], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 1 and says in done.stderr and done.stderr.count("\n") == 1, done.stderr
