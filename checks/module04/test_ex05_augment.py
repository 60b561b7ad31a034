"""4.05: texts with so few words to replace that all new texts can be listed by hand; n asks for more than there are.

So what comes out does not depend on how an answer draws.

Long: two functions, and 20 checks with the new texts that may come out.
"""

import copy
import itertools
import json
import linecache
import os
import random
import re
import subprocess
import sys
import tracemalloc

from tunelings import expect
from tunelings.handson.awkward.texts import NOT_BLANK
from tunelings.inputs import seed

ORDINARY = "film plot cast scene music ending script story screen camera".split()
OTHERS = "movie story-line actors moment score finale text tale picture lens take frame".split()


class Patient(random.Random):
    """Ends an answer that draws on and on."""

    left = 50_000

    def _count(self):
        self.left -= 1
        if self.left < 0:
            raise expect.CheckFailed("the numbers drawn from rng", "fewer than 50,000", 50_000)

    def random(self):
        self._count()
        return super().random()

    def getrandbits(self, k):
        self._count()
        return super().getrandbits(k)


def augmented(answer, one, rng, n, **options):
    """What `augment` returns; the record and the options are compared with copies made before the call."""
    before = copy.deepcopy((one, options))
    versions = answer.augment(one, rng, n, **options)
    expect.equal(one, before[0], what="the record after the call")
    expect.equal(options["synonyms"], before[1]["synonyms"], what="the synonyms after the call")
    return versions


def grown_splits(answer, splits, rng, n, **options):
    """What `augment_train_only` returns, if it is a dictionary and the splits are what they were."""
    before = copy.deepcopy((splits, options))
    grown = answer.augment_train_only(splits, rng, n, **options)
    sizes = [{name: len(rows) for name, rows in some.items()} for some in (splits, before[0])]
    expect.equal(sizes[0], sizes[1], what="the sizes of the splits given, after the call")
    for name, rows in before[0].items():
        for number, one in enumerate(rows):
            expect.equal(splits[name][number], one, what=f"the record {number} of {name} given, after the call")
    expect.equal(options["synonyms"], before[1]["synonyms"], what="the synonyms after the call")
    expect.equal(type(grown).__name__, "dict", what="the type of what is returned")
    return grown


def record(text, label=1, name="r7"):
    return {"id": name, "text": text, "label": label}


def drawn(count, offset):
    """Words with one synonym each, as a dictionary."""
    rng = random.Random(seed(offset))
    return {word: [other] for word, other in zip(rng.sample(ORDINARY, count), rng.sample(OTHERS, count), strict=True)}


def products(template, choices):
    """All texts but the first, where {} in the template stands for one of the choices."""
    return sorted([template.format(*words) for words in itertools.product(*choices)][1:])


def texts_of(versions):
    """The texts of what was returned; what is no list of records comes back as it is."""
    if not isinstance(versions, list) or not all(isinstance(one, dict) and "text" in one for one in versions):
        return versions
    return [one["text"] for one in versions]


def expect_texts(answer, text, rng, n, expected, what, **options):
    """All of these texts come out and no others, each once."""
    given = {"text": text, **options}
    texts = texts_of(augmented(answer, record(text), rng, n, **options))
    is_list = isinstance(texts, list) and all(isinstance(text, str) for text in texts)
    expect.true(
        is_list, what=f"the records for {what}", actual=texts, expected="a list of dicts with a text", given=given
    )
    expect.note("returned", len(texts))
    runs = [texts, *(texts_of(augmented(answer, record(text), Patient(seed(61) + i), n, **options)) for i in range(7))]
    for name, odd in (
        ("must not come out", [sorted(set(one) - set(expected)) for one in runs]),
        ("are missing", [sorted(set(expected) - set(one)) for one in runs]),
    ):
        if odd[0]:  # Which texts come out by luck differs from answer to answer, and tells nothing of a mistake.
            steady = odd[0] if all(one == odd[0] for one in odd) else "other ones with another generator"
            raise expect.CheckFailed(f"texts that {name} for {what}", [], odd[0], given=given, evidence=steady)
    expect.equal(len(texts), len(expected), what=f"how many texts came out for {what}", given=given)


