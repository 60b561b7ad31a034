"""4.03: records of which a reader would say the same: nothing is near a limit that was not put there on purpose.

Long: eight issues, each at its border, and `best`.
"""

import copy
import random

from tunelings import expect
from tunelings.handson.awkward import texts
from tunelings.inputs import seed

WORDS = (
    "river stone market window garden letter bridge candle harbour pencil orange kettle mirror basket ladder "
    "saddle blanket hammer pillow compass feather lantern button carpet whistle anchor barrel cushion ribbon"
).split()

SENTENCES = [
    "The boat was in the harbour when the storm came over the hills.",
    "A fisherman saw the light of the tower and called to the others.",
    "They pulled the nets out of the water before the wind turned.",
    "By the end of the night the roof of the old shed was gone.",
    "The children found the tiles on the beach and made a wall of them.",
    "It is said that the tower was built in the year of the great flood.",
    "None of the men could read the letter that was under the door.",
    "With the first light they went down to the shore and counted.",
]
GREEK = "Η πρωτεύουσα της Ελλάδας είναι η Αθήνα, και η πόλη είναι πολύ παλιά."
GERMAN = "Der Hund ist nicht in der Küche, und die Katze schläft auf dem Sofa mit einer Maus von gestern."
FRENCH = "Le chat est dans la cuisine, et les souris des voisins sont avec une amie pour la nuit, pas ici."
RUSSIAN = "Москва является столицей России, и в городе много музеев."
CHINESE = "北京是中国的首都，也是一座历史悠久的城市。"


def record(completion, prompt="Please answer."):
    return {"prompt": prompt, "completion": completion}


def drawn(count, offset):
    """So many different words."""
    return random.Random(seed(offset)).sample(WORDS, count)


def story(offset):
    """All sentences in some order: over 450 characters, a third of the words "the", "of", "was" and the like."""
    return " ".join(random.Random(seed(offset)).sample(SENTENCES, len(SENTENCES)))


def with_repeats(new, repeated, offset):
    """Words of which `repeated` of the `new + repeated` 4-grams have come before."""
    words = drawn(new, offset)
    return " ".join(words + words[: repeated + 3])


def in_ever_new_order(offset):
    """Twenty words, only five of them different, and no four of them twice in the same order."""
    rng = random.Random(seed(offset))
    pool = rng.sample(WORDS, 5)
    words: list[str] = []
    while len(words) < 20:
        words = []
        grams = set()
        for _ in range(200):
            word = rng.choice([w for w in pool if not words or w != words[-1]])
            gram = tuple([*words, word][-4:])
            if gram in grams:
                continue
            grams.add(gram)
            words.append(word)
            if len(words) == 20:
                break
    return " ".join(words)


def with_other_signs(offset):
    """Four words that come four times, each time with a sign at another place: as words they are others."""
    four = drawn(4, offset)
    return " ".join(word + "," * (i == n) for n in range(4) for i, word in enumerate(four))


def with_capitals(offset):
    """Four words that come four times, each time with a capital at another place: as words they are others."""
    four = drawn(4, offset)
    return " ".join(word.capitalize() if i == n else word for n in range(4) for i, word in enumerate(four))


def refrain(offset):
    """Three words that come four times, each time with another word after them: no 4-gram comes twice."""
    a, b, c, *others = drawn(7, offset)
    return " ".join(f"{a} {b} {c} {other}" for other in others)


def issues_of(answer, one, **options):
    """What `quality_issues` says, where the record is what it was."""
    before = copy.deepcopy(one)
    issues = answer.quality_issues(one, **options)
    expect.equal(one, before, what="the record after the call")
    return issues


def best_of(answer, records, k, score):
    """What `best` chooses, where the records and their order are what they were."""
    before = copy.deepcopy(records)
    chosen = answer.best(records, k, score)
    expect.equal(names(records), names(before), what="the order of the records after the call")
    expect.equal(records, before, what="the records after the call")
    expect.equal("the list given" if chosen is records else "a new list", "a new list", what="what best returns")
    return chosen


