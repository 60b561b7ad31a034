"""4.01: conversations written down in each format, and records that are broken in one place.

Long: four formats, and each way in which a record is broken, by its place.
"""

import contextlib
import random
import re
from copy import deepcopy

from tunelings import expect
from tunelings.handson.awkward import texts
from tunelings.inputs import seed

# What people and models write; white space at the ends, line breaks and rare characters are part of it.
QUESTIONS = [
    "What does this print?\r\n\r\n    print('a' * 3)\r\n",
    "  Übersetze: „Wie spät ist es?“",
    "Which is larger, 9.11 or 9.9?\n",
    "請用一句話介紹台北。",
    "Τι σημαίνει «ευχαριστώ»;\n\n",
    "\tFix the indentation of the last line:\n\tif x:\n\treturn x",
]
ANSWERS = [
    "It prints `aaa`.\n",
    "```python\nif x:\n    return x\n```\n",
    " 9.9, since 0.9 > 0.11.",
    "台北是一座「山環水繞」的城市。\u3000",
    "It means “thank you” \U0001f64f\u00a0",
    "Cafe\u0301, with a combining accent; café without.\r\n",
]
SHORT = ("Why?", "So.")
SYSTEMS = ["You are terse.\n", "  Antworte auf Deutsch.", "Answer as a pirate would \u2620\ufe0f "]


def drawn(texts, count, offset):
    """`count` different texts."""
    return random.Random(seed(offset)).sample(texts, count)


def lines(result):
    """The messages as texts `role: content`, with further keys named; what is not a message as it is."""
    if not isinstance(result, list):
        return result
    return [line(message) if isinstance(message, dict) else message for message in result]


def line(message):
    more = sorted(str(key) for key in message if key not in ("role", "content"))
    return f"{message.get('role')}: {message.get('content')}" + (f" (and the keys {', '.join(more)})" if more else "")


def content_of(message):
    return str(message.get("content")) if isinstance(message, dict) else ""


def converted(answer, record, what):
    """What becomes of the record, which is compared with a copy made before, also where an error is raised."""
    before = deepcopy(record)
    try:
        return answer.to_messages(record)
    finally:
        expect.equal(record, before, what=f"{what}: the record after the call")


def same_messages(answer, record, expected, what):
    """`expected` is a list of (role, content)."""
    wanted = [f"{role}: {content}" for role, content in expected]
    try:
        result = converted(answer, record, what)
    except ValueError as error:
        what = f"{what}: what is returned"
        raise expect.CheckFailed(what, wanted, "ValueError", str(error), given=record) from error
    got = lines(result)
    is_list = isinstance(got, list)
    expect.true(is_list, what=f"{what}: what is returned", actual=result, expected=wanted, given=record)
    roles = [str(text).partition(":")[0] for text in got]
    expect.note("characters", sum(len(content_of(message)) for message in result))
    expect.note("characters_in_the_record", sum(len(content) for _, content in expected))
    expect.equal(roles, [role for role, _ in expected], what=f"{what}: the roles", given=record)
    for number, (one, other) in enumerate(zip(got, wanted, strict=True)):
        expect.equal(one, other, what=f"{what}: message {number}", given=record)


def sharegpt(*turns, **more):
    return {"conversations": [{"from": speaker, "value": value} for speaker, value in turns], **more}


def messages(*turns):
    return [{"role": role, "content": content} for role, content in turns]


def test_instruction_and_input_become_the_users_turn(answer):
    instruction, data = drawn(QUESTIONS, 2, offset=1)
    (output,) = drawn(ANSWERS, 1, offset=2)
    data = f"\n\n\n{data}"  # What joins the two, and what is cut off, shows in the number of line breaks.
    record = {"instruction": instruction, "input": data, "output": output}
    both = [("user", f"{instruction}\n\n{data}"), ("assistant", output)]
    same_messages(answer, record, both, what="an instruction with input")
    alone = [("user", instruction), ("assistant", output)]
    for what, record in (
        ("an empty input", {"output": output, "input": "", "instruction": instruction}),
        ("an input of white space", {"instruction": instruction, "input": " \r\n\u00a0", "output": output}),
        ("no input", {"instruction": instruction, "output": output}),
    ):
        same_messages(answer, record, alone, what=what)
    null = {"instruction": instruction, "input": None, "output": output}
    with contextlib.suppress(ValueError, TypeError, AttributeError):  # The docstring does not speak of it.
        result = lines(converted(answer, null, "an input that is null"))
        wanted = [f"{role}: {content}" for role, content in alone]
        expect.equal(result, wanted, what="an input that is null: what is returned")


