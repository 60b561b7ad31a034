"""Each turn is kept with the places of its role and its content; an input that is null is an error."""

# What the speakers of a ShareGPT conversation are called, and the roles that they have.
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def to_messages(record):
    def has(*keys):
        return all(k in record for k in keys)

    kinds = [
        k
        for k, keys in {
            "alpaca": ("instruction", "output"),
            "sharegpt": ("conversations",),
            "pair": ("prompt", "completion"),
            "openai": ("messages",),
        }.items()
        if has(*keys)
    ]
    if len(kinds) != 1:
        raise ValueError(f"formats: {kinds}")
    (kind,) = kinds
    turns = []  # (place of role, role, place of content, content)

    def blank(text):
        return isinstance(text, str) and not text.strip()

    def read(name, role_key, content_key, roles):
        value = record[name]
        if not isinstance(value, list):
            raise ValueError(f"{name} is no list")
        for i, turn in enumerate(value):
            for key in (role_key, content_key):
                if not isinstance(turn, dict) or key not in turn:
                    raise ValueError(f"{name}[{i}].{key} is missing")
            said = turn[role_key]
            role = roles.get(said) if isinstance(said, str) else None
            turns.append((f"{name}[{i}].{role_key}", role, f"{name}[{i}].{content_key}", turn[content_key]))

    if kind in ("alpaca", "sharegpt") and "system" in record and not blank(record["system"]):
        turns.append(("system", "system", "system", record["system"]))
    same = {r: r for r in ("system", "user", "assistant")}
    last = kind
    if kind == "alpaca":
        user = record["instruction"]
        if "input" in record and not blank(record["input"]):
            if not isinstance(user, str) or blank(user):
                raise ValueError("instruction is no text")
            if not isinstance(record["input"], str):
                raise ValueError("input is no text")
            user = user + "\n\n" + record["input"]
        turns += [("instruction", "user", "instruction", user), ("output", "assistant", "output", record["output"])]
    elif kind == "sharegpt":
        last = "conversations"
        read("conversations", "from", "value", ROLES)
    elif kind == "openai":
        last = "messages"
        read("messages", "role", "content", same)
    elif isinstance(record["prompt"], str) and isinstance(record["completion"], str):
        turns += [
            ("prompt", "user", "prompt", record["prompt"]),
            ("completion", "assistant", "completion", record["completion"]),
        ]
    else:
        last = "completion"
        if isinstance(record["prompt"], str) != isinstance(record["completion"], str):
            raise ValueError(f"{'prompt' if isinstance(record['completion'], list) else 'completion'} is no list")
        for name in ("prompt", "completion"):
            read(name, "role", "content", same)
            if not record[name]:
                raise ValueError(f"{name} is empty")
    expected = "user"
    for i, (place, role, where, content) in enumerate(turns):
        if role == "system" and i == 0:
            pass
        elif role != expected:
            raise ValueError(f"{place}: {role}")
        else:
            expected = "assistant" if expected == "user" else "user"
        if not isinstance(content, str) or blank(content):
            raise ValueError(f"{where} is no text")
    if not turns or turns[-1][1] != "assistant":
        raise ValueError(f"{last} does not end with the assistant")
    return [{"role": r, "content": c} for _, r, _, c in turns]
