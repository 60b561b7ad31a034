# names: roles-of-sharegpt-everywhere
# breaks: "a role is unknown"
# Only `messages` is taken at its word; prompt and completion go through the table of ShareGPT.

FORMATS = {
    "alpaca": {"instruction", "output"},
    "sharegpt": {"conversations"},
    "prompt/completion": {"prompt", "completion"},
    "openai": {"messages"},
}
ROLES = {"human": "user", "gpt": "assistant"}


def need(mapping, key, place):
    if not isinstance(mapping, dict) or key not in mapping:
        raise ValueError(f"{place} is missing")
    return mapping[key]


def message(role, content, place):
    if not isinstance(content, str) or not content.strip():
        raise ValueError(f"{place}: no text")
    return {"role": role, "content": content}


def to_messages(record):
    found = {name for name, keys in FORMATS.items() if not keys - set(record)}
    if len(found) != 1:
        raise ValueError(f"found {sorted(found)}, not one format")
    (name,) = found
    messages, places, lists = [], [], []
    if name in ("alpaca", "sharegpt") and (record.get("system") or "").strip():
        messages.append(message("system", record["system"], "system"))
        places.append("system")
    if name == "alpaca":
        user = message("user", record["instruction"], "instruction")
        if record.get("input") and not record["input"].isspace():
            user["content"] = user["content"] + "\n" * 2 + record["input"]
        messages += [user, message("assistant", need(record, "output", "output"), "output")]
        places += ["instruction", "output"]
    elif name == "sharegpt":
        lists = [("conversations", "from", "value")]
    elif name == "openai":
        lists = [("messages", "role", "content")]
    else:
        values = [need(record, key, key) for key in ("prompt", "completion")]
        if all(isinstance(value, str) for value in values):
            for role, key in (("user", "prompt"), ("assistant", "completion")):
                messages.append(message(role, record[key], key))
                places.append(key)
        else:
            lists = [("prompt", "role", "content"), ("completion", "role", "content")]
    for key, role_key, content_key in lists:
        if not isinstance(record[key], list):
            raise ValueError(f"{key} should be a list")
        for i, turn in enumerate(record[key]):
            role = need(turn, role_key, f"{key}[{i}].{role_key}")
            if key != "messages":  # Prompt and completion are read like ShareGPT.
                role = ROLES.get(role, role)
            content = need(turn, content_key, f"{key}[{i}].{content_key}")
            messages.append(message(role, content, f"{key}[{i}].{content_key}"))
            places.append(f"{key}[{i}].{role_key}")
    order = ["user", "assistant"] * len(messages)
    if messages and messages[0]["role"] == "system":
        order = ["system", *order]
    for this, due, place in zip(messages, order, places):
        if this["role"] != due:
            raise ValueError(f"{place} should be {due}")
    if not messages or messages[-1]["role"] != "assistant":
        raise ValueError(f"{[key for key, _, _ in lists]} must end with the assistant")
    return messages