def test_the_speakers_of_a_conversation_get_their_roles(answer):
    q1, q2, q3 = drawn(QUESTIONS, 3, offset=3)
    a1, a2, a3 = drawn(ANSWERS, 3, offset=4)
    turns = [("human", q1), ("gpt", a1), ("user", q2), ("assistant", a2), ("human", q3), ("gpt", a3)]
    expected = [("user", q1), ("assistant", a1), ("user", q2), ("assistant", a2), ("user", q3), ("assistant", a3)]
    same_messages(answer, sharegpt(*turns), expected, what="human, gpt, user, assistant, human, gpt")


def test_a_system_text_comes_first_wherever_it_stands(answer):
    question, answered, (system,) = QUESTIONS[0], ANSWERS[1], drawn(SYSTEMS, 1, offset=5)
    expected = [("system", system), ("user", question), ("assistant", answered)]
    turns = [("human", question), ("gpt", answered)]
    for what, record in (
        ("a system turn in conversations", sharegpt(("system", system), *turns)),
        ("conversations with a system beside them", sharegpt(*turns, system=system)),
        ("an instruction with a system", {"instruction": question, "output": answered, "system": system}),
        ("messages with a system turn", {"messages": messages(*expected)}),
        (
            "a prompt of messages with a system turn",
            {"prompt": messages(*expected[:2]), "completion": messages(expected[2])},
        ),
    ):
        same_messages(answer, record, expected, what=what)
    for what, record in (
        ("conversations without a system", sharegpt(*turns)),
        ("a blank system beside conversations", sharegpt(*turns, system=" \n\u00a0")),
        ("an empty system beside an instruction", {"instruction": question, "output": answered, "system": ""}),
        # Of these formats it is part of the rest, and the rest does not matter.
        ("messages with a system beside them", {"messages": messages(*expected[1:]), "system": system}),
        ("two strings with a system beside them", {"prompt": question, "completion": answered, "system": system}),
    ):
        same_messages(answer, record, expected[1:], what=what)
    record = sharegpt(("system", system), *turns, system=" ")
    same_messages(answer, record, expected, what="a system turn and a blank system beside it")


def test_prompt_and_completion_are_two_texts_or_two_lists(answer):
    q1, q2 = drawn(QUESTIONS, 2, offset=6)
    a1, a2 = drawn(ANSWERS, 2, offset=7)
    record = {"prompt": q1, "completion": a1}
    same_messages(answer, record, [("user", q1), ("assistant", a1)], what="two strings")
    turns = [("user", q1), ("assistant", a1), ("user", q2), ("assistant", a2)]
    record = {"completion": messages(turns[3]), "prompt": messages(*turns[:3])}
    same_messages(answer, record, turns, what="lists of three and one message")
    record = {"prompt": messages(*turns[:2]), "completion": messages(*turns[2:])}
    same_messages(answer, record, turns, what="lists of two messages each")


def test_a_message_has_role_and_content_and_nothing_else(answer):
    q1, q2 = drawn(QUESTIONS, 2, offset=8)
    a1, a2 = drawn(ANSWERS, 2, offset=9)
    turns = [("user", q1), ("assistant", a1), ("user", q2), ("assistant", a2)]
    chat = answer.to_messages({"messages": messages(*turns)})
    expect.equal(type(chat).__name__, "list", what="the type of what is returned for messages")
    more = messages(*turns)
    more[0]["name"], more[1]["weight"], more[3]["id"] = "Zoë", 0, 17
    record = {"id": 41, "messages": more, "source": "forum", "tools": []}
    same_messages(answer, record, turns, what="messages with name, weight and id, beside tools")
    record = {"id": 41, "messages": more, "source": "forum", "tools": [], "output": a1}
    same_messages(answer, record, turns, what="messages with name, weight and id, beside tools and an output")
    record = sharegpt(("human", q1), ("gpt", a2), id="x-3", model="m", input=q2)
    record["conversations"][1]["weight"] = 1
    same_messages(answer, record, [turns[0], turns[3]], what="conversations with weight and id")
    record = {"instruction": q1, "output": a1, "text": f"### Instruction: {q1}", "id": 5}
    same_messages(answer, record, turns[:2], what="an instruction with text and id")


