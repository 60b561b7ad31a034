"""3.08: labels by hand from the parts of a conversation, the loss by a loop over positions.

The labels are shown as tokens, "-" where they are -100.

Long: an example, a batch and a loss are three contracts.
"""

from collections.abc import Mapping

import torch
from torch.nn.functional import one_hot

from tunelings import expect
from tunelings.handson import tiny
from tunelings.handson.awkward.language_models import awkwardly_set, byte_tokenizer
from tunelings.handson.awkward.texts import NOT_BLANK, QUOTED_END
from tunelings.handson.tiny import CHATML, INST, chat_tokens, sentence
from tunelings.inputs import randint, randn

FRUIT = ["kiwi", "plum", "fig", "lime", "pear", "date", "melon", "guava"]
OTHERS = ["\n", "system", "user", "assistant", "be", "brief", "[", "]", "INST", "/", "<unk>"]
SPECIAL = ["</s>", "<|im_start|>", "<s>", "<|im_end|>", "<pad>"]
IDS = {token: number for number, token in enumerate(FRUIT + OTHERS + SPECIAL)}
TOKENS = list(IDS)


def tokenizer_with(template, end, pad="<pad>"):
    """Whole words, newlines and signs as tokens; called on a text it puts <s> before it, as Llama's does."""
    return tiny.chat_tokenizer(pad, ids=IDS, special=SPECIAL, template=template, end=end)


def chatml_tokenizer():
    return tokenizer_with(CHATML, "<|im_end|>")


def fruit(count, offset):
    return sentence(FRUIT, count, offset)


def chatml_parts(messages):
    """(text, does it count) of a conversation in ChatML."""
    if messages[0]["role"] != "system":
        messages = [{"role": "system", "content": "be brief"}, *messages]
    parts = []
    for message in messages:
        answer = message["role"] == "assistant"
        parts += [
            (f"<|im_start|>{message['role']}\n", False),
            (message["content"] + "<|im_end|>", answer),
            ("\n", False),
        ]
    return parts


def inst_parts(messages):
    parts = []
    for message in messages:
        if message["role"] == "user":
            parts.append((f"<s>[INST] {message['content']} [/INST]", False))
        else:
            parts.append((message["content"] + "</s>", True))
    return parts


def tokens_and_labels(parts):
    """All tokens of a conversation, and its labels as tokens."""
    tokens = [token for text, _ in parts for token in chat_tokens(text)]
    labels = [token if counts else "-" for text, counts in parts for token in chat_tokens(text)]
    return tokens, labels


def line(tokens):
    """Tokens as one text, a newline as \\n."""
    return " ".join(token.replace("\n", "\\n") for token in tokens)


def built(answer, messages, tokenizer, max_length):
    """The example of a conversation; messages and tokenizer must be afterwards what they were before."""
    expect.case(messages=[f"{message['role']}: {message['content']}" for message in messages], max_length=max_length)
    with expect.untouched("what was given", {"messages": messages, "tokenizer": tokenizer}, errors=ValueError):
        return answer.build_example(messages, tokenizer, max_length)


def list_in(example, name):
    """One of the three lists of an example, or of the three tensors of a batch."""
    expect.true(
        isinstance(example, Mapping) and name in example,
        what=f"the keys of the example, {name} among them",
        actual=sorted(map(str, example)) if isinstance(example, Mapping) else example,
        expected=["attention_mask", "input_ids", "labels"],
    )
    return example[name]


def as_tokens(values, tokens=TOKENS):
    """Ids as a line of tokens, "-" for -100."""
    known = {-100: "-", **dict(enumerate(tokens))}
    return line([known.get(value, str(value)) for value in values])


def compare(example, tokens, labels, what="", known=TOKENS, given=None):
    """The ids of an example, then its labels, as tokens: where an id is wrong, the labels' places say nothing.

    What they are of is said before they are shown: a tensor is no list of Python ints.
    """
    found = {name: list_in(example, key) for name, key in (("ids", "input_ids"), ("labels", "labels"))}
    for name, values in found.items():
        expect.kind(values, list, of=int, what=f"the {name}", given=given)
    found = {name: as_tokens(values, known) for name, values in found.items()}
    expect.note("labels", found["labels"])
    for name, expected in (("ids", tokens), ("labels", labels)):
        expect.equal(found[name], line(expected), what=f"the {name}, as tokens{what}", given=given)


