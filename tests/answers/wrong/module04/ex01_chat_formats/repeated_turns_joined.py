# names: turns-of-one-role-joined
# breaks: "or is not the one expected there"
# Turns of one speaker in a row are joined into one, so that roles always alternate.


def check(turns, name):
    for number, (role, content, place) in enumerate(turns):
        if not isinstance(content, str) or not content.strip():
            raise ValueError(f"{place[1]} is empty")
    expected = "user"
    for number, (role, content, place) in enumerate(turns):
        if number == 0 and role == "system":
            continue
        if role != expected:
            raise ValueError(f"{place[0]}: {role}")
        expected = "assistant" if expected == "user" else "user"
    if not turns or turns[-1][0] != "assistant":
        raise ValueError(f"{name} must end with the assistant")
    return [{"role": role, "content": content} for role, content, _ in turns]


def listed(record, name, role, content):
    if not isinstance(record[name], list):
        raise ValueError(f"{name} is no list")
    turns = []
    for i, turn in enumerate(record[name]):
        if role not in turn or content not in turn:
            raise ValueError(f"{name}[{i}].{role} or {name}[{i}].{content} is missing")
        turns.append((turn[role], turn[content], (f"{name}[{i}].{role}", f"{name}[{i}].{content}")))
    return turns


def the_format(record):
    formats = [("instruction", "output"), ("conversations",), ("prompt", "completion"), ("messages",)]
    matching = [f for f in formats if all(key in record for key in f)]
    if len(matching) != 1:
        raise ValueError(f"{matching} match")
    return matching[0][0]


def joined(turns):
    result = []
    for role, content, place in turns:
        if result and result[-1][0] == role:
            result[-1] = (role, result[-1][1] + "\n\n" + content, place)
        else:
            result.append((role, content, place))
    return result


def to_messages(record):
    kind = the_format(record)
    names = {"human": "user", "gpt": "assistant"}
    head = []
    if kind in ("instruction", "conversations") and record.get("system", "").strip():
        head = [("system", record["system"], ("system", "system"))]
    if kind == "instruction":
        user = record["instruction"]
        if record.get("input", "").strip():
            user = f"{user}\n\n{record['input']}"
        turns = [("user", user, ("instruction",) * 2), ("assistant", record["output"], ("output",) * 2)]
    elif kind == "conversations":
        turns = [(names.get(r, r), c, p) for r, c, p in listed(record, "conversations", "from", "value")]
    elif kind == "messages":
        turns = listed(record, "messages", "role", "content")
    elif isinstance(record["prompt"], str) and isinstance(record["completion"], str):
        turns = [("user", record["prompt"], ("prompt",) * 2), ("assistant", record["completion"], ("completion",) * 2)]
    else:
        turns = listed(record, "prompt", "role", "content") + listed(record, "completion", "role", "content")
    return check(joined(head + turns), kind if kind != "prompt" else "completion")
