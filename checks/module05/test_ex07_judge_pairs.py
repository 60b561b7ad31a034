"""5.07: the judge is scripted; what it was asked is compared with PROMPT filled in by hand.

Long: 12 checks, and the judges that they ask.
"""

import itertools
import random
import threading

from tunelings import expect
from tunelings.handson.awkward.texts import NOT_BLANK, long_text
from tunelings.inputs import seed

CHATTER = ["Both answers are on topic.", "Answer A is shorter. ", "I prefer B's tone, but A is right.\n\n", "Well… 🤔 "]


class Overloaded(RuntimeError):
    """As a client of an API raises it."""


class Judge:
    """Gives its replies in order, raises those that are exceptions, and keeps the prompts."""

    def __init__(self, *replies):
        self.replies, self.prompts = list(replies), []

    def __call__(self, prompt):
        self.prompts.append(prompt)
        reply = self.replies.pop(0) if self.replies else "[[C]]"
        if isinstance(reply, Exception):
            raise reply
        return reply


def said(letter, draw):
    """A reply that ends with this mark, after some talk."""
    return f"{draw.choice(CHATTER)}[[{letter}]]{draw.choice(['', '.', chr(10)])}"


def texts(offset):
    """A question and two answers."""
    draw = random.Random(seed(offset))
    numbers = draw.sample(range(100, 999), 3)
    return f"What is {numbers[0]} in words?", f"It is {numbers[1]}, naïvely.", f"→ {numbers[2]}\r\n日本語"


def orders(prompts, filled, question, a, b):
    """Which text came first and which second in each prompt; `filled` is the PROMPT of the answer."""
    known = {
        filled.format(question=question, first=first, second=second): f"{name_1} then {name_2}"
        for (name_1, first), (name_2, second) in itertools.product([("a", a), ("b", b)], repeat=2)
    }
    return [known.get(prompt, prompt) for prompt in prompts]


def part(result, name):
    """A field of what was returned."""
    expect.true(hasattr(result, name), what=f"what is returned, with a field {name}", actual=result, expected=name)
    return getattr(result, name)


def test_a_text_wins_only_where_both_orders_name_it(answer):
    draw = random.Random(seed(1))
    question, a, b = texts(2)
    found, expected = [], []
    for first, second in itertools.product("ABC", repeat=2):
        judge = Judge(said(first, draw), said(second, draw))
        result = answer.judge(judge, question, a, b)
        found.append(f"{first}{second} {part(result, 'winner')}")
        expected.append(
            f"{first}{second} {'a' if first + second == 'AB' else 'b' if first + second == 'BA' else 'tie'}"
        )
        expect.note("orders", orders(judge.prompts, answer.PROMPT, question, a, b))
    swapped = answer.judge(Judge("[[A]]", "[[A]]"), question, b, a)  # Now the second text is the longer one.
    expect.note("a contradiction", [getattr(swapped, "winner", None)])
    inside = answer.judge(Judge("I say [[A]] here", "I say [[B]] here"), question, a, b)
    expect.note("a mark between words", [getattr(inside, "winner", None)])
    what = "the winners, by the marks in the first and the second reply"
    expect.equal(", ".join(found), ", ".join(expected), what=what)


def test_the_judge_is_asked_twice_once_in_each_order(answer):
    awkward = [
        texts(3),
        ("Fill in {first} or {second}?", "def f(x): return {x: [[A]]}", "{0} %s {question} {{}}"),
        ("", "", "[[B]] " * 200),
        ("ἀγορά ¿qué?\u00a0", "same", "same"),
        *zip(NOT_BLANK, NOT_BLANK[1:], NOT_BLANK[2:], strict=False),
        (long_text(3000, last="one"), long_text(3000, last="two"), long_text(3000, last="three")),
    ]
    for number, (question, a, b) in enumerate(awkward):
        judge = Judge("[[A]]", "[[A]]")
        answer.judge(judge, question, a, b)
        expected = orders(
            [answer.PROMPT.format(question=question, first=x, second=y) for x, y in ((a, b), (b, a))],
            answer.PROMPT,
            question,
            a,
            b,
        )
        found = orders(judge.prompts, answer.PROMPT, question, a, b)
        kinds = ["plain texts", "texts with braces", "empty and long texts", "equal texts"]
        kind = kinds[number] if number < len(kinds) else "awkward texts"
        expect.equal(found, expected, what=f"the order of the texts in each prompt, {kind}")


def test_a_reply_without_a_mark_and_a_call_that_raises_are_failures(answer):
    draw = random.Random(seed(4))
    question, a, b = texts(5)
    found, calls = [], []
    for first, second in itertools.product("ABC-!", repeat=2):
        replies = [
            talk if letter == "-" else Overloaded("529") if letter == "!" else said(letter, draw)
            for letter, talk in zip(first + second, ("Answer A is better.", "I can't tell."), strict=True)
        ]
        if "-" not in first + second and "!" not in first + second:
            continue
        judge = Judge(*replies)
        result = answer.judge(judge, question, a, b)
        found.append(f"{first}{second} {part(result, 'winner')} {part(result, 'failures')}")
        calls.append(len(judge.prompts))
    pairs = [x + y for x, y in itertools.product("ABC-!", repeat=2) if {x, y} & {"-", "!"}]
    expected = [f"{pair} tie {sum(letter in '-!' for letter in pair)}" for pair in pairs]
    expect.note("calls", calls)
    what = "winner and failures; - is a reply without a mark, ! an exception"
    expect.equal(", ".join(found), ", ".join(expected), what=what)
    expect.equal(calls, [2] * len(calls), what="how often the judge was called, where replies fail")