def test_words_are_replaced_by_synonyms_and_the_rest_stays(answer):
    words = drawn(2, 1)
    (first, [other]), (second, [another]) = words.items()
    more = {**words, second: [another, "thing"]}
    template = "the {}  was long,\n“the {}” 🙂 (dull).\r\n"
    expected = products(template, [[first, other], [second, another, "thing"]])
    one, n = record(template.format(first, second)), 15
    runs = [texts_of(augmented(answer, one, Patient(seed(47) + i), n, synonyms=more)) for i in range(20)]
    expect_no_luck(runs, expected)
    expect_texts(answer, one["text"], Patient(seed(2)), n, expected, f"1 and 2 synonyms, n = {n}", synonyms=more)


def expect_no_luck(runs, expected):
    """Which texts come out does not depend on what is drawn, and none comes twice."""
    lists = [[str(text) for text in texts] for texts in runs if isinstance(texts, list)]
    twice = any(len(set(texts)) < len(texts) for texts in lists)
    expect.equal("some" if twice else "none", "none", what="runs of 20 in which a text comes out twice")
    found = [set(texts) & set(expected) for texts in lists] or [set()]
    by_luck = set.union(*found) - set.intersection(*found)
    expect.equal("some" if by_luck else "none", "none", what="texts that come out in some of 20 runs only, n = 15")


def test_words_are_looked_up_in_lower_case(answer):
    for key, other in (("straße", "strasse"), ("strasse", "straße")):  # Equal when case-folded, and two words here.
        text, expected = f"die {key} und die {other}", [f"die gasse und die {other}"]
        what = f"a synonym for {key}, beside {other}"
        expect_texts(answer, text, Patient(seed(51)), 9, expected, what, synonyms={key: ["gasse"]})
    chinese = {"电影": ["影片", "片子"], "一样": ["同样"]}  # 一 is a numeral, but no digit.
    expected = products("那 {} {} 长。", [["电影", *chinese["电影"]], ["一样", "同样"]])
    what = "a Chinese word with two synonyms and one with a numeral"
    expect_texts(answer, "那 电影 一样 长。", Patient(seed(54)), 9, expected, what, synonyms=chinese)
    signs = {"film-maker’s": ["director’s"], "last_one": ["ending"]}
    expected = products("the {} {}", [[word, *others] for word, others in signs.items()])
    what = "words with a hyphen, an apostrophe and an underscore"
    expect_texts(answer, "the film-maker’s last_one", Patient(seed(60)), 9, expected, what, synonyms=signs)


def test_a_negation_is_never_replaced(answer):
    cases = {
        "not": ("the {} was not good", "quite"),
        "isn’t": ("the {} isn’t good", "is"),
        "won't": ("the {} won't age", "will"),
        "never": ("the {} never ends", "always"),
        "Not, the first word": ("Not a good {}", "quite"),
        "without": ("a {} without wit", "with"),
    }
    for number, (name, (template, opposite)) in enumerate(cases.items()):
        words = drawn(1, 3 + number)
        ((word, others),) = words.items()
        negation = name.split(",")[0].lower()
        synonyms = {**words, negation: [opposite]}
        expected = products(template, [[word, *others]])
        text, what = template.format(word), f"a text with {name}"
        expect_texts(answer, text, Patient(seed(9)), 12, expected, what, synonyms=synonyms)
    synonyms = {"known": ["familiar"], "notes": ["tones"]}
    expected = products("the {} {}", [["known", "familiar"], ["notes", "tones"]])
    what = "two words that contain no and not"
    expect_texts(answer, "the known notes", Patient(seed(55)), 12, expected, what, synonyms=synonyms)


