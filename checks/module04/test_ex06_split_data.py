"""4.06: what is asserted holds for any hash; where chance decides, five standard deviations are allowed.

Long: 27 checks of splits by key, by group and by label.
"""

import copy
import itertools
import json
import linecache
import math
import os
import random
import subprocess
import sys
from collections import Counter

from tunelings import expect
from tunelings.expect import CheckFailed
from tunelings.handson.awkward import texts
from tunelings.inputs import seed

SPLITS = ("train", "validation", "test")


def divided(answer, what, records, key="id", **options):
    """The three lists; a ValueError in their place is a failure of its own, and so are records that have changed."""
    before = copy.deepcopy(records)
    try:
        result = answer.split(records, key, **options)
    except ValueError as error:
        expect.note("positions", spread_of(answer))
        raise CheckFailed(f"{what}: what is returned", "three lists of records", "ValueError", str(error)) from error
    finally:
        now, then = [one.get(key) for one in records], [one[key] for one in before]
        state = "as it was" if now == then else "in another order" if Counter(now) == Counter(then) else "of others"
        expect.equal(state, "as it was", what="the keys of the given list after the call")
        changed = [[one, old] for one, old in zip(records, before, strict=True) if one != old][:1]
        expect.equal(changed, [], what="a record after the call, and before it")
    is_whole = isinstance(result, dict) and sorted(map(str, result)) == sorted(SPLITS)
    names = list(result) if isinstance(result, dict) else type(result).__name__
    expect.true(is_whole, what=f"{what}: the names of the splits", actual=names, expected=list(SPLITS))
    are_records = all(
        isinstance(result[name], list) and all(isinstance(one, dict) and key in one for one in result[name])
        for name in SPLITS
    )
    kinds = [
        sorted({type(one).__name__ for one in result[name]} if isinstance(result[name], list) else ["no list"])
        for name in SPLITS
    ]
    expect.true(are_records, what=f"{what}: what the lists hold", actual=kinds, expected="records")
    return result


def spread_of(answer):
    """Whether the positions of units are apart from each other."""
    if "position" not in vars(answer):
        return "no function"
    try:
        positions = [float(answer.position(f"unit {number}", seed=0)) for number in range(100)]
    except Exception:
        return "an error"
    if min(positions) < 0:
        return "some below 0"
    return "one" if len(set(positions)) == 1 else "all nearly 0" if max(positions) < 1e-6 else "apart"


def drawn(count, offset):
    """Records with ids of several kinds, a label and a group that three records share on average."""
    rng = random.Random(seed(offset))
    numbers = rng.sample(range(10**6), count)
    ids = [(f"doc-{number}", f"κείμενο/{number}", f"{number}", number)[i % 4] for i, number in enumerate(numbers)]
    return [
        {"id": one, "author": f"a{rng.randrange(count // 3 + 1)}", "text": f"text {one}", "url": None} for one in ids
    ]


def labeled(sizes, offset):
    """So many records of each label, mixed."""
    labels = [label for label, count in sizes.items() for _ in range(count)]
    random.Random(seed(offset + 500)).shuffle(labels)
    return [{**one, "label": label} for one, label in zip(drawn(len(labels), offset), labels, strict=True)]


def ids(result):
    return {name: [one["id"] for one in result[name]] for name in SPLITS}


def how_many_differ(one, other):
    """In how many of the three splits two divisions have other records."""
    return sum(set(ids(one)[name]) != set(ids(other)[name]) for name in SPLITS)


def test_no_group_is_on_two_sides(answer):
    rng = random.Random(seed(1))
    authors = [0] * 150 + [7] * 150 + ["Ω"] * 150 + [f"a{i}" for i in range(300)] * 2
    rng.shuffle(authors)
    records = [{"id": i, "author": author} for i, author in zip(rng.sample(range(9999), 1050), authors, strict=True)]
    what = "1050 records in 303 groups"
    result = divided(answer, what, records, group="author")
    again, turned = (divided(answer, what, rows, group="author") for rows in (records, records[::-1]))
    expect.note("differ_in_a_second_call", how_many_differ(result, again))
    expect.note("differ_in_reversed_order", how_many_differ(result, turned))
    sides = [sum(any(one["author"] == author for one in result[name]) for name in SPLITS) for author in (0, 7, "Ω")]
    expect.equal(sides, [1, 1, 1], what="in how many splits each of three groups of 150 records is")
    found = {name: {one["author"] for one in result[name]} for name in SPLITS}
    twice = (found["train"] & found["validation"]) | (found["train"] | found["validation"]) & found["test"]
    expect.equal(len(twice), 0, what="how many groups of 303 are in more than one split")


