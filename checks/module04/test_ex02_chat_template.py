"""4.02: texts, ids and masks put together by hand from the parts of a conversation.

Masks are shown as the tokens where they are 1; 7×- stands for seven in a row where they are 0.

Long: three kinds of templates, with tokenizers of words, of bytes and with markers.
"""

import re
from copy import deepcopy
from itertools import groupby

from tokenizers import Regex, pre_tokenizers

from tunelings import expect
from tunelings.handson import tiny
from tunelings.handson.awkward.language_models import awkwardly_set, byte_tokenizer, metaspace_tokenizer
from tunelings.handson.tiny import CHATML, INST, chat_tokens, sentence
from tunelings.inputs import randint

FRUIT = ["kiwi", "plum", "fig", "lime", "pear", "date", "melon", "guava"]
OTHERS = ["\n", "system", "user", "assistant", "be", "brief", "[", "]", "INST", "/", "<unk>"]
SPECIAL = ["</s>", "<|im_start|>", "<s>", "<|im_end|>", "<pad>"]
IDS = {token: number for number, token in enumerate(FRUIT + OTHERS + SPECIAL)}
TOKENS = list(IDS)

# ChatML with marks round what the assistant writes; where they end differs from one author to the next.
MARKED = """<s>{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}\
{% if message['role'] == 'assistant' %}BODY{% else %}{{ message['content'] + '<|im_end|>\n' }}{% endif %}{% endfor %}\
{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""
MARKS = {
    "marks round content and end token": (
        "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    ),
    "marks round the content alone": (
        "{% generation %}{{ message['content'] }}{% endgeneration %}{{ '<|im_end|>\n' }}"
    ),
    "marks round content, end token and newline": (
        "{% generation %}{{ message['content'] + '<|im_end|>\n' }}{% endgeneration %}"
    ),
}


def words(template, end="<|im_end|>"):
    """Whole words, newlines and signs as tokens; called on a text it puts <s> before it, as Llama's does."""
    return tiny.chat_tokenizer("<pad>", ids=IDS, special=SPECIAL, template=template, end=end, unk_token=None)


def bytes_as_tokens(template):
    return byte_tokenizer(template, SPECIAL)


def fruit(count, offset):
    return sentence(FRUIT, count, offset)


def turns(*contents, system=None):
    """User and assistant in turn, after a system turn if there is one."""
    messages = [{"role": ("user", "assistant")[i % 2], "content": content} for i, content in enumerate(contents)]
    return messages if system is None else [{"role": "system", "content": system}, *messages]


def chatml_parts(messages, inserted=True):
    """(text, does the assistant write it) of a conversation in ChatML."""
    if inserted and messages[0]["role"] != "system":
        messages = [{"role": "system", "content": "be brief"}, *messages]
    parts = []
    for message in messages:
        parts += [
            (f"<|im_start|>{message['role']}\n", 0),
            (message["content"] + "<|im_end|>", int(message["role"] == "assistant")),
            ("\n", 0),
        ]
    return parts


def inst_parts(messages):
    return [
        (f"<s>[INST] {m['content']} [/INST] ", 0) if m["role"] == "user" else (m["content"] + "</s>", 1)
        for m in messages
    ]


def marked_parts(messages):
    return [("<s>", 0), *chatml_parts(messages, inserted=False)]


def the_text(parts):
    return "".join(text for text, _ in parts)


def ids_and_mask(parts):
    """By hand, where words are tokens."""
    pairs = [(IDS[token], counts) for text, counts in parts for token in chat_tokens(text)]
    return [token for token, _ in pairs], [counts for _, counts in pairs]


def rendered(answer, messages, tokenizer, *prompt, **options):
    """What `render` returns, where messages and tokenizer are what they were."""
    asked = dict(zip(("add_generation_prompt",), prompt, strict=False)) | options
    expect.case(messages=messages, **asked)
    return unchanged(lambda: answer.render(messages, tokenizer, *prompt, **options), messages, tokenizer, "render")


def tokenized(answer, messages, tokenizer):
    """What `tokenize` returns, where messages and tokenizer are what they were."""
    expect.case(messages=messages)
    return unchanged(lambda: answer.tokenize(messages, tokenizer), messages, tokenizer, "tokenize")