PLACE = re.compile(
    r"(?:conversations|messages|prompt|completion|instruction|output|input|system)\b(?:\[-?\d+\])?(?:\.\w+)?"
)


def rejected(answer, record, what, *places, unhashable=False):
    """A ValueError comes out whose text names one of the places, where any are given; a TypeError may be right."""
    try:
        result = lines(converted(answer, record, what))
    except ValueError as error:
        named = sorted(set(PLACE.findall(str(error))))
        ok = not places or any(place in str(error) for place in places)
        expected = " or ".join(places)
        expect.true(ok, what=f"the place in the message of {what}", actual=named, expected=expected, given=record)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        if not (unhashable and isinstance(error, TypeError)):
            expect.equal(type(error).__name__, "ValueError", what=f"the error of {what}", given=record)
    else:
        expect.true(False, what=what, actual=result, expected="a ValueError", given=record)


def test_the_rest_of_a_record_does_not_matter(answer):
    q, a = SHORT
    chat = messages(("user", q), ("assistant", a))
    expected = [("user", q), ("assistant", a)]
    for what, record in (
        ("messages with a prompt and no completion", {"prompt": q, "messages": chat, "prompt_id": 7}),
        ("messages with an instruction and no output", {"instruction": q, "messages": chat}),
        ("conversations with an output", sharegpt(("human", q), ("gpt", a), output=a)),
        ("conversations with an input", sharegpt(("human", q), ("gpt", a), input="tables")),
        ("prompt and completion with an instruction", {"prompt": q, "completion": a, "instruction": q}),
    ):
        same_messages(answer, record, expected, what=what)


def test_roles_that_do_not_alternate_are_an_error_that_names_the_place(answer):
    q, a = SHORT
    record = sharegpt(("human", q), ("human", q), ("human", q), ("gpt", a))
    rejected(answer, record, "three turns of human", "conversations[1].from")
    record = {"messages": messages(("user", q), ("assistant", a), ("assistant", a))}
    rejected(answer, record, "two turns of the assistant", "messages[2].role")
    rejected(answer, {"messages": messages(("assistant", a))}, "an assistant who begins", "messages[0].role")
    record = {"messages": messages(("system", "be brief"), ("assistant", a), ("user", q), ("assistant", a))}
    rejected(answer, record, "an assistant who begins after a system turn", "messages[1].role")
    record = sharegpt(("gpt", a), ("gpt", a), system="be brief")
    rejected(answer, record, "gpt who begins, with a system beside", "conversations[0].from")
    record = {
        "messages": messages(("user", q), ("assistant", a), ("system", "be brief"), ("user", q), ("assistant", a))
    }
    rejected(answer, record, "a system turn in the middle", "messages[2].role")
    record = {"messages": messages(("system", "be brief"), ("system", "be kind"), ("user", q), ("assistant", a))}
    rejected(answer, record, "two system turns", "messages[1].role")
    record = sharegpt(("system", "be kind"), ("human", q), ("gpt", a), system="be brief")
    rejected(answer, record, "a system turn and a system beside it")
    record = {"prompt": messages(("user", q)), "completion": messages(("user", q), ("user", q), ("assistant", a))}
    rejected(answer, record, "a completion that begins with the user", "completion[0].role")