def test_every_record_is_in_one_split_and_in_its_old_order(answer):
    records = labeled({"good": 43, "bad": 80}, 2)
    for options in ({"stratify": "label"}, {}):
        name = "stratified" if options else "not stratified"
        what = f"123 records, {name}"
        result = divided(answer, what, records, fractions=(0.5, 0.25, 0.25), seed=5, **options)
        placed = [one["id"] for split in SPLITS for one in result[split]]
        times = [placed.count(one["id"]) for one in records]
        counts = [times.count(0), times.count(1), 123 - times.count(0) - times.count(1)]
        expect.equal(counts, [0, 123, 0], what=f"{what}: how many are in none, in one, in two splits")
        order = {one["id"]: i for i, one in enumerate(records)}
        sorted_lists = sum(result[split] == sorted(result[split], key=lambda one: order[one["id"]]) for split in SPLITS)
        expect.equal(sorted_lists, 3, what=f"{what}: how many splits are in the order of the input")
        whole = sorted((one for split in SPLITS for one in result[split]), key=lambda one: order[one["id"]])
        expect.equal(whole, records, what=f"{what}: the records, whole")


def expect_sizes(result, fractions, what):
    """The sizes are the fractions, within five standard deviations; in tenths they are the same for any hash."""
    sizes = [len(result[name]) for name in SPLITS]
    total = sum(sizes)
    allowed = [5 * math.sqrt(total * f * (1 - f)) for f in fractions]
    fits = all(abs(n - total * f) <= a for n, f, a in zip(sizes, fractions, allowed, strict=True))
    tenths = [round(10 * n / total) / 10 for n in sizes]
    expect.true(fits, what=f"{what}: the shares, in tenths", actual=tenths, expected=list(fractions))


def test_the_sizes_are_the_fractions(answer):
    records = drawn(2000, 3)
    for fractions in ((0.6, 0.3, 0.1), (0.8, 0.1, 0.1), (0.2, 0.0, 0.8), (0.0, 1.0, 0.0)):
        options = {} if fractions == (0.8, 0.1, 0.1) else {"fractions": list(fractions)}
        what = f"2000 records, fractions {fractions}"
        expect_sizes(divided(answer, what, records, **options), fractions, what)


def test_every_label_is_divided_on_its_own(answer):
    records = labeled({f"label {i}": 2 for i in range(400)}, 28)
    result = divided(answer, "400 labels", records, stratify="label", fractions=(0.5, 0.5, 0.0))
    labels = [{one["label"] for one in result[name]} for name in SPLITS]
    share = round(10 * len(labels[0] & labels[1]) / 400) / 10  # By chance it is about a half of them.
    what = "400 labels of two records, fractions (0.5, 0.5, 0): the share of labels in both, in tenths"
    expect.equal(share, 1.0, what=what)


def test_the_fields_may_have_any_name(answer):
    rng = random.Random(seed(24))
    records = [
        {
            "id": 1,
            "author": "x",
            "label": "y",
            "path": path,
            "owner": rng.choice(["", "Ω", 0, 3, "n", 8]),
            "kind": i % 2,
        }
        for i, path in enumerate(rng.sample(range(10_000), 400))
    ]
    fractions = (0.5, 0.3, 0.2)
    result = divided(answer, "400 records with the key path", records, "path", fractions=fractions)
    expect_sizes(result, fractions, "400 records with the key path")
    result = divided(answer, "400 records, by kind", records, "path", fractions=fractions, stratify="kind")
    counts = [[sum(one["kind"] == kind for one in result[name]) for name in SPLITS] for kind in (0, 1)]
    expect.equal(counts, [[100, 60, 40]] * 2, what="how the kinds 0 and 1, 200 of each, are divided by (0.5, 0.3, 0.2)")
    result = divided(answer, "400 records, by owner", records, "path", fractions=(1.0, 0.0, 0.0), group="owner")
    expect.equal(len(result["train"]), 400, what="how many of 400 records of six owners are in train, fraction 1")


