"""The report on a class: its figures are held to numbers worked out by hand, and its page to what it must not do.

Long: 24 tests, by part of the page.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import re
import statistics
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support import classes
from tests.support.classes import NO_ZERO_GRAD, ONE, TWO
from tunelings.classroom import clusters, feedback, figures, gradescope, junit, measures, outputs, report, sharing
from tunelings.classroom.records import Class, Graded, Outcome
from tunelings.classroom.table import Table
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.verdict import Failure

EVIL = "</pre><script>alert(1)</script><img src=https://example.org/x onerror=alert(1)>"


def pairs(*groups: tuple[int, bool, bool]) -> Class:
    """A class of (how many, passes 1.05, passes 1.06)."""
    rows: list[Graded] = []
    for count, one, two in groups:
        for _ in range(count):
            student = f"s{len(rows)}"
            rows += [
                (classes.passed if good else classes.failed)(student, number)
                for number, good in ((ONE, one), (TWO, two))
            ]
    return classes.klass(rows)  # fmt: skip


def item(klass: Class, exercise: str = ONE) -> measures.Item:
    return {one.exercise: one for one in measures.items(Table(klass), {}, {})}[exercise]


# ---------------------------------------------------------------- statistics, against hand numbers
def test_discrimination_is_the_correlation_with_the_rest():
    """Ten pass, of whom 6 pass the other; ten fail, of whom 2 do: phi = (6·8 - 4·2) / √(10·10·8·12)."""
    klass = pairs((6, True, True), (4, True, False), (2, False, True), (8, False, False))
    by_hand = (6 * 8 - 4 * 2) / math.sqrt(10 * 10 * 8 * 12)
    found = item(klass)
    assert found.discrimination == pytest.approx(by_hand) == pytest.approx(0.408, abs=5e-4)
    assert found.interval == pytest.approx((-0.0418, 0.7202), abs=5e-4)  # tanh(0.4335 ± 1.96 / √17)
    assert not found.is_suspect and (found.started, found.passed, found.share) == (20, 10, 0.5)


def test_the_exercise_is_not_in_the_score_that_it_is_compared_with():
    """Passing the one tells nothing of the other; with itself in the score, r would be 0.71."""
    found = item(pairs((5, True, True), (5, True, False), (5, False, True), (5, False, False)))
    assert found.discrimination == pytest.approx(0, abs=1e-12) and found.is_suspect


def test_the_rest_score_is_the_points_of_all_other_exercises():
    """The point-biserial formula, (M1 - M0) / s · √(p q), on the parts of points that `--points checks` gives."""
    rows = []
    for n in range(24):
        good = n % 3 > 0
        rows.append((classes.passed if good else classes.failed)(f"s{n}", ONE))
        rows.append(Graded(f"s{n}", TWO, Outcome.FAILED, points=(n % 7) / 7, verdict=classes.verdict(TWO)))
    rest = [(n % 7) / 7 for n in range(24)]
    high = [rest[n] for n in range(24) if n % 3 > 0]
    low = [rest[n] for n in range(24) if n % 3 == 0]
    p = len(high) / 24
    gap = statistics.mean(high) - statistics.mean(low)
    expected = gap / statistics.pstdev(rest) * math.sqrt(p * (1 - p))
    assert item(classes.klass(rows)).discrimination == pytest.approx(expected)


@pytest.mark.parametrize(
    ("klass", "why"),
    [
        (pairs((9, True, True), (10, False, False)), "fewer than 20 began"),
        (pairs((12, True, True), (12, True, False)), "all pass"),
        (pairs((12, False, True), (12, False, False)), "none passes"),
        (pairs((12, True, True), (12, False, True)), "all have the same score elsewhere"),
    ],
)
def test_where_discrimination_says_nothing_there_is_none(klass: Class, why: str):
    found = item(klass)
    assert (found.discrimination, found.interval, found.why, found.is_suspect) == (None, None, why, False)


def test_who_has_not_begun_or_was_not_graded_is_no_starter():
    kinds = [Outcome.NOT_STARTED, Outcome.MISSING, Outcome.REFUSED, Outcome.NO_VERDICT, Outcome.TIMEOUT, Outcome.BROKEN]
    rows = [classes.outcome(f"o{n}", kind) for n, kind in enumerate(kinds)]
    found = item(classes.klass([*rows, classes.passed("a"), classes.failed("b")]))
    assert (found.students, found.started, found.passed, found.share) == (8, 4, 1, 0.25)
    ones = dict.fromkeys(("timeout", "broken", "passed", "unknown failure"), 1)
    assert found.groups == {"not started": 2, "not graded": 2, **ones}
    assert found.seconds == 3.0, "the median of 2 and 4; what didn't run has no seconds"


def test_exercises_stand_by_their_unknown_failures():
    rows = [classes.passed("a", ONE), classes.failed("a", TWO), classes.failed("b", ONE), classes.failed("b", TWO)]
    assert [one.exercise for one in measures.items(Table(classes.klass(rows)), {}, {})] == [TWO, ONE]


def test_mistakes_are_counted_by_name_and_two_that_are_alike_as_one():
    other = classes.NamedMistake("eval-mode", "the model is in eval mode.")
    rows = [classes.failed(f"a{n}", why=classes.failure(mistakes=(NO_ZERO_GRAD,))) for n in range(3)]
    rows += [classes.failed("b", why=classes.failure(mistakes=(NO_ZERO_GRAD, other)))]
    found = item(classes.klass(rows))
    assert [(one.id, one.count) for one in found.mistakes] == [("no-zero-grad", 3), ("no-zero-grad or eval-mode", 1)]
    assert found.groups == {"named mistake": 4} and found.clusters == ()


# ---------------------------------------------------------------- clusters
def test_failures_are_one_cluster_where_check_state_words_and_value_agree():
    crash = Failure("test_two", CheckState.CRASHED, message="TypeError: no")
    rows = [
        classes.failed("a", print_="1"), classes.failed("b", print_="1"), classes.failed("c", print_="2"),
        classes.failed("d", why=classes.failure("the bias"), print_="1"), classes.failed("e", why=crash, print_="1"),
        classes.failed("f", fingerprints={}), classes.failed("g", fingerprints={}),
        classes.failed("h", why=classes.failure(mistakes=(NO_ZERO_GRAD,))), classes.passed("i"),
    ]  # fmt: skip
    found = clusters.clusters(rows, {})
    assert sorted("".join(row.student for row in one.rows) for one in found) == ["ab", "c", "d", "e", "fg"]
    assert [one.count for one in found] == [2, 2, 1, 1, 1]
    again = clusters.clusters(reversed(rows), {})
    assert {one.id for one in again} == {one.id for one in found}, "a name hangs on what came out alone"
    assert all(re.fullmatch(r"1\.05-[0-9a-f]{6}", one.id) for one in found)


LOADING = "loading the file raises"


def unloaded(student: str, message: str) -> Graded:
    """An answer that doesn't load; a class's answers differ in their lines, and in the check that comes first."""
    failure = Failure(f"test_{student}", CheckState.BROKEN, message=message, line=3)
    digest = f"hash-{student}"
    return Graded(student, ONE, Outcome.BROKEN, verdict=classes.verdict(ONE, failure), answer_hash=digest)


def test_answers_that_do_not_load_are_together_by_the_errors_type_and_its_last_line():
    rows = [
        unloaded("a", f"line 3: {LOADING} ModuleNotFoundError: No module named 'peft.lora'"),
        unloaded("b", f"line 44: {LOADING} ModuleNotFoundError: No module named 'peft.lora'"),
        unloaded("c", f"line 3: {LOADING} ImportError: No module named 'peft.lora'"),
        unloaded("d", f"line 3: {LOADING} ModuleNotFoundError: No module named 'torchh'"),
        unloaded("e", f"line 9: {LOADING} ValueError: in a long text\n  of two lines\nshapes differ"),
        unloaded("f", f"{LOADING} ValueError: in another\nshapes differ"),
        unloaded("g", "line 2 is not valid Python: '(' was never closed\n  f(x"),
        unloaded("h", "line 8 is not valid Python: '(' was never closed\n  g(y"),
        classes.passed("i"),
    ]
    found = clusters.clusters(rows, {"hash-b": "import peft.lora\n"})
    assert sorted("".join(row.student for row in one.rows) for one in found) == ["ab", "c", "d", "ef", "gh"]
    (shown,) = (one for one in found if one.rows[0].student == "a")
    assert shown.does_not_load and shown.answer_hash == "hash-b"


def test_answers_that_do_not_load_are_in_the_report_and_in_the_lecture(tmp_path: Path):
    rows = [unloaded(f"b{n}", f"line {n}: {LOADING} NameError: no torch") for n in range(6)]
    rows += [unloaded("z", f"line 1: {LOADING} KeyError: 3"), *(classes.passed(f"p{n}") for n in range(14))]
    klass = classes.klass(rows)
    made = figures.figures(Table(klass), {}, {})
    (one,) = made["items"]
    assert one["groups"] == {"passed": 14, "broken": 7} and (one["unknown"], one["named"]) == (0, 0)
    assert [(cluster["count"], cluster["state"]) for cluster in one["clusters"]] == [(6, "broken"), (1, "broken")]
    said = [line["text"] for line in made["lecture"] if line["kind"] == "unknown"]
    assert said == [f"6 don't load, for the same reason: line 0: {LOADING} NameError: no torch."]
    assert sharing.shared(made)["items"][0]["clusters"] == [], "6 of 7 would tell that one had the other error"
    outputs.write_all(klass, tmp_path, names={}, answers={"hash-b0": "x\n"})
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "6 × the same, and it doesn" in page and "NameError: no torch" in page and "dev mistake" not in page


def test_an_answer_that_ended_its_grader_says_so_to_its_student_and_is_to_be_looked_at():
    reason = "the answer ended the grader, even when it ran alone: it ended"
    row = Graded("a", ONE, Outcome.FAILED, verdict=replace(classes.verdict(), checks={}), reason=reason)
    klass = classes.klass([row])
    made = figures.figures(Table(klass), {}, {})
    assert made["to_look_at"] == [{"student": "a", "exercise": ONE, "outcome": "failed", "reason": reason}]
    assert made["items"][0]["clusters"][0]["message"] == reason
    assert f"Reason: {reason}" in feedback.feedback(Table(klass), "a", {})
    assert gradescope.results(Table(klass), "a", {})["tests"][0]["output"] == f"Reason: {reason}"
    assert reason in junit.junit(Table(klass), {}).decode()


def test_the_answer_that_is_shown_is_the_most_frequent_then_the_shortest():
    rows = [classes.failed(f"s{n}", answer_hash=name) for n, name in enumerate("aabbc")]
    (found,) = clusters.clusters(rows, {"a": "a longer one", "b": "short", "c": ""})
    assert found.answer_hash == "b"
    assert clusters.clusters(rows, {})[0].answer_hash == ""


def test_a_todo_that_is_left_is_no_unknown_failure():
    row = classes.failed("a", why=Failure("test_two", CheckState.TODO, todos=("f",)))
    row = replace(row, verdict=replace(row.verdict, state=ExerciseState.IN_PROGRESS))
    found = item(classes.klass([row]))
    assert found.groups == {"in progress": 1} and found.clusters == ()


# ---------------------------------------------------------------- what may be shared
@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"a": 20, "b": 9}, set()),
        ({"a": 20, "b": 9, "c": 3}, {"b", "c"}),  # 3 alone would follow from the sum
        ({"a": 20, "b": 9, "c": 3, "d": 4}, {"c", "d"}),
        ({"a": 20, "b": 1, "c": 2}, {"a", "b", "c"}),
        ({"a": 5, "b": 0}, set()),
        ({"a": 2}, {"a"}),
    ],
)
def test_a_small_count_is_hidden_and_does_not_follow_from_the_others(counts, expected):
    assert sharing.hidden(counts) == expected


@pytest.fixture(scope="module")
def big() -> Class:
    """60 students: 30 pass, 15 make one mistake, 2 another, 9 and 1 fail in ways unknown, 3 have not begun."""
    rare = classes.NamedMistake("rare-one", "something rare happens.")
    rows = [classes.passed(f"p{n}") for n in range(30)]
    rows += [classes.failed(f"m{n}", why=classes.failure(mistakes=(NO_ZERO_GRAD,))) for n in range(15)]
    rows += [classes.failed(f"r{n}", why=classes.failure(mistakes=(rare,))) for n in range(2)]
    rows += [classes.failed(f"u{n}", why=classes.failure(got=EVIL), answer_hash="evil") for n in range(9)]
    rows += [classes.failed("v", print_="other", flags=("uses gc",))]
    rows += [classes.outcome(f"n{n}", Outcome.NOT_STARTED) for n in range(3)]
    return classes.klass(rows, seed=1)


@pytest.fixture(scope="module")
def out(big: Class, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    outputs.write_all(big, folder, names={}, answers={"evil": EVIL})
    return folder


def test_the_report_to_share_has_no_small_cell_and_no_answer(big: Class, out: Path):
    made = figures.figures(Table(big), {}, {"evil": EVIL})
    (one,) = sharing.shared(made)["items"]
    assert one["groups"] == {"passed": 30, "named mistake": 17, "unknown failure": None, "not started": None}
    assert [(m["id"], m["count"]) for m in one["mistakes"]] == [], "15 of 17 would tell that 2 made the other"
    assert one["clusters"] == [] and one["started"] is None and one["share"] is None
    page = (out / "report-to-share.html").read_text("utf-8")
    for word in ("rare-one", "uses gc", "alert", "dev mistake", "u0", *re.findall(r"1\.05-[0-9a-f]{6}", str(made))):
        assert word not in page
    assert "hidden" in page


def bars(*counts: int) -> list[dict[str, int]]:
    return [{"from": place, "to": place, "count": count} for place, count in enumerate(counts)]


def possible(shown: list[dict[str, int]], passes: int) -> set[tuple[int, ...]]:
    """Every way in which the shown bars can be filled, one score for each, so that all passes come out."""
    found = {(0, ())}
    for bar in shown:
        width = bar["to"] - bar["from"] + 1
        splits = [
            split for split in itertools.product(range(bar["count"] + 1), repeat=width) if sum(split) == bar["count"]
        ]
        sums = [(sum((bar["from"] + n) * count for n, count in enumerate(split)), split) for split in splits]
        found = {(total + more, (*before, *split)) for total, before in found for more, split in sums}
    return {split for total, split in found if total == passes}


def test_no_small_count_follows_from_the_histogram_to_share():
    """Readers know all passes, from the table of exercises."""
    rng = random.Random(0)
    shared = 0
    for _ in range(60):
        counts = [rng.choice((0, 1, 2, 4, 5, 6, 7)) for _ in range(6)]
        passes = sum(place * count for place, count in enumerate(counts))
        shown = sharing.merged(bars(*counts), passes)
        assert all(bar["count"] == 0 or bar["count"] >= sharing.LEAST for bar in shown)
        small = [place for place, count in enumerate(counts) if 0 < count < sharing.LEAST]
        if shown and small:
            shared += 1
            ways = possible(shown, passes)
            assert tuple(counts) in ways and all(len({way[place] for way in ways}) > 1 for place in small)
    assert shared > 10


def test_a_histogram_is_shared_as_it_is_or_wider_or_not_at_all():
    assert sharing.merged(bars(5, 0, 8, 6), 34) == bars(5, 0, 8, 6)
    assert sharing.merged(bars(2, 4, 8, 6), 38) == [
        {"from": 0, "to": 1, "count": 6},
        {"from": 2, "to": 3, "count": 14},
    ]
    assert sharing.merged(bars(2, 1, 1), 3) == []
    assert sharing.merged(bars(0, 1, 29, 0), 59) == [], "59 passes of 30 students with at most 2 leave one way"


def test_every_number_of_the_report_is_in_report_json(out: Path):
    made = json.loads((out / "report.json").read_text("utf-8"))
    (one,) = made["items"]
    assert (one["started"], one["passed"], one["named"], one["unknown"], one["timeouts"]) == (57, 30, 17, 10, 0)
    assert sum(one["groups"].values()) == made["students"] == 60 == sum(bin["count"] for bin in made["scores"])
    assert [cluster["count"] for cluster in one["clusters"]] == [9, 1]
    assert made["flags"] == [{"student": "v", "exercise": ONE, "flags": ["uses gc"]}]


def test_the_lecture_begins_with_what_is_open_and_names_the_mistake():
    rows = [classes.failed(f"a{n}", why=classes.failure(mistakes=(NO_ZERO_GRAD,))) for n in range(4)]
    rows += [classes.failed("b"), classes.failed("c"), classes.outcome("d", Outcome.NO_VERDICT)]
    made = figures.figures(Table(classes.klass(rows)), {ONE: "Training step"}, {})
    assert [line["kind"] for line in made["lecture"]] == ["open", "mistake", "unknown", "hard"]
    text = f"4 of 6 answers match this mistake: {NO_ZERO_GRAD.says}"
    assert made["lecture"][1] == {"kind": "mistake", "exercise": "1.05 Training step", "text": text}
    assert made["lecture"][2]["text"] == "2 fail in the same way, and no known mistake explains it: the weight."
    assert made["lecture"][3]["text"] == "The hardest: 0 of the 6 who began it pass (0%)."


# ---------------------------------------------------------------- the page
class Page(HTMLParser):
    """The tags of a page and their attributes."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", ["report.html", "report-to-share.html"])
