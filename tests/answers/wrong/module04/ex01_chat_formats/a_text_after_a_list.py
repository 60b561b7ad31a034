# names: list-and-string-accepted
# breaks: "something that should be a list is not: its name, such as `messages`;"
# A prompt of messages and a completion that is a text: both are taken as they come.

ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
OWN = {"user": "user", "assistant": "assistant", "system": "system"}


def blank(text):
    return not isinstance(text, str) or not text or text.isspace()


def to_messages(record):
    kinds = []
    if "instruction" in record and "output" in record:
        kinds.append("alpaca")
    if "conversations" in record:
        kinds.append("sharegpt")
    if "prompt" in record and "completion" in record:
        kinds.append("pc")
    if "messages" in record:
        kinds.append("openai")
    if len(kinds) != 1:
        raise ValueError(f"{len(kinds)} formats match")
    kind = kinds[0]
    out, where = [], []

    def add(role, content, place, content_place):
        if blank(content):
            raise ValueError(f"{content_place} has no text")
        out.append({"role": role, "content": content})
        where.append(place)

    def add_list(name, role_key, content_key, table):
        turns = record[name]
        if not isinstance(turns, list):
            raise ValueError(f"{name} is not a list")
        for number, turn in enumerate(turns):
            for key in (role_key, content_key):
                if not isinstance(turn, dict) or key not in turn:
                    raise ValueError(f"{name}[{number}].{key} is missing")
            speaker = turn[role_key]
            if not isinstance(speaker, str) or speaker not in table:
                raise ValueError(f"{name}[{number}].{role_key} is unknown")
            check_next(table[speaker], f"{name}[{number}].{role_key}")
            add(table[speaker], turn[content_key], f"{name}[{number}].{role_key}", f"{name}[{number}].{content_key}")

    def check_next(role, place):
        said = [m["role"] for m in out]
        if role == "system":
            ok = not said
        elif role == "user":
            ok = not said or said[-1] != "user"
        else:
            ok = bool(said) and said[-1] == "user"
        if not ok:
            raise ValueError(f"{place}: {role} does not belong here")

    if kind in ("alpaca", "sharegpt") and not blank(record.get("system")):
        add("system", record["system"], "system", "system")
    if kind == "alpaca":
        if blank(record["instruction"]):
            raise ValueError("instruction has no text")
        asked = record["instruction"]
        if not blank(record.get("input")):
            asked = asked + "\n\n" + record["input"]
        add("user", asked, "instruction", "instruction")
        add("assistant", record["output"], "output", "output")
    elif kind == "sharegpt":
        add_list("conversations", "from", "value", ROLES)
    elif kind == "openai":
        add_list("messages", "role", "content", OWN)
    elif isinstance(record["prompt"], str):
        add("user", record["prompt"], "prompt", "prompt")
        add("assistant", record["completion"], "completion", "completion")
    else:
        add_list("prompt", "role", "content", OWN)
        if isinstance(record["completion"], str):
            add("assistant", record["completion"], "completion", "completion")
        else:
            add_list("completion", "role", "content", OWN)
    if not out or out[-1]["role"] != "assistant":
        raise ValueError(f"{list(record)} does not end with the assistant")
    return out