def test_a_good_record_has_no_issues(answer):
    page = "Put it in a paragraph:\n\n```html\n<p>Fish &amp; chips</p>\n```\n\nThe browser shows one line."
    quoted = "The support line only ever said: \"I'm sorry, but I can't help you with that.\" We gave up."
    good = {
        "one sentence": record("The capital of France is Paris, on the river Seine."),
        "the answer Paris.": record("Paris.", "What is the capital of France?"),
        "the answer 42": record("42", "What is six times seven?"),
        "a sentence with accents and emoji": record("The naïve café owner in Zürich smiled 🙂 and said: “déjà vu”."),
        "a sentence with one <": record("It is true of 2 < 3 and of the rest."),
        "a sentence with R&D and no bracket that closes": record("R&D may spend 2 of it, < 3 at most; Q&A is free."),
        "a sentence with 2 < 3 and 5 > 4": record("If 2 < 3 and 5 > 4, R&D may spend it; Q&A is free -> always <3."),
        "an answer with HTML in a block of code": record(page),
        "an answer that quotes a refusal": record(quoted),
        "an answer that begins with a quoted refusal": record('"I cannot assist with that" is all that it said.'),
        "an answer to an empty prompt": record("It is the one that you know.", ""),
        "an answer that repeats its prompt": record("It is the one that you know.", "It is the one that you know."),
        "eight sentences with many a the": record(story(1)),
        "five words in ever new order": record(in_ever_new_order(2)),
        "prose and then a block of code": record(story(3) + "\n\n```python\nprint('done')\n```"),
        "prose and then inline code": record(story(3) + " To see it, type `print(1)`"),
    }
    for name, one in good.items():
        expect.equal(issues_of(answer, one), [], what=f"the issues of {name}", given=one)


def test_each_issue_is_found_by_its_name(answer):
    bad = {
        "a refusal": (record("I'm sorry, but I can't help you with that."), "refusal"),
        "tags that were left": (record("<p>The capital is Paris.</p><br/>It is old."), "markup"),
        "entities that were left": (record("Fish &amp; chips cost &#163;9&nbsp;here."), "markup"),
        "six words said four times": (record(" ".join(drawn(6, 4) * 4)), "repetition"),
        "a text in Russian": (record(RUSSIAN), "language"),
        "a text that breaks off": (record(story(5) + " And when the morning came the"), "truncated"),
        "more than 8000 characters": (record("Yes. " + "x" * 8000 + "."), "too_long"),
        "nothing": (record(""), "empty"),
        "tags and entities": (record("<p>Fish &amp; chips</p><p>Fish&nbsp;soup</p>"), "markup"),
    }
    for name, (one, issue) in bad.items():
        expect.equal(issues_of(answer, one), [issue], what=f"the issues of {name}", given=one)


def test_several_issues_are_sorted_by_name(answer):
    text = "<b>Der Hund</b> und die Katze " * 6
    issues = issues_of(answer, record(text), max_chars=90)
    expected = ["language", "markup", "repetition", "too_long"]
    expect.equal(issues, expected, what="the issues of German with tags, six times, over max_chars")


def test_nothing_but_white_space_is_empty_and_no_more(answer):
    for name, blank in {"spaces and line ends": " \r\n\t\n ", "wide blanks": "\u00a0\u3000", "nothing": ""}.items():
        for options in ({"min_chars": 9}, {"min_chars": 0}, {"language": "zh"}):
            issues = issues_of(answer, record(blank), **options)
            expect.equal(issues, ["empty"], what=f"the issues of {name}", given={"completion": blank, **options})


def smallest(limits, is_allowed):
    """The first of these limits that lets the record through."""
    return next((limit for limit in limits if is_allowed(limit)), "none of them")


