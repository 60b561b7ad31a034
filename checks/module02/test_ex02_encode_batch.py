"""2.02: a tokenizer of whole words whose ids can be looked up by hand, so that no tokenizer is the oracle."""

import copy
from collections.abc import Mapping

import torch
from tokenizers.processors import TemplateProcessing

from tunelings import expect
from tunelings.handson import tiny
from tunelings.handson.awkward.language_models import awkwardly_set, metaspace_tokenizer
from tunelings.inputs import randint

CLS, SEP, UNK, PAD = 31, 17, 5, 23  # Nothing is 0: a row that is filled up with zeros is not padded.
WORDS = ["film", "good", "bad", "the", "was", "not", "very", "long", "dull", "naïve", "日本", "plot"]
IDS = {word: 40 + 3 * number for number, word in enumerate(WORDS)}
CAPITALS = {"Film": 90, "FILM": 93}


def word_tokenizer(pad="[PAD]", padding_side="left", model_max_length=50, around="[CLS] $A [SEP]"):
    """[CLS] words [SEP], or what `around` says, one id for each word; case counts."""
    vocabulary = {"[CLS]": CLS, "[SEP]": SEP, "[UNK]": UNK, "[PAD]": PAD, **IDS, **CAPITALS}
    return tiny.word_tokenizer(
        vocabulary,
        around=around,
        unknown="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        unk_token="[UNK]",
        pad_token=pad,
        padding_side=padding_side,
        model_max_length=model_max_length,
    )


def drawn_examples(lengths, offset):
    """Texts of so many words, with labels from 0 to 4 that differ from row to row."""
    examples = []
    for row, length in enumerate(lengths):
        words = [WORDS[i] for i in randint(0, len(WORDS), [length], offset + row)]
        examples.append({"text": " ".join(words), "label": (2 * row + 3) % 5})
    return examples


def by_hand(examples, max_length, pad=PAD):
    """input_ids and attention_mask, word by word."""
    rows = [[IDS.get(word, UNK) for word in example["text"].split()] for example in examples]
    rows = [[CLS, *row[: max_length - 2], SEP] for row in rows]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [pad] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def encoded(answer, examples, tokenizer, max_length):
    """The answer's batch; tokenizer and examples must be as they were."""
    expect.case(texts=[example["text"] for example in examples], max_length=max_length)
    with expect.untouched("what was given", {"tokenizer": tokenizer, "examples": examples}, errors=ValueError):
        return answer.encode_batch(examples, tokenizer, max_length)


def part(batch, key):
    """One of the tensors of what was returned."""
    expect.true(isinstance(batch, Mapping), what="what is returned", actual=batch, expected="a dict of tensors")
    keys = sorted(str(name) for name in batch)
    expect.true(key in batch, what=f"the keys of the batch, where {key} must be", actual=keys, expected=key)
    return expect.tensor(batch[key], what=key)


def test_texts_are_padded_to_the_longest_of_the_batch(answer):
    examples = drawn_examples([3, 6, 1], offset=1)
    batch = encoded(answer, examples, word_tokenizer(padding_side="right"), 12)
    ids, _ = by_hand(examples, 12)
    expect.note("longest", 8)
    expect.note("limit", 12)
    expect.equal(part(batch, "input_ids"), ids, what="input_ids of texts of 3, 6 and 1 words, max_length 12")


def test_the_mask_is_1_at_tokens_and_0_at_padding(answer):
    examples = drawn_examples([3, 6, 1], offset=5)
    batch = encoded(answer, examples, word_tokenizer(padding_side="right"), 12)
    _, mask = by_hand(examples, 12)
    expect.equal(part(batch, "attention_mask"), mask, what="attention_mask of texts of 3, 6 and 1 words")


def test_a_long_text_is_shortened_and_keeps_its_special_tokens(answer):
    examples = drawn_examples([2, 9, 5, 4], offset=9)
    tokenizer = word_tokenizer(padding_side="right", model_max_length=10)
    batch = encoded(answer, examples, tokenizer, 7)
    ids, mask = by_hand(examples, 7)
    expect.note("sep", SEP)
    expect.equal(part(batch, "input_ids"), ids, what="input_ids of texts of 2, 9, 5 and 4 words, max_length 7")
    expect.equal(part(batch, "attention_mask"), mask, what="attention_mask of the same texts, max_length 7")
    batch = encoded(answer, examples, word_tokenizer(padding_side="right", around="[CLS] [CLS] $A [SEP] [SEP]"), 7)
    rows = [[CLS, CLS, *(IDS[word] for word in one["text"].split()[:3]), SEP, SEP] for one in examples]
    ids = torch.tensor([row + [PAD] * (7 - len(row)) for row in rows])
    expect.equal(part(batch, "input_ids"), ids, what="input_ids of the same texts, with two [CLS] and two [SEP]")


