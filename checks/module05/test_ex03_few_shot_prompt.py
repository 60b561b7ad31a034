"""5.03: a prompt is read as a line of turns; its length is counted by rendering it.

In such a line U is a user's turn, A an assistant's, and #2 the text of pool[2].

Long: a stand-in for a tokenizer of transformers 5 takes 70 lines, beside 15 checks.
"""

import copy
import random
import re
import zlib
from collections import Counter

from tunelings import expect
from tunelings.handson.awkward.texts import NOT_BLANK, TABS, long_text
from tunelings.inputs import seed

FILM = "plot actors ending music camera dialogue naïve 日本 costumes pace Ἀθῆναι laughs".split()
OTHER = "boring warm twice never überlang color sadly watched cheap loved 😀 half so".split()
LABELS = ["Positive", "negative", "MIXED (3)"]


class Encoding(dict):
    """What transformers returns: a mapping whose keys are attributes too."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


class ChatTokenizer:
    """The calls of a tokenizer of transformers 5, with ChatML; a token is a sign or at most three letters.

    Called on a text it puts <s> and </s> round it; the template, which writes a system turn of its own, does not.
    """

    bos_token, eos_token, pad_token, padding_side = "<s>", "<|im_end|>", "<|im_end|>", "right"
    chat_template = "ChatML"

    def tokenize(self, text, add_special_tokens=False, **_):
        tokens = re.findall(r"<\|\w+\|>|</?s>|[^\W\d_]{1,3}|\d|\n|\S", text)
        return ["<s>", *tokens, "</s>"] if add_special_tokens else tokens

    def encode(self, text, add_special_tokens=True, **options):
        return self(text, add_special_tokens=add_special_tokens, **options)["input_ids"]

    def __call__(self, text, add_special_tokens=True, return_tensors=None, return_length=False, **more):
        if isinstance(text, list | tuple):
            rows = [self(part, add_special_tokens, **more) for part in text]
            found = {key: [row[key] for row in rows] for key in ("input_ids", "attention_mask")}
            return Encoding(found | {"length": [len(ids) for ids in found["input_ids"]]} if return_length else found)
        ids = [len(token) + 7 for token in self.tokenize(text, add_special_tokens)]
        ids = ids[: more.get("max_length")] if more.get("truncation") else ids
        found = as_arrays({"input_ids": ids, "attention_mask": [1] * len(ids)}, return_tensors)
        if return_length:
            found["length"] = (
                as_arrays({"length": len(ids)}, return_tensors)["length"] if return_tensors else [len(ids)]
            )
        return found

    def apply_chat_template(
        self, conversation, add_generation_prompt=False, tokenize=True, return_dict=True, return_tensors=None, **more
    ):
        turns = list(conversation)
        if turns and isinstance(turns[0], list | tuple):  # A batch of chats.
            texts = [self.apply_chat_template(chat, add_generation_prompt, tokenize=False) for chat in turns]
            found = self(texts, add_special_tokens=False, **more) if tokenize else texts
            return found if return_dict or not tokenize else found["input_ids"]
        if not turns or turns[0]["role"] != "system":
            turns = [{"role": "system", "content": "You are a helpful critic"}, *turns]
        text = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in turns)
        text += "<|im_start|>assistant\n" * bool(add_generation_prompt)
        if not tokenize:
            return text
        encoding = self(text, add_special_tokens=False, return_tensors=return_tensors, **more)
        return encoding if return_dict else encoding["input_ids"]


def as_arrays(encoding, kind):
    if kind == "pt":
        import torch

        return Encoding({key: torch.tensor([value]) for key, value in encoding.items()})
    if kind == "np":
        import numpy as np

        return Encoding({key: np.array([value]) for key, value in encoding.items()})
    return Encoding(encoding)


def covered(query, text):
    """The share of the query's words that the text has: not symmetric."""
    words, found = query.casefold().split(), text.casefold().split()
    return sum(word in found for word in words) / len(words)


