"""5.01: texts made from clean words by adding what must not count, F1 by crossing words off, classes by a loop.

Long: 14 checks, and the pairs of texts whose scores are known.
"""

import random
import string

from tunelings import expect
from tunelings.handson.awkward import texts
from tunelings.inputs import seed

WORDS = ["Zürich", "theory", "banana", "東京", "Athen", "another", "naïve", "ΑΘΉΝΑ", "cart", "tomllib", "Rhône", "3.11"]


def words(count, offset):
    """Different words, drawn anew for each seed."""
    return random.Random(seed(offset)).sample(WORDS, count)


def show(text):
    if len(text) > 60:
        return f"{len(text)} characters that end in {text[-5:]!r}"
    return f'"{text}"' if text.isprintable() else repr(text)


def call(metric, first, second):
    """What a metric returns, after a look at whether it has changed what it was given."""
    given = {"the first argument": first, "the second argument": second}
    with expect.untouched("after the call", given, errors=ValueError):
        return metric(first, second)


def each_close(metric, pairs, expected, name):
    """The metric of each pair of texts; all of the scores are noted, the first wrong one is named."""
    scores = [call(metric, prediction, [right]) for prediction, right in pairs]
    expect.note("scores", scores)
    for (prediction, right), score, wanted in zip(pairs, scores, expected, strict=True):
        expect.close(score, wanted, what=f"{name} of {show(prediction)} with {show(right)}")


def each_given(metric, cases, expected, names, what):
    """The metric of each two arguments; all of the scores are noted, the first wrong one is shown with its case."""
    scores = [call(metric, *case) for case in cases]
    expect.note("scores", scores)
    for case, score, wanted in zip(cases, scores, expected, strict=True):
        expect.close(score, wanted, what=what, given=dict(zip(names, case, strict=True)))


TEXTS, CLASSES = ("prediction", "answers"), ("predictions", "labels")


def test_the_lists_stay_as_they_are(answer):
    one, two = words(2, offset=14)
    answers = [f"The {two}", f"{one}!", two]
    predictions, labels = ["b", "c", "a", "c"], ["c", "a", "c", "b"]
    with expect.untouched("after exact_match: answers", answers):
        answer.exact_match(one, answers)
    with expect.untouched("after token_f1: answers", answers):
        answer.token_f1(one, answers)
    with expect.untouched("after macro_f1", {"predictions": predictions, "labels": labels}):
        answer.macro_f1(predictions, labels)


def test_case_articles_punctuation_and_spaces_do_not_count(answer):
    one, two, three, four = words(4, offset=1)
    pairs = [
        (f"{one.upper()} {two}", f"{one} {two.lower()}"),
        (f"The {one}", one),
        (f"the {two} an {three}", f"{two} {three}"),
        (f"{one}, {two}.", f"{one} {two}"),
        (f" {one}  {two}\n", f"{one} {two}"),
        (f"{three}\u00a0an {four}\t{two}", f"a {three} {four}\r\nTHE {two}"),
        (f'"The" {one} (a {two})', f"{one} {two}"),
        (f"{one}-{two} 'A.'", f"{one}{two}"),
        ("A-level", "alevel"),
        ("add_note()", "ADDNOTE"),
        ("don't", "dont"),
        (f"{one}\u3000{two}\u2028the\x0b{three}", f"{one} {two} {three}"),
        (f"{one} the {two}", f"{one} {two}"),
        (f"{one} the the {two}", f"{one} {two}"),
        ("ÉTÉ ΩΔ ЙОД", "été ωδ йод"),
    ]
    each_close(answer.exact_match, pairs, [1.0] * len(pairs), "the exact match")


def test_everything_else_does_count(answer):
    one, two, three = words(3, offset=2)
    pairs = [
        ("theory", "ory"),
        ("cart", "crt"),
        ("another one", "other one"),
        (f"{one} {two}", two),
        (one, f"{one} {two}"),
        (f"{one} {two}", f"{two} {one}"),
        (f"{one}{two} {three}", f"{one} {two} {three}"),
        ("PEP 6541", "PEP 654"),
        ("add_note", "add note"),
        ("A-level", "level"),
        (f"{one} is not {two}", f"{one} is {two}"),
        (f"{three} of lists", f"{three} of list"),
        *(
            (f"{one} {stop} {two}", f"{one} {two}")
            for stop in ("and", "of", "or", "in", "on", "to", "this", "that", "is")
        ),
        ("東京", "大阪"),
        ("Zürich", "Zurich"),
        ("\u201cyes\u201d", "yes"),
        ("Straße", "STRASSE"),
        ("ℍello", "hello"),
        ("caf\u00e9", "cafe\u0301"),
        (f"{one} {one}", one),
        ("bell\x07", "bell"),
        ("zero\u200bwidth", "zerowidth"),
        *((f"{one} {word}", one) for word in ("he", "n", "th", "c", "la", "le", "die", "der", "el")),
        (texts.long_text(3000, last="one"), texts.long_text(3000, last="two")),
        ("agent 007", "agent 7"),
        ("one", "1"),
        ("x &lt; y", "x < y"),
        ("<i>yes</i>", "yes"),
    ]
    each_close(answer.exact_match, pairs, [0.0] * len(pairs), "the exact match")