def test_the_page_asks_for_nothing_and_runs_nothing(out: Path, name: str):
    page = Page((out / name).read_text("utf-8"))
    assert {"html", "main", "svg", "table"} <= {tag for tag, _ in page.tags}
    assert not {"script", "img", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    links = [
        value
        for _, attributes in page.tags
        for key, value in attributes.items()
        if key in {"href", "src", "xlink:href"}
    ]
    assert links and all(value.startswith("#") for value in links)  # fmt: skip
    assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]
    policy = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_an_answer_is_shown_as_text(out: Path):
    page = (out / "report.html").read_text("utf-8")
    assert "&lt;/pre&gt;&lt;script&gt;alert(1)" in page and EVIL not in page
    assert (out / "clusters").is_dir() and [p.read_text("utf-8") for p in (out / "clusters").iterdir()] == [EVIL]
    cluster = next((out / "clusters").iterdir()).stem
    assert f"dev mistake {outputs.shown_path(out)} {cluster}" in page


def test_one_is_no_plural(tmp_path: Path):
    klass = classes.klass([classes.failed("a")])
    outputs.write_all(klass, tmp_path, names={})
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "1 student, 1 exercise ·" in page and "<strong>1 ×, and no known mistake</strong>" in page


def test_the_parts_of_a_bar_are_the_groups(big: Class):
    (one,) = figures.figures(Table(big), {}, {})["items"]
    parts = report.bar(one)
    assert [(part["name"], part["count"]) for part in parts] == [
        ("passed", 30), ("named mistake", 17), ("unknown failure", 10), ("not started", 3)]  # fmt: skip
    assert parts[0]["width"] == 50 and sum(part["width"] for part in parts) == pytest.approx(100)
    assert [part["x"] for part in parts] == pytest.approx([0, 50, 50 + 17 / 0.6, 50 + 27 / 0.6])


def test_code_in_a_sentence_is_code_and_still_escaped():
    assert report.code("`a < b` is <b>") == "<code>a &lt; b</code> is &lt;b&gt;"