def review(draw, query, shared, others):
    """A text with so many words of the query and so many others; no two reviews are equal."""
    words = draw.sample(query.split(), shared) + draw.sample(OTHER, others)
    draw.shuffle(words)
    return " ".join(words) + f" ({draw.randrange(1000)})"


def query_of(draw):
    return " ".join(draw.sample(FILM, 6))


def ranked_pool(draw, query, shared=(2, 5, 0, 4, 1, 3), others=(4, 9, 3, 1, 6, 2)):
    """Reviews that share so many words with the query, each another number."""
    labels = [LABELS[i % 3] for i in range(len(shared))]
    texts = [review(draw, query, s, o) for s, o in zip(shared, others, strict=True)]
    return [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)]


def labeled_pool(draw, counts):
    """So many reviews of each label, all of one label after the other, as such files often are."""
    query = query_of(draw)
    labels = [label for label, count in zip(LABELS, counts, strict=True) for _ in range(count)]
    return [{"text": review(draw, query, 2, 3), "label": label} for label in labels]


def line(messages, pool, query):
    """The turns of a prompt on one line."""
    names = {item["text"]: f"#{number}" for number, item in reversed(list(enumerate(pool)))}
    names[query] = "query"
    letters = {"user": "U", "assistant": "A"}
    return ", ".join(f"{letters.get(m['role'], m['role'])} {named(m['content'], names)}" for m in turns_of(messages))


def named(content, names):
    """What a turn holds; what is around the one text in it is left out."""
    inside = [name for text, name in names.items() if text in content] if isinstance(content, str) else []
    return names.get(content, f"{inside[0]} and more characters" if len(inside) == 1 else content)


def prompt(pool, query, numbers):
    """The line of the prompt with these examples."""
    return "".join(f"U #{n}, A {pool[n]['label']}, " for n in numbers) + "U query"


def turns_of(messages):
    """The messages, if that is what they are."""
    fits = isinstance(messages, list) and all(isinstance(m, dict) and m.keys() == {"role", "content"} for m in messages)
    expect.true(fits, what="what is returned", actual=messages, expected="a list of dicts with role and content alone")
    return messages


def examples_in(messages):
    """The (text, label) pairs of a prompt, in order."""
    contents = [message["content"] for message in turns_of(messages)]
    return list(zip(contents[:-1:2], contents[1::2], strict=False))


def as_in_the_pool(messages, pool):
    """Each example has the text and the label of one of the pool; the first that has not stands beside that one."""
    pairs = [(item["text"], item["label"]) for item in pool]
    strange = [pair for pair in examples_in(messages) if pair not in pairs]
    expect.note("strange", strange)
    for text, label in strange[:1]:
        meant = min(pairs, key=lambda pair: (pair[0] != text, pair[1] != label, letters_apart(pair, (text, label))))
        expect.equal(text, meant[0], what="the text of an example of the pool, white space included")
        expect.equal(label, meant[1], what="the label of an example of the pool, white space included")


def letters_apart(one, other):
    """How many letters only one of the two has."""
    one, other = (Counter(filter(str.isalnum, str(pair).casefold())) for pair in (one, other))
    return ((one - other) + (other - one)).total()


def tokens_in(messages):
    return len(ChatTokenizer().apply_chat_template(messages, add_generation_prompt=True)["input_ids"])


def turns(pool, query, numbers):
    """The messages of the prompt with these examples, in order."""
    pairs = [(pool[n]["text"], pool[n]["label"]) for n in numbers]
    messages = [
        {"role": role, "content": content}
        for pair in pairs
        for role, content in zip(("user", "assistant"), pair, strict=True)
    ]
    return [*messages, {"role": "user", "content": query}]


def build(answer, query, pool, k, tokenizer, max_tokens, **options):
    """The prompt, after a look at whether the pool or the tokenizer has changed."""
    before = copy.deepcopy(pool)
    messages = answer.build_prompt(query, pool, k, tokenizer, max_tokens, **options)
    expect.equal(pool, before, what="the pool after the call")
    expect.equal(vars(tokenizer), {}, what="what was set on the tokenizer")
    return messages