def test_a_score_is_a_float(answer):
    one, two = words(2, offset=3)
    results = {
        "the exact match of equal texts": call(answer.exact_match, one, [one]),
        "the exact match of other texts": call(answer.exact_match, one, [two]),
        "the exact match of two empty texts": call(answer.exact_match, "", ["the"]),
        "the F1": call(answer.token_f1, f"{one} {two}", [two, one]),
        "the F1 of equal texts": call(answer.token_f1, one, [one]),
        "the F1 of nothing shared": call(answer.token_f1, one, [two]),
        "the F1 of nothing with nothing": call(answer.token_f1, "", [""]),
        "the F1 of nothing with a word": call(answer.token_f1, "", [one]),
        "the macro F1": call(answer.macro_f1, [one, two], [one, one]),
        "the macro F1 of no hit": call(answer.macro_f1, [one, two], [two, one]),
        "the macro F1 of hits alone": call(answer.macro_f1, [one, two], [one, two]),
    }
    for name, result in results.items():
        expect.kind(result, float, what=name)


def f1_by_crossing_off(prediction, right):
    """Cross off each word of the prediction that is found; both are lists of words as they count."""
    left = list(right)
    for word in prediction:
        if word in left:
            left.remove(word)
    found = len(right) - len(left)
    if not found:
        return 0.0
    precision, recall = found / len(prediction), found / len(right)
    return 2 * precision * recall / (precision + recall)


def test_f1_counts_a_word_as_often_as_it_stands_in_both(answer):
    one, two, three, four, five = words(5, offset=4)
    pairs = [
        ([one, one, one], [one, two]),
        ([one, two, two, three], [two, four, two, two, five]),
        ([one, two, three, four], [four, three]),
        ([two], [one, two, three, four, five, two, two]),
        ([one] * 2999 + [two], [one] * 2999 + [three]),
    ]
    expected = [f1_by_crossing_off(prediction, right) for prediction, right in pairs]
    texts = [(" ".join(prediction), " ".join(right)) for prediction, right in pairs]
    each_close(answer.token_f1, texts, expected, "the F1")


def test_f1_compares_words_in_normal_form(answer):
    one, two, three, four = words(4, offset=5)
    pairs = [
        (f"The {one},\u00a0{two}!", f"a {two.upper()} - {three}", [one, two], [two, three]),
        (f"an '{one.lower()}'; {three} an", f"{one}\nThe {two} {four}", [one, three], [one, two, four]),
        (f"{one}-{two} {three}", f"the {one}{two}", [one + two, three], [one + two]),
        ("theory another cart", "ory other crt", ["theory", "another", "cart"], ["ory", "other", "crt"]),
    ]
    expected = [f1_by_crossing_off(prediction, right) for _, _, prediction, right in pairs]
    each_close(answer.token_f1, [(prediction, right) for prediction, right, _, _ in pairs], expected, "the F1")


def test_the_best_of_several_answers_counts(answer):
    one, two, three, four, five = words(5, offset=6)
    answers = [f"{three} {four}", f"{two} {three} {four} {one}", f"{one} {two} {three}", f"{four}"]
    prediction = f"The {one} {two}"
    each = [f1_by_crossing_off([one, two], right.split()) for right in answers]
    expect.note("each", each)
    long = f"{two} {three} {five} {one} {four}"
    rights = [answers, answers[:2], [answers[2], answers[0]], [two, long], [long, two]]
    expected = [max(each), each[1], each[2], 2 / 3, 2 / 3]
    each_given(answer.token_f1, [(prediction, right) for right in rights], expected, TEXTS, "the F1")
    rights = [answers, [*answers, f"{one.upper()} {two}."], [f"{one} {two}", *answers], [f"{one} {two}"] * 2]
    cases = [(prediction, right) for right in rights]
    each_given(answer.exact_match, cases, [0.0, 1.0, 1.0, 1.0], TEXTS, "the exact match")
    many = [f"{three} {number}" for number in range(3000)] + [f"{one} {two}"]
    scores = [call(answer.exact_match, prediction, many), call(answer.token_f1, prediction, many)]
    expect.close(scores, [1.0, 1.0], what="the exact match and the F1, the last of 3,001 answers is equal")


def test_two_empty_texts_are_equal(answer):
    (one,) = words(1, offset=7)
    pairs = [("", ""), ("The", "an a"), ("?!", " \n"), ("", one), (one, ""), ("the", one), ("", "the"), ("\t", "A.")]
    expected = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    each_close(answer.token_f1, pairs, expected, "the F1")
    each_close(answer.exact_match, pairs, expected, "the exact match")
    cases = [("", [one, ""]), (one, ["", one]), (one, ["?", "the"])]
    each_given(answer.token_f1, cases, [1.0, 1.0, 0.0], TEXTS, "the F1")
    each_given(answer.exact_match, cases, [1.0, 1.0, 0.0], TEXTS, "the exact match")