def test_numbers_names_and_protected_words_stay(answer):
    cases = {
        "the number 12": ("12 times the {} again", {"12": ["13"]}, ()),
        "the word 3d": ("the {} in 3d again", {"3d": ["color"]}, ()),
        "the word ３d, with a full-width digit": ("the {} in ３d again", {"３d": ["color"]}, ()),
        "the name Hope": ("the {} with Hope in it", {"hope": ["wish"]}, ()),
        "the name iPod": ("the {} on an iPod", {"ipod": ["player"]}, ()),
        "the name Élan": ("the {} of Élan again", {"élan": ["verve"]}, ()),
        "a second sentence": ("a {}. Dull to the end", {"dull": ["flat"]}, ()),
        "a second line": ("a {}\nDull to the end", {"dull": ["flat"]}, ()),
        "the protected word dull": ("a dull {} again", {"dull": ["flat"], "again": []}, ("dull", "sharp")),
        "Dull, the first word, protected": ("Dull {} again", {"dull": ["flat"]}, ("dull",)),
        "a negation beside a protected word": ("a dull {} is not it", {"dull": ["flat"], "not": ["quite"]}, ("dull",)),
        "a capital after a number": ("12 Dull again, one {}", {"dull": ["flat"]}, ()),
    }
    for number, (name, (template, also, protected)) in enumerate(cases.items()):
        words = drawn(1, 10 + number)
        ((word, others),) = words.items()
        expected = products(template, [[word, *others]])
        options = {"synonyms": {**words, **also}, "protected": frozenset(protected)}
        expect_texts(answer, template.format(word), Patient(seed(17)), 12, expected, f"a text with {name}", **options)
    options = {"synonyms": {"dullish": ["flat"]}, "protected": frozenset({"dull"})}
    what = "a word that contains a protected one"
    expect_texts(answer, "a dullish end", Patient(seed(56)), 12, ["a flat end"], what, **options)


def test_a_capital_at_the_start_is_no_name(answer):
    ((word, [other]),) = drawn(1, 18).items()
    capital = word.capitalize()
    rest = "after “Hope”, and no other"
    cases = {
        "a capital begins the first word": (f"{capital} {rest}", f"{other} {rest}"),
        "a quotation mark stands before the first word": (f"“{capital} {rest}", f"“{other} {rest}"),
        "the first word comes again, as a name": (f"{capital} and {capital}", f"{other} and {capital}"),
        "the first word is all capitals": (f"{word.upper()} {rest}", f"{other} {rest}"),
    }
    for name, (text, expected) in cases.items():
        synonyms = {word: [other], "hope": ["wish"]}
        found = texts_of(augmented(answer, record(text), Patient(seed(19)), 12, synonyms=synonyms))
        if isinstance(found, list):  # The synonym may be written with a capital or without.
            spellings = re.compile(f"{other}|{other.capitalize()}|{other.upper()}")
            found = sorted({spellings.sub(other, str(one), count=1) for one in found})
        given = {"text": text, "synonyms": synonyms}
        expect.equal(found, [expected], what=f"all texts, where {name}", given=given)


def test_there_are_n_different_texts_or_as_many_as_exist(answer):
    words = drawn(3, 20)
    names = list(words)
    synonyms = {names[0]: [*words[names[0]], "thing"], names[1]: words[names[1]], names[2]: words[names[2]]}
    one = record(" and ".join(names))  # 3 · 2 · 2 - 1 = 11 new texts.
    for n in (5, 11, 1, 0, 12):
        runs = [texts_of(augmented(answer, one, Patient(seed(21) + i), n, synonyms=synonyms)) for i in range(20)]
        expect.equal(sorted({type(texts).__name__ for texts in runs}), ["list"], what=f"the types, n = {n}")
        counts = sorted({len(set(texts) - {one["text"]}) for texts in runs})
        by_luck = "some" if len(counts) > 1 else "none"
        expect.equal(by_luck, "none", what=f"runs of 20 that give fewer new texts than others, n = {n} of 11")
        expect.note("returned", sorted({len(texts) for texts in runs}))
        what = f"how many new texts there are for n = {n}, of 11 that exist, in 20 runs"
        expect.equal(counts, [min(n, 11)], what=what)
    words = drawn(7, 48)
    one = record(" ".join(words))  # 2 ** 7 - 1 = 127 new texts; the last of them takes many draws.
    runs = [texts_of(augmented(answer, one, Patient(seed(49) + i), 127, synonyms=words)) for i in range(3)]
    counts = [len(set(texts) - {one["text"]}) for texts in runs]
    if min(counts) < 127:
        what = "which new texts come out for n = 127, of 127 that exist"
        raise expect.CheckFailed(what, "all of them", "some of them", f"in three runs {counts}")


