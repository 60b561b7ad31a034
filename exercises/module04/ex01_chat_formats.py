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
    # TODO: find the one format that matches, list its turns with their places, check them.
    raise NotImplementedError("TODO")