def unchanged(call, messages, tokenizer, name):
    before, settings_before = deepcopy(messages), settings(tokenizer)
    result = call()
    expect.equal(messages, before, what=f"the messages after {name}")
    now = settings(tokenizer)
    changed = [setting for setting in now if now[setting] != settings_before[setting]]
    expect.equal(changed, [], what=f"settings of the tokenizer that {name} leaves changed")
    return result


def settings(tokenizer):
    """Template, sides, special tokens, sizes, and how a text is encoded without further words, by name."""
    names = ("chat_template", "padding_side", "truncation_side", "model_max_length", "model_input_names")
    names += ("bos_token", "eos_token", "pad_token")
    found = {name: getattr(tokenizer, name) for name in names}
    return {**found, "the number of tokens": len(tokenizer), "how a text is encoded": dict(tokenizer("kiwi plum"))}


def field(result, name):
    expect.true(
        hasattr(result, name),
        what=f"the fields of what is returned, {name} among them",
        actual=result,
        expected="Tokenized(input_ids, assistant_mask)",
    )
    return getattr(result, name)


def as_tokens(ids):
    """A list of ids as a line of tokens; what is not a list comes back as it is."""
    return line([TOKENS[i] if i in range(len(TOKENS)) else str(i) for i in ids]) if isinstance(ids, list) else ids


def line(tokens):
    return " ".join(token.replace("\n", "\\n") for token in tokens)


def marked(result):
    """The tokens where the mask is 1, and how many between them it leaves out."""
    ids, mask = field(result, "input_ids"), field(result, "assistant_mask")
    if not isinstance(ids, list) or not isinstance(mask, list) or len(ids) != len(mask):
        return mask
    return runs(ids, mask)


def runs(ids, mask):
    parts = []
    for m, run in groupby(zip(ids, mask, strict=True), key=lambda pair: pair[1]):
        tokens = [token for token, _ in run]
        parts.append(as_tokens(tokens) if m == 1 else f"{len(tokens)}×{'-' if m == 0 else m}")
    return " ".join(parts)


def marked_by_hand(parts):
    return runs(*ids_and_mask(parts))


def test_the_text_is_what_the_tokenizers_own_template_writes(answer):
    messages = turns(fruit(3, offset=1), fruit(2, offset=2), fruit(1, offset=3), fruit(3, offset=4))
    for what, tokenizer, parts in (
        ("ChatML that puts a system turn in", words(CHATML), chatml_parts(messages)),
        ("the [INST] template", words(INST, "</s>"), inst_parts(messages)),
        ("a template with generation marks", marks_of("marks round the content alone"), marked_parts(messages)),
    ):
        expect.equal(rendered(answer, messages, tokenizer), the_text(parts), what=f"the text of {what}")
    messages = turns(fruit(2, offset=5), fruit(1, offset=6), system=fruit(4, offset=7))
    text = rendered(answer, messages, words(CHATML))
    expect.equal(text, the_text(chatml_parts(messages)), what="the text of a conversation with a system turn")


def marks_of(name):
    return words(MARKED.replace("BODY", MARKS[name]))


def test_the_generation_prompt_is_there_when_asked_for_and_only_then(answer):
    question = turns(fruit(3, offset=8))
    plain = the_text(chatml_parts(question))
    text = rendered(answer, question, words(CHATML))
    expect.equal(text, plain, what="the text of a question")
    text = rendered(answer, question, words(CHATML), add_generation_prompt=False)
    expect.equal(text, plain, what="the text of a question, add_generation_prompt=False")
    text = rendered(answer, question, words(CHATML), True)
    expect.equal(text, plain + "<|im_start|>assistant\n", what="the text of a question, add_generation_prompt=True")
    answered = turns(fruit(2, offset=61), fruit(1, offset=62))
    text = rendered(answer, answered, words(CHATML), True)
    expected = the_text(chatml_parts(answered)) + "<|im_start|>assistant\n"
    expect.equal(text, expected, what="the text of question and answer, add_generation_prompt=True")
    text = rendered(answer, question, words(INST, "</s>"), True)
    what = "the text of a template without such a header, add_generation_prompt=True"
    expect.equal(text, the_text(inst_parts(question)), what=what)