def test_keys_that_are_alike_are_spread_all_the_same(answer):
    words, names = (
        ["".join(letters) for letters in itertools.permutations(seven)] for seven in ("abcdefg", "春夏秋冬東西南")
    )
    alike = {
        "the same seven letters in other orders": random.Random(seed(21)).sample(words, 2000),
        "Chinese characters in other orders": random.Random(seed(31)).sample(names, 2000),
        "numbers that end in 0": [10 * i for i in random.Random(seed(22)).sample(range(10_000), 2000)],
    }
    for name, keys in alike.items():
        records = [{"id": one} for one in keys]
        what = f"keys are {name}"
        result = divided(answer, what, records, fractions=(0.5, 0.3, 0.2))
        fullest = max(len(result[name]) for name in SPLITS)
        most = f"{what}: how many of 2000 records the fullest split has"
        expect.true(fullest < 2000, what=most, actual=fullest, expected="about 1000")
        expect_sizes(result, (0.5, 0.3, 0.2), what)


def test_the_same_call_gives_the_same_splits_again(answer):
    records = labeled({"good": 150, "bad": 150}, 4)
    for options in ({}, {"group": "author"}, {"stratify": "label"}):
        what = f"300 records, {options or 'no group'}"
        runs = [divided(answer, what, records, fractions=(0.5, 0.3, 0.2), **options) for _ in range(2)]
        expect.equal(how_many_differ(*runs), 0, what=f"{what}: how many splits differ in a second call")


def test_the_order_of_the_records_decides_nothing(answer):
    records = labeled({"good": 150, "bad": 90, "neither": 60}, 5)
    orders = {
        "reversed": records[::-1],
        "shuffled": random.Random(seed(6)).sample(records, len(records)),
        "sorted by label": sorted(records, key=lambda one: one["label"]),
    }
    for options in ({}, {"group": "author"}, {"stratify": "label"}):
        what = f"300 records, {options or 'no group'}"
        before = divided(answer, what, records, fractions=(0.5, 0.3, 0.2), **options)
        for name, again in orders.items():
            after = divided(answer, what, again, fractions=(0.5, 0.3, 0.2), **options)
            expect.equal(how_many_differ(before, after), 0, what=f"{what}: how many splits differ, {name}")


def test_a_position_is_from_0_up_to_1_and_its_units_own(answer):
    if "position" not in vars(answer):  # Whoever places the units in another way does not need it.
        return
    units = [unit for number in range(500) for unit in (f"doc-{number}", f"Doc-{number}")]
    positions = [answer.position(unit, seed=3) for unit in units]
    expect.kind(positions, list, of=float, what="the positions")
    outside = [one for one in positions if not 0 <= one < 1]
    if outside:  # Which units these are depends on the hash; how large they get doesn't.
        what, reach = "a position that is not from 0 up to 1", [f"{max(map(abs, outside)):.0e}", min(outside) < 0]
        raise CheckFailed(what, [], outside[:1], evidence=reach)
    share = round(10 * sum(one < 0.3 for one in positions) / 1000) / 10
    expect.equal(share, 0.3, what="the share of 1,000 positions under 0.3, in tenths")
    # As good as random: so many numbers of 32 bits are all different, and of 16 bits about 992 are.
    different = len(set(positions))
    if different <= 950:
        what = "how many different positions 1,000 units have"
        raise CheckFailed(what, "over 950", different, evidence=[step_of(positions), different == 500])
    again = [answer.position(unit, seed=3) for unit in units]
    expect.equal(again == positions, True, what="whether a second call gives the same positions")


def step_of(positions):
    """The number of positions there are, where these lie on a grid of that many; else 0."""
    grids = (100, 256, 1000, 4096, 10_000)
    return next((n for n in grids if all(abs(n * one - round(n * one)) < 1e-9 for one in positions)), 0)


def test_appended_records_move_nobody(answer):
    records = drawn(600, 7)
    for options in ({}, {"group": "author"}):
        what = f"300 of 600 records, {options or 'no group'}"
        before = ids(divided(answer, what, records[:300], fractions=(0.5, 0.3, 0.2), seed=3, **options))
        after = ids(divided(answer, what, records, fractions=(0.5, 0.3, 0.2), seed=3, **options))
        moved = sum(len(set(before[name]) - set(after[name])) for name in SPLITS)
        expect.equal(moved, 0, what=f"{what}: how many move when 300 are appended")