def test_what_exists_is_not_listed_where_it_is_too_much(answer):
    words = {f"word{chr(97 + i // 26)}{chr(97 + i % 26)}": ["one", "two", "three"] for i in range(80)}
    some = record(" ".join(list(words)[:6]))  # 4 ** 6 = 4,096 texts, each of which takes about 80 bytes.
    tracemalloc.start()
    try:
        versions = augmented(answer, some, Patient(seed(41)), 3, synonyms=words)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    held = "room for some" if held < 150_000 else "room for all of them"
    expect.equal(held, "room for some", what="the memory that is taken for three of 4,095 texts")
    expect.equal(len(texts_of(versions)), 3, what="how many texts came out of 4,095, n = 3")
    versions = augmented(answer, record(" ".join(words)), Patient(seed(42)), 3, synonyms=words)
    expect.equal(len(texts_of(versions)), 3, what="how many texts came out for 80 words with 3 synonyms each, n = 3")


def test_no_text_comes_twice_and_none_is_the_original(answer):
    ((word, [other]), (second, [another])) = drawn(2, 22).items()
    cases = {
        "a synonym with capitals": ({word: ["TV", other]}, [[word, "TV", other], [second]]),
        "a word that is its own synonym": ({word: [word, other]}, [[word, other], [second]]),
        "a synonym that stands there twice": ({word: [other, other, "thing"]}, [[word, other, "thing"], [second]]),
        "a synonym that has one too": ({word: [other], other: ["thing"]}, [[word, other], [second]]),
        "two words with a synonym": ({word: [other], second: [another]}, [[word, other], [second, another]]),
        "the same word twice": ({word: [other]}, [[word, other], [word, other]]),
    }
    for name, (synonyms, choices) in cases.items():
        template = "the {} and the {}"
        text = template.format(*(options[0] for options in choices))
        expect_texts(answer, text, Patient(seed(23)), 15, products(template, choices), name, synonyms=synonyms)
    text, what = f"no{word}s and the {word}", "a word whose letters are part of one before it"
    expect_texts(answer, text, Patient(seed(50)), 15, [f"no{word}s and the {other}"], what, synonyms={word: [other]})


def test_where_nothing_can_be_replaced_nothing_comes_out(answer):
    cases = {
        "no synonyms": ("a dull film", {}),
        "an empty list of synonyms": ("a dull film", {"dull": []}),
        "only its own synonym": ("a dull film", {"dull": ["dull"]}),
        "a synonym that is part of a word": ("a dull filmstrip", {"film": ["movie"], "strip": ["band"]}),
        "a word with a hyphen": ("a film-maker slept", {"film": ["movie"], "maker": ["author"]}),
        "a word between underscores": ("a _film_ again", {"film": ["movie"]}),
        "a word with an apostrophe": ("the film’s end-credits", {"film": ["movie"], "s": ["z"], "end": ["last"]}),
        "a word with a straight apostrophe": ("the film's end", {"film": ["movie"], "s": ["z"]}),
        "no word at all": (" … 🙂\n", {"dull": ["flat"]}),
        "an empty text": ("", {"dull": ["flat"]}),
        "Greek and Chinese words without synonyms": ("η ταινία ήταν καλή 电影", {"dull": ["flat"]}),
    }
    for name, (text, synonyms) in cases.items():
        versions = augmented(answer, record(text), Patient(seed(24)), 6, synonyms=synonyms)
        given = {"text": text, "synonyms": synonyms}
        expect.equal(texts_of(versions), [], what=f"the texts for {name}", given=given)


def test_what_stands_between_words_stays_in_any_text(answer):
    ((word, [other]),) = drawn(1, 52).items()
    for text in (*NOT_BLANK, "{} of {0}, 100%: %s $x \\1"):  # The last has what templates replace.
        one = record(f"{text} {word}\n{text}")
        versions = augmented(answer, one, Patient(seed(53)), 3, synonyms={word: [other]})
        expected = [f"{text} {other}\n{text}"]
        expect.equal(texts_of(versions), expected, what="all texts with one word replaced", given={"text": one["text"]})


