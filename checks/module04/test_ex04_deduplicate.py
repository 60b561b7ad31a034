"""4.04: texts are planted with a known similarity, which a definition read word by word gives.

Long: 27 checks, and the pairs of texts with a known similarity are made here.
"""

import functools
import linecache
import os
import random
import string
import subprocess
import sys
import tracemalloc
from builtins import hash as builtin_hash
from hashlib import blake2b

import numpy
import pytest

from tunelings import expect
from tunelings.handson.awkward.texts import AWKWARD, BLANK
from tunelings.inputs import seed

SENTENCES = [
    "A list is a sequence of objects, and it can be changed in place.",
    "Why does Python use indentation for grouping of statements?",
    "for row in rows:\n    total += row['price']\nprint(total)",
    "Η πρόταση αυτή είναι γραμμένη στα ελληνικά, με τόνους.",
    "这 个 句子 是 用 中文 写 的 。",
    "Thank you 🙏 this answered my question completely.",
    "The cafe\u0301 on the corner closes at six on Sundays.",
    "\tTabs, and two  spaces, are part of this text.",
    "Use a virtual environment, so that packages of two projects do not meet.",
    "Sur la page suivante, l'exemple est complet.",
]
WORDS = """
a about after again all an and answer any are array as at be before both but by call can change class code copy
data default dict does each empty error even every example expression false file find first float for from
function give has have how if import in index integer into is it its key know last length line list loop made
make many may means method module more most must name near need never new no not now number object of old on one
only open or order other out over own part place print python question read result return right rule run same
says see set short so some speed start state string such take text than that the then there these this time to
tree true tuple two type under use value very way what when where which while who why will with word work write
wrong you your
naïve café δοκιμή λόγος 列表 函数 数据 🙂 x=1 (see [0] "quoted" it's e.g.
""".split()


def draw(rng, length):
    return " ".join(rng.choice(WORDS) for _ in range(length))


def runs(text):
    words = text.split(" ")
    return {(words[k - 2], words[k - 1], words[k]) for k in range(2, len(words))}


def jaccard(a, b):
    """By the definition, for texts of three words or more that are in normal form."""
    runs_a, runs_b = runs(a), runs(b)
    both = sum(run in runs_b for run in runs_a)
    return both / (len(runs_a) + len(runs_b) - both)