def test_a_record_that_is_corrected_stays_where_it_is(answer):
    records = labeled({"good": 150, "bad": 150}, 33)
    corrected = [{**one, "text": f"{one['text']}, corrected", "label": f"very {one['label']}"} for one in records]
    for options in ({}, {"group": "author"}, {"stratify": "label"}):
        what = f"300 records, {options or 'no group'}"
        before, after = (
            ids(divided(answer, what, rows, fractions=(0.5, 0.3, 0.2), **options)) for rows in (records, corrected)
        )
        moved = sum(len(set(before[name]) - set(after[name])) for name in SPLITS)
        expect.equal(moved, 0, what=f"{what}: how many move when their texts and the labels' names are corrected")


def test_each_label_is_divided_by_the_fractions(answer):
    sizes = {"fine": 101, "poor": 43, "odd": 37, "late": 20, "rare": 3}
    records = labeled(sizes, 8)
    fractions = (0.6, 0.25, 0.15)
    result = divided(answer, "204 records, stratified", records, stratify="label", fractions=fractions, seed=2)
    expected = {"fine": [61, 25, 15], "poor": [26, 11, 6], "odd": [22, 9, 6], "late": [12, 5, 3], "rare": [2, 1, 0]}
    for label, size in sizes.items():
        counts = [sum(one["label"] == label for one in result[name]) for name in SPLITS]
        fits = all(abs(n - f * size) <= 1 + 1e-9 for n, f in zip(counts, fractions, strict=True))
        what = f"how the {size} records of a label are divided by (0.6, 0.25, 0.15)"
        expect.true(fits, what=what, actual=counts, expected=expected[label])


def test_two_seeds_have_nothing_to_do_with_each_other(answer):
    records = drawn(2000, 25)
    for one, other in ((0, 1), (1, 2), (7, 1007)):
        what = f"2000 records, seeds {one} and {other}"
        tests = [
            {r["id"] for r in divided(answer, what, records, fractions=(0.4, 0.2, 0.4), seed=s)["test"]}
            for s in (one, other)
        ]
        both = len(tests[0] & tests[1])
        allowed = 5 * math.sqrt(2000 * 0.16 * 0.84)
        expect.true(
            abs(both - 320) <= allowed,
            what=f"{what}: the share that is in the test of both",
            actual="more than by chance" if both > 320 else "less than by chance",
            expected="0.16, which is 0.4 times 0.4",
        )


def test_a_label_is_divided_whatever_others_there_are(answer):
    records = labeled({"good": 60, "bad": 47}, 26)
    good = [one for one in records if one["label"] == "good"]
    both, alone = (
        divided(answer, f"{len(some)} records, stratified", some, stratify="label", fractions=(0.5, 0.3, 0.2))
        for some in (records, good)
    )
    moved = sum(len({one["id"] for one in alone[n]} - {one["id"] for one in both[n]}) for n in SPLITS)
    expect.equal(moved, 0, what="how many of 60 records move when those of another label are left out")
    records = [{**one, "label": one["label"] if one["label"] == "good" else 1} for one in records]
    records = [{**one, "label": "1"} if one["label"] == "good" else one for one in records]
    what, fractions = "107 records, stratified by the labels 1 and '1'", (0.5, 0.3, 0.2)
    result = divided(answer, what, records, stratify="label", fractions=fractions)
    sizes = [sum(one["label"] == "1" for one in result[name]) for name in SPLITS]
    if sizes != [30, 18, 12]:  # Which of the records are in which split depends on the hash; the sizes of all don't.
        of_one = f"how many of the 60 with the label '1' are in each split of {what}"
        raise CheckFailed(of_one, [30, 18, 12], sizes, evidence=[len(result[name]) for name in SPLITS])


def test_another_seed_gives_another_division(answer):
    records = labeled({"good": 150, "bad": 150}, 9)
    for options in ({}, {"group": "author"}, {"stratify": "label"}):
        what = f"300 records, {options or 'no group'}"
        runs = [divided(answer, what, records, fractions=(0.5, 0.3, 0.2), seed=s, **options) for s in (0, 1, 41)]
        differ = [how_many_differ(runs[0], runs[1]), how_many_differ(runs[0], runs[2])]
        expect.true(
            min(differ) > 0, what=f"{what}: how many splits differ, seeds 1 and 41", actual=differ, expected=[3, 3]
        )