def test_the_ids_are_those_of_the_text_and_no_more(answer):
    messages = turns(fruit(2, offset=12), fruit(3, offset=13), fruit(2, offset=14), fruit(1, offset=15))
    for what, tokenizer, parts in (
        ("[INST] template, which writes <s>", words(INST, "</s>"), inst_parts(messages)),
        ("ChatML, which writes no <s>", words(CHATML), chatml_parts(messages)),
        ("marked template, which writes one <s>", marks_of("marks round the content alone"), marked_parts(messages)),
    ):
        ids, _ = ids_and_mask(parts)
        result = tokenized(answer, messages, tokenizer)
        expect.equal(as_tokens(field(result, "input_ids")), line(TOKENS[i] for i in ids), what=f"the ids; {what}")
        expect.equal(field(result, "input_ids"), ids, what=f"the ids; {what}")


def test_the_mask_is_1_at_each_answer_and_its_end_token(answer):
    system, question, more = fruit(2, offset=9), fruit(3, offset=10), fruit(1, offset=11)
    messages = turns(question, fruit(4, offset=24), more, fruit(2, offset=25), system=system)
    result = tokenized(answer, messages, words(CHATML))
    _, mask = ids_and_mask(chatml_parts(messages))
    expect.note("tokens_of_the_answers", sum(mask))
    expect.note("marked_tokens", count_of_ones(field(result, "assistant_mask")))
    expect.equal(marked(result), marked_by_hand(chatml_parts(messages)), what="the mask of two answers, as tokens")
    expect.equal(field(result, "assistant_mask"), mask, what="the mask of two answers")


def count_of_ones(mask):
    return sum(m == 1 for m in mask) if isinstance(mask, list) else None


def long_conversation():
    """Answers that stand elsewhere too: in a question, in the system turn put in, in an answer, in their own header."""
    question, again = fruit(3, offset=16), fruit(2, offset=17)
    pairs = (question, question, fruit(2, offset=18), "be brief", f"assistant {again}", again, fruit(1, 19), again)
    return turns(*pairs, fruit(2, offset=20), "assistant")


def test_every_answer_of_a_conversation_is_marked_and_nothing_else(answer):
    messages = long_conversation()
    for what, tokenizer, parts in (
        ("ChatML", words(CHATML), chatml_parts(messages)),
        ("[INST]", words(INST, "</s>"), inst_parts(messages)),
    ):
        result = tokenized(answer, messages, tokenizer)
        expect.equal(marked(result), marked_by_hand(parts), what=f"the mask of five answers, as tokens; {what}")


def test_what_generation_marks_enclose_does_not_matter(answer):
    messages = long_conversation()
    for name in MARKS:
        result = tokenized(answer, messages, marks_of(name))
        expect.equal(marked(result), marked_by_hand(marked_parts(messages)), what=f"the mask, as tokens; {name}")


TEXTS = [
    "Γειά σου, κόσμε",
    "請用一句話介紹台北。",
    "  x = 'naïve'\r\n\tprint(x)  # \U0001f642",
    "e\u0301 and \u00e9 differ; so do \u00a0 and a space",
    "\U0001f469\u200d\U0001f52c writes Ω → ∞\n",
    "“assistant” is what user said",
]


def test_a_letter_may_be_several_tokens(answer):
    order = [(i + int(randint(0, len(TEXTS), [1], 20))) % len(TEXTS) for i in range(4)]
    messages = turns(*(TEXTS[i] for i in order))
    tokenizer = bytes_as_tokens(CHATML)
    expected_ids, expected_mask = [], []
    for text, counts in chatml_parts(messages):
        for piece in re.split(r"(<\|\w+\|>)", text):
            ids = [tokenizer.convert_tokens_to_ids(piece)] if piece in SPECIAL else byte_ids(piece, tokenizer)
            expected_ids += ids
            expected_mask += [counts] * len(ids)
    result = tokenized(answer, messages, tokenizer)
    ids, mask = field(result, "input_ids"), field(result, "assistant_mask")
    expect.equal(ids, expected_ids, what="the ids of a conversation in bytes")
    written = written_by_the_assistant(ids, mask, tokenizer)
    expected = "".join(text for text, counts in chatml_parts(messages) if counts)
    expect.equal(written, expected, what="what the assistant writes, decoded where the mask is 1")
    expect.equal(mask, expected_mask, what="the mask of a conversation in bytes")