def test_an_unknown_role_is_an_error_that_names_the_place(answer):
    q, a = SHORT
    calls = [("tool", "{}"), ("tool", "42")]
    record = sharegpt(("human", q), ("gpt", a), *calls, ("human", q), ("gpt", a), system="be brief")
    rejected(answer, record, "a tool that speaks, with a system beside", "conversations[2].from")
    record = sharegpt(("human", q), ("bing", a), ("human", q), ("gpt", a))
    rejected(answer, record, "a speaker called bing", "conversations[1].from")
    record = {"messages": messages(("user", q), ("assistant", a), ("tool", "42"), ("assistant", a))}
    rejected(answer, record, "a message of a tool", "messages[2].role")
    for user, assistant, place in (
        ("human", "assistant", 0),
        ("user", "gpt", 1),
        ("User", "assistant", 0),
        ("user", "model", 1),
        ("user", None, 1),
    ):
        record = {"messages": messages((user, q), (assistant, a))}
        rejected(answer, record, f"messages of {user} and {assistant}", f"messages[{place}].role")
    record = {"prompt": messages(("human", q)), "completion": messages(("assistant", a))}
    rejected(answer, record, "a prompt of human", "prompt[0].role")
    record = {"prompt": messages(("user", q)), "completion": messages(("gpt", a))}
    rejected(answer, record, "a completion of gpt", "completion[0].role")
    rejected(answer, sharegpt(("Human", q), ("gpt", a)), "a speaker called Human", "conversations[0].from")
    rejected(answer, sharegpt(("human", q), ("gpt ", a)), "a speaker called gpt and a space", "conversations[1].from")
    listed = sharegpt(("human", q), (["gpt"], a))
    rejected(answer, listed, "a speaker that is a list", "conversations[1].from", unhashable=True)
    listed = {"messages": messages(("user", q), (["assistant"], a))}
    rejected(answer, listed, "a role that is a list", "messages[1].role", unhashable=True)


def test_a_missing_key_is_an_error_that_names_the_place(answer):
    q, a = SHORT
    record = sharegpt(("human", q), ("gpt", a), system="be brief")
    del record["conversations"][1]["from"]
    rejected(answer, record, "a turn without from, with a system beside", "conversations[1].from")
    record = sharegpt(("human", q), ("gpt", a))
    del record["conversations"][1]["value"]
    rejected(answer, record, "a turn without value", "conversations[1].value")
    record = {"messages": messages(("user", q), ("assistant", a), ("user", q), ("assistant", a))}
    del record["messages"][2]["role"]
    rejected(answer, record, "a message without role", "messages[2].role")
    record = {"messages": [{"role": "user"}, {"role": "assistant", "content": a}]}
    rejected(answer, record, "a message without content", "messages[0].content")
    record = {"prompt": messages(("user", q)), "completion": [{"role": "assistant"}]}
    rejected(answer, record, "a completion without content", "completion[0].content")
    record = {"conversations": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]}
    rejected(answer, record, "conversations with role and content", "conversations[0].from", "conversations[0].value")
    record = {"messages": sharegpt(("user", q), ("assistant", a))["conversations"]}
    rejected(answer, record, "messages with from and value", "messages[0].role", "messages[0].content")


def test_the_assistant_has_the_last_word(answer):
    q, a = SHORT
    rejected(answer, sharegpt(("human", q), ("gpt", a), ("human", q)), "a last turn of human", "conversations")
    rejected(answer, {"messages": messages(("user", q))}, "a question without an answer", "messages")
    rejected(answer, {"messages": messages(("system", "be brief"))}, "a system turn alone", "messages")
    rejected(answer, {"messages": []}, "no messages", "messages")
    rejected(answer, {"conversations": []}, "no conversations", "conversations")
    rejected(answer, {"conversations": [], "system": "be brief"}, "no conversations, with a system", "conversations")
    for prompt, what in (((("user", q),), "an empty completion"), ((), "an empty prompt and completion")):
        rejected(answer, {"prompt": messages(*prompt), "completion": []}, what, "completion", "prompt")
    record = {"prompt": messages(("user", q), ("assistant", a)), "completion": messages(("user", q))}
    rejected(answer, record, "a completion of the user", "completion")