def test_labels_stand_beside_their_texts_as_int64(answer):
    examples = drawn_examples([4, 1, 6, 2], offset=14)
    batch = encoded(answer, examples, word_tokenizer(padding_side="right"), 12)
    ids, _ = by_hand(examples, 12)
    expected = torch.tensor([3, 0, 2, 4])
    labels = part(batch, "labels")
    expect.note("input_ids", part(batch, "input_ids"))
    expect.equal(labels, expected, what="the labels of four texts")
    expect.equal(part(batch, "input_ids"), ids, what="input_ids of the same texts, in their order")
    dtypes = [str(part(batch, key).dtype) for key in ("input_ids", "attention_mask", "labels")]
    expect.equal(dtypes, ["torch.int64"] * 3, what="the dtypes of input_ids, attention_mask and labels")


def test_padding_comes_on_the_right_for_every_tokenizer(answer):
    examples = drawn_examples([2, 5, 3], offset=19)
    batch = encoded(answer, examples, word_tokenizer(padding_side="left"), 9)
    ids, mask = by_hand(examples, 9)
    expect.equal(part(batch, "input_ids"), ids, what="input_ids, where tokenizer.padding_side is left")
    expect.equal(part(batch, "attention_mask"), mask, what="attention_mask, where tokenizer.padding_side is left")


def test_the_pad_token_may_be_one_that_ends_the_texts(answer):
    examples = drawn_examples([1, 4], offset=23)
    batch = encoded(answer, examples, word_tokenizer(pad="[SEP]", padding_side="right"), 9)
    ids, mask = by_hand(examples, 9, pad=SEP)
    expect.equal(part(batch, "input_ids"), ids, what="input_ids, where [SEP] pads too")
    expect.equal(part(batch, "attention_mask"), mask, what="attention_mask, where [SEP] pads too")


def test_empty_unknown_and_repeated_texts_are_texts(answer):
    examples = [
        {"text": "", "label": 4},
        {"text": "naïve 日本 qwertz", "label": 1},
        {"text": "good film", "label": 2},
        {"text": "naïve 日本 qwertz", "label": 0},
    ]
    batch = encoded(answer, examples, word_tokenizer(padding_side="right"), 9)
    ids, mask = by_hand(examples, 9)
    expect.equal(part(batch, "input_ids"), ids, what="input_ids of an empty, a rare, a short and a repeated text")
    expect.equal(part(batch, "attention_mask"), mask, what="attention_mask of the same texts")
    expect.equal(part(batch, "labels"), torch.tensor([4, 1, 2, 0]), what="the labels of the same texts")


def test_one_example_is_a_batch_too(answer):
    examples = drawn_examples([3], offset=26)
    batch = encoded(answer, examples, word_tokenizer(), 9)
    ids, mask = by_hand(examples, 9)
    expect.equal(part(batch, "input_ids"), ids, what="input_ids of one text of 3 words")
    expect.equal(part(batch, "attention_mask"), mask, what="attention_mask of one text of 3 words")
    expect.equal(part(batch, "labels"), torch.tensor([3]), what="the labels of one text")


def test_the_tokenizer_is_as_it_was(answer):
    for side in ("left", "right"):
        tokenizer = word_tokenizer(padding_side=side)
        tokenizer.eos_token = "[SEP]"  # Which is no reason to pad with it.
        encoded(answer, drawn_examples([2, 9, 3], offset=27), tokenizer, 6)
        ids = tokenizer("the film was not very good the plot was dull")["input_ids"]
        expect.equal(len(ids), 12, what="the tokens of a text of 10 words, encoded after the batch")


def test_a_tokenizer_that_gives_no_mask_by_itself_and_cuts_at_the_beginning(answer):
    tokenizer = awkwardly_set(word_tokenizer())  # Its own limit is 5.
    examples = drawn_examples([2, 9, 4], offset=31)
    batch = encoded(answer, examples, tokenizer, 7)
    rows = [[IDS[word] for word in example["text"].split()] for example in examples]
    ids = torch.tensor([[CLS, *row[-5:], SEP] + [PAD] * (5 - len(row)) for row in rows])
    _, mask = by_hand(examples, 7)
    what = "where tokenizer.truncation_side and padding_side are left"
    expect.equal(part(batch, "input_ids"), ids, what=f"input_ids, {what}")
    expect.equal(part(batch, "attention_mask"), mask, what="attention_mask, which the tokenizer gives only when asked")


