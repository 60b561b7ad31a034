"""4.01 · Chat formats: four ways to write a conversation down, one list of messages.

Data sets come in all of them; what comes after this step knows one, and sees no broken record.
"""

from typing import Any

# What the speakers of a ShareGPT conversation are called, and the roles that they have.
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def to_messages(record: dict[str, Any]) -> list[dict[str, str]]:
    """Turn one record of a data set into a list of messages, or say where it is broken.

    Args:
        record: one conversation, in one of four formats. A format matches when its keys are all there; the
            rest of the record (an id, a source) does not matter.

            - Alpaca has `instruction` and `output`: the user says the instruction, the assistant the output.
              Where there is an `input` with more in it than white space, the user says the instruction, an
              empty line ("\\n\\n") and the input.
            - ShareGPT has `conversations`: a list of dictionaries with `from` and `value`. `ROLES` says which
              role a speaker has.
            - prompt/completion has `prompt` and `completion`: two strings, of the user and the assistant, or
              two lists of messages, of which the second goes on where the first ends.
            - OpenAI has `messages`: a list of dictionaries with `role` and `content`.

            Alpaca and ShareGPT may have a `system` beside these, a string; it is the system turn. One of
            white space alone counts as if it were not there.

    Returns:
        A list of dictionaries with exactly two keys, `role` ("system", "user" or "assistant") and `content`:
        one system turn at the start if there is one, then user and assistant in turn, the assistant last.
        Each content is kept as it is, to the last space and line break. The record is not changed.

    Raises:
        TypeError: A role can't be hashed, such as a list; a ValueError as for other unknown roles is right too.
        ValueError: None of the formats matches, or more than one. Or the record is malformed; the text then
            names the place as it is in the record, counted from 0:

            - what should be a list is not one: its name, such as `messages`;
            - the conversation is empty, or its last turn is not the assistant's: the name of the list;
            - a key of a turn is missing: the key's place, such as `conversations[1].from`;
            - a role is unknown, or not the one that belongs there: the place of the first, the same;
            - a content is no string, or has nothing in it but white space: the content's place, such as
              `output` or `messages[2].content`.

    Formats: https://huggingface.co/docs/trl/dataset_formats and
    https://github.com/tatsu-lab/stanford_alpaca#data-release
    """
    # TODO: find the one format that matches, list its turns with their places, check them.
    raise NotImplementedError("TODO")