def written_by_the_assistant(ids, mask, tokenizer):
    if not isinstance(mask, list) or len(mask) != len(ids):
        return mask
    return tokenizer.decode([token for token, m in zip(ids, mask, strict=True) if m == 1])


def byte_ids(text, tokenizer):
    """The bytes of a text, in the letters that byte-level tokenizers have for them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}
    return tokenizer.convert_tokens_to_ids([letters[byte] for byte in text.encode("utf-8")])


def test_a_conversation_without_an_answer_has_no_mark(answer):
    for what, messages in (
        ("a question", turns(fruit(3, offset=21))),
        ("a system turn and a question", turns(fruit(2, offset=22), system=fruit(3, offset=23))),
        ("a system turn alone", turns(system=fruit(3, offset=63))),
    ):
        ids, mask = ids_and_mask(chatml_parts(messages))
        result = tokenized(answer, messages, words(CHATML))
        expect.equal(as_tokens(field(result, "input_ids")), as_tokens(ids), what=f"the ids of {what}")
        expect.equal(field(result, "assistant_mask"), mask, what=f"the mask of {what}")


def test_the_ids_and_the_mask_are_ints(answer):
    result = tokenized(answer, turns(fruit(2, offset=31), fruit(3, offset=32)), words(CHATML))
    for name in ("input_ids", "assistant_mask"):
        values = field(result, name)
        expect.equal(type(values).__name__, "list", what=f"the type of {name}")
        expect.equal(sorted({type(one).__name__ for one in values}), ["int"], what=f"the types in {name}")


def test_a_long_conversation_is_whole(answer):
    messages = turns(*(fruit(530, offset=33 + i) for i in range(8)))  # Over 4,096 tokens.
    ids, mask = ids_and_mask(chatml_parts(messages))
    limited = awkwardly_set(words(CHATML), max_length=48)
    for what, tokenizer in (("a tokenizer without a limit", words(CHATML)), ("one whose limit is 48", limited)):
        result = tokenized(answer, messages, tokenizer)
        expect.equal(len(field(result, "input_ids")), len(ids), what=f"how many ids eight turns have; {what}")
        expect.equal(sum(field(result, "assistant_mask")), sum(mask), what=f"how many ones the mask has; {what}")
        expect.equal(field(result, "input_ids"), ids, what=f"the ids of eight long turns; {what}")
        expect.equal(field(result, "assistant_mask"), mask, what=f"the mask of eight long turns; {what}")


ROLES = ["<|system|>", "<|user|>", "<|assistant|>"]
BETWEEN_SPECIAL_TOKENS = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def test_a_word_may_begin_with_a_marker_that_is_not_in_the_text(answer):
    tokenizer = metaspace_tokenizer(FRUIT, chat_template=BETWEEN_SPECIAL_TOKENS)
    tokenizer.add_special_tokens({"additional_special_tokens": ROLES})
    expect_markers(answer, tokenizer, "▁", "with the marker ▁")


def test_a_marker_may_begin_the_whole_text_alone(answer):
    tokenizer = metaspace_tokenizer(FRUIT, chat_template=BETWEEN_SPECIAL_TOKENS)
    tokenizer.add_special_tokens({"additional_special_tokens": ROLES})
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    expect_markers(answer, tokenizer, "", "that marks the first word of a text alone")


def expect_markers(answer, tokenizer, before_first, name):
    """`before_first` is what the tokenizer writes before the first word of a content, which follows a special token."""
    messages = turns(fruit(3, offset=41), fruit(2, offset=42), fruit(1, offset=43), fruit(3, offset=44))
    tokens, mask = [], []
    for message in messages:
        first, *others = message["content"].split()
        marker = [before_first + first, *(f"▁{word}" for word in others)]
        counts = int(message["role"] == "assistant")
        tokens += [f"<|{message['role']}|>", *marker, "</s>"]
        mask += [0, *[counts] * (len(marker) + 1)]
    expect_tokens(answer, messages, tokenizer, tokens, mask, name)


def test_a_marker_may_be_a_token_of_its_own(answer):
    template = "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + eos_token + '\n' }}{% endfor %}"
    template += "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
    tokenizer = metaspace_tokenizer([*FRUIT, "\n"], chat_template=template)
    tokenizer.add_special_tokens({"additional_special_tokens": ROLES})
    apart = pre_tokenizers.Split(Regex("▁|\n"), "isolated")
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), apart])
    messages = turns(fruit(2, offset=51), fruit(2, offset=52), fruit(1, offset=53), fruit(1, offset=54))
    tokens, mask = [], []
    for message in messages:  # What stands between two special tokens begins with a marker, which is the template's.
        content = re.findall("▁|[a-z]+", message["content"].replace(" ", "▁"))
        tokens += [f"<|{message['role']}|>", "▁", "\n", *content, "</s>", "▁", "\n"]
        mask += [0, 0, 0, *[int(message["role"] == "assistant")] * (len(content) + 1), 0, 0]
    expect_tokens(answer, messages, tokenizer, tokens, mask, "whose marker ▁ is a token of its own")


def expect_tokens(answer, messages, tokenizer, tokens, mask, name):
    result = tokenized(answer, messages, tokenizer)
    ids = field(result, "input_ids")
    found = tokenizer.convert_ids_to_tokens(ids) if isinstance(ids, list) else ids
    expect.equal(found, tokens, what=f"the tokens of a tokenizer {name}")
    found = field(result, "assistant_mask")
    if isinstance(found, list) and len(found) == len(tokens):
        marked_tokens = [token for token, m in zip(tokens, found, strict=True) if m]
        expected = [token for token, m in zip(tokens, mask, strict=True) if m]
        expect.equal(marked_tokens, expected, what=f"tokens where the mask is 1, {name}")
    expect.equal(found, mask, what=f"the mask of a tokenizer {name}")


def test_any_turn_may_follow_any_other(answer):
    words_of = [fruit(2, offset=45 + i) for i in range(5)]
    roles = ["user", "assistant", "assistant", "user", "user"]
    messages = [{"role": role, "content": content} for role, content in zip(roles, words_of, strict=True)]
    again = [{"role": "system", "content": fruit(2, offset=64)}, *messages[:2]]
    quoted = turns(f"{words_of[0]} <s>", f"{words_of[1]} <s> <|im_start|> {words_of[2]}")
    for what, some in (
        ("question, answer, question", messages[:2] + messages[3:4]),
        ("two answers in a row", messages[:3]),
        ("two questions after two answers", messages),
        ("a system turn after an answer", messages[:2] + again),
        ("an answer that quotes special tokens", quoted),
    ):
        result = tokenized(answer, some, words(CHATML))
        expect.equal(marked(result), marked_by_hand(chatml_parts(some)), what=f"the mask, as tokens; {what}")


def test_no_token_need_cover_the_ends_of_an_answer(answer):
    plain = turns(fruit(2, offset=55), fruit(3, offset=56), fruit(1, offset=57), fruit(2, offset=58))
    blanks = [{**message, "content": f"  {message['content']} "} for message in plain]
    for what, template, end, parts in (
        ("ChatML", CHATML, "<|im_end|>", chatml_parts(blanks)),
        ("[INST]", INST, "</s>", inst_parts(blanks)),
    ):
        result = tokenized(answer, blanks, words(template, end))
        expect.equal(marked(result), marked_by_hand(parts), what=f"the mask, as tokens; spaces have none; {what}")


def test_an_empty_conversation_is_an_error(answer):
    expect.raises(ValueError, lambda: rendered(answer, [], words(INST, "</s>")), what="the text of no messages")
    expect.raises(ValueError, lambda: answer.tokenize([], words(INST, "</s>")), what="the tokens of no messages")
