"""4.09: texts of words that occur once each, with planted runs, so that what must be found is known.

Long: 22 checks, one promise each, and the texts with planted runs.
"""

import math
import random
import sys

from tunelings import expect
from tunelings.handson.awkward import texts
from tunelings.inputs import seed

# Each made-up word has two or three of these; some have letters beyond ASCII.
SYLLABLES = ["ba", "ke", "mi", "lo", "tu", "né", "sä", "rö", "vi", "po", "да", "λα", "ñu", "zha", "gri", "fo"]


def words(count, offset):
    """`count` different words in lower case; those of different offsets below 100 have none in common."""
    drawn = random.Random(seed(offset))
    found = {}
    while len(found) < count:
        found["".join(drawn.choices(SYLLABLES, k=3)) + digits(offset)] = None
    return list(found)


def digits(offset):
    return "abcdefghij"[offset // 10] + "abcdefghij"[offset % 10]


def text(*parts):
    """One text of words and lists of words."""
    flat = [word for part in parts for word in ([part] if isinstance(part, str) else part)]
    return " ".join(flat)


def found_in(answer, train, test, *, what, **options):
    """What is returned, after a look at whether the texts were changed and whether it is a list of ints."""
    before = [list(train), list(test)]
    found = answer.contaminated(train, test, **options)
    expect.equal([train, test], before, what=f"the texts after the call, {what}")
    return found


def compare(answer, train, test, expected, *, what, **options):
    found = found_in(answer, train, test, what=what, **options)
    expect.equal(found, expected, what=what, exact_types=True)


def test_n_words_in_a_row_are_needed_and_enough(answer):
    a, b, c = words(9, 1), words(8, 2), words(9, 3)
    other = words(40, 4)
    train = [text(other[:3], a), text(b), text(c, other[3:6])]
    test = [
        text(other[10:14]),
        text(other[10:12], a[2:7], other[12:14]),
        text(other[14:16], b[2:6], other[16:18]),
        text(other[18], c[1:7]),
        text(other[20:22], c[3:6], "oder", c[7:9], other[22]),
        text(a[6], a[5], a[4], a[3], a[2], a[1]),
        text(other[24:26], b[1:3], a[1:4], other[26]),
        text(b[:5], other[28:30]),
        text(b),
        text(c[2:8]),
    ]
    expect.note("longest", [max(in_a_row(one.split(), other.split()) for other in train) for one in test])
    two = [text(other[:5], a[:1], other[10:15]), text(other[20:26], words(20, 43))]
    expect.note(
        "two_runs_of_n", answer.contaminated([text(other[:5]), text(other[10:15]), text(other[20:26])], two, n=5)
    )
    compare(
        answer, train, test, [1, 3, 7, 8, 9], n=5, what="n = 5; texts 1, 3, 7, 8 and 9 share 5 words or more in a row"
    )
    compare(answer, train, test, [1, 2, 3, 7, 8, 9], n=4, what="the same, n = 4; text 2 shares 4 words in a row")
    compare(
        answer, train, test, [3, 8, 9], n=6, what="the same, n = 6; texts 3, 8 and 9 share 6 words or more in a row"
    )


def in_a_row(one, other):
    """How many words in a row two texts have in common, at most."""
    longest = 0
    for i in range(len(one)):
        for j in range(len(other)):
            length = 0
            while one[i + length : i + length + 1] == other[j + length : j + length + 1] != []:
                length += 1
            longest = max(longest, length)
    return longest


def test_the_default_is_thirteen_words(answer):
    a, other = words(20, 5), words(30, 6)
    train = [text(a)]
    test = [text(other[:4], a[3:15], other[4:8]), text(other[8:12], a[4:17], other[12:16]), text(a)]
    compare(answer, train, test, [1, 2], what="n left out; the test texts share 12, 13 and 20 words in a row")


def test_a_run_may_stand_at_the_beginning_or_the_end(answer):
    a, b, other = words(8, 7), words(8, 8), words(30, 9)
    train = [text(a), text(b)]
    test = [
        text(a[:5], other[:3]),
        text(other[3:6], a[3:8]),
        text(other[6:9], b[:5]),
        text(b[3:8], other[9:12]),
        text(other[12:15], a[4:8]),
        text(b[:4], other[15:18]),
        text(other[18:21], b[5:8], other[21:24]),
    ]
    compare(
        answer,
        train,
        test,
        [0, 1, 2, 3],
        n=5,
        what="n = 5; texts 0 to 3 share the first or last 5 words of a text, 4 and 5 share 4",
    )


def test_a_run_does_not_go_on_from_one_training_text_to_the_next(answer):
    a, b, other = words(7, 10), words(7, 11), words(20, 12)
    train = [text(a), text(b)]
    test = [text(other[:3], a[4:7], b[:3]), text(other[3:5], b[4:7], a[:3]), text(other[5], a[1:6])]
    compare(answer, train, test, [2], n=5, what="n = 5; 3 words end one training text and 3 begin the other")


def test_case_and_what_stands_between_the_words_do_not_matter(answer):
    a, b, other = words(7, 13), words(6, 14), words(30, 15)
    train = [
        f"{text(other[:2])}: {a[0]} {a[1]}, {a[2]} ({a[3]}) {a[4]} — {a[5]}.",
        "It's Zoë's, isn't it",
        f"{text(b[:2])}\n{text(b[2:4])}\r\n{text(b[4:])}".upper(),
    ]
    test = [
        f"“{a[1].upper()}”\r\n{a[2].capitalize()}… {a[3]}/{a[4]};\u00a0{a[5]}\U0001f642{other[3]}",
        f"{a[0]},{a[1]},{a[2]},{a[3]},{other[4]},{other[5]}",
        f"{other[6]}! IT'S ZOË'S ISN'T",
        f"- {b[0]}\n- {b[1]}\n- {b[2]}\n- {b[3]}\n- {b[4]}",
        f"{other[7]}-{other[8]} {a[2]}-{a[3]}-{a[4]}-{other[9]}",
        text(other[10:12], b[:5], other[12]),
        text(other[13], a[1:6], other[14:16]),
    ]
    expect.note(
        "joined_at_a_hyphen", answer.contaminated(["read-only disks are slow"], ["readonly disks are slow"], n=4)
    )
    compare(
        answer,
        train,
        test,
        [0, 2, 3, 5, 6],
        n=5,
        what="n = 5; five words alike in texts 0, 2 (it s zoë s isn), 3, 5 and 6",
    )


def test_another_number_is_another_word(answer):
    train = ["The train to Ulm leaves at 7 from track 12"]
    test = ["the train to ulm leaves at 9 from track 12", "So the train to Ulm leaves at 7."]
    compare(answer, train, test, [1], n=7, what="n = 7; in text 0 the train leaves at 9 and not at 7")


def test_words_are_of_any_script_and_may_have_underscores(answer):
    train = ["Το νερό είναι ένα πολύ κοινό υγρό", "for my_item in my_list: use(my_item)", "naïve café übung año"]
    test = [
        "ναι: είναι ένα πολύ κοινό υγρό",
        "if x: for my_item in my_list: y",
        "el naïve café übung año, no",
        "请 看 Το νερό είναι ένα ποτάμι",
    ]
    compare(answer, train, test, [0], n=5, what="n = 5; text 0 shares five Greek words, the others 4 words each")


def test_a_short_text_counts_if_it_stands_whole_in_a_training_text(answer):
    a, b, other = words(9, 16), words(3, 17), words(20, 18)
    train = [text(other[:2], a, other[2]), text(b), text(other[3:12])]
    test = [
        text(a[3:6]),
        text(a[3:5], a[6]),
        text(b),
        text(a[5], a[4], a[3]),
        f"{a[8].upper()}!",
        text(other[11]),
        text(a[2:6], other[13]),
        text(other[3:7]),
        text(b[1:]),
        text(b[1:], other[14]),
    ]
    compare(
        answer,
        train,
        test,
        [0, 2, 4, 5, 7, 8],
        n=5,
        what="n = 5; training texts contain six of ten texts of up to 5 words",
    )


def test_a_short_text_is_compared_by_whole_words(answer):
    train = ["She was born in Parisian style, near the theatre", "Forty-two: the answer to everything"]
    test = ["Paris", "in Paris", "he", "near the", "the answer", "two the answer to", "ear the the", "swer to every"]
    compare(
        answer,
        train,
        test,
        [3, 4, 5],
        n=5,
        what="n = 5; `Paris` is no word of the training texts, `the answer` is there",
    )


def test_a_short_text_does_not_go_on_from_one_training_text_to_the_next(answer):
    a, b = words(7, 37), words(7, 38)
    test = [text(a[5:], b[:2]), text(b[6:], a[:1]), text(a[4:]), text(a[6:], b[:1])]
    what = "n = 5; texts 0, 1 and 3 of 2 to 4 words stand across the border of two training texts"
    compare(answer, [text(a), text(b)], test, [2], n=5, what=what)


def test_a_text_without_words_never_counts(answer):
    a = words(6, 19)
    for train in ([text(a), "", "…"], ["", text(a)], ["?!", " \n", text(a)]):
        test = ["", text(a[:5]), " \n", "— … !?", text(a[2:4])]
        compare(answer, train, test, [1, 4], n=5, what="n = 5; test texts 0, 2 and 3 have no word")


def test_all_texts_are_read_to_their_ends(answer):
    long, other = words(2600, 30), words(2600, 31)
    train = [*(text(other[k : k + 2]) for k in range(0, 2600, 2)), text(long)]
    test = ["oder"] * 1100 + [text(long[-5:]), text(other[:1200], long[3:8]), text(long[-4:], other[:1])]
    expect.note("found_in_few_texts", answer.contaminated(train[-1:], test[1100:], n=5))
    compare(answer, train, test, [1100, 1101], n=5, what="n = 5; 1,301 training texts, the last of 2,600 words")


def test_each_index_of_test_comes_once_and_in_order(answer):
    a, b, other = words(12, 20), words(8, 21), words(30, 22)
    train = [text(other[:6]), text(b), text(other[6:9], a), text(b), text(a), text(other[9:14])]
    test = [text(other[20:26]), text(a, b), text(other[26:30]), text(b), text(a, b)]
    result = found_in(answer, train, test, n=3, what="n = 3")
    expect.kind(result, list, what="what is returned")
    what = "n = 3; long runs of training texts 1 to 4 in test texts 1, 3 and 4"
    expect.equal(result, [1, 3, 4], what=what)
    expect.kind(result, list, of=int, what=what)


def test_one_word_or_more_than_there_are_can_be_asked_for(answer):
    a, other = words(6, 23), words(20, 24)
    train = [text(a), text(other[:4])]
    test = [text(other[5:8], a[2], other[8]), text(other[9:12]), text(a), text(a[1:], other[12]), text(a[1:])]
    compare(answer, train, test, [0, 2, 3, 4], n=1, what="n = 1; texts 0, 2, 3 and 4 share a word")
    compare(answer, train, test, [2, 4], n=50, what="n = 50; a training text contains all of texts 2 and 4")


def test_words_are_compared_one_by_one(answer):
    train = ["ab c", "x_y z"]
    test = ["so a bc", "so x y_z", "abc", "so ab c", "c ab"]
    compare(answer, train, test, [3], n=2, what="n = 2; `ab c` is there, `a bc`, `x y_z`, `abc` and `c ab` are not")
    train = ["Die Straße ist sehr lang", "no no no yes"]
    test = ["die STRASSE ist sehr lang", "no no no no yes", "yes no no no", "DIE STRAßE ist SEHR breit"]
    compare(
        answer, train, test, [1, 3], n=4, what="n = 4; in lower case STRASSE is strasse, and another word than straße"
    )


def test_a_run_counts_however_often_it_was_seen(answer):
    often, again, once, other = (words(8, offset) for offset in (32, 33, 34, 35))
    fillers = words(120, 36)
    train = [text(fillers[3 * i : 3 * i + 3], often) for i in range(40)]
    train += [text(again * 40), text(other[:2], once)]
    test = [text(other[2:4], often[1:6]), text(again[2:7], other[4]), text(once[:5]), text(other[5:8], once[:3])]
    what = "n = 5; 40 training texts hold the run of text 0, one holds that of text 1 40 times, one that of text 2"
    compare(answer, train, test, [0, 1, 2], n=5, what=what)


def test_there_may_be_no_texts(answer):
    a = words(6, 27)
    for train, test, expected in (
        ([text(a)] * 2, [text(a)] * 2, [0, 1]),
        ([], [text(a)], []),
        ([text(a)], [], []),
        ([], [], []),
    ):
        compare(
            answer,
            train,
            test,
            expected,
            n=4,
            what=f"n = 4; {len(train)} training and {len(test)} test texts, all equal",
        )


def test_six_times_the_text_is_about_six_times_the_work(answer):
    counts = []
    for size in (40, 240):
        vocabulary = words(12 * size, 26)
        train = [text(vocabulary[6 * i : 6 * i + 6]) for i in range(size)]
        test = [text(vocabulary[6 * i : 6 * i + 6]) for i in range(size, 2 * size)]
        found, steps = counted(lambda train=train, test=test: answer.contaminated(train, test, n=5))
        expect.equal(found, [], what=f"n = 5; {size} test texts and {size} others to train on")
        counts.append(steps)
    power = math.log(counts[1] / counts[0], 6)
    expect.true(
        power < 1.5,
        what="the lines of Python that are run, as a power of the number of texts",
        actual=round(power),
        expected=1,
    )


def counted(function):
    """What a function returns, and how many lines and calls of Python it took: the same count in every run."""
    steps = 1

    def count(frame, event, argument):
        nonlocal steps
        steps += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        result = function()
    finally:
        sys.settrace(before)
    return result, steps


def test_the_text_is_in_lower_case_before_its_words_are_found(answer):
    a = words(6, 28)
    train = [text("İstanbul", a[:3]), text(a[3:6], "THE İ")]
    test = [text("i", "stanbul", a[:2]), text("stanbul", a[:3]), text(a[4:6], "the", "i"), text("istanbul", a[:3])]
    what = "n = 4; `İ` in lower case is `i` and a dot that is no part of a word: `i` and `stanbul` are two words"
    compare(answer, train, test, [0, 1, 2], n=4, what=what)


def test_no_run_is_taken_for_another_one(answer):
    vocabulary = words(4000, 29)
    train, test = [text(vocabulary[:2000])], [text(vocabulary[i : i + 40]) for i in range(2000, 4000, 40)]
    compare(answer, train, test, [], n=3, what="n = 3; 2000 words, and 50 texts of 40 other words")


def test_awkward_texts_have_words_like_all_others(answer):
    test = [
        "zero width soft hyphen",
        "zerowidth, softhyphen",
        "caf\u00e9 and cafe",
        "cafe and",
        "one two three four",
        "bell escape 31m nul",
        "bell escape m nul",
        "if x: return x",
        "a lt b amp i c i",
        "a b c",
        "hello",
        "na\u00efve quoted",
        "σίσυφος",
        "σίσυφοσ",
        texts.BLANK,
    ]
    what = "n = 4; the words of texts 0, 2, 4, 5, 7, 8, 11 and 12 are those of awkward texts"
    compare(answer, list(texts.AWKWARD), test, [0, 2, 4, 5, 7, 8, 11, 12], n=4, what=what)


def test_nothing_within_a_text_ends_a_run_or_drops_a_word(answer):
    b, other, giant = words(8, 39), words(20, 40), "".join(SYLLABLES)
    train = [
        f"{text(b[:3])}.\n\n{text(b[3:6])}! {text(b[6:])}",
        "one cat saw one dog",
        f"the {giant} of all words",
        "here <i>there</i> everywhere",
    ]
    test = [
        f"{text(other[:6])}\n{text(b[1:5])}",
        f"{text(b[4:8])} {text(other[6:8])}",
        "one cat saw dog",
        "one cats saw one dog",
        f"{other[9]} the {giant} of all",
        "the of all words",
        "here i there i",
        "here there everywhere so",
        f"{text(b[:2])}\n{text(b[2:4])}",
    ]
    what = "n = 4; texts 0, 1, 4, 6 and 8 share 4 words, across lines and sentences, with a giant word, with tags"
    compare(answer, train, test, [0, 1, 4, 6, 8], n=4, what=what)
    train = ["quoted by JavaScript from https://kiwi.example at [12] for 1,200 tele-\nvision fans of me@kiwi.example"]
    test = [
        "by javascript from https",
        "kiwi example at 12",
        "12 for 1 200",
        "200 tele vision fans",
        "of me kiwi example",
    ]
    test += ["by javascript from at", "from at for 1", "java script from https", "for 1200 television fans"]
    what = "n = 4; texts 0 to 4 share words with a text that has two addresses, a reference and a divided word"
    compare(answer, train, test, [0, 1, 2, 3, 4], n=4, what=what)
    c = words(30, 41)
    for n, expected in ((16, []), (15, [0])):
        what = f"n = {n}; the test text shares 15 words in a row"
        compare(answer, [text(c)], [text(other, c[4:19], b)], expected, n=n, what=what)