def test_only_the_answer_and_its_end_token_count(answer):
    messages = [
        {"role": "system", "content": fruit(2, offset=1)},
        {"role": "user", "content": fruit(3, offset=2)},
        {"role": "assistant", "content": fruit(3, offset=3)},
    ]
    example = built(answer, messages, chatml_tokenizer(), 100)
    compare(example, *tokens_and_labels(chatml_parts(messages)))


def test_the_ids_are_those_of_the_rendered_text_and_no_more(answer):
    messages = [
        {"role": "user", "content": fruit(3, offset=4)},
        {"role": "assistant", "content": fruit(2, offset=5)},
    ]
    for name, parts, tokenizer in (
        ("[INST] template, which begins with <s>", inst_parts, tokenizer_with(INST, "</s>")),
        ("ChatML template, which puts a system turn in", chatml_parts, chatml_tokenizer()),
    ):
        tokens, labels = tokens_and_labels(parts(messages))
        try:
            example = built(answer, messages, tokenizer, 100)
        except ValueError as error:  # Its words are the answer's own.
            expect.note("max_length in the message", "100" in str(error))
            what = f"an example; {name}"
            raise expect.CheckFailed(what, "three lists", type(error).__name__, str(error)) from error
        compare(example, tokens, labels, f"; {name}")
        mask = list_in(example, "attention_mask")
        expect.equal(mask, [1] * len(tokens), what=f"the attention mask; {name}", exact_types=True)
        expect.equal(
            sorted(example), ["attention_mask", "input_ids", "labels"], what=f"the keys of the example; {name}"
        )


def long_conversation():
    """Three answers: the words of the question again, two lines with an empty one between, nothing."""
    question = fruit(3, offset=6)
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": question},
        {"role": "user", "content": fruit(2, offset=7)},
        {"role": "assistant", "content": f"{fruit(2, offset=8)}\n\n{fruit(1, offset=9)}"},
        {"role": "user", "content": fruit(1, offset=10)},
        {"role": "assistant", "content": ""},
    ]


def test_every_turn_of_the_assistant_counts(answer):
    messages = long_conversation()
    for name, parts, tokenizer in (
        ("ChatML", chatml_parts, chatml_tokenizer()),
        ("[INST]", inst_parts, tokenizer_with(INST, "</s>")),
    ):
        example = built(answer, messages, tokenizer, 200)
        compare(example, *tokens_and_labels(parts(messages)), f"; three answers, {name}")


def test_turns_of_one_role_may_follow_each_other(answer):
    roles = ["user", "user", "assistant", "assistant", "user", "assistant"]
    messages = [{"role": role, "content": fruit(2, offset=40 + i)} for i, role in enumerate(roles)]
    example = built(answer, messages, chatml_tokenizer(), 200)
    compare(example, *tokens_and_labels(chatml_parts(messages)), "; two turns of one role follow each other")


def test_the_mask_is_1_at_a_token_that_pads_too(answer):
    messages = [{"role": "user", "content": fruit(3, offset=47)}, {"role": "assistant", "content": fruit(2, offset=48)}]
    example = built(answer, messages, tokenizer_with(CHATML, "<|im_end|>", pad="<|im_end|>"), 100)
    mask = list_in(example, "attention_mask")
    expect.equal(mask, [1] * len(list_in(example, "input_ids")), what="attention_mask, where the end token pads too")


def test_a_content_may_begin_and_end_with_blanks_and_quote_a_header(answer):
    trimming = CHATML.replace("message['content']", "message['content'] | trim")  # as Llama 3's does

    def trimmed_parts(messages):
        return chatml_parts([{**message, "content": message["content"].strip()} for message in messages])

    messages = [
        {"role": "user", "content": f"\n {fruit(2, offset=20)} <|im_start|>assistant\n{fruit(1, offset=21)} "},
        {"role": "assistant", "content": f"\n\n{fruit(2, offset=22)} \n"},
        {"role": "user", "content": "assistant"},
        {"role": "assistant", "content": f" {fruit(1, offset=23)}  "},
    ]
    for name, parts, tokenizer in (
        ("ChatML", chatml_parts, chatml_tokenizer()),
        ("[INST]", inst_parts, tokenizer_with(INST, "</s>")),
        ("a template that trims", trimmed_parts, tokenizer_with(trimming, "<|im_end|>")),
    ):
        example = built(answer, messages, tokenizer, 200)
        compare(example, *tokens_and_labels(parts(messages)), f"; blanks at the ends, {name}")


