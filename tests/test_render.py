"""What a learner reads, pinned word by word: tests/golden/*.txt.

After a change of words that is meant: `python -m tests.test_render` writes them anew; read the difference.

Long: 19 tests, one for each kind of text, with the answers that give them.
"""

from __future__ import annotations

import contextlib
import math
import tempfile
from pathlib import Path

import pytest
import torch

from tests.support.miniature import SQUARES, Miniature, build
from tunelings.expect import CheckFailed
from tunelings.grading import failures, render
from tunelings.grading.parting import pair_of
from tunelings.grading.run import Result, checks_of
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.stubs import uncut
from tunelings.grading.text import WIDTH, printed
from tunelings.grading.values import given_text, value_text
from tunelings.grading.verdict import Failure, NamedMistake, Verdict

GOLDEN = Path(__file__).with_name("golden")
RIGHT = uncut(SQUARES)
NUMBER, MATRIX, MEAN = "test_each_number_is_squared", "test_a_matrix_keeps_its_shape", "test_the_mean_is_a_plain_number"


def squares(body: str) -> str:
    """The right answer with another body of `squares`."""
    return RIGHT.replace("    return x * x\n", body)


def mean(body: str) -> str:
    return RIGHT.replace("    return squares(x).mean().item()\n", body)


TODO = '    raise NotImplementedError("TODO")\n'
IN_A_HELPER = "    return helper(x)\n\n\ndef helper(x):\n    return x @ x.reshape(1, -1)\n"
SUMMED = "    return squares(x).sum().item()\n"
LONG = 'raise ValueError("a long message " * 30)'

# name of the golden text: the answer, and the check whose text is pinned
CASES = {
    "vector": (squares("    return x * x + x.relu()\n"), NUMBER),
    "matrix": (squares("    return torch.where(x == -4, x, x * x)\n"), MATRIX),
    "scalar": (mean("    return squares(x).median().item()\n"), MEAN),
    "tensor_for_number": (mean("    return squares(x).mean()\n"), MEAN),
    "nothing_returned": (squares("    x * x\n"), NUMBER),
    "wrong_shape": (squares("    return (x * x)[:2]\n"), NUMBER),
    "text_returned": (squares("    return 'nine'\n"), NUMBER),
    "nan": (squares("    return x * x * torch.tensor([1, torch.nan, 1])\n"), NUMBER),
    "crash": (squares(IN_A_HELPER), NUMBER),
    "crash_long": (squares(f"    {LONG}\n"), NUMBER),
    "recursion": (squares("    return squares(x)\n"), NUMBER),
    "syntax_error": (squares("    return x * * x\n"), NUMBER),
    "does_not_load": ("import no_such_package\n" + RIGHT, NUMBER),
    "timeout": (squares("    while True:\n        pass\n"), NUMBER),
    "exit": (squares("    raise SystemExit\n"), NUMBER),
    "patched": (squares("    torch.set_grad_enabled(False)\n    return x * x\n"), NUMBER),
    "todo_left": (mean(TODO), MEAN),
    "not_started": (mean(TODO).replace("    return x * x\n", TODO), NUMBER),
    "missing_name": (RIGHT.replace("squares(x", "square(x"), NUMBER),
    "named": (squares("    return torch.stack([x, x]).sum(0)\n"), NUMBER),
    "one_of_two": (squares("    return x.abs() * x\n"), NUMBER),
    "unexplained": (mean(SUMMED).replace("x * x\n", "x * x if len(x) < 7 else x\n"), MEAN),
    "missing_file": (None, NUMBER),
}


def text_of(mini: Miniature, answer: str | None, check: str, encoding: str = "utf-8") -> str:
    """The text of one check of 1.01 for this answer; the first check has a limit of 1 s."""
    file = mini.squares.check_path
    limited = file.read_text(encoding="utf-8").replace(f"def {NUMBER}", f"@pytest.mark.timeout(1)\ndef {NUMBER}")
    file.write_text(limited.replace("import torch\n", "import pytest\nimport torch\n", 1), encoding="utf-8")
    if answer is None:
        mini.squares.answer_path.unlink()
    else:
        mini.answer(mini.squares, answer)
    return mini.grade(f"{file}::{check}", encoding=encoding).text()


