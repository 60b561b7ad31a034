"""The stub is the solution without its regions, and an untouched stub is told from a started answer."""

from __future__ import annotations

import pytest

from tunelings.grading.stubs import StubError, cut, open_todos, solution_lines, uncut

SOLUTION = '''"""A solution."""

import math


def area(r):
    """The area of a circle."""
    # BEGIN SOLUTION: pi times r squared.
    return math.pi * r**2
    # END SOLUTION


class Counter:
    def __init__(self):
        # BEGIN SOLUTION
        self.count = 0
        # END SOLUTION
        self.name = "counter"

    def up(self, by=1):
        """Count up."""
        # BEGIN SOLUTION: add `by` to the count, and return it.
        self.count += by
        return self.count
        # END SOLUTION

    async def down(self):
        # BEGIN SOLUTION: count down.
        self.count -= 1
        # END SOLUTION
'''

STUB = '''"""A solution."""

import math


def area(r):
    """The area of a circle."""
    # TODO: pi times r squared.
    raise NotImplementedError("TODO")


class Counter:
    def __init__(self):
        self.name = "counter"

    def up(self, by=1):
        """Count up."""
        # TODO: add `by` to the count, and return it.
        raise NotImplementedError("TODO")

    async def down(self):
        # TODO: count down.
        raise NotImplementedError("TODO")
'''

UNTOUCHED = ["area", "Counter.up", "Counter.down"]


def still_open(answer: str) -> list[str]:
    names, total = open_todos(answer, STUB)
    assert total == 3
    return names


def with_area(body: str) -> str:
    """The stub with another body of `area`."""
    old = '    # TODO: pi times r squared.\n    raise NotImplementedError("TODO")\n'
    assert old in STUB
    return STUB.replace(old, body)


def test_the_stub_is_the_solution_with_todos_for_regions():
    assert cut(SOLUTION) == STUB


def test_cutting_a_stub_again_changes_nothing():
    assert cut(STUB) == STUB


def test_many_blank_lines_that_a_region_leaves_become_two():
    stub = cut("a = 1\n\n\n# BEGIN SOLUTION\nb = 2\n# END SOLUTION\n\n\nc = 3\n")
    assert stub == "a = 1\n\n\nc = 3\n"


def test_the_solution_is_shown_without_its_marks():
    shown = uncut(SOLUTION)
    assert "SOLUTION" not in shown
    assert "    return math.pi * r**2\n\n\nclass Counter:\n" in shown
    assert len(shown.splitlines()) == len(SOLUTION.splitlines()) - 8


def test_the_lines_of_the_regions_are_known():
    lines = SOLUTION.splitlines()
    assert [lines[number - 1].strip() for number in sorted(solution_lines(SOLUTION))] == [
        "return math.pi * r**2", "self.count = 0", "self.count += by", "return self.count", "self.count -= 1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text, message",
    [
        ("# BEGIN SOLUTION\n# BEGIN SOLUTION\n", "line 2: BEGIN SOLUTION inside a solution"),
        ("x = 1\n# END SOLUTION\n", "line 2: END SOLUTION without a beginning"),
        ("# BEGIN SOLUTION: all of it.\nx = 1\n", "the last BEGIN SOLUTION has no END SOLUTION"),
    ],
)
def test_a_malformed_region_is_an_error_that_says_where(text, message):
    with pytest.raises(StubError, match=f"^{message}$"):
        cut(text)


def test_the_words_in_a_text_are_no_mark():
    text = 'x = "# BEGIN SOLUTION"\ny = 1  # END SOLUTION\n'
    assert cut(text) == text


@pytest.mark.parametrize(
    "answer",
    [
        STUB,
        with_area("    pass\n"),
        with_area("    ...\n"),
        with_area(""),
        with_area("    # I will do this tomorrow.\n    raise NotImplementedError('TODO')\n"),
        STUB.replace('"""The area of a circle."""', '"""Other words."""'),
        STUB.replace("import math", "import math\nimport torch"),
        STUB + "\n\ndef helper():\n    return 1\n",
    ],
    ids=["as it came", "pass", "...", "docstring alone", "comments", "other docstring", "an import", "a helper"],
)
def test_an_untouched_stub_is_not_started(answer):
    assert still_open(answer) == UNTOUCHED


@pytest.mark.parametrize(
    "body",
    [
        "    return 3 * r * r\n",
        "    return None\n",
        "    r = 2 * r\n    raise NotImplementedError('TODO')\n",
        "    raise NotImplementedError('not yet')\n",
        "    print(r)\n",
    ],
)
def test_any_code_starts_an_answer(body):
    assert still_open(with_area(body)) == ["Counter.up", "Counter.down"]


def test_methods_are_told_apart_by_their_class():
    answer = STUB + "\n\ndef up(self, by=1):\n    return 1\n"
    assert still_open(answer) == UNTOUCHED
    answer = STUB.replace("        # TODO: add `by` to the count, and return it.\n", "        self.count += by\n")
    assert still_open(answer) == ["area", "Counter.down"]


def test_an_async_method_is_started_like_any_other():
    answer = STUB.replace("        # TODO: count down.\n", "        self.count -= 1\n")
    assert still_open(answer) == ["area", "Counter.up"]


def test_a_todo_in_a_nested_function_belongs_to_the_outer_one():
    stub = 'def outer():\n    def inner():\n        raise NotImplementedError("TODO")\n    return inner\n'
    assert open_todos(stub, stub) == (["outer"], 1)
    answer = stub.replace('raise NotImplementedError("TODO")', "return 1")
    assert open_todos(answer, stub) == ([], 1)


def test_a_function_that_was_removed_or_renamed_counts_as_started():
    assert still_open(STUB.replace("def area", "def circle")) == ["Counter.up", "Counter.down"]


def test_what_was_defined_last_is_what_counts():
    assert still_open(STUB + "\n\ndef area(r):\n    return 3 * r * r\n") == ["Counter.up", "Counter.down"]


def test_an_answer_that_does_not_parse_is_a_syntax_error():
    with pytest.raises(SyntaxError):
        open_todos("def area(r:\n", STUB)
