"""Six recorded replies of a larger model: what the filter of 4.03 says of them, and what a look at them says.

python figures/module04_recorded_replies.py

The replies are those of data/replies, word for word. Each is judged by something that can be run: a function against a
list of primes, a pattern against addresses, a sum, Python's parser, the words that were forbidden. The one that can't
be run is compared with the answer that the author of its task wrote.
"""

import ast
import json
import re
import sys

from drawing import ROOT

from tunelings.course import data_folder

sys.path.insert(0, str(ROOT / "solutions" / "module04"))
from ex03_quality_filter import quality_issues  # noqa: E402

RESULTS = ROOT / "figures" / "results" / "module04_recorded_replies.json"
ADDRESSES = ("0.0.0.0", "127.0.0.1", "192.168.1.254", "255.255.255.255", "9.10.99.249")
NO_ADDRESSES = ("256.1.1.1", "1.1.1", "1.1.1.1.1", "01.1.1.1", "1.1.1.1 ", "a.b.c.d", "300.0.0.1", "1..1.1")
DESCRIBING = ("brightly", "small", "busy", "freshly", "lush", "green", "deep", "orange", "slowly", "content")


def is_right_about_primes(code: str) -> bool:
    names: dict = {}
    exec(code, names)  # Ours: the checksum of data/replies says so.
    by_hand = [n for n in range(2, 1000) if all(n % d for d in range(2, n))]
    return [n for n in range(-3, 1000) if names["is_prime"](n)] == by_hand


def is_right_about_addresses(pattern: str) -> bool:
    said = [bool(re.fullmatch(pattern.strip(), text)) for text in ADDRESSES + NO_ADDRESSES]
    return said == [True] * len(ADDRESSES) + [False] * len(NO_ADDRESSES)


def is_right_about_the_table(table: str) -> bool:
    rows = [row.split(",") for row in table.split("|")[1:]]
    return len(rows) == 3 and all(int(count) * int(price) == int(total) for _, count, price, total in rows)


def parses(code: str) -> bool:
    try:
        ast.parse(code.strip())
    except SyntaxError:
        return False
    return True


def judged(record: dict) -> dict:
    """Whether a reply is right, and why, in words for the lesson."""
    text, name = record["output"], record["name"]
    found = [word for word in DESCRIBING if re.search(rf"\b{word}\b", text)]
    right, why = {
        "prime": lambda: (is_right_about_primes(text), "it's right for every number below 1,000"),
        "address": lambda: (is_right_about_addresses(text), "it tells real addresses from false ones"),
        "table": lambda: (is_right_about_the_table(text), "all three products are right"),
        "story": lambda: (not found, f"it uses {', '.join(found[:5])}, which the task forbids"),
        "word": lambda: (
            "=rand()" in text,
            "it doesn't mention `=rand()`, which the author of the task wanted to hear, and describes menus instead",
        ),
        "input": lambda: (parses(text), "three statements on one line: Python's parser refuses it"),
    }[name]()
    return {"right": right, "why": why}


def main() -> None:
    lines = (data_folder("replies") / "replies.jsonl").read_text(encoding="utf-8").splitlines()
    replies = []
    for record in map(json.loads, lines):
        asked = "\n\n".join(filter(None, (record["instruction"], record["input"])))
        issues = quality_issues({"prompt": asked, "completion": record["output"]})
        replies.append({**record, "issues": issues, **judged(record)})
        print(record["name"], issues, replies[-1]["right"])
    text = json.dumps({"model": "text-davinci-003", "replies": replies}, indent=1, ensure_ascii=False)
    RESULTS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