@pytest.mark.parametrize("name", CASES)
def test_a_failure_reads_as_pinned(mini, name: str):
    text = text_of(mini, *CASES[name])
    assert text + "\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert "\x1b" not in text and "!" not in text.replace("!=", "")
    lines = text.splitlines()
    assert len(lines) <= 9, "a headline and at most 8 lines"
    assert max(map(len, lines)) <= WIDTH


def test_no_golden_text_is_left_over():
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == sorted(CASES)


@pytest.mark.parametrize("name", ["named", "one_of_two", "crash_long", "not_started", "todo_left", "syntax_error"])
def test_a_terminal_of_ascii_gets_ascii(mini, name: str):
    text = text_of(mini, *CASES[name], encoding="ascii")
    assert text.isascii()
    pinned = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    marks = {"✗": "x", "○": "o", "◐": "~", "·": "-", "…": "..."}
    for mark, plain in marks.items():
        pinned = pinned.replace(mark, plain)
    assert text + "\n" == pinned


def test_the_check_that_cannot_use_an_answer_blames_no_line(mini):
    check = mini.squares.check_path
    check.write_text(check.read_text() + "\n\ndef test_it_has_a_loss(answer):\n    answer.squares(VECTOR).loss\n")
    text = text_of(mini, RIGHT, "test_it_has_a_loss").splitlines()
    assert text[1:4] == [
        "    the check can't use what your code gave it: AttributeError: 'Tensor' object has no attribute",
        "    'loss'",
        "      in the check: answer.squares(VECTOR).loss",
    ]
    assert text[4].strip().startswith("exercises/module01/ex01_squares.py:7 ·")


@pytest.mark.parametrize(
    "body, said",
    [
        ("    return x.to_sparse()\n", "a sparse tensor of shape [3] on cpu     a sparse tensor"),
        ("    return x.to('meta')\n", "a tensor of shape [3] on meta     a tensor on meta, which holds no numbers"),
        ("    class Thing: pass\n    return Thing()\n", "an object of class Thing     a Thing"),
        ("    return 10**5000\n", "too large for a float"),
    ],
)
def test_what_no_comparison_can_read_is_named(mini, body: str, said: str):
    text = text_of(mini, squares(body), NUMBER)
    assert "expected" in text and said in text and "the check can't use" not in text


# Values on one line.