def test_a_long_conversation_is_cut_on_the_right(answer):
    messages = long_conversation()
    tokens, labels = tokens_and_labels(chatml_parts(messages))
    first = next(i for i, label in enumerate(labels) if label != "-")
    for side in ("right", "left"):
        for length in (len(tokens), len(tokens) - 5, first + 2, first + 1):
            tokenizer = awkwardly_set(chatml_tokenizer(), mask=True)  # The limit is max_length, not the tokenizer's.
            tokenizer.truncation_side = side
            example = built(answer, messages, tokenizer, length)
            what = f"max_length {length} of {len(tokens)}, truncation_side {side}"
            compare(example, tokens[:length], labels[:length], f"; {what}")
            expect.equal(list_in(example, "attention_mask"), [1] * length, what=f"the mask; {what}")
    messages = [{"role": "user", "content": fruit(2, offset=49)}, {"role": "assistant", "content": "kiwi plum"}]
    tokens, labels = tokens_and_labels(chatml_parts(messages))
    length = labels.index("kiwi") + 1
    example = built(answer, messages, chatml_tokenizer(), length)
    compare(example, tokens[:length], labels[:length], "; the only label left is a token whose id is 0")


def test_what_fits_is_not_cut_however_long_it_is(answer):
    lengths = [("user", 900), ("assistant", 700), ("user", 1300), ("assistant", 2100)]
    messages = [{"role": role, "content": fruit(n, offset=50 + n)} for role, n in lengths]
    tokens, labels = tokens_and_labels(chatml_parts(messages))
    example = built(answer, messages, chatml_tokenizer(), len(tokens))
    lists = [list_in(example, name) for name in ("input_ids", "attention_mask", "labels")]
    what = f"the lengths of the three lists, of a conversation of {len(tokens)} tokens"
    expect.equal([len(values) for values in lists], [len(tokens)] * 3, what=what)
    compare(example, tokens, labels)
    expect.equal(lists[1], [1] * len(tokens), what="the attention mask")


def test_no_label_left_is_an_error(answer):
    messages, tokenizer = long_conversation(), chatml_tokenizer()
    _, labels = tokens_and_labels(chatml_parts(messages))
    first = next(i for i, label in enumerate(labels) if label != "-")
    expect.raises(
        ValueError,
        lambda: built(answer, messages[:1], tokenizer, 113),
        what="a conversation without an assistant's turn",
        mentions=[113],
    )
    for length in (first, 3):
        expect.raises(
            ValueError,
            lambda length=length: built(answer, messages, tokenizer, length),
            what=f"the first answer begins at token {first}, and max_length is {length}",
            mentions=[length],
        )
    expect.raises(ValueError, lambda: built(answer, [], tokenizer, 113), what="a conversation of no messages")


def test_messages_and_tokenizer_stay_as_they_are(answer):
    tokenizer = chatml_tokenizer()
    tokenizer.truncation_side = tokenizer.padding_side = "left"
    built(answer, long_conversation(), tokenizer, 30)
    given = {"messages": long_conversation()[:1], "tokenizer": tokenizer}
    with expect.untouched("what was given to a call that fails", given):
        expect.raises(ValueError, lambda: answer.build_example(*given.values(), 30), what="no assistant's turn")


PAD = 11


def three_examples():
    """5, 2 and 3 tokens; the padding id stands inside two of them, as an end token does, and counts."""
    ids = randint(20, 50_000, [10], offset=11).tolist()
    a, b, c = [*ids[:2], PAD, ids[2], PAD], [ids[4], PAD], ids[5:8]
    labels = [[-100, -100, -100, *a[3:]], [-100, PAD], [-100, *c[1:]]]
    rows = zip((a, b, c), labels, strict=True)
    return [{"input_ids": row, "attention_mask": [1] * len(row), "labels": label} for row, label in rows]


