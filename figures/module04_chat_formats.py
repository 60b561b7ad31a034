"""What becomes of broken records: a converter that checks nothing beside one that does. Prints, writes JSON.

Conversations are made of the Python FAQ, two questions each, and broken in seven ways.

python figures/module04_chat_formats.py
"""

import json
import sys
from collections import Counter
from copy import deepcopy
from pathlib import Path

from drawing import ROOT

HERE = Path(__file__).parent
NAME = Path(__file__).stem
sys.path.insert(0, str(ROOT / "solutions" / "module04"))
from ex01_chat_formats import to_messages  # noqa: E402

SYSTEM = "You answer questions about Python."
OUTCOMES = ["passes", "another error", "ValueError", "ValueError that names the place"]


def converted(record):
    """A converter as it is often written: rename the keys, trust the rest."""
    roles = {"human": "user", "gpt": "assistant"}
    messages = [{"role": roles[turn["from"]], "content": turn["value"]} for turn in record["conversations"]]
    if record.get("system"):
        messages.insert(0, {"role": "system", "content": record["system"]})
    return messages


def conversation(first, second):
    turns = []
    for pair in (first, second):
        turns += [{"from": "human", "value": pair["question"]}, {"from": "gpt", "value": pair["answer"]}]
    return {"system": SYSTEM, "conversations": turns}


def in_four_formats(pair):
    question, answer = pair["question"], pair["answer"]
    return [
        {"instruction": question, "input": "", "output": answer},
        {"conversations": conversation(pair, pair)["conversations"][:2]},
        {"prompt": question, "completion": answer},
        {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]},
    ]


# Each takes the record and its turns, breaks it, and says which place is broken.
def empty_answer(record, turns):
    turns[1]["value"] = ""
    return "conversations[1].value"


def blank_answer(record, turns):
    turns[3]["value"] = " \n"
    return "conversations[3].value"


def question_asked_twice(record, turns):
    turns.insert(1, dict(turns[0]))
    return "conversations[1].from"


def tool_turns(record, turns):
    turns[2:2] = [{"from": "tool", "value": "[]"}]
    return "conversations[2].from"


def last_answer_missing(record, turns):
    turns.pop()
    return "conversations"


def key_missing(record, turns):
    del turns[2]["value"]
    return "conversations[2].value"


def two_formats(record, turns):
    record["messages"] = [{"role": "user", "content": turns[0]["value"]}]
    return None  # It is the record as a whole that is wrong.


BREAKS = [empty_answer, blank_answer, question_asked_twice, tool_turns, last_answer_missing, key_missing, two_formats]


def outcome(converter, record, place):
    try:
        converter(record)
    except ValueError as error:
        return OUTCOMES[3] if place and place in str(error) else OUTCOMES[2]
    except Exception:
        return OUTCOMES[1]
    return OUTCOMES[0]


def main():
    with (ROOT / "data" / "pydocs" / "faq_qa.jsonl").open(encoding="utf-8") as file:
        pairs = [json.loads(line) for line in file]
    alike = sum(
        all(to_messages(r) == to_messages(in_four_formats(pair)[3]) for r in in_four_formats(pair)) for pair in pairs
    )
    whole = [conversation(pair, pairs[(i + 1) % len(pairs)]) for i, pair in enumerate(pairs)]
    results = {"pairs": len(pairs), "alike_in_four_formats": alike, "breaks": {}}
    for converter in (converted, to_messages):
        results[f"whole_records_that_pass_{converter.__name__}"] = sum(bool(converter(record)) for record in whole)
    for broken in BREAKS:
        row = results["breaks"][broken.__name__.replace("_", " ")] = {}
        for converter in (converted, to_messages):
            counts = Counter()
            for record in deepcopy(whole):
                place = broken(record, record["conversations"])
                counts[outcome(converter, record, place)] += 1
            row[converter.__name__] = dict(counts)
    passed = {
        name: sum(row[name].get("passes", 0) for row in results["breaks"].values())
        for name in ("converted", "to_messages")
    }
    results["broken_records_that_pass"] = {**passed, "of": len(BREAKS) * len(whole)}
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (HERE / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
