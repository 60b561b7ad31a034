"""Each operator of the mutation changes what it should, and nothing outside the regions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunelings.course import CourseError
from tunelings.grading import mutate


def solution(*lines: str) -> str:
    """A solution whose region holds these lines."""
    body = "".join(f"    {line}\n" for line in lines)
    return f"def f(a, b, *rest, **more):\n    # BEGIN SOLUTION: it.\n{body}    # END SOLUTION\n"


def names(*lines: str) -> list[str]:
    return [mutant.name for mutant in mutate.mutants(solution(*lines))]


@pytest.mark.parametrize(
    "line, changes",
    [
        ("return a < b", ["a < b -> a <= b"]),
        ("return a >= b", ["a >= b -> a > b"]),
        ("return a == b", ["a == b -> a != b"]),
        ("return a is b", ["a is b -> a is not b"]),
        ("return a in b", ["a in b -> a not in b"]),
        ("return a + b", ["a + b -> a - b"]),
        ("return a * b", ["a * b -> a / b"]),
        ("return a @ b", ["a @ b -> a * b"]),
        ("return a // b", ["a // b -> a / b"]),
        ("return a & b", ["a & b -> a | b"]),
        ("return 3", ["3 -> 4", "3 -> 2"]),
        ("return 0.5", ["0.5 -> 1.5", "0.5 -> -0.5"]),
        ("return True", ["True -> False"]),
        ("return -a", ["-a -> a"]),
        ("return not a", ["not a -> a"]),
        ("return a and b", ["a and b -> a or b"]),
        ("return a or b", ["a or b -> a and b"]),
        ("return a(b, rest)", ["a(b, rest) -> a(rest, b)"]),
        ("return a(b, dim=rest)", ["a(b, dim=rest) -> a(b)"]),
        ("return a(x=b, y=b)", ["a(x=b, y=b) -> a(y=b)", "a(x=b, y=b) -> a(x=b)"]),
        ("return a(*b, rest)", []),
        ("return a(b)", []),
        ("return a if b else rest", ["a if b else rest -> a if not b else rest"]),
        ("return 'text'", []),
        ("return None", []),
    ],
)
def test_an_expression_is_changed_by_its_operator(line: str, changes: list[str]):
    assert names(line) == [f"{line} -> pass", *changes]


@pytest.mark.parametrize(
    "lines, changes",
    [
        (["a.step()"], ["a.step() -> pass"]),
        (["a = b"], ["a = b -> pass"]),
        (["a += b"], ["a += b -> a -= b", "a += b -> pass"]),
        (["raise a"], ["raise a -> pass"]),
        (["if a:", "    b()"], ["if a: b() -> if not a: b()", "b() -> pass"]),
        (["while a:", "    b()"], ["while a: b() -> while not a: b()", "b() -> pass"]),
        (["with a:", "    b()"], ["with a: b() -> pass", "b() -> pass"]),
        (["for a in b:", "    a()"], ["a() -> pass"]),
        (["pass"], []),
    ],
)
def test_a_statement_is_changed_by_its_operator(lines: list[str], changes: list[str]):
    assert names(*lines) == changes


def test_the_text_of_a_mutant_is_the_solution_with_one_change():
    (mutant,) = [m for m in mutate.mutants(solution("return a + b")) if m.name == "a + b -> a - b"]
    assert mutant.text == "def f(a, b, *rest, **more):\n    return a - b\n"


def test_the_same_change_twice_has_two_names():
    assert [name for name in names("a = b + 1", "return b + 1") if name.startswith("b + 1")] == [
        "b + 1 -> b - 1",
        "b + 1 -> b - 1 #2",
    ]


def test_names_are_unique_and_the_same_each_time():
    lines = ["x = a + a + a", "x = a + a + a", "return x(a, a) + x(a, a)"]
    assert len(set(names(*lines))) == len(names(*lines))
    assert names(*lines) == names(*lines)


def test_a_name_stays_when_other_lines_come_before_it():
    assert set(names("return a < b")) <= set(names("a = b", "return a < b"))


def test_a_mutant_knows_the_line_of_its_change():
    lines = ["if a:", "    b = a(", "        1,", "    )", "return b"]
    found = [(mutant.line, mutant.name) for mutant in mutate.mutants(solution(*lines))]
    assert found[1:] == [(4, "b = a(1) -> pass"), (5, "1 -> 2"), (5, "1 -> 0"), (7, "return b -> pass")]


def test_nothing_outside_the_regions_is_changed():
    text = "LIMIT = 3\n\n\ndef g(a=1):\n    return a + LIMIT\n\n\n" + solution("return a")
    assert [mutant.name for mutant in mutate.mutants(text)] == ["return a -> pass"]


def test_docstrings_annotations_and_decorators_in_a_region_are_left_alone():
    lines = ["@a(1)", "def g(x: int = b, y: 'a + b' = a) -> a[1]:", '    """Words."""', "    return x"]
    assert names(*lines) == ["return x -> pass"]


def test_every_mutant_is_python():
    lines = ["for x in range(1, 3):", "    if not a and b:", "        with a: b(1, x=2)", "return -a @ b if a else ~b"]
    for mutant in mutate.mutants(solution(*lines)):
        compile(mutant.text, mutant.name, "exec")


def test_a_mutant_that_survives_is_reported(mini, tmp_path: Path):
    total, alive = mutate.survivors(mini.squares, tmp_path)
    assert (total, alive) == (3, [])
    check = mini.squares.check_path
    check.write_text(check.read_text().split("def test_the_mean")[0].replace("MATRIX.pow(2)", "answer.squares(MATRIX)"))
    total, alive = mutate.survivors(mini.squares, tmp_path)
    assert (total, [str(mutant) for mutant in alive]) == (3, ["line 17: return squares(x).mean().item() -> pass"])


def test_the_listed_survivors_are_read_by_exercise(tmp_path: Path):
    assert mutate.listed_survivors(tmp_path) == {}
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "survivors.toml").write_text('["1.01"]\n"a -> b" = "they are the same"\n')
    assert mutate.listed_survivors(tmp_path) == {"1.01": {"a -> b": "they are the same"}}


def test_the_mutants_of_a_solution_that_fails_are_not_counted(mini, tmp_path):
    path = mini.squares.solution_path
    path.write_text(path.read_text(encoding="utf-8").replace("return x * x", "return x + x"), encoding="utf-8")
    with pytest.raises(CourseError, match="1.01: the solution itself does not pass"):
        mutate.survivors(mini.squares, tmp_path)


def test_survivors_are_those_that_pass_every_check(mini, tmp_path):
    assert mutate.survivors(mini.squares, tmp_path) == (3, [])
    mini.squares.check_path.write_text("def test_it_loads(answer):\n    answer.squares\n", encoding="utf-8")
    total, alive = mutate.survivors(mini.squares, tmp_path)
    assert total == len(alive) == 3