def padded(examples, name, value):
    """By a loop over the cells of a batch that is full of `value`."""
    batch = torch.full((len(examples), max(len(e[name]) for e in examples)), value)
    for row, example in enumerate(examples):
        for column, number in enumerate(example[name]):
            batch[row, column] = number
    return batch


def test_a_batch_is_padded_on_the_right_and_padding_does_not_count(answer):
    examples = three_examples()
    for order, pad in (([1, 0, 2], PAD), ([2, 1], PAD), ([0], PAD), ([1, 0], 0)):
        some = [examples[i] for i in order]
        lengths = [len(e["labels"]) for e in some]
        fills = (("labels", -100), ("attention_mask", 0), ("input_ids", pad))
        expected = {name: padded(some, name, value) for name, value in fills}
        with expect.untouched("the examples", some):
            batch = answer.collate(some, pad)
        for name, values in expected.items():
            part = expect.tensor(list_in(batch, name), what=name, dtype=torch.int64, shape=values.shape)
            expect.equal(part, values, what=f"{name} of examples of {lengths} tokens, pad_token_id {pad}")
        expect.equal(sorted(batch), sorted(expected), what="the keys of the batch")


def test_the_examples_stay_as_they_are_and_none_is_an_error(answer):
    examples = three_examples()
    answer.collate(examples, PAD)
    expect.equal(examples, three_examples(), what="the examples after collate")
    expect.raises(ValueError, lambda: answer.collate([], PAD), what="a batch of no examples")


def logits_and_labels(offset=12):
    """3 rows of 7 positions, 5 classes; 2, 5 and 1 labels count, besides one at position 0 that does not."""
    logits = 2 * randn(3, 5, 7, offset=offset).transpose(1, 2)
    labels = randint(0, 5, [3, 7], offset=offset + 1)
    counts = ["..-x--x", "-xxxx-x", "x---x--"]
    ignored = torch.tensor([[sign in "-." for sign in row] for row in counts])
    return logits, labels.masked_fill(ignored, -100)


def losses_by_loop(logits, labels):
    """-log of the share of each label that counts, predicted from the position before it."""
    losses = []
    for row in range(len(labels)):
        for t in range(1, labels.shape[1]):
            if labels[row, t] != -100:
                shares = logits[row, t - 1].exp()
                losses.append(-(shares[labels[row, t]] / shares.sum()).log())
    return torch.stack(losses)


def close(actual, expected, what, scale=10.0):
    expect.close(actual, expected, what=what, scale=scale, terms=20, dtype=torch.float32)


def loss_of(answer, logits, labels):
    expect.case(labels=labels.tolist())
    with expect.untouched("what the loss was given", {"logits": logits, "labels": labels}):
        loss = answer.causal_lm_loss(logits, labels)
    return expect.tensor(loss, what="the loss", shape=())


def test_each_label_is_predicted_from_the_position_before_it(answer):
    logits, labels = logits_and_labels()
    counted = losses_by_loop(logits, labels)
    expect.note("counted", len(counted))
    expect.note("places", labels[:, 1:].numel())
    loss = loss_of(answer, logits, labels)
    close(loss, counted.mean(), what="the loss of 3 rows of 7 positions, 8 labels count")
    loss = loss_of(answer, logits[2:], labels[2:])
    close(loss, losses_by_loop(logits[2:], labels[2:])[0], what="the loss of one row in which one label counts")


def test_the_gradient_is_softmax_minus_one_hot_at_the_positions_that_predict(answer):
    logits, labels = logits_and_labels(offset=14)
    expected = torch.zeros_like(logits)
    for row, t in (labels[:, 1:] != -100).nonzero().tolist():
        expected[row, t] = (logits[row, t].softmax(0) - one_hot(labels[row, t + 1], 5)) / 8
    gradient = gradient_of(answer, logits, labels)
    close(gradient, expected, what="the gradient of the logits", scale=1.0)


