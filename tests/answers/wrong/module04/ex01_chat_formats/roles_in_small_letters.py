# names: roles-in-any-case
# breaks: "a role is unknown"
# Roles are written in small letters, without the spaces at their ends, before they are looked up.

from typing import Any

# The speakers' names in a ShareGPT conversation, and their roles.
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def to_messages(record: dict[str, Any]) -> list[dict[str, str]]:
    FORMATS = {
        "alpaca": ("instruction", "output"),
        "sharegpt": ("conversations",),
        "pair": ("prompt", "completion"),
        "openai": ("messages",),
    }
    matching = [name for name, keys in FORMATS.items() if all(key in record for key in keys)]
    if len(matching) != 1:
        raise ValueError(f"formats that match: {matching or 'none'}")
    kind = matching[0]

    def text_at(value: Any, place: str) -> str:
        if not isinstance(value, str) or value.strip() == "":
            raise ValueError(f"{place} is not a text, or blank")
        return value

    def turns_of(name: str, speaker: str, said: str, roles: dict[str, str]) -> list[tuple[str, str, str]]:
        turns = record[name]
        if not isinstance(turns, list):
            raise ValueError(f"{name} is not a list")
        found = []
        for i, turn in enumerate(turns):
            if not isinstance(turn, dict):
                raise ValueError(f"{name}[{i}] is not a dictionary")
            for key in (speaker, said):
                if key not in turn:
                    raise ValueError(f"{name}[{i}].{key} is missing")
            role = str(turn[speaker]).strip().lower()
            if not isinstance(role, str) or role not in roles:
                raise ValueError(f"{name}[{i}].{speaker}: unknown role {role!r}")
            found.append((roles[role], f"{name}[{i}].{speaker}", text_at(turn[said], f"{name}[{i}].{said}")))
        return found

    OPENAI = {role: role for role in ("system", "user", "assistant")}
    listed = ""
    system: list = []
    if kind in ("alpaca", "sharegpt") and "system" in record:
        if not isinstance(record["system"], str):
            raise ValueError("system is not a text")
        if record["system"].strip():
            system = [("system", "system", record["system"])]
    if kind == "alpaca":
        user = text_at(record["instruction"], "instruction")
        extra = record.get("input", "")
        if extra is not None and not isinstance(extra, str):
            raise ValueError("input is not a text")
        if extra and extra.strip():
            user = user + "\n\n" + extra
        turns = [("user", "instruction", user), ("assistant", "output", text_at(record["output"], "output"))]
        listed = "output"
    elif kind == "sharegpt":
        turns, listed = turns_of("conversations", "from", "value", ROLES), "conversations"
    elif kind == "openai":
        turns, listed = turns_of("messages", "role", "content", OPENAI), "messages"
    elif isinstance(record["prompt"], list) or isinstance(record["completion"], list):
        turns = turns_of("prompt", "role", "content", OPENAI) + turns_of("completion", "role", "content", OPENAI)
        listed = "completion"
    else:
        given = (("user", "prompt"), ("assistant", "completion"))
        turns = [(role, key, text_at(record[key], key)) for role, key in given]
        listed = "completion"
    result = system + turns
    expected = "system or user"
    for role, place, _ in result:
        if role not in expected:
            raise ValueError(f"{place} is {role!r}, expected {expected}")
        expected = "assistant" if role == "user" else "user"
    if not turns or turns[-1][0] != "assistant":
        raise ValueError(f"{listed} is empty or does not end with the assistant")
    return [{"role": role, "content": content} for role, _, content in result]
