# names: lists-cut-elsewhere-refused
# breaks: "the second of which continues the first"
# A completion of messages begins with the assistant.

from typing import Any

# The speakers' names in a ShareGPT conversation, and their roles.
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def to_messages(record: dict[str, Any]) -> list[dict[str, str]]:
    formats = [keys for keys in READERS if set(keys) <= record.keys()]
    if len(formats) != 1:
        raise ValueError(f"one format must match, not {len(formats)}; the keys are {', '.join(record)}")
    keys = formats.pop()
    turns = READERS[keys](record)
    start = 1 if turns and turns[0][1] == "system" else 0
    for i, (place, role, _) in enumerate(turns[start:]):
        wanted = "assistant" if i % 2 else "user"
        if role != wanted:
            raise ValueError(f"{place} is {role!r}: this is the {wanted}'s turn")
    if not turns or turns[-1][1] != "assistant":
        raise ValueError(f"{', '.join(keys)}: the last turn must be the assistant's")
    return [{"role": role, "content": content} for _, role, content in turns]


# Each reader returns turns as (the place of the role, the role, the content).
def read_alpaca(record):
    content = text(record, "instruction")
    if has_text(record.get("input")):  # Real Alpaca files hold null too.
        content += "\n\n" + record["input"]
    return [*system_turn(record), ("instruction", "user", content), ("output", "assistant", text(record, "output"))]


def read_sharegpt(record):
    turns = read_list(record, "conversations", "from", "value")
    return system_turn(record) + [(place, role_of(speaker), content) for place, speaker, content in turns]


def read_prompt_completion(record):
    if isinstance(record["prompt"], str):
        return [("prompt", "user", text(record, "prompt")), ("completion", "assistant", text(record, "completion"))]
    prompt, completion = (read_list(record, name, "role", "content") for name in ("prompt", "completion"))
    if completion and completion[0][1] != "assistant":
        raise ValueError(f"{completion[0][0]}: a completion is what the assistant says")
    return prompt + completion


def read_openai(record):
    return read_list(record, "messages", "role", "content")


READERS = {
    ("instruction", "output"): read_alpaca,
    ("conversations",): read_sharegpt,
    ("prompt", "completion"): read_prompt_completion,
    ("messages",): read_openai,
}


def role_of(speaker):
    return ROLES.get(speaker, speaker) if isinstance(speaker, str) else speaker


def system_turn(record):
    return [("system", "system", record["system"])] if has_text(record.get("system")) else []


def read_list(record, name, role_key, content_key):
    if not isinstance(record[name], list):
        raise ValueError(f"{name} is not a list: {record[name]!r}")
    turns = []
    for i, turn in enumerate(record[name]):
        place = f"{name}[{i}]"
        if not isinstance(turn, dict) or role_key not in turn:
            raise ValueError(f"{place}.{role_key} is missing: {turn!r}")
        turns.append((f"{place}.{role_key}", turn[role_key], text(turn, content_key, f"{place}.")))
    return turns


def text(fields, key, place=""):
    content = fields.get(key)
    if not has_text(content):
        raise ValueError(f"{place}{key} has no text: {content!r}")
    return content


def has_text(content):
    return isinstance(content, str) and content.strip() != ""