@pytest.mark.parametrize(
    "value, shown",
    [
        (0.5, "0.5000"), (0.0, "0.0"), (1234.5678, "1235"), (-0.00012345, "-0.000123"), (1e-9, "1.000e-09"),
        (123456789.0, "1.235e+08"), (math.nan, "nan"), (-math.inf, "-inf"), (3, "3"), (True, "True"), (None, "None"),
        ("a text", "a text"), ([1, 2.0], "[1, 2.000]"), ([], "[]"), ((1, None), "(1, None)"),
        (list(range(12)), "[0, 1, 2, 3, 4, 5, 6, 7, …]"), ({"a": 1}, "{'a': 1}"),
        (torch.tensor(2.5), "2.500"), (torch.tensor([1, 2]), "[1, 2]"), (torch.tensor([True]), "[True]"),
        (torch.empty(0, 3), "a tensor of shape [0, 3] on cpu"),
        (torch.empty(2, device="meta"), "a tensor of shape [2] on meta"),
        (torch.tensor([1.0, -2.0]), "[ 1.000, -2.000]"), (torch.tensor([[1, 2], [3, 4]]), "at [0] [1, 2]"),
        (torch.arange(12), "[0, 1, 2, 3, 4, 5, 6, 7, …]"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_value_takes_one_line(value, shown):
    assert value_text(value) == shown


def test_a_long_value_of_any_kind_is_cut():
    for value in ("x" * 500, "word " * 100, ["x" * 500], {n: "x" * 9 for n in range(99)}, [10**9] * 99):
        assert 10 < len(value_text(value)) <= 110
        assert "…" in value_text(value)


# Text that an answer made cannot write to the screen.

HOSTILE = "\x1b[2J\x1b]0;title\x07\r\u202eevil\u2028next\u200b\x9b31m\ud800"


def hostile_object(text):
    return type("Odd" + HOSTILE.replace("\ud800", ""), (), {"__repr__": lambda self: text})()


@pytest.mark.parametrize(
    "value",
    [
        HOSTILE,
        [HOSTILE],
        {HOSTILE: HOSTILE},
        hostile_object(HOSTILE),
        [hostile_object(HOSTILE)],
        (hostile_object("a\nb"),),
    ],
    ids=ascii,
)
def test_no_character_moves_on_the_screen(value):
    for text in (
        value_text(value),
        *pair_of(1, value),
        *pair_of(value, [value]),
        given_text(value),
        given_text({"x": value}),
    ):
        assert text.isprintable(), ascii(text)


def test_a_crash_and_its_line_are_shown_in_visible_characters(mini):
    body = f"    raise ValueError({HOSTILE[:-1]!r})  # \u202e\u2028\x1b[2J\n"
    text = text_of(mini, squares(body.replace("\u2028", "")), NUMBER)
    assert text.replace("\n", "").isprintable()
    assert "\\x1b[2J" in text and "\\u202e" in text


def test_an_error_while_loading_takes_a_few_lines(mini):
    answer = RIGHT.replace("import torch\n", "import torch\nraise ValueError('\\x1b[2J\\n' * 90)\n", 1)
    text = text_of(mini, answer, NUMBER)
    assert len(text.splitlines()) <= 9 and "\x1b" not in text


class Broken:
    def __init__(self, does):
        self.does = does

    def __repr__(self):
        return self.does()


def ends():
    raise SystemExit


@pytest.mark.parametrize(
    "does, shown",
    [
        (ends, "<a Broken whose repr raises SystemExit>"),
        (lambda: 1 / 0, "<a Broken whose repr raises ZeroDivisionError>"),
        (lambda: None, "<a Broken whose repr raises TypeError>"),
        (lambda: "y" * 10**6, "y" * 83 + "…"),
        (lambda: "one\ntwo", "one\\ntwo"),
    ],
)
def test_a_repr_can_do_what_it_likes(does, shown):
    assert value_text(Broken(does)) == shown
    assert pair_of(1, Broken(does)).got == shown
    assert given_text(Broken(does)).startswith(shown[:80])


def test_an_error_whose_text_raises_ends_the_check_in_one_sentence(mini):
    body = "    class Odd(Exception):\n        def __str__(self): raise SystemExit\n    raise Odd\n"
    failure = failures.failure_of(lambda answer: None, mini.run(mini.squares, squares(body)), mini.squares.answer_path)
    assert failure.message == "the text of a Odd that the answer raises cannot be made"


def test_of_what_is_printed_the_first_and_last_lines_are_kept():
    text = "\n".join(f"\x1b[31mline {n}\r" for n in range(1000)) + "\n"
    kept = printed(text, lines=4).split("\n")
    assert kept == [
        "\\x1b[31mline 0",
        "\\x1b[31mline 1",
        "… 996 more lines …",
        "\\x1b[31mline 998",
        "\\x1b[31mline 999",
    ]
    assert printed("one\ntwo\n") == "one\ntwo"
    assert len(printed("x" * 10**6)) == WIDTH


# What an input looks like beside a failure.


@pytest.mark.parametrize(
    "given, shown",
    [
        (None, ""),
        ("Straße", "Straße"),
        ("a\tb", "a\\tb"),
        ({"text": " a", "n": 3, "x": torch.tensor([1.0, 2.0])}, "text=' a', n=3, x=[1.000, 2.000]"),
        ({"not a name": 1}, "{'not a name': 1}"),
        ([[1, 2], [3]], "[[1, 2], [3]]"),
        (torch.ones(2, 2), "[[1.000, 1.000], [1.000, 1.000]]"),
        (torch.ones(3, 7), "a tensor of shape [3, 7] on cpu"),
        ("x" * 999, "x" * 299 + "…"),
    ],
)
def test_the_input_of_a_case_takes_one_line(given, shown):
    assert given_text(given) == shown


def test_the_input_of_a_case_stands_above_the_two_values():
    error = CheckFailed("the words", 3, 4, given={"text": "a b c"})
    failure = failures.failure_of(lambda answer: None, Result("test_x", CheckState.FAILED, error), Path("none.py"))
    verdict = Verdict("1.01", "Squares", "docs/", "a.py", ExerciseState.FAILED, {}, failure)
    assert [line.strip() for line in render.failure_lines(verdict, failure)[1:-1]] == [
        "the words",
        "given     text='a b c'",
        "expected  3",
        "got       4",
    ]


# "Is a return missing?" is said where one is.


def remark_on(mini, answer: str, check: str = NUMBER) -> str:
    mini.answer(mini.squares, answer)
    found = next(c for c in checks_of(mini.squares.check_path, [check]))
    result = mini.run(mini.squares, answer, check)
    return failures.failure_of(found, result, mini.squares.answer_path).remark


def test_a_return_is_missed_only_where_there_is_none(mini):
    assert remark_on(mini, squares("    x * x\n")) == "`squares` returns nothing: is a return missing?"
    assert remark_on(mini, squares("    return None\n")) == ""
    assert remark_on(mini, squares("    return {}.get('field')\n")) == ""
    inner = "    def inner():\n        return x\n    inner()\n"
    assert remark_on(mini, squares(inner)) == "`squares` returns nothing: is a return missing?"
    assert (
        remark_on(mini, mean("    squares(x).mean()\n"), MEAN) == "`mean_square` returns nothing: is a return missing?"
    )


# The learner's own numbers in a mistake's `shows`.


def failed(actual, expected, **notes) -> Result:
    return Result("test_x", CheckState.FAILED, CheckFailed("x", expected, actual), notes)


@pytest.mark.parametrize(
    "template, shown",
    [
        ("{actual[0]:.3g} is {expected[0]:.3g} + {stale[0]:.3g}", "3 is 1 + 2"),
        ("{steps} steps", "4 steps"),
        ("{actual[2]} is not there", ""),
        ("{unknown} is not there", ""),
        ("{actual:.3g} has no such format", ""),
        ("{actual.nope} has no such attribute", ""),
        ("{broken", ""),
        ("{} by place", ""),
        ("", ""),
    ],
)
def test_a_template_shows_the_learners_numbers_or_nothing(template, shown):
    result = failed(torch.tensor([3.0]), torch.tensor([1.0]), stale=torch.tensor([[2.0]]), steps=4)
    assert failures.shown(template, result) == shown


def test_a_template_says_nothing_of_a_crash():
    assert failures.shown("{steps} steps", Result("test_x", CheckState.CRASHED, ValueError("no"), {"steps": 4})) == ""


def test_a_mistake_is_never_said_to_be_what_the_learner_did():
    failure = Failure("test_x", CheckState.FAILED, mistakes=(NamedMistake("one", "the sign is kept."),), unexplained=2)
    verdict = Verdict("1.01", "Squares", "docs/", "a.py", ExerciseState.FAILED, {}, failure)
    assert [line.strip() for line in render.failure_lines(verdict, failure)[1:-1]] == [
        "This is what comes out when the sign is kept.",
        "2 other checks fail too, which this doesn't explain.",
    ]


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for case, (wrong, of_check) in CASES.items():
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            written = text_of(build(Path(folder)), wrong, of_check)
        (GOLDEN / f"{case}.txt").write_text(written + "\n", encoding="utf-8")