def test_the_most_similar_examples_stand_before_the_query_the_most_similar_last(answer):
    draw = random.Random(seed(1))
    query = query_of(draw)
    pool = ranked_pool(draw, query)
    messages = build(answer, query, pool, 3, ChatTokenizer(), 1000, similarity=covered)
    expect.equal(
        line(messages, pool, query),
        prompt(pool, query, [5, 3, 1]),
        what="the turns (user, assistant) for k=3; #1 is most similar, then #3",
    )

    def distance(query, text):
        return covered(query, text) - 2

    messages = build(answer, query, pool, 3, ChatTokenizer(), 1000, similarity=distance)
    expect.equal(
        line(messages, pool, query),
        prompt(pool, query, [5, 3, 1]),
        what="the same, where each similarity is a negative number",
    )

    def nearly_one(query, text):
        return 1 + covered(query, text) / 10**9

    messages = build(answer, query, pool, 3, ChatTokenizer(), 1000, similarity=nearly_one)
    found = line(messages, pool, query)
    expect.equal(found, prompt(pool, query, [5, 3, 1]), what="the same, where similarities differ by 1e-9 at most")
    many = [*({"text": f"number {i}", "label": LABELS[i % 3]} for i in range(1000)), *pool]
    found = line(answer.build_prompt(query, many, 3, ChatTokenizer(), 1000, similarity=covered), many, query)
    expect.equal(found, prompt(many, query, [1005, 1003, 1001]), what="the same, behind 1,000 other examples")


def test_texts_stand_there_as_they_were_given(answer):
    draw = random.Random(seed(20))
    query = f"  {query_of(draw)}\n"
    pool = ranked_pool(draw, query)
    for number, item in enumerate(pool):
        item["text"] = f"\t{item['text'].upper()}  \n" if number % 2 else f" {item['text']}"
    pool = [{"text": item["text"], "label": f" {item['label']}\u00a0"} for item in pool]
    calls = []

    def recorded(asked, text):
        calls.append((asked, text))
        return covered(asked, text)

    for k, options in ((3, {"similarity": recorded}), (6, {"rng": random.Random(seed(21))}), (6, {})):
        messages = turns_of(build(answer, query, pool, k, ChatTokenizer(), 5000, **options))
        as_in_the_pool(messages, pool)
        expect.equal(len(messages), 2 * k + 1, what=f"the number of turns for k={k}")
        expect.equal(
            messages[-1]["content"], query, what=f"the last turn for k={k}, the query with white space at both ends"
        )
    strange = [pair for pair in calls if pair[0] != query or pair[1] not in {item["text"] for item in pool}]
    expect.equal(strange, [], what="calls of similarity with anything but the query and a text of the pool")