def test_length_is_counted_in_characters_without_the_white_space_round_them(answer):
    text = "Η Αθήνα, στην Ελλάδα."
    padded = record(f"\n\n  {text} \u00a0\r\n")
    sizes = {"characters": len(text), "bytes": len(text.encode()), "words": len(text.split())}
    for name, size in sizes.items():
        expect.note(name, size)

    def issues(**options):
        return issues_of(answer, padded, language="el", **options)

    longest = smallest(range(50), lambda limit: issues(max_chars=limit) == [])
    expect.equal(longest, len(text), what="the smallest max_chars that a short Greek text between blanks passes")
    shortest = smallest(range(50), lambda limit: issues(min_chars=limit) == ["too_short"])
    expect.equal(shortest, len(text) + 1, what="the smallest min_chars that the same text is too short for")
    expect.equal(issues_of(answer, record("Paris."), min_chars=7), ["too_short"], what="Paris., min_chars 7")
    accents = record("Cafe\u0301 de\u0301ja\u0300.")  # 13 characters for `len`, ten letters to the eye.
    longest = smallest(range(50), lambda limit: issues_of(answer, accents, max_chars=limit) == [])
    expect.equal(longest, 13, what="the smallest max_chars that a text with combining accents passes")
    coded = record("Type `make`.")
    longest = smallest(range(50), lambda limit: issues_of(answer, coded, max_chars=limit) == [])
    expect.equal(longest, 12, what="the smallest max_chars that a text with inline code passes")


def test_blanks_at_either_end_make_no_text_long(answer):
    text = story(14)[:190] + "and x"
    for before, after in ((0, 15), (15, 0)):
        issues = issues_of(answer, record(" " * before + text + " " * after))
        what = f"the issues of 195 characters that break off, {before} blanks before and {after} after them"
        expect.equal(issues, [], what=what)


def test_repetition_is_the_share_of_4_grams_that_came_before(answer):
    quarter, more = record(with_repeats(9, 3, 6)), record(with_repeats(9, 4, 7))
    limits = [hundredths / 100 for hundredths in range(101)]
    words = drawn(13, 20)
    middle = record(" ".join([*words[:9], *words[:6], *words[9:]]))  # 3 of 16 repeated, none of them the last.
    expect.note(
        "limit of the middle", smallest(limits, lambda limit: issues_of(answer, middle, max_repeat=limit) == [])
    )
    for name, one, expected in (
        ("3 of 12 repeated", quarter, 0.25),
        ("4 of 13 repeated", more, 0.31),
        ("none of 9 repeated", record(" ".join(drawn(12, 11))), 0.0),
        ("the same three words, then ever another", record(refrain(12)), 0.0),
        ("three words, so no 4-gram", record("no no no"), 0.0),
        ("four words, so one 4-gram", record("no no no no"), 0.0),
        ("the same word five times: two 4-grams, which overlap", record("no no no no no"), 0.5),
        ("the same words with different punctuation", record(with_other_signs(13)), 0.0),
        ("3 of 12 repeated, a line end between", record(with_repeats(9, 3, 6).replace(" ", " \n")), 0.25),
        ("3 of 12 repeated, a no-break space between", record(with_repeats(9, 3, 6).replace(" ", "\u00a0")), 0.25),
        ("the same words with other capitals", record(with_capitals(16)), 0.0),
        ("other words of the same letters in a row", record("no where any one now here anyo ne"), 0.0),
    ):
        passed = smallest(limits, lambda limit, one=one: issues_of(answer, one, max_repeat=limit) == [])
        what = f"the smallest max_repeat in hundredths that passes: {name}"
        expect.equal(passed, expected, what=what, given={"completion": one["completion"]})
    for name, one, expected in (
        ("3 of 12 repeated", quarter, []),
        ("4 of 13 repeated", more, ["repetition"]),
        ("7 of 23 repeated", record(with_repeats(16, 7, 17)), ["repetition"]),  # 0.304
    ):
        what = f"the issues, with 4-grams {name} and max_repeat 0.3"
        expect.equal(issues_of(answer, one), expected, what=what, given={"completion": one["completion"]})


