"""Turns are objects of a dataclass; what is no dictionary raises whatever it raises."""

import itertools
from dataclasses import dataclass
from typing import Any

# The speakers' names in a ShareGPT conversation, and their roles.
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


@dataclass(frozen=True)
class Turn:
    role: str
    content: Any
    role_at: str
    content_at: str

    def check_content(self):
        if not isinstance(self.content, str) or self.content.isspace() or self.content == "":
            raise ValueError(f"nothing at {self.content_at}")

    def message(self):
        return dict(role=self.role, content=self.content)


def _need_list(value, name):
    if not isinstance(value, list):
        raise ValueError(f"{name} should be a list, not {type(value).__name__}")
    return value


def _get(turn, key, at):
    try:
        return turn[key]
    except KeyError:
        raise ValueError(f"{at}.{key} is missing") from None


def _list_turns(items, name, who, what, roles):
    result = []
    for i, item in enumerate(_need_list(items, name)):
        at = f"{name}[{i}]"
        speaker, said = _get(item, who, at), _get(item, what, at)
        role = roles.get(speaker) if isinstance(speaker, str) else None
        result.append(Turn(role, said, f"{at}.{who}", f"{at}.{what}"))
    return result


def _system(record):
    text = record.get("system", "")
    if isinstance(text, str) and not text.strip():
        return []
    return [Turn("system", text, "system", "system")]


def _alpaca(record):
    user = Turn("user", record["instruction"], "instruction", "instruction")
    user.check_content()
    extra = record.get("input", "")
    if extra is not None and not isinstance(extra, str):
        raise ValueError("input is not a string")
    if extra and extra.strip():
        user = Turn("user", f"{user.content}\n\n{extra}", "instruction", "instruction")
    return "output", [*_system(record), user, Turn("assistant", record["output"], "output", "output")]


def _sharegpt(record):
    turns = _list_turns(record["conversations"], "conversations", "from", "value", ROLES)
    if not turns:
        raise ValueError("conversations is empty")
    return "conversations", _system(record) + turns


SAME = {role: role for role in ("system", "user", "assistant")}


def _pair(record):
    prompt, completion = record["prompt"], record["completion"]
    if not isinstance(prompt, list) and not isinstance(completion, list):
        return "completion", [
            Turn("user", prompt, "prompt", "prompt"),
            Turn("assistant", completion, "completion", "completion"),
        ]
    turns = _list_turns(prompt, "prompt", "role", "content", SAME)
    return "completion", turns + _list_turns(completion, "completion", "role", "content", SAME)


def _openai(record):
    return "messages", _list_turns(record["messages"], "messages", "role", "content", SAME)


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
            is only white space, it counts as missing.

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
    readers = {
        frozenset({"instruction", "output"}): _alpaca,
        frozenset({"conversations"}): _sharegpt,
        frozenset({"prompt", "completion"}): _pair,
        frozenset({"messages"}): _openai,
    }
    matching = [reader for keys, reader in readers.items() if keys <= record.keys()]
    if not matching:
        raise ValueError("no known format")
    if len(matching) > 1:
        raise ValueError("more than one format")
    container, turns = matching[0](record)
    order = itertools.cycle(["user", "assistant"])
    for number, turn in enumerate(turns):
        turn.check_content()
        if number == 0 and turn.role == "system":
            continue
        if turn.role != next(order):
            raise ValueError(f"wrong role at {turn.role_at}")
    if not turns or turns[-1].role != "assistant":
        raise ValueError(f"{container} must end with the assistant")
    return [turn.message() for turn in turns]