def test_a_content_without_text_is_an_error_that_names_the_place(answer):
    q, a = SHORT
    record = {"prompt": messages(("user", q)), "completion": messages(("assistant", ""))}
    rejected(answer, record, "an empty message of the completion", "completion[0].content")
    rejected(
        answer, {"messages": messages(("user", q), ("assistant", "\u3000"))}, "a wide blank", "messages[1].content"
    )
    rejected(answer, {"instruction": q, "input": q, "output": ""}, "an empty output", "output")
    rejected(answer, {"instruction": " \n", "input": "", "output": a}, "a blank instruction", "instruction")
    record = sharegpt(("human", q), ("gpt", a), ("human", "\u00a0\t"), ("gpt", a), system="be brief")
    rejected(answer, record, "a blank turn, with a system beside", "conversations[2].value")
    rejected(answer, {"prompt": q, "completion": "\r\n"}, "a blank completion", "completion")
    rejected(answer, {"prompt": " ", "completion": a}, "a blank prompt", "prompt")
    record = {"messages": messages(("user", q), ("assistant", None))}
    rejected(answer, record, "a content that is None", "messages[1].content")
    rejected(answer, {"messages": messages(("user", q), ("assistant", 42))}, "a content of 42", "messages[1].content")
    rejected(answer, sharegpt(("human", [q]), ("gpt", a)), "a value that is a list", "conversations[0].value")
    rejected(answer, {"instruction": q, "output": 42}, "an output of 42", "output")
    rejected(answer, {"instruction": None, "output": a}, "an instruction that is None", "instruction")
    rejected(answer, {"prompt": q, "completion": None}, "a completion that is None", "completion", "prompt")
    record = {"messages": messages(("system", " "), ("user", q), ("assistant", a))}
    rejected(answer, record, "a blank system turn", "messages[0].content")


def test_exactly_one_format_must_match(answer):
    q, a = SHORT
    turns = sharegpt(("human", q), ("gpt", a))["conversations"]
    two = messages(("user", q), ("assistant", a))
    for what, record in (
        ("messages and conversations", {"messages": two, "conversations": turns}),
        ("an instruction and messages", {"instruction": q, "output": a, "messages": two}),
        ("an instruction, and prompt and completion", {"instruction": q, "output": a, "prompt": q, "completion": a}),
        ("question and answer", {"question": q, "answer": a}),
        ("a text", {"text": q}),
        ("an instruction without output", {"instruction": q, "input": ""}),
        ("a prompt without completion", {"prompt": q}),
        ("an empty record", {}),
        ("messages, and conversations that are None", {"messages": two, "conversations": None}),
        ("messages, and an empty prompt and completion", {"messages": two, "prompt": "", "completion": ""}),
    ):
        rejected(answer, record, what)
    for what, record, place in (
        ("messages that are a string", {"messages": q}, "messages"),
        ("conversations that are None", {"conversations": None}, "conversations"),
        ("conversations that are a dictionary", {"conversations": {"from": "human", "value": q}}, "conversations"),
        ("messages that are a dictionary of turns", {"messages": dict(enumerate(two))}, "messages"),
        ("a completion that is a dictionary", {"prompt": two[:1], "completion": two[1]}, "completion"),
    ):
        rejected(answer, record, what, place)
    rejected(answer, {"prompt": q, "completion": messages(("assistant", a))}, "a string and a list")
    rejected(answer, {"prompt": two[:1], "completion": a}, "a list and a string", "completion")
    rejected(answer, sharegpt((None, q), ("gpt", a)), "a role that is None", "conversations[0].from")


def test_each_content_is_kept_to_the_last_character(answer):
    contents = [*texts.NOT_BLANK, texts.long_text()]
    for system, question, answered in zip(contents, contents[1:], contents[2:], strict=False):
        expected = [("system", system), ("user", question), ("assistant", answered)]
        for what, record in (
            ("Alpaca", {"instruction": question, "output": answered, "system": system}),
            ("ShareGPT", sharegpt(("human", question), ("gpt", answered), system=system)),
            ("OpenAI", {"messages": messages(*expected)}),
            ("prompt/completion", {"prompt": messages(*expected[:2]), "completion": messages(*expected[2:])}),
        ):
            same_messages(answer, record, expected, what=f"{what} with awkward texts")