def test_each_new_record_says_where_it_comes_from(answer):
    words = drawn(2, 25)
    for label in (0, "negative", None):
        one = record(" or ".join(words), label=label, name="réf 12/b")
        versions = augmented(answer, one, Patient(seed(26)), 3, synonyms=words)
        for field, expected in (
            ("id", ["réf 12/b#aug0", "réf 12/b#aug1", "réf 12/b#aug2"]),
            ("source", ["réf 12/b"] * 3),
            ("label", [label] * 3),
            ("augmented", [True] * 3),
        ):
            found = [one.get(field, "missing") for one in versions] if texts_of(versions) is not versions else versions
            expect.equal(found, expected, what=f"the field {field} of three new records")
        marks = {type(one["augmented"]).__name__ for one in versions}
        expect.equal(sorted(marks), ["bool"], what="the types of the field augmented")


def test_rng_alone_decides_which_come_out(answer):
    words = drawn(10, 27)
    one = record(" ".join(words))
    runs = [texts_of(augmented(answer, one, Patient(seed(28)), 4, synonyms=words)) for _ in range(2)]
    expect.equal(runs[1], runs[0], what="the texts with an equal rng")
    others = [texts_of(augmented(answer, one, Patient(seed(29) + i), 4, synonyms=words)) for i in range(5)]
    different = len({repr(sorted(map(str, texts or []))) for texts in others})
    expect.true(different > 1, what="how many of five runs with other rngs differ", actual=different, expected=5)
    words = drawn(4, 45)  # 15 new texts, which can be listed. That 20 draws of two of them are equal: about 1e-38.
    one = record(" ".join(words))
    runs = [texts_of(augmented(answer, one, Patient(seed(46) + i), 2, synonyms=words)) for i in range(20)]
    different = len({repr(sorted(map(str, texts or []))) for texts in runs})
    expect.true(
        different > 1, what="how many of 20 runs differ, two of 15 texts each", actual=different, expected="2 or more"
    )


def test_the_global_random_state_is_left_alone(answer):
    words = drawn(4, 30)
    random.random()  # So that it is not where a fresh seed would put it.
    state = random.getstate()
    expected = random.random()
    random.setstate(state)
    augmented(answer, record(" ".join(words)), Patient(seed(31)), 3, synonyms=words)
    expect.equal(random.random(), expected, what="the next number of the global random")


# Runs the answer in a process of its own: records and synonyms come in, the texts go out.
ELSEWHERE = """
import json, random, sys, types
given = json.load(sys.stdin)
answer = types.ModuleType("answer")
sys.modules["answer"] = answer
exec(compile(given["source"], "answer", "exec"), answer.__dict__)
versions = answer.augment(given["record"], random.Random(given["seed"]), given["n"], synonyms=given["synonyms"])
json.dump([one["text"] for one in versions], sys.stdout)
"""


def test_another_process_makes_the_same_texts(answer):
    """The order of a set of texts differs from process to process."""
    words = {word: [other, *OTHERS[:3]] for word, (other,) in drawn(4, 43).items()}
    one, n = record(" ".join(words)), 12
    here = texts_of(augmented(answer, one, random.Random(seed(44)), n, synonyms=words))
    source = "".join(linecache.getlines(answer.__file__))
    given = {"source": source, "record": one, "seed": seed(44), "n": n, "synonyms": words}
    salt = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = {**os.environ, "PYTHONHASHSEED": salt, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], input=json.dumps(given), env=environment, capture_output=True, text=True
    )
    said = (done.stderr.strip().splitlines() or [""])[-1]
    expect.true(done.returncode == 0, what="how a separate process ends", actual=said, expected="without an error")
    differ = sum(one != other for one, other in zip(here, json.loads(done.stdout), strict=False))
    expect.equal("none" if not differ else "some", "none", what="which of 12 texts differ in another process")


