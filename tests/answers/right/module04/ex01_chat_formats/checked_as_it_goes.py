"""One walk over the turns; each is checked when it comes, against the role that is due."""

SPEAKERS = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
PLAIN = {"user": "user", "assistant": "assistant", "system": "system"}


def to_messages(record):
    kinds = []
    if "instruction" in record and "output" in record:
        kinds.append("alpaca")
    if "conversations" in record:
        kinds.append("sharegpt")
    if "prompt" in record and "completion" in record:
        kinds.append("pair")
    if "messages" in record:
        kinds.append("openai")
    if len(kinds) != 1:
        raise ValueError(f"cannot tell the format of a record with {sorted(record)}: {kinds}")
    kind = kinds[0]

    result = []

    def add(role, content, role_place, content_place):
        due = ["user"]
        if not result:
            due.append("system")
        elif result[-1]["role"] == "user":
            due = ["assistant"]
        if role not in due:
            raise ValueError(f"unexpected {role_place}: {role!r}, due is {due}")
        if not isinstance(content, str):
            raise ValueError(f"{content_place} must be a string")
        if content.isspace() or content == "":
            raise ValueError(f"{content_place} must not be blank")
        result.append({"role": role, "content": content})

    def add_list(name, role_key, content_key, names):
        if not isinstance(record[name], (list, tuple)):
            raise ValueError(f"{name} must be a list")
        for number, turn in enumerate(record[name]):
            if not isinstance(turn, dict):
                raise ValueError(f"{name}[{number}] must be an object")
            for key in (role_key, content_key):
                if key not in turn:
                    raise ValueError(f"{name}[{number}].{key} is missing")
            role = names.get(turn[role_key])
            if role is None:
                raise ValueError(f"{name}[{number}].{role_key}: who is {turn[role_key]!r}?")
            add(role, turn[content_key], f"{name}[{number}].{role_key}", f"{name}[{number}].{content_key}")

    if kind in ("alpaca", "sharegpt") and record.get("system"):
        if not record["system"].isspace():
            add("system", record["system"], "system", "system")
    if kind == "alpaca":
        question = record["instruction"]
        extra = record.get("input") or ""
        if extra and not extra.isspace():
            question = "\n\n".join([question, extra])
        add("user", question, "instruction", "instruction")
        add("assistant", record["output"], "output", "output")
    elif kind == "sharegpt":
        add_list("conversations", "from", "value", SPEAKERS)
    elif kind == "openai":
        add_list("messages", "role", "content", PLAIN)
    elif isinstance(record["prompt"], str) and isinstance(record["completion"], str):
        add("user", record["prompt"], "prompt", "prompt")
        add("assistant", record["completion"], "completion", "completion")
    else:
        add_list("prompt", "role", "content", PLAIN)
        add_list("completion", "role", "content", PLAIN)
    if not result or result[-1]["role"] != "assistant":
        raise ValueError(f"no answer at the end of {' or '.join(k for k in record)}")
    return result
