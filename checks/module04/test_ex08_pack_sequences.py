"""4.08: each example begins with an id of its own, so that it is found in the packs wherever it was put."""

import copy
import random
import re

import torch

from tunelings import expect
from tunelings.inputs import seed

PAD = 907  # Examples have this id too.
ROWS = ("input_ids", "labels", "position_ids", "sequence_ids")


def drawn_examples(lengths, offset):
    """Examples of so many tokens; the labels are the ids, and -100 in the first half of each third example."""
    rng = random.Random(seed(offset))
    examples = []
    for number, length in enumerate(lengths):
        ids = [2000 + number] + [rng.choice([PAD, 0, rng.randrange(100, 900)]) for _ in range(length - 1)]
        prompt = length // 2 if number % 3 == 1 else 0
        examples.append({"input_ids": ids, "labels": [-100] * prompt + ids[prompt:]})
    return examples


def packed(answer, examples, max_length, **options):
    """What `pack` returns, after a look at whether it has changed the examples."""
    given = copy.deepcopy(examples)
    packs = answer.pack(given, max_length, **{"pad_token_id": PAD, **options})
    expect.equal(given, examples, what="the examples after the call")
    return packs


def in_packs(examples, packs, max_length):
    """For each pack the examples in it, by their ids, after a look at what was returned."""
    are_packs = isinstance(packs, list) and all(isinstance(one, dict) for one in packs)
    kind = type(packs).__name__
    if isinstance(packs, list | tuple):
        kind = " ".join([f"{kind} of", *sorted({type(one).__name__ for one in packs})])
    expect.true(are_packs, what="what is returned", actual=kind, expected="list of dict")
    names = sorted(set(ROWS) - set.intersection(set(ROWS), *(set(one) for one in packs)))
    expect.equal(names, [], what="keys that are missing in a pack")
    for name in ROWS:
        for one in packs:
            expect.kind(one[name], list, of=int, what=f"the {name} of a pack")
    lengths = [[len(one[name]) for name in ROWS] for one in packs]
    what = "lengths of input_ids, labels, position_ids and sequence_ids of each pack"
    expect.equal(lengths, [[max_length] * 4] * len(packs), what=what)
    found = [placed(examples, list(one["input_ids"])) for one in packs]
    whole = sorted(number for numbers in found for number in numbers)
    expect.note("tokens", sum(number != 0 for one in packs for number in one["sequence_ids"]))
    expect.equal(whole, list(range(len(examples))), what="the examples found whole in the packs, by number")
    return found


def placed(examples, ids):
    """The examples that stand one after the other from the beginning of these ids."""
    numbers, start = [], 0
    while start < len(ids) and isinstance(ids[start], int) and 2000 <= ids[start] < 2000 + len(examples):
        number = ids[start] - 2000
        example = examples[number]["input_ids"]
        if ids[start : start + len(example)] != example:
            break
        numbers.append(number)
        start += len(example)
    return numbers


def by_hand(examples, numbers, max_length, name):
    """One row of a pack of these examples, entry by entry."""
    row = []
    for place, number in enumerate(numbers):
        for position, (token, label) in enumerate(zip(*examples[number].values(), strict=True)):
            first = position == 0
            entry = {"input_ids": token, "labels": -100 if first else label}
            entry |= {"position_ids": position, "sequence_ids": place + 1}
            row.append(entry[name])
    filling = {"input_ids": PAD, "labels": -100, "position_ids": 0, "sequence_ids": 0}[name]
    while len(row) < max_length:
        row.append(filling)
    return row


LENGTHS = [5, 3, 10, 2, 6, 4, 1, 7, 3, 5, 2, 8]


def compare(answer, name, offset):
    """One row of each pack against the same row made by hand; returns nothing."""
    examples = drawn_examples(LENGTHS, offset)
    packs = packed(answer, examples, 11)
    found = in_packs(examples, packs, 11)
    lengths = [[LENGTHS[number] for number in numbers] for numbers in found]
    order = sorted(range(len(packs)), key=lambda i: (len(found[i]) == 1, -sum(lengths[i]), found[i]))
    for i in order:  # Packs of several examples first.
        expected = by_hand(examples, found[i], 11, name)
        counted = " and ".join(str(length) for length in lengths[i])
        what = f"{name} of a pack of examples of {counted} tokens"
        expect.equal(packs[i][name], expected, what=what)


def test_every_example_stands_whole_in_one_pack(answer):
    compare(answer, "input_ids", offset=1)


def test_the_first_token_of_each_example_and_the_padding_have_no_label(answer):
    compare(answer, "labels", offset=2)


def test_positions_begin_again_with_each_example(answer):
    compare(answer, "position_ids", offset=3)
    (one,) = packed(answer, drawn_examples([1100], 13), 1101)
    expect.equal(one["position_ids"], [*range(1100), 0], what="position_ids of an example of 1,100 tokens")


