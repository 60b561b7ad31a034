"""4.01 · Chat formats: turn four ways to store a conversation into one list of messages.

Data sets come in all four. The steps after this one know only the list, and never see a broken record.
"""

from typing import Any

# The speakers' names in a ShareGPT conversation, and their roles.
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def to_messages(record: dict[str, Any]) -> list[dict[str, str]]:
    """Turn one record of a data set into a list of messages, or say where it is broken.

    Args:
        record: one conversation, in one of four formats. A format matches when the record has all its keys;
            other keys (an id, a source) don't matter.

            - Alpaca has `instruction` and `output`: the user's turn and the assistant's. If there is an
              `input` that is more than white space, the user's turn is the instruction, an empty line
              ("\\n\\n") and the input.
            - ShareGPT has `conversations`: a list of dictionaries with `from` and `value`. `ROLES` gives each
              speaker's role.
            - prompt/completion has `prompt` and `completion`: two strings, the user's turn and the
              assistant's, or two lists of messages, the second of which continues the first.
            - OpenAI has `messages`: a list of dictionaries with `role` and `content`.

            An Alpaca or ShareGPT record may also have a `system`, a string: it becomes the system turn. If it
            is only white space, it counts as missing. An `input` is a string, too.

    Returns:
        A list of dictionaries with exactly two keys, `role` ("system", "user" or "assistant") and `content`:
        first the one system turn, if there is one, then user and assistant in turn, the assistant last.
        Each content is kept exactly, to the last space and line break. The record is not changed.

    Raises:
        TypeError: A role can't be hashed, such as a list; a ValueError, as for other unknown roles, is right too.
        ValueError: No format matches, or more than one does. Or the record is malformed; the message then
            names the place in the record (not in the result), counted from 0:

            - something that should be a list is not: its name, such as `messages`;
            - the conversation is empty, or its last turn is not the assistant's: the name of the list;
            - a turn lacks a key: the key's place, such as `conversations[1].from`;
            - a role is unknown, or is not the one expected there: the place of the first such role, in the
              same form;
            - a content is not a string, or is empty or only white space: the content's place, such as `output` or
              `messages[2].content`.

    Formats: https://huggingface.co/docs/trl/dataset_formats and
    https://github.com/tatsu-lab/stanford_alpaca#data-release
    """
    # BEGIN SOLUTION: find the one format that matches, list its turns with their places, check them.
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
    # END SOLUTION


# BEGIN SOLUTION
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
    return read_list(record, "prompt", "role", "content") + read_list(record, "completion", "role", "content")


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
    """A content as it is, if there is something in it."""
    content = fields.get(key)
    if not has_text(content):
        raise ValueError(f"{place}{key} has no text: {content!r}")
    return content


def has_text(content):
    return isinstance(content, str) and content.strip() != ""


# END SOLUTION