def macro_by_definition(predictions, labels, classes):
    """The mean over `classes` of the harmonic mean of precision and recall, 0 where there is no hit."""
    total = 0.0
    for name in classes:
        hits = sum(p == name and label == name for p, label in zip(predictions, labels, strict=True))
        if hits:
            precision, recall = hits / predictions.count(name), hits / labels.count(name)
            total += 2 * precision * recall / (precision + recall)
    return total / len(classes)


def rare_and_common(offset):
    """23 items: a common class, a rarer one and a rare one, each confused with the others."""
    common, rarer, rare = words(3, offset)
    table = {(common, common): 9, (common, rarer): 3, (common, rare): 1, (rarer, rarer): 4, (rarer, common): 2}
    table |= {(rare, rare): 1, (rare, common): 3}
    pairs = [pair for pair, times in table.items() for _ in range(times)]
    random.Random(seed(offset + 1)).shuffle(pairs)
    return [prediction for _, prediction in pairs], [label for label, _ in pairs], (common, rarer, rare)


def test_every_class_weighs_the_same(answer):
    predictions, labels, classes = rare_and_common(offset=10)
    expect.note("right", sum(p == label for p, label in zip(predictions, labels, strict=True)))
    expect.note("items", len(labels))
    expected = macro_by_definition(predictions, labels, classes)
    expect.close(
        call(answer.macro_f1, predictions, labels), expected, what="the macro F1 of classes of 13, 6 and 4 items"
    )


def test_macro_f1_of_numbers_is_that_of_scikit_learns_manual(answer):
    # The example of the documentation of sklearn.metrics.f1_score: 0.26 and on, as a fraction 4/15.
    score = call(answer.macro_f1, [0, 2, 1, 0, 0, 1], [0, 1, 2, 0, 1, 2])
    expect.close(score, 4 / 15, what="the macro F1 of [0, 2, 1, 0, 0, 1] with [0, 1, 2, 0, 1, 2]")


def test_a_class_counts_that_only_one_side_has(answer):
    one, two, three, four = words(4, offset=12)
    cases = [
        ([one, one, three, two, one], [one, one, two, two, two], (one, two, three)),
        ([one, one, two, two, one], [one, three, two, two, four], (one, two, three, four)),
        ([three, three], [one, two], (one, two, three)),
        ([one, one.upper() + "?"], [one, one], (one, one.upper() + "?")),
        (["Yes", "yes", "no", "No"], ["yes", "yes", "no", "no"], ("Yes", "yes", "no", "No")),
        (["", one, ""], ["", "", one], ("", one)),
        ([two], [two], (two,)),
        ([one] * 2000 + [two] * 1000, [one] * 2500 + [two] * 500, (one, two)),
        ([1, 2, 1, 1], ["1", 2, 1, 2], (1, 2, "1")),
        ([7, -100, 7, -100], [7, -100, -100, 7], (7, -100)),
        (
            list(texts.AWKWARD),
            [text.strip() for text in texts.AWKWARD],
            {*texts.AWKWARD, *map(str.strip, texts.AWKWARD)},
        ),
    ]
    expected = [macro_by_definition(*case) for case in cases]
    each_given(answer.macro_f1, [case[:2] for case in cases], expected, CLASSES, "the macro F1")


def test_nothing_to_compare_is_an_error(answer):
    one, two = words(2, offset=13)
    expect.raises(ValueError, lambda: call(answer.exact_match, one, []), what="an exact match with no answers")
    expect.raises(ValueError, lambda: call(answer.token_f1, one, []), what="an F1 with no answers")
    expect.raises(ValueError, lambda: call(answer.macro_f1, [], []), what="a macro F1 of no items")
    three_and_two = ([one, two, two], [one, two])
    expect.raises(ValueError, lambda: call(answer.macro_f1, *three_and_two), what="3 predictions for 2 labels")
    expect.raises(ValueError, lambda: call(answer.macro_f1, *three_and_two[::-1]), what="2 predictions for 3 labels")
    expect.raises(ValueError, lambda: call(answer.macro_f1, [], [one]), what="no predictions for 1 label")
    expect.raises(ValueError, lambda: call(answer.macro_f1, [one], []), what="1 prediction for no labels")


def test_f1_takes_words_for_equal_that_lower_case_makes_equal_and_no_others(answer):
    spellings = [
        *texts.CASE,
        *texts.COMPOSED.split(" and "),
        "bell",
        "bell\x07",
        "zerowidth",
        "zero\u200bwidth",
        "hello",
    ]
    pairs = [(one, other) for one in spellings for other in spellings]
    expected = [float(one.lower() == other.lower()) for one, other in pairs]
    each_close(answer.token_f1, pairs, expected, "the F1")


def test_each_sign_of_the_punctuation_is_deleted(answer):
    kept = [sign for sign in string.punctuation if call(answer.exact_match, f"ab{sign}cd", ["abcd"]) != 1.0]
    expect.equal("".join(kept), "", what="the signs of string.punctuation that stay")
    kept = [sign for sign in string.punctuation if call(answer.token_f1, f"ab cd{sign} ef", ["cd"]) != 0.5]
    expect.equal("".join(kept), "", what="the signs of string.punctuation that stay in F1")