def test_the_query_is_never_among_its_own_examples(answer):
    draw = random.Random(seed(2))
    query = " ".join([*draw.sample([word for word in FILM if word.isascii()], 6), "weiss"])
    pool = ranked_pool(draw, query)
    copies = [f"  {query}\n", query, query.upper(), query.replace("ss", "ß"), f"\u00a0{query.title()}\t"]
    pool[2:2] = [{"text": text, "label": LABELS[i % 3]} for i, text in enumerate(copies)]
    pool.append({"text": f"{query} {query.split()[0]}", "label": LABELS[1]})  # Longer, so not a copy.
    messages = build(answer, query, list(pool), 50, ChatTokenizer(), 5000, similarity=covered)
    shown = {text for text, _ in examples_in(messages)}
    found = [number for number, item in enumerate(pool) if item["text"] in shown and 2 <= number <= 6]
    expect.equal(found, [], what="which of #2 to #6, the query spelled differently, are examples")
    messages = build(answer, query, list(pool), 4, ChatTokenizer(), 5000, similarity=covered)
    expected = prompt(pool, query, [10, 8, 1, 11])
    expect.equal(line(messages, pool, query), expected, what="the turns for k=4, where #2 to #6 are the query again")
    shown = [text for text, _ in examples_in(build(answer, query, pool[:8], 8, ChatTokenizer(), 5000))]
    expect.note("itself without similarity", int(query in shown))
    for shouted in (f" {query.upper()} ", query.replace("ss", "ß")):
        messages = build(answer, shouted, pool[:8], 8, ChatTokenizer(), 5000)
        texts, expected = [text for text, _ in examples_in(messages)], [pool[i]["text"] for i in (0, 1, 7)]
        expect.equal(sorted(texts), sorted(expected), what="the texts for k=8, with the query spelled differently")
    for one, same in (("ς", "Σ"), ("fi", "ﬁ"), ("s", "ſ"), ("μ", "µ"), ("ŉ", "ʼn"), ("ẞ", "ss")):
        for asked, text in ((f"{one}{query}", f"{same}{query}"), (f"{same}{query}", f"{one}{query}")):
            pair = [{"text": text, "label": LABELS[0]}, {"text": f"not {text}", "label": LABELS[0]}]
            expect.case(query=asked, pool=pair, k=2)
            texts = [text for text, _ in examples_in(build(answer, asked, pair, 2, ChatTokenizer(), 5000))]
            expect.equal(texts, [f"not {text}"], what="the texts shown, where casefold() makes the other equal")
    others = {
        "two blanks inside": query.replace(" ", "  ", 1),
        "no blanks inside": query.replace(" ", ""),
        "a period at the end": f"{query}.",
        "a wide letter": chr(ord(query[0]) + 0xFEE0) + query[1:],
        "an accent": f"{query}\u0301",
        "the words in another order": " ".join(reversed(query.split())),
    }
    near = [{"text": text, "label": LABELS[0]} for text in others.values()]
    shown = [text for text, _ in examples_in(build(answer, query, near, 6, ChatTokenizer(), 5000))]
    found = [name for name, text in others.items() if text in shown]
    expect.case(query=query, pool=near, k=6)
    expect.equal(found, list(others), what="which texts are shown that differ from the query by this")


def fits(answer, query, pool, limit):
    """1 if a prompt for so few tokens comes back, which no prompt fits into; else 0."""
    try:
        answer.build_prompt(query, pool, 6, ChatTokenizer(), limit, similarity=covered)
    except Exception:  # Only a note: what must be raised is asked elsewhere.
        return 0
    return 1


def test_examples_are_dropped_whole_and_at_the_front_until_the_prompt_fits(answer):
    draw = random.Random(seed(3))
    query = query_of(draw)
    pool = ranked_pool(draw, query, others=(4, 1, 3, 11, 6, 5))
    best = [2, 4, 0, 5, 3, 1]
    limits = [tokens_in(turns(pool, query, best[-count:])) for count in (6, 4, 3, 2, 1)]
    limits = [limits[0], limits[0] - 1, limits[1] + 1, limits[1], limits[2] - 1, limits[3], limits[4], limits[4] - 1]
    expect.note("fits", [fits(answer, query, pool, limit) for limit in (2, 1, 0)])
    alone = tokens_in(turns(pool, query, []))
    limits.append(alone)
    expect.note("too short", [fits(answer, query, [], alone - missing) for missing in (1, 7, 12)])
    lines = []
    for limit in limits:
        try:
            messages = build(answer, query, pool, 6, ChatTokenizer(), limit, similarity=covered)
        except ValueError:
            lines.append("ValueError")
        else:
            lines.append(line(messages, pool, query))
    expect.note("lines", lines)
    counts = [text if text == "ValueError" else text.count(", A ") for text in lines]
    expect.note("counts", counts)
    tokens = ", ".join(str(tokens_in(turns(pool, query, best[6 - count :]))) for count in range(6, -1, -1))
    for got, count, wanted, limit in zip(lines, counts, [6, 5, 4, 4, 2, 2, 1, 0, 0], limits, strict=True):
        expect.case(max_tokens=limit, k=6, tokens_with_6_to_0_examples=tokens)
        expect.equal(count, wanted, what="how many of 6 examples stay")
        expect.equal(got, prompt(pool, query, best[6 - count :]), what="the turns")