def test_the_seed_may_be_any_whole_number(answer):
    records, found = drawn(60, 32), []
    for seeds in ((1, -1), (2, 258), (3, 3 + 2**32), (4, 4 + 2**64)):
        try:
            runs = [answer.split(records, "id", fractions=(0.5, 0.3, 0.2), seed=one) for one in seeds]
            found.append("as one" if how_many_differ(*runs) == 0 else "apart")
        except Exception as error:
            found.append("an error" if isinstance(error, ArithmeticError | ValueError) else type(error).__name__)
    what = "how 60 records are divided by the seeds 1 and -1, 2 and 258, 3 and 3 + 2**32, 4 and 4 + 2**64"
    expect.equal(found, ["apart"] * 4, what=what)


# Runs the answer in a process of its own: text, records and calls come in, the ids of each split go out.
ELSEWHERE = """
import json, sys, types
given = json.load(sys.stdin)
answer = sys.modules["answer"] = types.ModuleType("answer")
exec(compile(given["text"], "answer.py", "exec"), answer.__dict__)
position = vars(answer).get("position", lambda unit, seed: 0.0)
print(json.dumps([position(one["id"], seed=0) for one in given["records"]]))
for options in given["calls"]:
    result = answer.split(given["records"], "id", fractions=(0.5, 0.3, 0.2), **options)
    print(json.dumps({name: [one["id"] for one in result[name]] for name in result}))
"""


def in_another_process(answer, records, calls):
    """The ids of each split for each call, in a process that salts `hash` in another way."""
    salt = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    text = "".join(linecache.getlines(answer.__file__))
    given = json.dumps({"text": text, "records": records, "calls": calls})
    for quick in (["-S"], []):  # Without -S, too, for an answer that imports more than the standard library.
        ended = subprocess.run(
            [sys.executable, *quick, "-c", ELSEWHERE],
            input=given,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONHASHSEED": salt, "PYTHONIOENCODING": "utf-8"},
        )
        if "ModuleNotFoundError" not in ended.stderr:
            break
    last = ended.stderr.strip().splitlines()[-1:]
    expect.equal([ended.returncode, *last], [0], what="how the answer ends in another process")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_another_process_gives_the_same_splits(answer):
    records = labeled({"good": 60, "bad": 60}, 10)
    calls = [{}, {"group": "author"}, {"stratify": "label"}]
    here = [
        ids(divided(answer, f"120 records, {options or 'no group'}", records, fractions=(0.5, 0.3, 0.2), **options))
        for options in calls
    ]
    positions, *there = in_another_process(answer, records, calls)
    differ = [sum(set(one[n]) != set(other.get(n, [])) for n in SPLITS) for one, other in zip(here, there, strict=True)]
    expect.note("splits_differ", [count > 0 for count in differ])
    if "position" in vars(answer):
        moved = sum(answer.position(one["id"], seed=0) != other for one, other in zip(records, positions, strict=True))
        expect.equal(moved, 0, what="how many of 120 positions differ elsewhere")
    for options, count in zip(calls, differ, strict=True):
        expect.equal(count, 0, what=f"120 records, {options or 'no group'}: how many splits differ elsewhere")


def sizes_or_error(answer, records, **options):
    """The sizes of the three splits, or the ValueError that came instead, by name."""
    before = copy.deepcopy(records)
    try:
        result = answer.split(records, "id", **options)
    except ValueError:
        return "ValueError"
    finally:
        expect.equal(records == before, True, what="whether the records are what they were")
    return [len(result.get(name, [])) for name in SPLITS] if isinstance(result, dict) else result


def placed_or_error(answer, records, **options):
    """How many records came out in all, which is the same for any hash, or the ValueError."""
    sizes = sizes_or_error(answer, records, **options)
    return sum(sizes) if isinstance(sizes, list) else sizes