def changed(text, rng, shingles):
    """`text` with other words, so that about so many of its shingles go: at one end, inside, or scattered."""
    words = text.split(" ")
    other = list(words)
    ends = [range(shingles), range(-shingles, 0)]
    inside = rng.randrange(2, len(words) - shingles - 2)
    scattered = rng.sample(range(3, len(words) - 3, 3), shingles // 3)
    for place in rng.choice([*ends, range(inside, inside + shingles - 2), scattered]):
        other[place] = rng.choice([word for word in WORDS if word != words[place]])
    return " ".join(other)


def planted(rng, low, high, length):
    """Two texts with a similarity from low to high: if n of the S shingles of each differ, it is (S - n) / (S + n)."""
    while True:
        text = draw(rng, length)
        similarity = rng.uniform(low, high)
        shingles = round((length - 2) * (1 - similarity) / (1 + similarity))
        other = changed(text, rng, max(shingles, 1))
        if low <= jaccard(text, other) <= high:
            return text, other


@functools.lru_cache(maxsize=32)
def pairs(count, low, high, random_seed, length=60):
    rng = random.Random(random_seed)
    return tuple(planted(rng, low, high, length) for _ in range(count))


def spread(pairs_of_texts, rng, others=()):
    """All texts in an order in which the first of a pair comes before the second, and what each is."""
    texts = [text for pair in pairs_of_texts for text in pair] + list(others)
    order = list(range(len(texts)))
    rng.shuffle(order)
    place = {number: at for at, number in enumerate(order)}
    for first in range(0, 2 * len(pairs_of_texts), 2):
        a, b = sorted((place[first], place[first + 1]))
        order[a], order[b] = first, first + 1
    return [texts[number] for number in order], order


def kept_of(answer, texts, *threshold):
    """What deduplicate returns for a copy of the texts, if it is a list of ints and the copy is as it was."""
    given = list(texts)
    kept = answer.deduplicate(given, *threshold)
    expect.equal(given, list(texts), what="the list of texts after the call")
    expect.equal(type(kept).__name__, "list", what="the type of what is returned")
    expect.equal(sorted({type(i).__name__ for i in kept} - {"int"}), [], what="types of the indices other than int")
    return kept


def expect_share(count, total, expected, what):
    """None, some, most or all of them: how many exactly depends on the hash functions of an index."""
    share = "none" if count == 0 else "all" if count == total else "most" if 2 * count >= total else "some"
    if share not in expected.split(" or "):
        raise expect.CheckFailed(what, expected, share, f"{count} of {total}")


def test_the_first_of_each_repeated_text_is_kept(answer):
    rng = random.Random(seed(1))
    drawn = rng.sample(SENTENCES, len(SENTENCES)) + rng.sample(SENTENCES, 4)
    texts = [*drawn, drawn[3], drawn[-1], drawn[-1], drawn[0]]
    expected = [i for i, text in enumerate(texts) if text not in texts[:i]]
    kept = kept_of(answer, texts)
    expect.equal(kept, expected, what="the indices kept of 18 texts, of which 8 are copies")


REPEATS = {
    "upper case": ("restart the kernel", "Restart THE Kernel"),
    "ß and ss": ("eine große Straße", "EINE GROSSE STRASSE"),
    "a final sigma": ("ο λόγος αυτός", "Ο ΛΌΓΟΣ ΑΥΤΌΣ"),
    "two spaces": ("see the note", "see the  note"),
    "a tab": ("see section two", "see section\ttwo"),
    "a line end": ("it really depends", "it\r\nreally depends"),
    "a no-break space": ("about 10 km", "about 10\u00a0km"),
    "a line separator": ("on two lines", "on two\u2028lines"),
    "a vertical tab": ("on one page", "on\x0bone page"),
    "an ideographic space": ("数据 列表 函数", "数据\u3000列表\u3000函数"),
    "a combining accent": ("un déjà vu", "un de\u0301ja\u0300 vu"),
    "a ligature": ("the first file", "the ﬁrst ﬁle"),
    "full-width letters": ("more GPU memory", "more ＧＰＵ memory"),
    "a superscript": ("x2 grows faster", "x² grows faster"),
    "a letter with a double stroke, in capitals": ("hello again everyone", "ℍello again everyone"),
    "blanks at both ends": ("as far as it goes", " \n as far as it goes\t"),
    "an accent alone, before which NFKC writes a blank": ("an acute \u0301 alone", "an acute \u00b4 alone"),
}


def test_texts_with_an_equal_normal_form_are_repeats(answer):
    rng = random.Random(seed(2))
    kinds = rng.sample(list(REPEATS), len(REPEATS))
    texts = [REPEATS[kind][0] for kind in kinds] + [REPEATS[kind][1] for kind in kinds]
    kept = kept_of(answer, texts)
    missed = sorted(kinds[i - len(kinds)] for i in kept if i >= len(kinds))
    expect.equal(missed, [], what="repeats that were not found: the two differ by")
    expect.equal(kept, list(range(len(kinds))), what="the indices kept, where the second half repeats the first")


def with_a_common_beginning(random_seed, count):
    """Pairs that have 8 of 48 shingles in common, and as small a share of words and of characters."""
    rng = random.Random(random_seed)
    texts = []
    for _ in range(count):
        words = ["".join(rng.choices(string.ascii_lowercase, k=6)) for _ in range(50)]
        texts += [" ".join(words[:30]), " ".join(words[:10] + words[30:])]
    return texts


def turned_round(words):
    return " ".join(word for k in range(0, len(words), 2) for word in words[k : k + 2][::-1])


def with_commas(words):
    return " ".join(word + "," * (k % 5 == 2) for k, word in enumerate(words))


def test_nothing_under_the_threshold_is_dropped(answer):
    words = draw(random.Random(seed(31)), 60).split(" ")
    others = {"order": turned_round(words), "punctuation": with_commas(words)}
    overlooked = [name for name, other in others.items() if len(kept_of(answer, [" ".join(words), other])) < 2]
    expect.note("what_does_not_count", overlooked)
    # Far below: an index proposes some of them, but no other measure of what they have in common reaches 0.3.
    dropped = 120 - len(kept_of(answer, with_a_common_beginning(seed(30), 60), 0.3))
    found = "some" if dropped else "none"
    expect.equal(found, "none", what="texts dropped with a similarity of 0.17, threshold 0.3")
    rng = random.Random(seed(3))
    close = [*pairs(40, 0.62, 0.795, seed(4)), *pairs(30, 0.77, 0.795, seed(25))]
    far = pairs(20, 0.2, 0.6, seed(5))
    texts, _ = spread([*close, *far], rng)
    kept = kept_of(answer, texts)
    similarity = {b: jaccard(a, b) for a, b in [*close, *far]}
    ranges = ((0.2, 0.6), (0.62, 0.72), (0.77, 0.795))  # An estimate is wrong by about 0.04: in the last one.
    seconds = {
        f"{low} to {high}": [text for text in similarity if low <= similarity[text] <= high] for low, high in ranges
    }
    dropped = set(texts) - {texts[i] for i in kept}
    for name, of_them in seconds.items():
        expect_share(
            len(dropped & set(of_them)),
            len(of_them),
            "none",
            f"texts dropped with a similarity of {name}, threshold 0.8",
        )
    expect.equal(len(texts) - len(kept), 0, what="texts dropped under a similarity of 0.8, all together")


def test_near_repeats_are_dropped(answer):
    rng = random.Random(seed(6))
    near = [*pairs(49, 0.95, 0.99, seed(7)), *pairs(1, 0.95, 0.99, seed(8), 1500)]
    texts, order = spread(near, rng, others=[draw(rng, length) for length in range(3, 43)])
    kept = kept_of(answer, texts)
    dropped = [order[i] for i in range(len(texts)) if i not in kept]
    found = sum(number < 100 and number % 2 == 1 for number in dropped)
    expect.true(
        found >= 45, what="near repeats found of 50, similarity 0.95 and more", actual=found, expected="45 or more"
    )
    expect.equal(len(dropped) - found, 0, what="texts dropped that don't repeat another")


def test_the_threshold_is_the_one_given(answer):
    strict = kept_of(answer, [text for pair in pairs(30, 0.82, 0.9, seed(12)) for text in pair], 0.92)
    expect_share(60 - len(strict), 30, "none", "texts dropped under a similarity of 0.9, threshold 0.92")
    finer = kept_of(answer, [text for pair in pairs(20, 0.72, 0.735, seed(29)) for text in pair], 0.74)
    expect_share(40 - len(finer), 20, "none", "texts dropped under a similarity of 0.735, threshold 0.74")
    rng = random.Random(seed(9))
    above, under = pairs(50, 0.72, 0.78, seed(10)), pairs(30, 0.4, 0.495, seed(11))
    texts, order = spread([*above, *under], rng)
    kept = kept_of(answer, texts, 0.5)
    dropped = [order[i] for i in range(len(texts)) if i not in kept]
    found = sum(number < 100 and number % 2 == 1 for number in dropped)
    expect_share(found, 50, "most or all", "near repeats found, similarity 0.72, threshold 0.5")
    expect.true(
        found >= 45, what="found of 50 with similarity 0.72, threshold 0.5", actual=found, expected="45 or more"
    )
    expect_share(len(dropped) - found, 30, "none", "texts dropped under a similarity of 0.5, threshold 0.5")


def test_at_a_threshold_of_1_repeats_still_go(answer):
    rng = random.Random(seed(27))
    repeated = [draw(rng, length) for length in (1, 2, 5, 40)]
    near = [text for pair in pairs(10, 0.95, 0.99, seed(28)) for text in pair]
    try:
        kept = kept_of(answer, [*repeated, *near, *(text.upper() for text in repeated)], 1.0)
    except ValueError:  # datasketch makes no index for a threshold of 1.
        return
    expect.equal([i for i in kept if i >= 24], [], what="repeats in capitals that were kept at threshold 1.0")
    expect_share(24 - len(kept), 10, "none", "texts dropped under a similarity of 1, threshold 1.0")


def test_shingles_are_runs_of_three_words_as_they_stand(answer):
    rng = random.Random(seed(13))
    texts, kinds = [], []
    for _ in range(10):
        text = draw(rng, 60)
        words = text.split(" ")
        texts += [text, turned_round(words), with_commas(words), " ".join(words[:42])]
        kinds += ["", "each two words turned round", "a comma after each fifth word", "the first 42 of its 60 words"]
        longer = draw(rng, 60)
        texts += [" ".join(longer.split(" ")[:42]), longer]
        kinds += ["", "all 60 words, after a text of the first 42"]
    for text, other in scattered(seed(14), 10, places=3):
        texts += [text, other]
        kinds += ["", "3 of its 60 words are other words"]
    kept = kept_of(answer, texts)
    wrong = {kind: sum(kinds[i] == kind and i not in kept for i in range(len(texts))) for kind in sorted(set(kinds))}
    wrong = [f"{count} of 10: {kind}" for kind, count in wrong.items() if count]
    expect.equal(wrong, [], what="dropped, though the similarity is under 0.8")


@functools.cache
def scattered(random_seed, count, places):
    """Pairs whose second text has so many other words, no two of them within two words of each other."""
    rng = random.Random(random_seed)
    found = []
    for _ in range(count):
        words = draw(rng, 60).split(" ")
        other = list(words)
        for place in rng.sample(range(3, 57, 4), places):
            other[place] = rng.choice([word for word in WORDS if word != words[place]])
        found.append((" ".join(words), " ".join(other)))
    return found


def test_shingles_have_three_words_each(answer):
    rng = random.Random(seed(24))
    texts = [text for pair in scattered(seed(15), 40, places=8) for text in pair]
    last_two = [" ".join(rng.sample(WORDS, 2)) for _ in range(10)]
    texts += [f"{word} {words}" for words in last_two for word in ("first", "last")]
    kept = kept_of(answer, texts, 0.3)
    short = [texts[i] for i in range(80, 100) if i not in kept]
    expect.equal(short, [], what="dropped of 20 texts of three words, all different")
    found = 80 - sum(i < 80 for i in kept)
    expect_share(found, 40, "most or all", "near repeats found, similarity 0.41, threshold 0.3")


def test_a_text_that_is_like_a_dropped_one_only_is_kept(answer):
    rng = random.Random(seed(16))
    chains = []
    while len(chains) < 30:
        first = draw(rng, 60).split(" ")
        second = first[:50] + draw(rng, 10).split(" ")
        third = draw(rng, 10).split(" ") + second[10:]
        chain = [" ".join(words) for words in (first, second, third)]
        if jaccard(chain[0], chain[2]) < 0.495 and min(jaccard(chain[0], chain[1]), jaccard(chain[1], chain[2])) >= 0.7:
            chains.append(chain)
    texts = [chain[step] for step in range(3) for chain in chains]
    kept = kept_of(answer, texts, 0.5)
    firsts, seconds = sum(i < 30 for i in kept), sum(30 <= i < 60 for i in kept)
    expect.equal(firsts, 30, what="texts kept, of 30 that don't resemble any before them")
    expect.true(seconds <= 3, what="kept of 30 near repeats of kept texts", actual=seconds, expected="3 or fewer")
    lost = sum(i - 30 not in kept and i not in kept for i in range(60, 90))
    expect.equal(lost, 0, what="dropped, though like a dropped text only, of 30")


def test_short_and_empty_texts_are_texts_too(answer):
    texts = ["Yes", "", "No", "thank you", "Thank you very much"]
    texts += ["yes", " \n", "\u3000", "you thank", "Thank YOU", "no no", "?", "!", "🙂"]
    kept = kept_of(answer, texts)
    what = "kept of short texts; 1, 6 and 7 are empty, 5 and 9 repeats"
    expect.equal(kept, [0, 1, 2, 3, 4, 8, 10, 11, 12, 13], what=what, given={"texts": texts})


def test_words_stay_apart_in_a_shingle(answer):
    texts = ["no where near", "now here near", "any one thing", "anyone thing", "anyonething", "any onething"]
    kept = kept_of(answer, texts)
    what = "kept of six texts whose letters are equal without the spaces"
    expect.equal(kept, [0, 1, 2, 3, 4, 5], what=what, given={"texts": texts})


def test_the_last_of_many_texts_is_compared_too(answer):
    texts = [f"number {number}" for number in range(1050)]
    kept = kept_of(answer, [*texts, "Number  1049", "number 1050"])
    expect.equal(kept, [*range(1050), 1051], what="kept of 1,052 texts, of which number 1050 repeats the one before")


def test_one_text_is_kept(answer):
    for text in ("Only this one.", ""):
        expect.equal(kept_of(answer, [text]), [0], what=f"kept of the one text {text!r}")


def test_awkward_texts_are_texts_too(answer):
    repeats = {"STRASSE", BLANK}  # Of "Straße" and of the empty text.
    expected = [i for i, text in enumerate(AWKWARD) if text not in repeats]
    kept = kept_of(answer, [*AWKWARD, *AWKWARD])
    expect.equal(kept, expected, what="kept of awkward texts, each of which comes twice")


def test_long_texts_are_compared_to_their_ends(answer):
    rng = random.Random(seed(26))
    beginning, end = draw(rng, 300), draw(rng, 300)
    texts = [f"{beginning} {draw(rng, 300)}" for _ in range(3)] + [f"{draw(rng, 300)} {end}" for _ in range(3)]
    kept = kept_of(answer, texts)
    expect.note("lengths", [len(text) for text in texts])
    expect.equal(kept, list(range(6)), what="kept of 6 texts; 3 share their first 300 words, 3 their last 300")


def test_texts_of_36000_characters_are_compared_to_their_ends(answer):
    rng = random.Random(seed(34))
    letters = string.ascii_lowercase
    beginning, end, *others = (
        [rng.choice(WORDS) + "".join(rng.choices(letters, k=26)) for _ in range(800)] for _ in "abcd"
    )
    texts = [[*beginning, *other[:400]] for other in others] + [[*other[400:], *end] for other in others]
    kept = kept_of(answer, [" ".join(words) for words in texts])
    expect.equal(kept, [0, 1, 2, 3], what="kept of 4 texts; 2 share their first 24,000 characters, 2 their last")


def test_a_shingle_counts_once_however_often_it_stands_there(answer):
    rng = random.Random(seed(17))
    phrases = [" ".join(rng.sample(WORDS, 4)) for _ in range(20)]
    texts = [" ".join([phrase] * times) for times in (3, 9) for phrase in phrases]
    kept = kept_of(answer, texts)
    expect.equal([i for i in kept if i < 20], list(range(20)), what="kept of 20 phrases, each said 3 times")
    found = 40 - len(kept)
    expect.true(
        found >= 18, what="found of 20: the same phrases, each said 9 times", actual=found, expected="18 or more"
    )


def borderline_texts():
    """Pairs so near the threshold of 0.3 that an index misses some, and others for other hash functions."""
    return [text for pair in pairs(30, 0.3, 0.32, seed(18), 40) for text in pair]


def test_no_hash_or_draw_differs_from_call_to_call(answer):
    texts = borderline_texts()
    kept, own = {}, "hash" in vars(answer)
    for salt in ("a", "a again", "b"):
        if not own:  # hash() is Python's, which has another salt in each process.
            answer.hash = functools.partial(salted_hash, salt[0])
        kept[salt] = set(kept_of(answer, texts, 0.3))
    for salt, what in (("a again", "in one of two calls only"), ("b", "under one of two salts of hash() only")):
        differ = "none" if kept["a"] == kept[salt] else "some"
        expect.equal(differ, "none", what=f"texts kept {what}")


def salted_hash(salt, value):
    """What hash() gives in a process with this salt: for texts and bytes another number, for numbers the same."""
    if isinstance(value, tuple):
        value = repr([salted_hash(salt, part) for part in value])
    if isinstance(value, str | bytes):
        data = repr((salt, value)).encode()
        return int.from_bytes(blake2b(data, digest_size=8).digest(), "big", signed=True)
    return builtin_hash(value)


def test_the_global_generators_are_left_alone(answer):
    rng = random.Random(seed(19))
    texts = [draw(rng, 12).upper() for _ in range(5)]
    texts.append(texts[2] + "  ")
    drawn = []
    for state in (seed(22), seed(23)):
        random.seed(state)
        numpy.random.seed(state)
        kept_of(answer, texts, 0.7)
        drawn.append({"random": random.random(), "numpy.random": float(numpy.random.random())})
    seeded = [name for name in drawn[0] if drawn[0][name] == drawn[1][name]]
    expect.equal(seeded, [], what="global generators that the call has seeded")


def test_each_word_and_each_letter_counts(answer):
    texts = [
        "el año nuevo",
        "el ano nuevo",
        "the film is dull",
        "the film is slow",
        "a film is dull",
        "version 2",
        "version 3",
        "one soft\u00adhyphen",
        "one softhyphen",
    ]
    kept = kept_of(answer, texts)
    what = "kept of nine texts that differ in a letter or in a word"
    expect.equal(kept, list(range(9)), what=what, given={"texts": texts})


def test_each_candidate_is_compared(answer):
    rng = random.Random(seed(32))

    def beside_a_weaker_one(order):
        texts, repeats = [], []
        for _ in range(20):
            words = [f"{word}{rng.randrange(100)}" for word in draw(rng, 60).split(" ")]
            weaker = " ".join([*words[:52], *(f"{word}!" for word in words[52:])])
            texts += [weaker, " ".join(words)] if order == "before" else [" ".join(words), weaker]
            repeats.append(" ".join([*words[:59], "end"]))
        return texts + repeats

    kept = {order: kept_of(answer, beside_a_weaker_one(order)) for order in ("before", "after")}
    expect.note("too few found where the weaker one is", [order for order in kept if len(kept[order]) > 42])
    for order, indices in kept.items():
        expect.equal(sum(i < 40 for i in indices), 40, what="texts kept, of 40 with a similarity of at most 0.76")
        found = 60 - len(indices)
        what = f"near repeats found of 20; one text with a similarity of 0.76 is kept {order} the one repeated"
        if found < 18:  # How many fewer depends on the hash functions of the index.
            raise expect.CheckFailed(what, "18 or more", "fewer", f"{found} of 20")


def test_the_indices_are_those_of_the_texts_given(answer):
    texts = ["one text", "one text", "", "another text", " ", "another text", "the last of them"]
    what = "kept of seven texts; 1, 4 and 5 are repeats"
    expect.equal(kept_of(answer, texts), [0, 2, 3, 6], what=what, given={"texts": texts})


def test_a_small_threshold_is_one_too(answer):
    texts = ["one word", "two more words", "a sentence of five words", "", "ONE word", "nothing in common here", " "]
    for threshold in (0.05, 0.1, 0.15):
        kept = kept_of(answer, texts, threshold)
        given = {"texts": texts, "threshold": threshold}
        expect.equal(kept, [0, 1, 2, 3, 5], what="kept of seven texts; 4 and 6 are repeats", given=given)
    near = pairs(40, 0.32, 0.36, seed(33))
    found = 80 - len(kept_of(answer, [text for pair in near for text in pair], 0.2))
    expect_share(found, 40, "most or all", "near repeats found, similarity 0.32, threshold 0.2")


def test_a_list_without_texts_is_rejected(answer):
    expect.raises(ValueError, lambda: answer.deduplicate([]), what="a list of no texts")


def short_texts(count, random_seed, length):
    """Texts that have nothing in common, and a few copies."""
    rng = random.Random(random_seed)
    texts = [draw(rng, length) for _ in range(count)]
    for place in rng.sample(range(count // 2, count), count // 20):
        texts[place] = texts[rng.randrange(count // 2)]
    return texts


def test_four_times_the_texts_are_about_four_times_the_work(answer):
    ratio = growth(answer, lines_run, short_texts(240, seed(20), 6))
    expect.true(
        ratio < 8, what="lines of the answer run for 240 texts over those for 60", actual=ratio, expected="about 4"
    )


def growth(answer, measure, texts):
    """How much more is done for all of the texts than for the first quarter."""
    few, many = measure(answer, texts[: len(texts) // 4]), measure(answer, list(texts))
    return many / max(few, 1)


def lines_run(answer, texts):
    """How many lines of the answer's file are run: a measure of its work that no other load on the machine changes."""
    count = 0

    def on_line(frame, event, argument):
        nonlocal count
        count += 1
        return on_line

    def on_call(frame, event, argument):
        return on_line(frame, event, argument) if frame.f_code.co_filename == answer.__file__ else None

    previous = sys.gettrace()
    sys.settrace(on_call)
    try:
        answer.deduplicate(texts)
    finally:
        sys.settrace(previous)
    return count


def most_bytes(answer, texts):
    """The most memory that the call holds at a time: one line of NumPy may compare all pairs, in a table of them."""
    tracemalloc.start()
    try:
        answer.deduplicate(texts)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.trains
@pytest.mark.timeout(60)
def test_another_process_keeps_the_same_texts(answer, tmp_path):
    texts = borderline_texts()
    kept = kept_of(answer, texts, 0.3)
    source = "".join(linecache.getlines(answer.__file__))
    program = tmp_path / "program.py"
    program.write_text(f"{source}\n\nprint(list(map(int, deduplicate({texts!r}, 0.3))))\n", encoding="utf-8")
    another_salt = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = {**os.environ, "PYTHONHASHSEED": another_salt, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, encoding="utf-8")
    printed, said = ((stream.strip().splitlines() or [""])[-1] for stream in (done.stdout, done.stderr))
    expect.true(done.returncode == 0, what="how a separate process ends", actual=said, expected="without an error")
    expect.equal(printed, str(kept), what="the indices that another process keeps")


@pytest.mark.trains
@pytest.mark.timeout(120)
def test_four_times_the_texts_take_about_four_times_the_memory(answer):
    ratio = growth(answer, most_bytes, short_texts(600, seed(21), 6))
    expect.true(ratio < 8, what="memory for 600 texts over that for 150", actual=ratio, expected="about 4")