def test_nothing_takes_the_place_of_an_example_that_was_dropped(answer):
    draw = random.Random(seed(26))
    query = query_of(draw)
    pool = ranked_pool(draw, query, others=(1, 1, 1, 12, 1, 1))
    limit = tokens_in(turns(pool, query, [3, 1])) - 1  # The long #3 must go; there would be room for any other.
    messages = build(answer, query, pool, 2, ChatTokenizer(), limit, similarity=covered)
    expect.equal(line(messages, pool, query), prompt(pool, query, [1]), what="the turns for k=2, where #3 is too long")


def test_a_balanced_prompt_that_is_too_long_loses_its_first_examples_too(answer):
    draw = random.Random(seed(18))
    pool = labeled_pool(draw, (4, 4, 4))
    query = query_of(draw)
    found, expected = [], []
    for number in range(4):
        rngs = [random.Random(seed(19) + number) for _ in range(2)] if number else [None, None]
        whole = turns_of(build(answer, query, pool, 6, ChatTokenizer(), 5000, rng=rngs[0]))
        left = whole[2 * number + 2 :]
        messages = build(answer, query, pool, 6, ChatTokenizer(), tokens_in(left) + 1, rng=rngs[1])
        found.append(numbers_in(messages, pool))
        expected.append(numbers_in(left, pool))
    what = "the examples left of 6, drawn the same way, if the first 1, 2, 3, 4 must go"
    expect.equal(found, expected, what=what)


def test_the_labels_are_balanced_while_the_pool_allows_it(answer):
    draw = random.Random(seed(4))
    pool = labeled_pool(draw, (9, 3, 2))
    query = query_of(draw)
    lopsided = [
        [k for k in range(1, 9) if any(is_lopsided(answer, query, pool, k, rng) for rng in rngs)]
        for rngs in ([None], [random.Random(seed(27) + number) for number in range(60)])
    ]
    what = "the k (1 to 8; without rng, and with) where a label has two more than another that still has some"
    expect.equal(lopsided, [[], []], what=what)
    ks, found = [3, 6, 8, 9, 12, 40], []
    for k in ks:
        messages = build(answer, query, pool, k, ChatTokenizer(), 5000, rng=random.Random(seed(5) + k))
        found.append(counts_in(messages))
    expected = [[1, 1, 1], [2, 2, 2], [3, 3, 2], [4, 3, 2], [7, 3, 2], [9, 3, 2]]
    expect.equal(found, expected, what="Positive, negative, MIXED for k=3, 6, 8, 9, 12, 40 out of 9, 3, 2")
    uneven = [
        sorted(counts_in(build(answer, query, pool, k, ChatTokenizer(), 5000, rng=rng)))
        for k in (1, 2, 4, 5, 7)
        for rng in (None, random.Random(seed(6) + k))
    ]
    expected = [row for row in ([0, 0, 1], [0, 1, 1], [1, 1, 2], [1, 2, 2], [2, 2, 3]) for _ in range(2)]
    expect.equal(uneven, expected, what="how many of each label, sorted, for k=1, 2, 4, 5, 7, without and with rng")
    alike = ["film", "Film", " film", "films", "FILM"]
    many = [{"text": review(draw, query, 2, 3), "label": alike[i % 5]} for i in range(20)]
    for some, k, wanted in ((many, 8, [1, 1, 2, 2, 2]), (pool[:9], 4, [4]), ([], 3, [])):
        for rng in (None, random.Random(seed(22))):
            found = Counter(
                label for _, label in examples_in(build(answer, query, some, k, ChatTokenizer(), 5000, rng=rng))
            )
            labels = len({item["label"] for item in some})
            what = f"how many of each label, sorted, for k={k} and {labels} labels, {'with' if rng else 'without'} rng"
            expect.equal(sorted(found.values()), wanted, what=what)


def is_lopsided(answer, query, pool, k, rng):
    """Whether a label has two more examples than another label that still has some to give."""
    shown = counts_in(answer.build_prompt(query, pool, k, ChatTokenizer(), 5000, rng=rng))
    has = Counter(item["label"] for item in pool)
    return any(max(shown) >= count + 2 for count, label in zip(shown, LABELS, strict=True) if count < has[label])


