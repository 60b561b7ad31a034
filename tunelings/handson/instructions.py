"""The steps that make instruction data out of raw records; 4.10 puts them into an order.

None of them keeps state, or draws but from a generator that the caller has seeded. Tokens are held in Arrow.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, DatasetDict, Features, List, Value

from tunelings import live
from tunelings.handson.duplicates import normal_form, parted

Messages = list[dict[str, str]]
PARTS = ("train", "validation", "test")


# ---------------------------------------------------------------- reading
def read_lines(path: str | Path) -> Iterator[str]:
    """The lines of a JSONL file, gzipped or not, without blank ones; what is no UTF-8 becomes U+FFFD."""
    size = max(1, Path(path).stat().st_size)
    with open(path, "rb") as raw:
        stream = gzip.GzipFile(fileobj=raw) if str(path).endswith(".gz") else raw
        with io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace") as lines:
            for line in lines:
                live.progress(min(1.0, raw.tell() / size), "reading")
                if line.strip():
                    yield line


def track(items: Sequence[Messages], text: str) -> Iterator[Messages]:
    """The items one by one; whoever listens, such as a progress bar, hears how many are done."""
    for number, item in enumerate(items, start=1):
        yield item
        live.progress(number / len(items), text)


def to_messages(line: str) -> Messages:
    """The conversation in a line of JSON: Alpaca, ShareGPT, prompt and completion, or OpenAI's messages.

    A system turn may stand first; then user and assistant take turns, and the assistant is last. Contents are kept as
    they are. Everything else is a ValueError that names the place: an empty content, an unknown role, broken JSON.
    """
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError(f"the line holds a {type(record).__name__}, not an object")
    matching = [read for keys, read in _FORMATS.items() if record.keys() >= set(keys)]
    if len(matching) != 1:
        raise ValueError(f"the keys {sorted(record)} are those of {len(matching)} known formats")
    turns = matching[0](record)
    if record.get("system"):
        turns.insert(0, ("system", record["system"]))
    for place, (role, content) in enumerate(turns):
        if not isinstance(content, str) or not content.strip():
            raise ValueError(f"turn {place} has no content")
        content.encode("utf-8")  # Half of a surrogate pair is a ValueError here, and not when Arrow writes.
        expected = ("user", "assistant")[(place - (turns[0][0] == "system")) % 2]
        if role != expected and not (place == 0 and role == "system"):
            raise ValueError(f"turn {place} is of {role!r}, not of {expected!r}")
    if not turns or turns[-1][0] != "assistant":
        raise ValueError("the last turn is not the assistant's")
    return [{"role": role, "content": content} for role, content in turns]


def _alpaca(record: dict) -> list[tuple]:
    question, extra = record["instruction"], str(record.get("input") or "")
    if isinstance(question, str) and extra.strip():
        question += "\n\n" + extra
    return [("user", question), ("assistant", record["output"])]


def _pair(record: dict) -> list[tuple]:
    sides = [("user", record["prompt"]), ("assistant", record["completion"])]
    return [turn for role, side in sides for turn in (_chat(side) if isinstance(side, list) else [(role, side)])]


def _chat(turns: Any, role: str = "role", content: str = "content") -> list[tuple]:
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise ValueError("the turns are not a list of objects")
    names = {"human": "user", "gpt": "assistant"} if role == "from" else {}
    return [(names.get(str(turn.get(role)), turn.get(role)), turn.get(content)) for turn in turns]


_FORMATS = {
    ("instruction", "output"): _alpaca,
    ("conversations",): lambda record: _chat(record["conversations"], "from", "value"),
    ("prompt", "completion"): _pair,
    ("messages",): lambda record: _chat(record["messages"]),
}


def text_of(messages: Messages) -> str:
    """What two conversations are compared by: all that user and assistant say, without roles and system turn."""
    return "\n".join(message["content"] for message in messages if message["role"] != "system")


# ---------------------------------------------------------------- quality
REFUSALS = ("i'm sorry, but", "i am sorry, but", "i cannot", "i can't", "i'm unable", "i am unable", "as an ai",
            "as a language model", "unfortunately, i cannot", "sorry, i can")  # fmt: skip
_ENGLISH = set("the of to and is that it for with you are this be can not an if".split())
_GERMAN = set("der die das und ist nicht ein eine mit den von zu wird man sie auf".split())
_FRENCH = set("le la les des est une et pour dans que pas vous sont du qui au".split())
_SPANISH = set("el los las una es que para con por como se del no su al lo".split())
_HTML = re.compile(r"</?(?:a|b|br|code|div|em|h\d|i|img|li|ol|p|pre|span|strong|table|tr|ul)\b[^<>]*>|&#?\w{2,8};")
_MOJIBAKE = re.compile("\ufffd|[âÃ][\u0080-\u00bf€™œšžŸ‚ƒ„†‡ˆ‰‹Œ‘’“”•–—˜›]")


def quality_issues(messages: Messages) -> list[str]:
    """What is wrong with the assistant's turns, sorted; the tests are for clear cases, and for prose, not for code.

    "encoding", "language" (not English), "markup" (HTML), "refusal", "repetition" (three in ten of the runs of four
    words were there before), "truncated" (a long answer that ends within a sentence).
    """
    found = set()
    for answer in (message["content"] for message in messages if message["role"] == "assistant"):
        prose = _prose(answer)
        words = re.findall(r"[^\W\d_]+", prose.casefold())
        if _MOJIBAKE.search(answer):
            found.add("encoding")
        if _HTML.search(prose):
            found.add("markup")
        if answer.strip().casefold().replace("’", "'").startswith(REFUSALS):
            found.add("refusal")
        fours = list(zip(words, words[1:], words[2:], words[3:], strict=False))
        if len(words) > 30 and len(set(fours)) < 0.7 * len(fours):
            found.add("repetition")
        if not _is_english(words):
            found.add("language")
        if answer.count("```") % 2 or _ends_within_a_sentence(answer):
            found.add("truncated")
    return sorted(found)


def _prose(answer: str) -> str:
    """The lines outside code: not fenced, not indented, no `>>>`; and without what stands between backticks."""
    outside = re.sub(r"```.*?(```|\Z)", "", answer, flags=re.S)
    lines = [line for line in outside.split("\n") if not line.startswith(("   ", "\t", ">>>", "..."))]
    return re.sub(r"`[^`\n]*`", "", "\n".join(lines))


def _is_english(words: list[str]) -> bool:
    if sum(word.isascii() for word in words) < 0.5 * len(words):
        return False
    english, *others = (sum(word in common for word in words) for common in (_ENGLISH, _GERMAN, _FRENCH, _SPANISH))
    return english >= max(others)


def _ends_within_a_sentence(answer: str) -> bool:
    paragraph = answer.rstrip().split("\n\n")[-1]
    last = paragraph.split("\n")[-1]
    is_prose = _prose(paragraph).endswith(last) and not paragraph.startswith((">>>", "* ", "- "))
    return len(answer) > 200 and is_prose and len(paragraph.split()) > 2 and last[-1] not in ".!?:;)]}>\"'`”’»…。！？"


# ---------------------------------------------------------------- parts and variants
def part_of(key: str, fractions: Sequence[float], seed: int) -> str:
    """The part of what has this key; of many keys each part gets about its fraction. A new key moves no other one."""
    place = int.from_bytes(hashlib.sha256(f"{seed}\0{key}".encode()).digest()[:8], "big") / 2**64
    borders = np.cumsum(fractions)
    return next((part for part, border in zip(PARTS, borders, strict=True) if place < border), PARTS[-1])


SYNONYMS = {
    "How do I": ["How can I", "How does one"], "How can I": ["How do I"], "How do you": ["How do I", "How can I"],
    "Can I": ["Is it possible to"], "Is it possible to": ["Can I"], "Are there": ["Do you know of"],
    "Please explain": ["Explain", "Describe"], "big": ["large"], "large": ["big"], "often": ["frequently"],
}  # fmt: skip
_KNOWN = re.compile(rf"(?<![\w`.])(?:{'|'.join(SYNONYMS)})(?![\w`])")


def augment(messages: Messages, n: int, rng: random.Random) -> list[Messages]:
    """At most n variants of a conversation: phrases of the user's turns are replaced by others that mean the same.

    No two variants are equal, and none equals the conversation; where no phrase is known there are none.
    """

    def replaced(message: dict[str, str]) -> dict[str, str]:
        if message["role"] != "user":
            return dict(message)
        choose = lambda found: rng.choice([found[0], *SYNONYMS[found[0]]])  # noqa: E731
        return {**message, "content": _KNOWN.sub(choose, message["content"])}

    found, tries = [messages], 30 * n
    while tries and len(found) <= n:
        variant, tries = [replaced(message) for message in messages], tries - 1
        found += [] if variant in found else [variant]
    return found[1:]


# ---------------------------------------------------------------- what is written
FEATURES = Features(
    messages=[{"role": Value("string"), "content": Value("string")}],
    input_ids=List(Value("int32")),
    labels=List(Value("int32")),
)


class Rows:
    """Rows of messages, input_ids and labels on their way into a Dataset.

    Every 1,000 rows become an Arrow table: 4 bytes a token, where a list of Python takes some 40. The fingerprint
    comes from the rows, and not from the clock, so that all files are the same each time.
    """

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []
        self._fresh, self._sum = list[dict](), hashlib.sha256()

    def append(self, row: dict) -> None:
        self._fresh.append({name: row[name] for name in FEATURES})
        self._sum.update(repr(self._fresh[-1]).encode())
        if len(self._fresh) == 1000:
            self._pack()

    def _pack(self) -> None:
        self._tables.append(pa.Table.from_pylist(self._fresh, schema=FEATURES.arrow_schema))
        self._fresh = []

    def to_dataset(self) -> Dataset:
        self._pack()
        return Dataset(pa.concat_tables(self._tables), fingerprint=self._sum.hexdigest()[:16])


def draw_lengths(dataset: DatasetDict, max_length: int, path: str | Path) -> None:
    """Save how many examples of each part have how many tokens, as a picture."""
    from matplotlib.figure import Figure

    axes = (figure := Figure(figsize=(7, 3.5), layout="constrained")).subplots()
    edges, below = np.linspace(0, max_length, 33), np.zeros(32)
    for name, part in dataset.items():
        counts, _ = np.histogram(pc.list_value_length(part.data["input_ids"]).to_numpy(), edges)
        axes.stairs(below + counts, edges, baseline=below, fill=True, label=f"{name} ({len(part):,})")
        below = below + counts
    axes.set(xlabel=f"tokens (at most {max_length:,})", ylabel="examples")
    axes.legend()
    figure.savefig(path, metadata={"Date": None} if str(path).endswith(".svg") else None)


def write_card(report: Any, config: Any, path: str | Path) -> None:
    """Save what a reader of the data has to know: what each step took away, the sizes of the parts, the settings."""
    counts = report._asdict()
    counts |= {f"written to {name}": count for name, count in counts.pop("written").items()}
    lines = [
        "# Instruction data",
        "",
        "Columns: `messages`, `input_ids`, `labels` (-100 outside the assistant's turns)",
        "",
    ]
    for title, values in (("records", counts), ("setting", config._asdict())):
        lines += [f"| {title} | |", "|---|---|", *(f"| {name} | {value} |" for name, value in values.items()), ""]
    Path(path).write_text("\n".join(lines), encoding="utf-8")


def leaks(dataset: DatasetDict, threshold: float) -> dict[str, int]:
    """How many groups of equal and of near texts stand in more than one part of what was written."""
    rows = [(text_of(messages), name) for name in dataset for messages in dataset[name]["messages"]]
    return parted([text for text, _ in rows], [name for _, name in rows], threshold)


def against_manifest(raw_path: str | Path, dataset: DatasetDict) -> dict[str, tuple[int, int]]:
    """For each kind of line in the manifest.json beside the raw records: how many there are, how many went wrong:
    nothing of a clean line's source was kept, a duplicate is there beside its like, a paraphrase stands in another part
    than its source, any other faulty line was kept."""
    lines = json.loads(Path(raw_path).with_name("manifest.json").read_text(encoding="utf-8"))["lines"]
    rows = [(normal_form(text_of(messages)), name) for name in dataset for messages in dataset[name]["messages"]]
    times, part_with = Counter(text for text, _ in rows), dict(rows)
    originals, parts_of, texts, found = {}, defaultdict(set), [], dict[str, tuple[int, int]]()
    for line, entry in zip(read_lines(raw_path), lines, strict=True):
        texts.append("")
        with contextlib.suppress(ValueError):
            texts[-1] = normal_form(text_of(to_messages(line)))
        if entry["fault"] is None:
            originals[entry["source"]] = texts[-1]
        if entry["fault"] in (None, "exact_duplicate", "near_duplicate", "paraphrase") and texts[-1] in part_with:
            parts_of[entry["source"]].add(part_with[texts[-1]])
    for entry, text in zip(lines, texts, strict=True):
        kind, source = entry["fault"] or "clean", entry["source"]
        wrong = {
            "clean": not parts_of[source],
            "exact_duplicate": times[text] > 1,
            "near_duplicate": times[text] > 0 and times[originals[source]] > 0,
            "paraphrase": text in part_with and len(parts_of[source]) > 1,
        }.get(kind, text in part_with)
        count, errors = found.get(kind, (0, 0))
        found[kind] = (count + 1, errors + wrong)
    return found
