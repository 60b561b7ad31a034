# names: last-turn-not-checked
# breaks: "its last turn is not the assistant's"
# Roles alternate and contents are there: it looks complete.


def alternates(turns):
    due = "user"
    for role, content, role_place, content_place in turns:
        if role == "system" and (role, content, role_place, content_place) == turns[0]:
            continue
        if role != due:
            raise ValueError(f"{role_place} is {role}")
        due = {"user": "assistant", "assistant": "user"}[due]


def to_messages(record):
    formats = [("instruction", "output"), ("conversations",), ("prompt", "completion"), ("messages",)]
    matching = [f for f in formats if all(key in record for key in f)]
    if len(matching) != 1:
        raise ValueError("which format?")
    (names,) = matching
    turns = []
    if names[0] in ("instruction", "conversations") and record.get("system", "").strip():
        turns.append(("system", record["system"], "system", "system"))
    if names[0] == "instruction":
        user = record["instruction"]
        if record.get("input", "").strip():
            user = f"{user}\n\n{record['input']}"
        turns.append(("user", user, "instruction", "instruction"))
        turns.append(("assistant", record["output"], "output", "output"))
    elif isinstance(record.get("prompt"), str) and isinstance(record.get("completion"), str):
        turns.append(("user", record["prompt"], "prompt", "prompt"))
        turns.append(("assistant", record["completion"], "completion", "completion"))
    else:
        for name in names:
            keys = ("from", "value") if name == "conversations" else ("role", "content")
            if not isinstance(record[name], list):
                raise ValueError(f"{name} is no list")
            if names == (name,) and not record[name]:
                raise ValueError(f"{name} is empty")
            for i, turn in enumerate(record[name]):
                places = [f"{name}[{i}].{key}" for key in keys]
                if not all(key in turn for key in keys):
                    raise ValueError(f"{places} missing")
                role = turn[keys[0]]
                if name == "conversations":
                    role = {"human": "user", "gpt": "assistant"}.get(role, role)
                turns.append((role, turn[keys[1]], *places))
    alternates(turns)
    for _, content, _, place in turns:
        if not isinstance(content, str) or not content.strip():
            raise ValueError(f"{place} is empty")
    return [{"role": turn[0], "content": turn[1]} for turn in turns]
