# names: two-systems-made-one
# breaks: "or is not the one expected there"
from typing import Any

# The speakers' names in a ShareGPT conversation, and their roles.
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


FORMATS = [("instruction", "output"), ("conversations",), ("prompt", "completion"), ("messages",)]


def _expected(out):
    if not out:
        return ("system", "user")
    return ("assistant",) if out[-1]["role"] == "user" else ("user",)


def _listed(name, turns, role_key, content_key, roles):
    if not isinstance(turns, list):
        raise ValueError(f"{name} is not a list")
    for i, turn in enumerate(turns):
        place = f"{name}[{i}]"
        if not isinstance(turn, dict):
            raise ValueError(f"{place} is not a dictionary")
        for key in (role_key, content_key):
            if key not in turn:
                raise ValueError(f"{place}.{key} is missing")
        role = turn[role_key]
        role = roles.get(role) if isinstance(role, str) else None
        yield place, f"{place}.{role_key}", role, f"{place}.{content_key}", turn[content_key]


def _turns(record, keys):
    same = {role: role for role in ("system", "user", "assistant")}
    if keys in FORMATS[:2]:
        system = record.get("system")
        turns = record.get("conversations")
        if isinstance(turns, list) and turns and isinstance(turns[0], dict) and turns[0].get("from") == "system":
            system = None
        if system is not None and not (isinstance(system, str) and not system.strip()):
            yield "system", "system", "system", "system", system
    if keys == FORMATS[0]:
        instruction, more = record["instruction"], record.get("input")
        for key in ("instruction", "input", "output"):
            value = record.get(key, "")
            if not isinstance(value, str) and not (key == "input" and value is None):
                raise ValueError(f"{key} is not a string")
        if not instruction.strip():
            raise ValueError("instruction is blank")
        if more and more.strip():
            instruction = instruction + "\n\n" + more
        yield "instruction", "instruction", "user", "instruction", instruction
        yield "output", "output", "assistant", "output", record["output"]
    elif keys == FORMATS[1]:
        yield from _listed("conversations", record["conversations"], "from", "value", ROLES)
    elif keys == FORMATS[3]:
        yield from _listed("messages", record["messages"], "role", "content", same)
    elif isinstance(record["prompt"], str) and isinstance(record["completion"], str):
        yield "prompt", "prompt", "user", "prompt", record["prompt"]
        yield "completion", "completion", "assistant", "completion", record["completion"]
    elif isinstance(record["prompt"], list) and isinstance(record["completion"], list):
        for key in keys:
            yield from _listed(key, record[key], "role", "content", same)
    elif isinstance(record["prompt"], (str, list)):
        name = "completion"
        raise ValueError(f"{name} is not of prompt's type")
    else:
        raise ValueError("prompt is neither a string nor a list")


def to_messages(record: dict[str, Any]) -> list[dict[str, str]]:
    found = [keys for keys in FORMATS if all(key in record for key in keys)]
    if len(found) != 1:
        raise ValueError(f"one format should match, not {len(found)}: keys {sorted(map(str, record))}")
    turns = _turns(record, found[0])
    name = found[0][-1]
    out = []
    for place, role_place, role, content_place, content in turns:
        expected = _expected(out)
        if role not in expected:
            raise ValueError(f"{role_place}: {role!r} where {expected} is expected")
        if not isinstance(content, str) or not content.strip():
            raise ValueError(f"{content_place}: no text")
        out.append({"role": role, "content": content})
    if not out or out[-1]["role"] != "assistant":
        raise ValueError(f"{name}: the last turn is not the assistant's")
    return out