def test_any_exception_of_the_judge_is_a_failure(answer):
    question, a, b = texts(6)
    found = []
    errors = (TimeoutError("30 s"), ValueError("bad request"), KeyError("choices"), RuntimeError(), Exception("?"))
    for error in errors:
        found.append(f"{type(error).__name__}: {outcome(answer.judge(Judge(error, '[[B]]'), question, a, b))}")
    right = [f"{type(error).__name__}: tie 1" for error in errors]
    expect.equal(found, right, what="what the first call raises, then winner and failures")


def test_the_last_mark_of_a_reply_decides(answer):
    question, a, b = texts(7)
    replies = [
        ("First I thought [[A]], but now[[B]]", "[[A]]"),
        ("[[B]] is tempting, [[C]] too.\nFinal: **[[A]]**", "[[B]]"),
        ("[[A]][[B]][[C]]", "[[A]]"),
        ("Verdict: [[[B]]]\nThat is my verdict.", "[[A]]"),
        ("```[[A]]```\n> ```[[B]]```", "[[A]]"),
        ("[[A]] <think>[[B]]</think>", "[[A]]"),
        ("[[C]] or [[A]]? [[A]]\r\n(not [[D]], not [b])", "[[A]] [[B]]"),
    ]
    # How a reply is read, by the winner if the other reply agrees with A, and if it agrees with B.
    awkward = ("[[B]] [[A]]", "[[A]] [[B]] [[B]]", "[[B]] [[C]] [[A]]", "[[A]]\nok", "[[B]], no, [[A]], no, [[B]]")
    read = [
        [outcome(answer.judge(Judge(one, other), question, a, b)) for other in "[[B]] [[A]]".split()] for one in awkward
    ]
    expect.note("read", read)
    found = [outcome(answer.judge(Judge(*pair), question, a, b)) for pair in replies]
    shown = [f"{first!r}, {second!r}: {came_out}" for (first, second), came_out in zip(replies, found, strict=True)]
    right = [
        f"{first!r}, {second!r}: {one}"
        for (first, second), one in zip(replies, ["b 0", "a 0", "tie 0", "b 0", "b 0", "b 0", "a 0"], strict=True)
    ]
    expect.equal(shown, right, what="both replies with several marks, then winner and failures")
    talk = " It says more, and says it well." * 400
    long = (f"[[A]]{talk}", f"[[B]] [[A]]{talk}", f"{talk * 6}[[A]]")
    far = [outcome(answer.judge(Judge(reply, "[[B]]"), question, a, b)) for reply in long]
    what = "winner and failures; 12,800 characters after the mark or 76,800 before"
    expect.equal(far, ["a 0"] * 3, what=what)
    again = outcome(answer.judge(Judge("[[A]], no, [[B]], no, [[A]]", "[[B]]"), question, a, b))
    expect.equal(again, "a 0", what="winner and failures, where the last mark is one that came before")


def outcome(result):
    return f"{part(result, 'winner')} {part(result, 'failures')}"


def test_only_the_exact_marks_count(answer):
    question, a, b = texts(12)
    letters = (
        "[[a]]",
        "[A]",
        "[[ A ]]",
        "[[AB]]",
        "A",
        "",
        "[[D]]",
        "[[Answer A]]",
        "[[A",
        "[ [A] ]",
        "{{A}}",
        "[[\u0410]]",
    )
    found = [f"{one!r}: {outcome(answer.judge(Judge(one, '[[B]]'), question, a, b))}" for one in letters]
    expect.equal(found, [f"{one!r}: tie 1" for one in letters], what="the first reply, then winner and failures")


def test_failures_is_0_where_both_replies_can_be_read(answer):
    question, a, b = texts(8)
    found = []
    for first, second in itertools.product("ABC", repeat=2):
        found.append(part(answer.judge(Judge(f"[[{first}]]", f"[[{second}]]"), question, a, b), "failures"))
    expect.equal(found, [0] * 9, what="failures for the nine pairs of marks")


def judged_items(offset, outcomes):
    """Items, and a judge that knows them: its replies in both orders by question."""
    draw = random.Random(seed(offset))
    numbers = draw.sample(range(1000, 99999), 3 * len(outcomes))
    items = [
        (f"question {q}?", f"a {a}", f"b {b}")
        for q, a, b in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    ]
    return items, dict(zip(items, outcomes, strict=True))