def test_the_language_is_the_one_asked_for(answer):
    texts = {"el": GREEK, "de": GERMAN, "fr": FRENCH, "ru": RUSSIAN, "zh": CHINESE, "en": SENTENCES[0]}
    for language, text in texts.items():
        issues, given = issues_of(answer, record(text), language=language), {"completion": text}
        expect.equal(issues, [], what=f"the issues of a text in {language}, language {language}", given=given)
    for language, text in texts.items():
        other = "el" if language == "en" else "en"
        issues, given = issues_of(answer, record(text), language=other), {"completion": text}
        expect.equal(issues, ["language"], what=f"the issues of a text in {language}, language {other}", given=given)
    expect.equal(issues_of(answer, record("Москва.")), ["language"], what="the issues of one word in Russian")


def test_markup_counts_outside_blocks_of_code(answer):
    block = "```html\n<ul>&nbsp;</ul>\n```"
    cases = {
        "a tag between two pieces of inline code": ("Of `p` and <b>all</b> of `q` it is said.", ["markup"]),
        "a tag between two blocks of code": (f"{block}\n<b>Then</b> this:\n{block}", ["markup"]),
        "two blocks of code with prose between": (f"{block}\nThen write this:\n{block}", []),
        "a block of code without an end": ("Write this:\n\n```html\n<ul>&nbsp;</ul>", []),
        "an image": ('The cat of the club: <img src="https://example.org/cat.png" alt="a cat">', ["markup"]),
        "a tag whose name ends in a digit": ("<h1>The end</h1>", ["markup"]),
        "a closing tag": ("The end.</DIV>", ["markup"]),
        "a tag in capitals": ("The end.<BR>", ["markup"]),
        "a named entity": ("The price is low&nbsp;today.", ["markup"]),
        "a tag over two lines": ('The page <a\nhref="https://example.org">of the club</a\n>.', ["markup"]),
        "a tag that few texts have": ("The <blink>end</blink>.", ["markup"]),
        "an entity with a capital": ("The &Eacute;lysée is old.", ["markup"]),
        "an entity with a long name": ("It is the &epsilon; of the page.", ["markup"]),
        "an entity with a number": ("It&#39;s here.", ["markup"]),
        "a hexadecimal entity": ("It&#x27;s here.", ["markup"]),
        "a hexadecimal entity in capitals": ("It&#XA0;is here.", ["markup"]),
        "an entity whose name ends in digits": ("It takes &frac12; a day.", ["markup"]),
    }
    for name, (text, expected) in cases.items():
        given = {"completion": text}
        expect.equal(issues_of(answer, record(text)), expected, what=f"the issues of {name}", given=given)


def test_a_refusal_is_how_the_completion_starts(answer):
    cases = {
        "a refusal after a line end": (record("\n I’m sorry, but I cannot do that."), ["refusal"]),
        "a model on what it is": (record("As an AI language model, I have no opinion on cheese."), ["refusal"]),
        "a long refusal": (record("I cannot assist with that. " + story(18)), ["refusal"]),
        "a refusal to help": (record("I can't help with this, but a doctor can."), ["refusal"]),
        "an excuse that is followed by help": (record("I'm sorry that it broke. Glue the handle and wait."), []),
        "a refusal on the second line": (record("They wrote:\nI cannot assist with that."), []),
        "a prompt that is a refusal": (record("Write: no.", "I'm sorry, but I can't help with <b>this</b>"), []),
        "a prompt that breaks off": (record("It is the one.", story(15) + " And when the"), []),
        "a prompt in Russian with a tag": (record("It says that the city is old.", f"<p>{RUSSIAN}</p>"), []),
    }
    for name, (one, expected) in cases.items():
        expect.equal(issues_of(answer, one), expected, what=f"the issues of {name}", given=one)


LETTERS = "DGBHAFCE"  # Neither the alphabet nor its reverse, so that sorting by name shows.