def gradient_of(answer, logits, labels):
    """The gradient of the answer's loss, which must be attached to the graph of the logits."""
    leaf = logits.clone().requires_grad_()
    loss = loss_of(answer, leaf, labels)
    expect.true(loss.requires_grad, what="the loss, attached to the graph", actual=loss, expected="one with a graph")
    (gradient,) = torch.autograd.grad(loss, leaf, allow_unused=True)
    expect.true(gradient is not None, what="the graph of the loss", actual=loss, expected="one that reaches the logits")
    return gradient


def test_no_label_that_counts_gives_zero(answer):
    logits, labels = logits_and_labels(offset=16)
    none = torch.full_like(labels, -100)
    only_first = none.clone()
    only_first[:, 0] = labels[1, 1]
    cases = [(logits, none), (logits, only_first), (logits[:, :1], labels[:, 1:2])]
    rows = [given.tolist() for _, given in cases]
    losses = [loss_of(answer, *case) for case in cases]
    expect.case(labels=rows)
    expect.close(torch.stack(losses), [0.0] * 3, what="the losses of: all -100; only position 0 counts; T = 1")
    gradient = gradient_of(answer, logits, none)
    expect.close(gradient, torch.zeros(3, 7, 5), what="the gradient where all labels are -100")
    gradient = gradient_of(answer, logits[:, :1], labels[:, 1:2])
    expect.close(gradient, torch.zeros(3, 1, 5), what="the gradient where T is 1")


def test_logits_that_lie_far_apart_give_a_finite_loss(answer):
    labels = torch.tensor([[0, 1, 2, 1], [1, 1, 1, 2]])
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
        logits = torch.zeros(2, 4, 3, dtype=dtype)
        logits[..., 1] = 1024.0
        likely = loss_of(answer, logits[:, :2], labels[:, :2])
        close(likely, torch.tensor(0.0), what=f"the loss of tokens that are 1024 ahead, {dtype}")
        mixed, what = loss_of(answer, logits, labels), f"the loss where two of six tokens are 1024 behind, {dtype}"
        close(mixed, torch.tensor(2 * 1024 / 6), what=what, scale=400.0)
        logits[1] -= 2048.0
        low, what = loss_of(answer, logits, labels), f"the same, where the logits of one row are 2048 lower, {dtype}"
        close(low, torch.tensor(2 * 1024 / 6), what=what, scale=400.0)


def test_a_loss_of_nan_is_not_hidden(answer):
    logits, labels = logits_and_labels(offset=16)
    logits[0, 2] = torch.nan
    loss = expect.tensor(loss_of(answer, logits, labels), what="the loss", shape=())
    expect.equal(bool(loss.isnan()), True, what="whether the loss is nan, where the logits of one position are")


def test_the_dtype_is_kept_and_the_inputs_are_not_changed(answer):
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float64):
        logits, labels = logits_and_labels(offset=18)
        logits = logits.to(dtype)
        expected = losses_by_loop(logits.double(), labels).mean()
        with expect.untouched(f"the inputs in {dtype}", {"logits": logits, "labels": labels}):
            loss = answer.causal_lm_loss(logits, labels)
        loss = expect.tensor(loss, what=f"the loss of {dtype} logits", dtype=dtype, shape=())
        expect.close(loss, expected, what=f"the loss of {dtype} logits", scale=10.0, terms=20, dtype=torch.float32)
        loss = loss_of(answer, logits, torch.full_like(labels, -100))
        expect.tensor(loss, what=f"the loss of {dtype} logits where all labels are -100", dtype=dtype)


def test_each_character_of_an_answer_counts_where_the_tokenizer_keeps_them_all(answer):
    tokenizer, own = byte_tokenizer(CHATML, SPECIAL), byte_tokenizer(CHATML, SPECIAL)
    contents = [text for text in NOT_BLANK if text != QUOTED_END]
    for question, told in zip(contents, contents[1:], strict=False):
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": told}]
        rows = [(own(text, add_special_tokens=False)["input_ids"], counts) for text, counts in chatml_parts(messages)]
        example, tokens = built(answer, messages, tokenizer, 500), own.convert_ids_to_tokens(range(len(own)))
        expected = [tokens[n] for ids, _ in rows for n in ids]
        labels = [tokens[n] if counts else "-" for ids, counts in rows for n in ids]
        compare(example, expected, labels, ", a byte each", tokens, given={"the answer": told})