def test_texts_reach_the_tokenizer_as_they_are(answer):
    tokenizer = word_tokenizer(padding_side="right")
    texts = ["Film film FILM", "the Film was good"]
    batch = encoded(answer, [{"text": text, "label": 1} for text in texts], tokenizer, 9)
    upper = list(CAPITALS.values())
    rows = [[CLS, upper[0], IDS["film"], upper[1], SEP, PAD], [CLS, IDS["the"], upper[0], IDS["was"], IDS["good"], SEP]]
    expect.equal(part(batch, "input_ids"), torch.tensor(rows), what="input_ids of words with capital letters")

    # A ligature of f and i; an i with a diaeresis of its own; a space of no width; a tag; a sign; HTML's f.
    texts = ["\ufb01lm good", "nai\u0308ve plot", "fi\u200blm dull", "film<br />plot", "good !", "&#102;ilm bad"]
    batch = encoded(answer, [{"text": text, "label": 1} for text in texts], tokenizer, 9)
    words = [
        (UNK, IDS["good"]),
        (UNK, IDS["plot"]),
        (UNK, IDS["dull"]),
        (UNK, UNK),
        (IDS["good"], UNK),
        (UNK, IDS["bad"]),
    ]
    what = "input_ids of texts with a ligature, a tag and other signs"
    expect.equal(part(batch, "input_ids").tolist(), [[CLS, *pair, SEP] for pair in words], what=what)

    marked = metaspace_tokenizer(["film", "good"])  # Blanks are tokens here: "▁".
    around = [(token, marked.convert_tokens_to_ids(token)) for token in ("<s>", "</s>")]
    marked.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=around)
    texts = ["  film  good ", "", "film\ngood", "film\tgood"]
    rows = [copy.deepcopy(marked)(text)["input_ids"] for text in texts]
    expected = [row + [marked.pad_token_id] * (max(map(len, rows)) - len(row)) for row in rows]
    batch = encoded(answer, [{"text": text, "label": 0} for text in texts], marked, 20)
    what = "input_ids of texts with blanks, where blanks are tokens"
    expect.equal(part(batch, "input_ids").tolist(), expected, what=what)


def test_class_numbers_may_be_large(answer):
    for numbers in ([300, -3, 70_000], [2**62 + 1, 2**24 + 1]):
        examples = [{"text": "good film", "label": label} for label in numbers]
        labels = part(encoded(answer, examples, word_tokenizer(), 9), "labels")
        expect.equal(labels, torch.tensor(numbers), what="the labels of large and negative numbers", given=numbers)


def test_an_empty_batch_is_rejected(answer):
    tokenizer = word_tokenizer()
    expect.raises(ValueError, lambda: encoded(answer, [], tokenizer, 9), what="a batch of no examples")


def test_a_special_token_may_stand_in_a_text(answer):
    for pad in ("[PAD]", "[SEP]"):
        examples = [{"text": "good[SEP]film", "label": 1}, {"text": "dull[SEP]", "label": 0}]
        batch = encoded(answer, examples, word_tokenizer(pad=pad, padding_side="right"), 9)
        end = {"[PAD]": PAD, "[SEP]": SEP}[pad]
        rows = [[CLS, IDS["good"], SEP, IDS["film"], SEP], [CLS, IDS["dull"], SEP, SEP, end]]
        what = f"of a text with [SEP] in it, {pad} pads"
        expect.equal(part(batch, "input_ids"), torch.tensor(rows), what=f"input_ids {what}")
        mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])
        expect.equal(part(batch, "attention_mask"), mask, what=f"attention_mask {what}")


def test_all_texts_may_be_empty(answer):
    batch = encoded(answer, [{"text": "", "label": 1}, {"text": "", "label": 0}], word_tokenizer(), 9)
    expect.equal(part(batch, "input_ids"), torch.tensor([[CLS, SEP]] * 2), what="input_ids of two empty texts")


def test_a_limit_beyond_that_of_bert_is_followed(answer):
    examples = drawn_examples([700, 3], offset=40)
    tokenizer = word_tokenizer(padding_side="right", model_max_length=2000)
    batch = encoded(answer, examples, tokenizer, 650)
    ids, _ = by_hand(examples, 650)
    expect.equal(part(batch, "input_ids"), ids, what="input_ids of texts of 700 and 3 words, max_length 650")