def test_a_split_that_would_be_empty_is_an_error(answer):
    almost, twenty = 1 - 1e-9, drawn(20, 11)
    author = [{**one, "author": "Sappho"} for one in drawn(50, 12)]
    cases = {  # Which split gets nothing, for any hash.
        "test": (twenty, {"fractions": (almost, 0.0, 1e-9)}),
        "train": (labeled({"rare": 1}, 23), {"fractions": (0.3, 0.7, 0.0), "stratify": "label"}),
        "validation": (author, {"fractions": (almost, 1e-9, 0.0), "group": "author"}),
    }
    tiny = [
        placed_or_error(answer, labeled({"a": 2, "b": 2}, 13), stratify="label"),
        placed_or_error(answer, drawn(1, 14)),
        placed_or_error(answer, []),
        placed_or_error(answer, author, fractions=(0.5, 0.5, 0.0), group="author"),
    ]
    expect.note("tiny", tiny)
    found = [sizes_or_error(answer, records, **options) for records, options in cases.values()]
    what = "the sizes where nothing is left for test, train, validation"
    expect.equal(found, ["ValueError"] * 3, what=what)
    what = "how many are placed of 2 and 2 of two labels, of 1, of none, of 50 of one group and two splits"
    expect.equal(tiny, ["ValueError"] * 4, what=what)
    for name, (records, options) in cases.items():
        call = lambda records=records, options=options: answer.split(records, "id", **options)  # noqa: E731
        expect.raises(ValueError, call, what=f"a call that leaves nothing for {name}", mentions=[name])
    call = lambda: answer.split([], "id", fractions=(0, 0, 1))  # noqa: E731
    expect.raises(ValueError, call, what="a call without any records, all for the test", mentions=["test"])


def test_a_split_with_the_fraction_0_may_be_empty(answer):
    result = divided(answer, "1 record, all for the test", drawn(1, 15), fractions=(0, 0, 1))
    expect.equal([len(result[name]) for name in SPLITS], [0, 0, 1], what="the sizes for the fractions (0, 0, 1)")
    records = labeled({"good": 10, "bad": 20}, 16)
    result = divided(answer, "30 records, none for the test", records, stratify="label", fractions=(0.7, 0.3, 0.0))
    sizes = [len(result[name]) for name in SPLITS]
    expect.equal(sizes, [21, 9, 0], what="the sizes for the fractions (0.7, 0.3, 0.0), stratified")


def test_fractions_add_up_to_1_up_to_rounding(answer):
    records = drawn(300, 17)
    rounded = (0.7, 0.2, 0.1)  # Their sum as floats is 0.9999999999999999.
    result = divided(answer, f"fractions {rounded}", records, fractions=rounded)
    expect.equal(sum(len(result[name]) for name in SPLITS), 300, what=f"how many of 300 are placed by {rounded}")
    wrong = ((0.7, 0.2, 0.2), (0.7, 0.1, 0.1), (80, 10, 10))
    found = [placed_or_error(answer, records, fractions=fractions) for fractions in wrong]
    what = "how many of 300 are placed by fractions that add up to 1.1, 0.9, 100"
    expect.equal(found, ["ValueError"] * 3, what=what)
    nearly = ((0.8, 0.1, 0.104), (0.8, 0.1, 0.096), (0.3333, 0.3333, 0.3333))
    found = [placed_or_error(answer, records, fractions=fractions) for fractions in nearly]
    what = "how many of 300 are placed by fractions that add up to 1.004, 0.996, 0.9999"
    expect.equal(found, ["ValueError"] * 3, what=what)


def test_a_key_that_comes_twice_is_an_error(answer):
    records = drawn(200, 18)
    repeated = records[31]["id"]
    again = [{**records[31], "text": "new"}, dict(records[31])]
    found = [placed_or_error(answer, [*records, extra]) for extra in again]
    what = "how many of 201 are placed where one comes again, changed or not"
    expect.equal(found, ["ValueError"] * 2, what=what)
    call = lambda: answer.split([*records, again[0]], "id")  # noqa: E731
    expect.raises(ValueError, call, what="a call in which one key comes twice", mentions=[repeated])
    rows = labeled({"good": 60, "bad": 60}, 27)
    rows.append({**rows[5], "label": "other", "author": "another"})
    found = [placed_or_error(answer, rows, **options) for options in ({"group": "author"}, {"stratify": "label"})]
    what = "how many of 121 are placed by group and by label, where two share a key"
    expect.equal(found, ["ValueError"] * 2, what=what)