def counts_in(messages):
    found = Counter(label for _, label in examples_in(messages))
    return [found[label] for label in LABELS]


def test_without_rng_the_first_of_each_label_are_taken(answer):
    draw = random.Random(seed(7))
    pool = labeled_pool(draw, (14, 15, 13))
    draw.shuffle(pool)
    query = query_of(draw)
    reworded = [{"text": review(draw, query, 1, 4), "label": item["label"]} for item in pool]
    numbers, again, of_reworded = (
        numbers_in(build(answer, query, some, 6, ChatTokenizer(), 5000), some) for some in (pool, pool, reworded)
    )
    places = [[i for i, item in enumerate(pool) if item["label"] == label] for label in LABELS]
    firsts, lasts = (sorted(sum((each[part] for each in places), [])) for part in (slice(2), slice(-2, None)))
    # A draw takes the same places whatever the texts are; which ones depends on how it is written.
    others = "other examples" if sorted(of_reworded) == sorted(numbers) else "other examples, chosen by their texts"
    expect.true(
        sorted(numbers) == firsts,
        what="which examples are taken for k=6, without rng",
        actual="the last two of each label" if sorted(numbers) == lasts else others,
        expected="the first two of each label: " + ", ".join(f"#{number}" for number in firsts),
    )
    expect.equal(again, numbers, what="the examples in order, when the same is asked again")


def numbers_in(messages, pool):
    """Where the examples of a prompt stand in the pool, in the order of the prompt."""
    as_in_the_pool(messages, pool)
    pairs = [(item["text"], item["label"]) for item in pool]
    return [pairs.index(pair) for pair in examples_in(messages)]


def test_rng_draws_the_examples_and_their_order(answer):
    draw = random.Random(seed(8))
    pool = labeled_pool(draw, (3, 4, 3))
    query = query_of(draw)
    times = 120  # An example that has 1 chance in 4 is missed by all with a probability of 1e-15.
    prompts = [
        numbers_in(build(answer, query, pool, 3, ChatTokenizer(), 5000, rng=random.Random(seed(9) + n)), pool)
        for n in range(times)
    ]
    labels = [
        [label for _, label in examples_in(build(answer, query, pool, 6, ChatTokenizer(), 5000, rng=rng))]
        for rng in map(random.Random, range(seed(10), seed(10) + times))
    ]
    alike = sum(any(a == b for a, b in zip(row, row[1:], strict=False)) for row in labels)
    expect.note("neighbors", "none" if alike == 0 else "all" if alike == times else "some")
    taken = sorted({number for numbers in prompts for number in numbers})
    expect.equal(taken, list(range(10)), what=f"which of 10 examples appear in {times} prompts with k=3")
    last = sorted({pool[numbers[-1]]["label"] for numbers in prompts})
    expect.equal(last, sorted(LABELS), what=f"which labels come last in {times} prompts with k=3")
    expect.true(
        alike > 0,  # 2 in 3 of all orders have such neighbors.
        what=f"in how many of {times} prompts with k=6 two neighbors have the same label",
        actual=alike,
        expected="about 80, for a shuffled order",
    )
    # Labels that stay together have 6 orders, and those shuffled in rounds of three 36; of all 90, 120 prompts show 66.
    orders = len(set(map(tuple, labels)))
    most = next((n for n in (1, 6, 36, 45) if orders <= n), 90)
    what = f"how many orders of the labels {times} prompts with k=6 have, of 90"
    expect.true(most == 90, what=what, actual=f"at most {most}", expected="about 66")
    for counts, k in (((0, 5, 0), 1), ((0, 5, 0), 3), ((2, 2, 1), 5), ((2, 2, 1), 9)):
        pool = labeled_pool(draw, counts)
        expect.case(pool=f"{', '.join(map(str, counts))} of {', '.join(LABELS)}", k=k)
        firsts = {
            tuple(numbers_in(build(answer, query, pool, k, ChatTokenizer(), 5000, rng=rng), pool)[:1])
            for rng in map(random.Random, range(seed(28), seed(28) + times))  # Each has 1 chance in 5.
        }
        expect.equal(
            sorted(number for one in firsts for number in one),
            list(range(5)),
            what=f"which of 5 examples come first in {times} prompts",
        )
    pool = labeled_pool(draw, (3, 4, 3))
    expect.case(k=6)
    first, second = (
        numbers_in(build(answer, query, pool, 6, ChatTokenizer(), 5000, rng=random.Random(seed(17))), pool)
        for _ in range(2)
    )
    expect.equal(second, first, what="the examples in order, when rng has the same state again")


