"""A letter for each role, the order as a regular expression, generators for the readers."""

import re
from itertools import chain


def letters(roles):
    return "".join({"system": "s", "user": "u", "assistant": "a"}.get(role, "?") for role in roles)


def from_list(turns, path, role_key="role", content_key="content"):
    if not isinstance(turns, list):
        raise ValueError(f"{path}: expected a list, got {type(turns).__name__}")
    for i, turn in enumerate(turns):
        try:
            role, content = turn[role_key], turn[content_key]
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path}[{i}].{role_key}, {path}[{i}].{content_key}: {error}") from error
        yield f"{path}[{i}].{role_key}", role, f"{path}[{i}].{content_key}", content


def alpaca(record):
    extra = record["input"] if "input" in record and re.search(r"\S", record["input"]) else None
    question = record["instruction"] if extra is None else record["instruction"] + "\n\n" + extra
    yield from [
        ("instruction", "user", "instruction", question),
        ("output", "assistant", "output", record["output"]),
    ]


def sharegpt(record):
    names = {"human": "user", "gpt": "assistant"}
    for place, speaker, *rest in from_list(record["conversations"], "conversations", "from", "value"):
        yield place, names.get(speaker, speaker), *rest


def pair(record):
    prompt, completion = record["prompt"], record["completion"]
    if isinstance(prompt, str) != isinstance(completion, str):
        raise ValueError("prompt and completion must be of one kind")
    if isinstance(prompt, str):
        return [("prompt", "user", "prompt", prompt), ("completion", "assistant", "completion", completion)]
    return chain(from_list(prompt, "prompt"), from_list(completion, "completion"))


def to_messages(record):
    match [
        keys
        for keys in (("instruction", "output"), ("conversations",), ("prompt", "completion"), ("messages",))
        if all(key in record for key in keys)
    ]:
        case [("instruction", "output")]:
            turns = list(alpaca(record))
        case [("conversations",)]:
            turns = list(sharegpt(record))
        case [("prompt", "completion")]:
            turns = list(pair(record))
        case [("messages",)]:
            turns = list(from_list(record["messages"], "messages"))
        case found:
            raise ValueError(f"{len(found)} formats match {list(record)}")
    if turns[:1] and turns[0][0].startswith(("instruction", "conversations")) and record.get("system", "").split():
        turns = [("system", "system", "system", record["system"]), *turns]
    for _, _, place, content in turns:
        if type(content) is not str or re.fullmatch(r"\s*", content):
            raise ValueError(f"{place} is empty")
    order = letters(turn[1] for turn in turns)
    good = re.match(r"s?(ua)*u?", order).end()
    if good < len(order):
        raise ValueError(f"{turns[good][0]}: {turns[good][1]!r} cannot stand here")
    if not order.endswith("a"):
        raise ValueError(f"{' / '.join(record)}: nothing from the assistant at the end")
    return [dict(role=role, content=content) for _, role, _, content in turns]