def test_group_and_stratify_exclude_each_other(answer):
    records = labeled({"good": 200, "bad": 200}, 19)
    found = placed_or_error(answer, records, group="author", stratify="label")
    expect.equal(found, "ValueError", what="how many of 400 are placed with both group and stratify")


def test_a_number_and_a_text_that_look_alike_are_two_keys(answer):
    keys = [one for number in range(200) for one in (number, str(number))] + [*texts.AWKWARD]
    what = "keys 0 to 199, as numbers and as texts, and awkward texts"
    result = divided(answer, what, [{"id": one} for one in keys], fractions=(0.5, 0.3, 0.2))
    placed = sum(len(result[name]) for name in SPLITS)
    expect.equal(placed, len(keys), what=f"how many of these {len(keys)} records are placed")


def test_keys_that_differ_in_blanks_or_capitals_are_placed_apart(answer):
    for name, pairs in (
        ("blanks", [(f"doc-{n}", f" doc-{n}") for n in range(200)]),
        ("capitals", [(f"doc-{n}", f"Doc-{n}") for n in range(200)]),
        ("the spelling of an accent", [(f"caf\u00e9-{n}", f"cafe\u0301-{n}") for n in range(200)]),
        ("a sign", [(n, -n) for n in range(1, 201)]),
        ("a half", [(n, n + 0.5) for n in range(200)]),
        ("a ligature", [(f"\ufb01le-{n}", f"file-{n}") for n in range(200)]),
    ):
        records = [{"id": one} for pair in pairs for one in pair]
        what = f"200 pairs of keys that differ in {name}"
        result = ids(divided(answer, what, records, fractions=(0.5, 0.3, 0.2)))
        side = {one: split for split in SPLITS for one in result[split]}
        together = sum(side[one] == side[other] for one, other in pairs)  # By chance 76; all or none: under 1e-40.
        found = {0: "none", 200: "all"}.get(together, "some")
        expect.equal(found, "some", what=f"{what}: how many pairs are in one split")


def test_a_small_fraction_gets_its_share(answer):
    records = [{"id": 10_000 * seed(29) + number} for number in range(8000)]
    fractions = (0.501, 0.002, 0.497)  # None of the 256 positions that one byte has is in the second part.
    what = f"8000 records, fractions {fractions}"
    result = divided(answer, what, records, fractions=fractions)
    expect_sizes(result, fractions, what)


def test_labels_of_few_records_are_divided_too(answer):
    sizes = {"three": 3, "five": 5, "seven": 7, "one": 1}
    fractions = (0.0, 0.5, 0.5)
    what = "labels of 1, 3, 5 and 7 records, stratified"
    result = divided(answer, what, labeled(sizes, 30), stratify="label", fractions=fractions)
    for label, size in sizes.items():
        counts = [sum(one["label"] == label for one in result[name]) for name in SPLITS]
        fits = all(abs(n - f * size) <= 1 for n, f in zip(counts, fractions, strict=True))
        expected = [0, size / 2, size / 2]
        expect.true(fits, what=f"how {size} records are divided by (0, 0.5, 0.5)", actual=counts, expected=expected)
    placed = sum(len(result[name]) for name in SPLITS)
    expect.equal(placed, 16, what=f"how many of 16 records are placed, {what}")


def test_with_labels_the_keys_are_ranked_whatever_they_look_like(answer):
    keys = {
        "numbers": [*range(1000, 1600)],
        "short texts": [f"d{number}" for number in range(1000, 1600)],
        "long texts": [f"collection/document/{number}" for number in range(1000, 1600)],
    }
    records = [{"id": one, "label": "good"} for kind in keys.values() for one in kind]
    what = "1800 records of one label, fractions (0.5, 0, 0.5)"
    result = divided(answer, what, records, stratify="label", fractions=(0.5, 0.0, 0.5))
    train = set(ids(result)["train"])
    for kind, some in keys.items():
        share = len(train & set(some)) / 600
        expect.true(
            abs(share - 0.5) <= 5 * math.sqrt(0.25 / 600),
            what=f"{what}: the share of the {kind} that is in train, in tenths",
            actual=round(10 * share) / 10,
            expected=0.5,
        )