def scored(scores):
    """Records named by a letter, and a function that gives their scores."""
    by_name = dict(zip(LETTERS, scores, strict=False))
    return [record("x" * (5 + 7 * i % 4), name) for i, name in enumerate(by_name)], lambda one: by_name[one["prompt"]]


def names(records):
    """The prompts of a list of records; what is none of that comes back as it is."""
    try:
        return [one["prompt"] for one in records]
    except (TypeError, KeyError):
        return records


def test_the_best_come_first(answer):
    scores = random.Random(seed(10)).sample([-2.5, -1.0, 0.0, 0.25, 0.5, 3.0, 8.5, 40.0], 8)
    records, score = scored(scores)
    expected = [name for _, name in sorted(zip(scores, LETTERS, strict=True), reverse=True)][:3]
    expect.note("scores", scores)
    expect.equal(names(best_of(answer, records, 3, score)), expected, what="the best 3 of D G B H A F C E")


def test_equal_scores_keep_their_order(answer):
    records, score = scored([1.5, 7.0, 1.5, 7.0, 0.0, 7.0, 1.5])  # D G B H A F C
    expect.equal(
        names(best_of(answer, records, 5, score)), list("GHFDB"), what="the best 5: G H F are equal, D B C too"
    )
    expect.equal(names(best_of(answer, records, 2, score)), list("GH"), what="the best 2, where G H F are equal")
    twice = [records[1], records[4], records[1], copy.deepcopy(records[1])]
    expect.equal(names(best_of(answer, twice, 3, score)), list("GGG"), what="the best 3 of G A G G")
    rng = random.Random(seed(19))
    many = [record("An answer.", f"{number} {rng.choice('abc')}") for number in range(1100)]  # Short lists hide it.
    expected = [name for letter in "cba" for name in names(many) if name.endswith(letter)][:1050]
    chosen = best_of(answer, many, 1050, lambda one: float("abc".index(one["prompt"][-1])))
    expect.equal(names(chosen), expected, what="the best 1,050 of 1,100 records, which have three scores")


def test_k_may_be_0_or_more_than_there_are(answer):
    records, score = scored([2.0, 9.0, 4.0])  # D G B
    for k, expected in ((3, "GBD"), (11, "GBD"), (0, ""), (1, "G")):
        expect.equal(names(best_of(answer, records, k, score)), list(expected), what=f"the best {k} of three")


def test_the_records_come_back_whole(answer):
    records, score = scored([2.0, 9.0, 4.0, 5.0])
    before = copy.deepcopy(records)
    expect.equal(best_of(answer, records, 2, score), [before[1], before[3]], what="the two that were chosen, whole")
    records = [{**one, "id": number, "source": None} for number, one in enumerate(records)]
    before = copy.deepcopy(records)
    expect.equal(best_of(answer, records, 1, score), [before[1]], what="the one chosen of records with more fields")


def test_a_score_may_be_any_finite_number(answer):
    for scores in ([3, -(10**30), 0.5, 10**30], [1e-300, -1e-300, 0.0, 2e-300]):
        records, score = scored(scores)  # D G B H
        expected = "".join(sorted("DGBH", key=dict(zip("DGBH", scores, strict=True)).get, reverse=True))
        expect.equal(names(best_of(answer, records, 4, score)), list(expected), what=f"all four by the scores {scores}")


def test_every_character_within_a_text_counts(answer):
    for text in texts.NOT_BLANK:
        size, given = len(text.strip()), {"completion": text}
        found = ["too_short" in issues_of(answer, record(text), min_chars=limit) for limit in (size, size + 1)]
        expect.equal(found, [False, True], what=f"too_short for min_chars {size} and {size + 1}", given=given)
        found = ["too_long" in issues_of(answer, record(text), max_chars=limit) for limit in (size - 1, size)]
        expect.equal(found, [True, False], what=f"too_long for max_chars {size - 1} and {size}", given=given)
