# names: place-counted-in-the-result
# breaks: "the place in the record"
# The place is the number of the message in the result, where the system turn comes first.

from typing import Any

# The speakers' names in a ShareGPT conversation, and their roles.
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def _listed(items, name, role_key, content_key, roles):
    if not isinstance(items, list):
        raise ValueError(f"{name} is not a list")
    turns = []
    for i, turn in enumerate(items):
        for key in (role_key, content_key):
            if key not in turn:
                raise ValueError(f"{name}[{i}].{key} is missing")
        if turn[role_key] not in roles:
            raise ValueError(f"{name}[{i}].{role_key}: unknown role {turn[role_key]!r}")
        turns.append(
            (roles[turn[role_key]], f"{name}[{i}].{role_key}", turn[content_key], f"{name}[{i}].{content_key}")
        )
    return turns


def _turns(record, kind):
    plain = {"system": "system", "user": "user", "assistant": "assistant"}
    turns = []
    if kind in ("alpaca", "sharegpt") and "system" in record:
        system = record["system"]
        if not isinstance(system, str):
            raise ValueError("system: not a string")
        if system.strip():
            turns.append(("system", "system", system, "system"))
    if kind == "alpaca":
        question = record["instruction"]
        if not isinstance(question, str) or not question.strip():
            raise ValueError("instruction: no content")
        extra = record.get("input", "")
        if not isinstance(extra, str):
            raise ValueError("input: not a string")
        if extra.strip():
            question = question + "\n\n" + extra
        turns += [("user", "instruction", question, "instruction"), ("assistant", "output", record["output"], "output")]
    elif kind == "sharegpt":
        listed = _listed(record["conversations"], "conversations", "from", "value", ROLES)
        if not listed:
            raise ValueError("conversations: empty")
        turns += listed
    elif kind == "openai":
        turns += _listed(record["messages"], "messages", "role", "content", plain)
    else:
        prompt, completion = record["prompt"], record["completion"]
        if isinstance(prompt, list) or isinstance(completion, list):
            turns += _listed(prompt, "prompt", "role", "content", plain)
            turns += _listed(completion, "completion", "role", "content", plain)
        else:
            turns += [("user", "prompt", prompt, "prompt"), ("assistant", "completion", completion, "completion")]
    return turns


def to_messages(record: dict[str, Any]) -> list[dict[str, str]]:
    formats = {
        "alpaca": ("instruction", "output"),
        "sharegpt": ("conversations",),
        "pair": ("prompt", "completion"),
        "openai": ("messages",),
    }
    found = [name for name, keys in formats.items() if all(key in record for key in keys)]
    if len(found) != 1:
        raise ValueError(f"the record matches {found}, not one format")
    turns = _turns(record, found[0])
    name = (
        "completion"
        if found[0] == "pair"
        else {"alpaca": "output", "sharegpt": "conversations", "openai": "messages"}[found[0]]
    )
    if not turns:
        raise ValueError(f"{name}: empty")
    expected = "user"
    messages = []
    for index, (role, role_place, content, place) in enumerate(turns):
        if role == "system" and index == 0:
            pass
        elif role != expected:
            raise ValueError(f"{name}[{index}].{role_place.split('.')[-1]}: unexpected role {role!r}")
        else:
            expected = "assistant" if role == "user" else "user"
        if not isinstance(content, str) or not content.strip():
            raise ValueError(
                f"{name}[{index}].{place.split('.')[-1]}: no content" if "[" in place else f"{place}: no content"
            )
        messages.append({"role": role, "content": content})
    if messages[-1]["role"] != "assistant":
        raise ValueError(f"{name}: the last turn is not the assistant's")
    return messages