def test_sequence_ids_count_the_examples_of_a_pack(answer):
    compare(answer, "sequence_ids", offset=4)


def sets_that_take_too_many(answer):
    """Of 160 sets of ten examples that fill five packs, how many take more than six.

    Packed in an order left to chance, about one set in seven does: that none does has a chance of 1e-9.
    """
    rng, too_many = random.Random(seed(17)), 0
    for _ in range(160):
        lengths = [30 + sign * k for k in rng.sample(range(1, 11), 5) for sign in (1, -1)]
        rng.shuffle(lengths)
        too_many += len(packed(answer, drawn_examples(lengths, 18), 60)) > 6
    return too_many


def test_there_are_few_packs(answer):
    too_many, examples = sets_that_take_too_many(answer), drawn_examples(list(range(20, 40)), 19)
    if too_many:  # How many these are depends on the draw, if the examples are packed in an order left to chance.
        calls = [[one["input_ids"] for one in packed(answer, examples, 60)] for _ in range(2)]
        if calls[0] != calls[1]:
            what = "how many of 160 sets of ten examples, which fill 5 packs of 60, take more than 6"
            raise expect.CheckFailed(what, 0, too_many, evidence="others are together in a second call")
    rng = random.Random(seed(5))
    cut = [sorted(rng.sample(range(1, 40), rng.randint(1, 4))) for _ in range(30)]
    random_parts = [b - a for cuts in cut for a, b in zip([0, *cuts], [*cuts, 40], strict=True)]
    rng.shuffle(random_parts)
    cases = [  # Lengths, length of a pack, and how many packs they fill to the last place.
        ([7] * 20 + [5] * 20, 12, 20),
        ([5] * 20 + [7] * 20, 12, 20),
        ([4, 10] * 15 + [6] * 15, 20, 15),
        ([5, 7, 8] * 10, 20, 10),
        (random_parts, 40, 30),
    ]
    counts, most = [], []
    for lengths, max_length, fewest in cases:
        examples = drawn_examples(lengths, 6)
        packs = packed(answer, examples, max_length)
        in_packs(examples, packs, max_length)
        counts.append(len(packs))
        most.append((11 * fewest + 6) // 9)
    expect.note("fewest", [fewest for _, _, fewest in cases])
    few = all(count <= limit for count, limit in zip(counts, most, strict=True))
    expect.true(
        few, what="packs for five sets of examples that leave no gap at best", actual=counts, expected=f"at most {most}"
    )
    expect.equal(too_many, 0, what="how many of 160 sets of ten examples, which fill 5 packs, take more than 6")


def test_a_filled_up_pack_is_better_than_many_half_full_ones(answer):
    # 22 packs are filled by 141 + i, 80 - i and 60 tokens, and one by 162, 81 and 38. Spread as evenly as can be, the
    # long ones leave 59 places in each of 22 packs; 21 examples of 60 then need 6 more: 28, where 27 are allowed.
    lengths = [*range(141, 163), *range(60, 82), *[60] * 21, 38]
    random.Random(seed(14)).shuffle(lengths)
    examples = drawn_examples(lengths, 15)
    packs = packed(answer, examples, 281)
    in_packs(examples, packs, 281)
    what = "packs for 66 examples that fill 22 packs of 281 to the last place"
    expect.true(len(packs) <= 27, what=what, actual=len(packs), expected="at most 27")
    packs = packed(answer, drawn_examples([6, 4] * 60, 16), 10)
    what = "packs for 60 examples of 6 and 60 of 4 tokens, max_length 10"
    expect.true(len(packs) <= 74, what=what, actual=len(packs), expected="at most 74")


def test_many_and_equal_examples_are_all_packed(answer):
    (one,) = packed(answer, [{"input_ids": [0], "labels": [0]} for _ in range(300)], 300)
    expect.equal(one["sequence_ids"], list(range(1, 301)), what="sequence_ids of 300 equal examples of one token")
    rows = [one["input_ids"], one["labels"], one["position_ids"]]
    expect.equal(rows, [[0] * 300, [-100] * 300, [0] * 300], what="the other rows, of 300 equal examples of id 0")
    equal = [{"labels": [3, -100, PAD], "input_ids": [3, 0, PAD]} for _ in range(4)]
    packs = packed(answer, equal, 7, pad_token_id=0)
    wanted = [3, 0, PAD, 3, 0, PAD, 0]
    expect.equal(
        [one["input_ids"] for one in packs],
        [wanted] * 2,
        what="input_ids of four equal examples, max_length 7, padded with 0",
    )
    labels = [-100, -100, PAD, -100, -100, PAD, -100]
    expect.equal([one["labels"] for one in packs], [labels] * 2, what="labels of four equal examples, max_length 7")
    prompts = [{"input_ids": [5, 6, 7], "labels": [-100] * 3} for _ in range(2)]
    packs = packed(answer, [*prompts, *equal], 18)
    found = [one["input_ids"].count(5) for one in packs]
    expect.equal(found, [2], what="how many of two examples without a label the pack holds")


def test_an_example_that_is_too_long_is_an_error(answer):
    examples = drawn_examples([12, 3, 5, 4, 6, 2, 3, 61, 9], 7)
    before = copy.deepcopy(examples)
    message = said(lambda: answer.pack(examples, 45, pad_token_id=PAD), "an example of 61 tokens, max_length 45")
    expect.equal(examples, before, what="the examples after the error")
    named = re.search(r"\b(61|7)\b", message)
    what, expected = "the example that the message of the error names", "its length, 61, or its index, 7"
    expect.true(named, what=what, actual="none", expected=expected, given={"message": message})


def test_an_example_of_max_length_fits(answer):
    examples = drawn_examples([45, 44, 1], 8)
    try:
        packs = packed(answer, examples, 45)
    except ValueError:
        packs = []
    expect.equal(len(packs), 2, what="packs for examples of 45, 44 and 1 tokens, max_length 45")
    in_packs(examples, packs, 45)


def said(call, what):
    """The message of the ValueError that the call raises."""
    messages = []

    def record():
        try:
            return call()
        except ValueError as error:
            messages.append(str(error))
            raise

    expect.raises(ValueError, record, what=what)
    return messages[0]


def test_truncating_keeps_the_beginning(answer):
    examples = drawn_examples([4, 15, 2, 9, 5], 9)
    examples[1]["input_ids"][1:] = range(3001, 3015)  # So that what is left of it can be told apart.
    packs = packed(answer, examples, 9, too_long="truncate")
    expect.note("kept", sorted(token - 3000 for one in packs for token in one["input_ids"] if token > 3000))
    cut = [{name: row[:9] for name, row in example.items()} for example in examples]
    found = in_packs(cut, packs, 9)
    for numbers, one in sorted(zip(found, packs, strict=True), key=lambda pair: pair[0] != [1]):
        for name in ROWS[1:]:
            expect.equal(one[name], by_hand(cut, numbers, 9, name), what=f"{name}, where 15 tokens are cut to 9")


def test_nothing_to_pack_is_an_error(answer):
    for too_long in ("error", "truncate"):
        option = {"pad_token_id": PAD, "too_long": too_long}
        hollow = [*drawn_examples([3], 10), {"input_ids": [], "labels": []}]
        expect.raises(ValueError, lambda o=option, h=hollow: answer.pack(h, 8, **o), what="an example without tokens")
        expect.raises(ValueError, lambda o=option: answer.pack([], 8, **o), what="a list of no examples")


def test_a_token_sees_its_own_example_up_to_itself(answer):
    for ids in ([1, 1, 1, 2, 2, 2, 2, 3, 0, 0], [1, 2, 2, 2, 3, 3], [1, 1, 1, 1], [1], [1, 0, 0, 0]):
        one = pack_by_hand(ids)
        before = copy.deepcopy(one)
        mask = answer.attention_mask(one)
        expect.equal(one, before, what="the pack after attention_mask")
        size = len(ids)
        expected = torch.zeros(size, size, dtype=torch.int64)
        for i in range(size):
            for j in range(size):
                expected[i, j] = int(j <= i and ids[i] == ids[j] and ids[i] > 0)
        expect.tensor(mask, what="attention_mask(pack)", shape=[size, size])
        expect.equal(mask.to(torch.int64), expected, what=f"the mask, as 0 and 1, for sequence_ids {ids}")
        expect.tensor(mask, what="attention_mask(pack)", dtype=torch.bool)


def test_the_mask_takes_300_examples_apart(answer):
    ids = [*range(1, 301), 300]
    mask = answer.attention_mask(pack_by_hand(ids))
    expected = torch.eye(301, dtype=torch.int64)
    expected[300, 299] = 1
    expect.tensor(mask, what="attention_mask(pack)", shape=[301, 301])
    wrong = (mask.to(torch.int64) != expected).nonzero().tolist()
    expect.equal(wrong[:3], [], what="where the mask of 300 examples, the last of two tokens, is wrong")
    seen = answer.attention_mask(pack_by_hand([1] * 400)).sum(dim=1).tolist()
    expect.equal(seen, list(range(1, 401)), what="how many tokens each token of an example of 400 sees")


def pack_by_hand(sequence_ids):
    rng = random.Random(seed(12))
    positions = [sequence_ids[:i].count(number) if number else 0 for i, number in enumerate(sequence_ids)]
    ids = [rng.randrange(100, 900) if number else PAD for number in sequence_ids]
    labels = [-100 if position == 0 else token for position, token in zip(positions, ids, strict=True)]
    return {"input_ids": ids, "labels": labels, "position_ids": positions, "sequence_ids": list(sequence_ids)}