def three_splits(offset):
    """Three records to train on, each with another label, and two other splits; all words have one synonym."""
    words = drawn(8, offset)
    texts = [" and ".join(pair) for pair in itertools.pairwise(words)]
    records = [
        record(text, label, f"r{number}") for number, (text, label) in enumerate(zip(texts, "abcadbc", strict=True))
    ]
    return words, {"train": records[:3], "test": records[4:2:-1], "train-dev": records[5:6], "later": []}


def test_only_train_grows_and_its_own_records_come_first(answer):
    words, splits = three_splits(34)
    grown = grown_splits(answer, splits, Patient(seed(35)), 2, synonyms=words)
    sizes = {name: len(grown[name]) if name in grown else None for name in splits}
    expect.equal(sizes, {"train": 9, "test": 2, "train-dev": 1, "later": 0}, what="the sizes of the splits, n = 2")
    first = [one.get("id") for one in grown["train"][:3]]
    expect.equal(first, ["r0", "r1", "r2"], what="the ids of the first three records of train")
    expect.equal(grown["train"][:3], splits["train"], what="the first three records of train, whole")
    for name in ("test", "train-dev", "later"):
        expect.equal(grown[name], splits[name], what=f"the split {name}")
    expect.equal(sorted(grown), sorted(splits), what="the names of the splits")


def test_each_new_record_of_train_has_the_label_of_its_source(answer):
    words, splits = three_splits(36)
    grown = grown_splits(answer, splits, Patient(seed(37)), 3, synonyms=words)
    found = sorted((str(one.get("source")), str(one.get("label"))) for one in grown["train"][3:])
    expected = [("r0", "a")] * 3 + [("r1", "b")] * 3 + [("r2", "c")] * 3
    expect.equal(found, expected, what="source and label of the new records of train, n = 3")
    ids = sorted(str(one.get("id")) for one in grown["train"][3:])
    wanted = [f"r{number}#aug{i}" for number in range(3) for i in range(3)]
    expect.equal(ids, wanted, what="the ids of the new records of train, n = 3")


def test_protected_words_stay_in_train_too(answer):
    splits = {"train": [record("a dull plot", 0, "r0")], "validation": [record("a sharp plot")]}
    synonyms = {"dull": ["flat"], "plot": ["story"], "sharp": ["keen"]}
    grown = grown_splits(answer, splits, Patient(seed(38)), 9, synonyms=synonyms, protected=frozenset({"dull"}))
    texts = texts_of(grown["train"])
    expect.equal(texts, ["a dull plot", "a dull story"], what="the texts of train, where dull is protected")


def test_each_record_of_train_gets_all_its_new_texts(answer):
    splits = {"train": [record("a dull plot", 0, "r0"), record("a flat plot", 0, "r1")], "test": []}
    synonyms = {"dull": ["flat", "slow"], "flat": ["dull", "slow"]}
    grown = grown_splits(answer, splits, Patient(seed(57)), 2, synonyms=synonyms)
    found = sorted(f"{one.get('source')}: {one['text']}" for one in grown["train"][2:])
    expected = ["r0: a flat plot", "r0: a slow plot", "r1: a dull plot", "r1: a slow plot"]
    expect.equal(found, expected, what="the new records of train, two of which have the text of another record")


def test_rng_decides_in_train_too(answer):
    words = drawn(10, 58)
    splits = {"train": [record(" ".join(words))]}

    def run(offset):
        grown = grown_splits(answer, splits, Patient(seed(59) + offset), 4, synonyms=words)
        return repr(texts_of(grown["train"]))

    runs = [run(i % 5) for i in range(10)]
    differ = "the same" if runs[:5] == runs[5:] else "others"
    expect.equal(differ, "the same", what="the new texts of train, with five equal generators")
    differ = "others" if len(set(runs)) > 1 else "the same"
    expect.equal(differ, "others", what="the new texts of train, with five other generators")


def test_train_without_records_stays_empty(answer):
    grown = grown_splits(answer, {"train": [], "test": [record("a film")]}, Patient(seed(39)), 2, synonyms={})
    expect.equal(grown["train"], [], what="train, where it had no records")