class Salted(str):
    """A text whose hash is that of another process: sets of such texts have another order, dicts do not."""

    salt = 0

    def __hash__(self):
        return hash((self.salt, zlib.crc32(self.encode())))


def test_the_same_state_gives_the_same_prompt_in_every_process(answer):
    draw = random.Random(seed(23))
    query = query_of(draw)
    texts = [review(draw, query, 2, 3) for _ in range(15)]
    found = []
    for salt in range(6):
        Salted.salt = salt
        pool = [{"text": Salted(text), "label": Salted(f"topic {i % 5}")} for i, text in enumerate(texts)]
        for rng in (random.Random(seed(24)), None):
            found.append(numbers_in(build(answer, query, pool, 7, ChatTokenizer(), 5000, rng=rng), pool))
    different = [len({tuple(numbers) for numbers in found[0::2]}), len({tuple(sorted(n)) for n in found[1::2]})]
    what = "whether the hashes of texts change the prompt (with rng) and its examples (without rng)"
    expect.equal([int(count > 1) for count in different], [0, 0], what=what)


def test_of_equally_similar_examples_the_first_of_the_pool_are_taken(answer):
    draw = random.Random(seed(11))
    query = query_of(draw)
    pool = ranked_pool(draw, query, shared=(1, 3, 5, 3, 0, 3, 4), others=(2, 3, 2, 4, 1, 2, 3))
    # By their texts or their lengths, #1, #3 and #5 would stand in another order, and by their labels too.
    for number, more in ((1, "zulu " * 12), (3, "kilo "), (5, "oscar " * 24)):
        pool[number]["text"] = more + pool[number]["text"]
    pool[3]["label"], pool[5]["label"] = pool[5]["label"], pool[3]["label"]
    found = []
    for k in (3, 4, 0, 5):
        messages = build(answer, query, pool, k, ChatTokenizer(), 5000, similarity=covered)
        found.append(sorted(numbers_in(messages, pool)))
    expected = [[1, 2, 6], [1, 2, 3, 6], [], [1, 2, 3, 5, 6]]
    expect.equal(found, expected, what="which examples are taken for k=3, 4, 0, 5; #1, #3, #5 are equal")
    found = []
    for number in range(6):  # Drawn by chance, #1 and #3 would be the two in one of three.
        rng = random.Random(seed(70) + number)
        messages = build(answer, query, pool, 4, ChatTokenizer(), 5000, similarity=covered, rng=rng)
        found.append(sorted(numbers_in(messages, pool)))
    tied = all({2, 6} < set(one) < {1, 2, 3, 5, 6} for one in found)
    expect.true(
        found == [[1, 2, 3, 6]] * 6,
        what="which examples are taken for k=4, with six states of rng",
        actual="sometimes others of those that are equally similar" if tied else found,
        expected="#1, #2, #3, #6",
    )