class Bench:
    """Answers the prompts of some items, whatever order they come in; a reply "!" is raised."""

    def __init__(self, filled, outcomes):
        self.replies, self.seen = {}, []
        for (question, a, b), pair in outcomes.items():
            for (x, y), letter in zip(((a, b), (b, a)), pair, strict=True):
                self.replies[filled.format(question=question, first=x, second=y)] = (question, letter)

    def __call__(self, prompt):
        question, letter = self.replies.get(prompt, ("an unknown prompt", "-"))
        self.seen.append(question)
        if letter == "!":
            raise Overloaded("529")
        return f"Hm. [[{letter}]]"


def numbers_of(result):
    return [part(result, name) for name in ("rate", "wins", "losses", "ties", "failures")]


def rated(answer, judge, items):
    """What `win_rate` returns, after a look at whether it has changed the items."""
    with expect.untouched("the items after the call", items, errors=ValueError):
        return answer.win_rate(judge, items)


def test_ties_count_half_and_every_item_counts(answer):
    outcomes = ["AB", "AB", "BA", "AA", "CC", "AB", "AC", "BB", "AB", "BA", "AB"]
    items, known = judged_items(9, outcomes)
    result = rated(answer, Bench(answer.PROMPT, known), items)
    expect.note("wins_and_losses", [5, 2])
    expect.close(numbers_of(result), [7 / 11, 5, 2, 4, 0], what="rate, wins, losses, ties and failures of 11 items")
    items, known = judged_items(15, outcomes * 250)
    result = rated(answer, Bench(answer.PROMPT, known), items)
    what = "rate, wins, losses, ties and failures of 2,750 items"
    expect.close(numbers_of(result), [7 / 11, 1250, 500, 1000, 0], what=what)


def test_failures_are_counted_by_reply_and_their_items_are_ties(answer):
    outcomes = ["A-", "BA", "!!", "AB", "-!", "BA", "!B", "BA", "CC"]
    items, known = judged_items(10, outcomes)
    bench = Bench(answer.PROMPT, known)
    result = rated(answer, bench, items)
    expected = [(1 + 5 / 2) / 9, 1, 3, 5, 6]
    expect.close(numbers_of(result), expected, what="rate, wins, losses, ties and failures; 6 of 18 replies failed")
    expect.equal(len(bench.seen), 18, what="how many prompts the judge got for 9 items")


def test_equal_items_are_judged_each_for_itself(answer):
    item, other = [(*texts(offset),) for offset in (13, 14)]
    judge = Judge("[[A]]", "[[B]]", "[[B]]", "[[A]]", "[[C]]", "[[C]]")
    result = rated(answer, judge, [item, other, item])
    expect.equal(len(judge.prompts), 6, what="how often the judge is called for 3 items, two of them equal")
    expect.close(
        numbers_of(result), [1 / 2, 1, 1, 1, 0], what="rate, wins, losses, ties, failures of a win, a loss, a tie"
    )


class Crowded(Bench):
    """Notes whose call begins while another runs. The first that comes from another thread waits for such a call."""

    def __init__(self, filled, outcomes):
        super().__init__(filled, outcomes)
        self.caller, self.waited = threading.get_ident(), threading.Event()
        self.running, self.crowded = [], []

    def __call__(self, prompt):
        item, _ = self.replies.get(prompt, ("an unknown prompt", "-"))
        self.running.append(item)
        if len(running := list(self.running)) > 1:
            self.crowded.append("several items" if len(set(running)) > 1 else "both orders of an item")
            self.waited.set()
        if threading.get_ident() != self.caller:
            self.waited.wait(0.3)
            self.waited.set()
        reply = super().__call__(prompt)
        self.running.remove(item)
        return reply


def test_items_are_judged_in_order_and_one_is_enough(answer):
    outcomes = ["BA", "AB", "CC", "A-"]
    drawn = sorted(judged_items(11, outcomes)[0])
    items = [drawn[i] for i in (1, 3, 0, 2)]  # Sorted neither way.
    known = dict(zip(items, outcomes, strict=True))
    before = list(items)
    bench = Bench(answer.PROMPT, known)
    rated(answer, bench, items)
    questions = list(dict.fromkeys(bench.seen))
    expect.equal(questions, [question for question, _, _ in before], what="the questions in the order of the prompts")
    crowded = Crowded(answer.PROMPT, known)
    rated(answer, crowded, items)
    expect.true(
        not crowded.crowded,
        what="the calls of the judge that run at a time",
        actual=max(crowded.crowded, default=""),
        expected="one",
    )
    twice = [question for question, _, _ in before for _ in range(2)]
    expect.equal(crowded.seen, twice, what="the questions of all prompts")
    rates = [numbers_of(rated(answer, Bench(answer.PROMPT, known), [item])) for item in before]
    expected = [[0.0, 0, 1, 0, 0], [1.0, 1, 0, 0, 0], [0.5, 0, 0, 1, 0], [0.5, 0, 0, 1, 1]]
    expect.close(rates, expected, what="rate, wins, losses, ties and failures of four single items")


def test_no_items_are_an_error(answer):
    expect.raises(ValueError, lambda: rated(answer, Judge(), []), what="a win rate of no items")