def test_a_pool_that_is_too_small_is_used_whole(answer):
    draw = random.Random(seed(12))
    query = query_of(draw)
    pool = ranked_pool(draw, query)
    pool.append({"text": pool[0]["text"], "label": LABELS[2]})
    found = []
    for options in ({"similarity": covered}, {"rng": random.Random(seed(13))}, {}):
        messages = build(answer, query, pool, 50, ChatTokenizer(), 5000, **options)
        found.append(sorted(numbers_in(messages, pool)))
    expect.equal(found, [list(range(7))] * 3, what="the examples of a pool of 7 for k=50, one text in it twice")
    messages = build(answer, query, pool, 0, ChatTokenizer(), 5000)
    expect.equal(line(messages, pool, query), "U query", what="the turns for k=0")
    for options in ({"similarity": covered}, {"rng": random.Random(seed(13))}, {}):
        messages = build(answer, query, [pool[1], dict(pool[1])], 2, ChatTokenizer(), 5000, **options)
        expect.equal(numbers_in(messages, pool), [1, 1], what="the examples of a pool of two equal ones for k=2")
        messages = build(answer, query, [], 2, ChatTokenizer(), 5000, **options)
        expect.equal(line(messages, pool, query), "U query", what="the turns for k=2 and an empty pool")


def test_a_query_that_is_too_long_by_itself_is_an_error(answer):
    draw = random.Random(seed(14))
    query = query_of(draw)
    pool = ranked_pool(draw, query)
    alone = tokens_in(turns(pool, query, []))
    for k in (3, 0):
        for options in ({"similarity": covered}, {}, {"rng": random.Random(seed(29))}):
            expect.case(query=query, k=k, max_tokens=alone, tokens_of_the_query_alone=alone)
            try:
                found = line(build(answer, query, pool, k, ChatTokenizer(), alone, **options), pool, query)
            except ValueError:
                found = "ValueError"
            expect.equal(found, "U query", what="the turns, where the query alone has max_tokens tokens")
            expect.case(query=query, k=k, max_tokens=alone - 1, tokens_of_the_query_alone=alone)
            expect.raises(
                ValueError,
                lambda k=k, options=options: answer.build_prompt(query, pool, k, ChatTokenizer(), alone - 1, **options),
                what="a query of one token more than max_tokens",
            )


def test_pool_tokenizer_and_global_random_state_stay_as_they_are(answer):
    draw = random.Random(seed(15))
    query = query_of(draw)
    pool = ranked_pool(draw, query) + [{"text": query, "label": LABELS[0]}]
    random.seed(seed(25))
    before, state = copy.deepcopy(pool), random.getstate()
    kept = list(pool)
    tokenizer = ChatTokenizer()
    lines = []
    for rng in (None, *(random.Random(seed(16) + number) for number in range(6))):
        messages = build(answer, query, pool, 4, tokenizer, 5000, similarity=covered, rng=rng)
        lines.append(line(messages, before, query))
        build(answer, query, pool, 4, tokenizer, 130, rng=rng)
    expect.true(
        all(a is b for a, b in zip(pool, kept, strict=True)),
        what="the dicts of the pool after the calls",
        actual=[a is b for a, b in zip(pool, kept, strict=True)],
        expected="the same dicts",
    )
    other = next((one for one in lines if one != lines[0]), lines[0])
    same = sorted(other.split(", ")) == sorted(lines[0].split(", "))
    expect.true(
        other == lines[0],
        what="the turns by similarity, with rng as well",
        actual="the same turns in another order" if same else "other turns",
        expected=f"the turns without rng: {lines[0]}",
    )
    expect.true(
        random.getstate() == state,
        what="the state of Python's global random generator after the calls",
        actual=[int(x != y) for x, y in zip(random.getstate()[1][-4:], state[1][-4:], strict=True)],
        expected="what it was before them",
    )


def test_texts_labels_and_query_appear_to_the_last_character(answer):
    awkward = [*NOT_BLANK, long_text(3000)]
    pool = [{"text": text, "label": label} for text, label in zip(awkward, awkward[1:] + awkward[:1], strict=True)]
    pairs = [(item["text"], item["label"]) for item in pool]
    for query in (TABS, "another query \u00a0\r\n"):
        wanted = sorted(pair for pair in pairs if pair[0] != query)
        for options in ({}, {"similarity": lambda query, text: len(text)}):
            messages = build(answer, query, pool, len(pool), ChatTokenizer(), 100_000, **options)
            as_in_the_pool(messages, pool)
            expect.equal(sorted(examples_in(messages)), wanted, what="the examples of a pool of awkward texts")
            expect.equal(messages[-1]["content"], query, what="the last turn, which is the query")
