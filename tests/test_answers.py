"""An answer is loaded afresh each time; what cannot be loaded is told in one line."""

from __future__ import annotations

import inspect
import linecache
import sys
from pathlib import Path

import pytest

from tunelings.grading import answers, runs
from tunelings.grading.answers import LARGEST, AnswerError, NameMissing, Source, TimeoutLike


@pytest.fixture
def load(tmp_path: Path):
    """Write a text (or bytes), read it as an answer and load it; what was loaded is forgotten at the end."""
    loaded = []

    def load(content: str | bytes, name: str = "ex01_name.py"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        loaded.append(answers.load(answers.read(path)))
        return loaded[-1]

    yield load
    for module in loaded:
        answers.unload(module)


def message(load, content: str | bytes) -> str:
    with pytest.raises(AnswerError) as caught:
        load(content)
    return str(caught.value)


def test_each_load_runs_the_file_again(load):
    first = load("seen = []\n")
    first.seen.append("something")
    second = load("seen = []\n")
    assert second.seen == []
    assert first.__name__ != second.__name__


def test_an_edit_counts_at_once_even_within_one_second(load):
    assert [load(f"value = {n}\n").value for n in range(5)] == [0, 1, 2, 3, 4]


def test_no_bytecode_is_written(load, tmp_path: Path):
    load("value = 1\n")
    assert [path.name for path in tmp_path.iterdir()] == ["ex01_name.py"]


def test_a_dataclass_in_an_answer_finds_its_module(load):
    answer = load(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Output:\n    loss: float\n    name: 'str' = 'x'\n"
    )
    assert answer.Output(0.5).loss == 0.5
    assert answer.Output.__module__ in sys.modules


def test_the_source_can_be_inspected_as_it_was_loaded(load, tmp_path: Path):
    answer = load("def f():\n    return 1\n")
    (tmp_path / "ex01_name.py").write_text("# gone\n")
    assert inspect.getsource(answer.f) == "def f():\n    return 1\n"


def test_nothing_stays_in_sys_modules(load):
    answer = load("value = 1\n")
    answers.unload(answer)
    assert message(load, "raise ValueError('no')\n")
    assert [name for name in sys.modules if name.startswith("tunelings_answer_")] == []


def test_a_name_that_is_not_there_is_named(load):
    answer = load("def train():\n    pass\n")
    with pytest.raises(NameMissing, match="^the answer defines no `evaluate`$"):
        answer.evaluate()
    assert not hasattr(answer, "__path__")


def test_a_missing_file_says_how_to_get_it_back(tmp_path: Path):
    with pytest.raises(AnswerError, match="^the file is missing; `tunelings reset` brings the stub back$"):
        answers.read(tmp_path / "none.py")


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path):
    with pytest.raises(AnswerError, match="^a folder stands where the answer's file should be"):
        answers.read(tmp_path)


def test_a_file_of_the_largest_size_is_read_whole_and_a_larger_one_not_at_all(load):
    assert load(f"value = 1{' ' * (LARGEST - 10)}\n").value == 1
    assert message(load, f"value = 1{' ' * (LARGEST - 9)}\n").startswith("the file is larger than 1 MB")


def test_latin_1_bytes_are_told(load):
    assert message(load, 'name = "é"\n'.encode("latin-1")).startswith("the file is not valid UTF-8 text (")


@pytest.mark.parametrize("coding", ["hex", "rot13", "base64", "zlib", "undefined", "punycode", "idna", "nothing"])
def test_a_coding_line_that_names_no_encoding_of_text_is_told(load, coding: str):
    said = message(load, f"# coding: {coding}\nvalue = 'é'\n".encode())
    assert said.startswith("the file is not valid UTF-8 text (") or "is not valid Python" in said


def test_a_coding_line_is_honoured(load):
    assert load('# coding: latin-1\nname = "é"\n'.encode("latin-1")).name == "é"


def test_an_unknown_coding_is_told(load):
    assert ": klingon" in message(load, "# coding: klingon\n")


def test_a_byte_order_mark_is_no_error(load):
    assert load(b"\xef\xbb\xbfvalue = 1\n").value == 1


def test_windows_line_ends_are_no_error(load):
    assert load(b"def f():\r\n    return 1\r\n").f() == 1


def test_a_syntax_error_is_told_with_its_line_and_text(load):
    assert message(load, "x = 1\ndef f(:\n    pass\n") == "line 2 is not valid Python: invalid syntax\n  def f(:"


def test_tabs_mixed_with_spaces_are_told_with_their_line(load):
    assert message(load, "def f():\n        x = 1\n\treturn x\n").startswith("line 3 is not valid Python: inconsistent")


def test_a_null_byte_is_told(load):
    assert message(load, b"x = 1\0\n") == "the file is not valid Python: source code string cannot contain null bytes"


def test_an_exception_while_loading_is_told_with_the_answers_own_line(load):
    text = "import json\n\nloaded = json.loads('{')\n"
    told = message(load, text)
    assert told.startswith("line 3: loading the file raises JSONDecodeError: Expecting property name")


def test_an_exception_in_a_function_of_the_answer_is_told_with_the_line_that_raises(load):
    told = message(load, "def half(n):\n    return n / 0\n\n\nhalf(1)\n")
    assert told == "line 2: loading the file raises ZeroDivisionError: division by zero"


def test_an_exit_while_loading_is_told(load):
    assert message(load, "import sys\nsys.exit(3)\n") == "line 2: loading the file raises SystemExit: 3"


def test_an_import_that_fails_is_told(load):
    told = message(load, "import no_such_package\n")
    assert told == "line 1: loading the file raises ModuleNotFoundError: No module named 'no_such_package'"


def test_a_todo_at_the_top_level_stays_what_it_is(load):
    with pytest.raises(NotImplementedError, match="TODO"):
        load("raise NotImplementedError('TODO')\n")
    assert [name for name in sys.modules if name.startswith("tunelings_answer_")] == []


def test_a_real_interrupt_while_loading_passes_through(load):
    with pytest.raises(KeyboardInterrupt):
        load("raise KeyboardInterrupt\n")


def test_the_end_of_the_time_while_loading_passes_through(load):
    with pytest.raises(TimeoutLike):
        load("from tunelings.grading.answers import TimeoutLike\nraise TimeoutLike\n")
    assert [name for name in sys.modules if name.startswith("tunelings_answer_")] == []


def test_the_future_of_the_grader_is_not_the_answers(load):
    assert load("def f(x: int): ...\n").f.__annotations__ == {"x": int}


def test_open_todos_are_told_of_a_source(tmp_path: Path):
    solution = tmp_path / "solution.py"
    solution.write_text(
        "def f():\n    # BEGIN SOLUTION: one.\n    return 1\n    # END SOLUTION\n\n\n"
        "def g():\n    # BEGIN SOLUTION: two.\n    return 2\n    # END SOLUTION\n"
    )

    def state(text):
        return answers.todo_state(Source(tmp_path / "answer.py", text), solution)

    assert state("def f():\n    pass\n\n\ndef g():\n    ...\n") is None
    assert state("def f():\n    return 1\n\n\ndef g():\n    pass\n") == ["g"]
    assert state("def f():\n    return 1\n\n\ndef g():\n    return 2\n") == []
    with pytest.raises(AnswerError, match="^line 1 is not valid Python"):
        state("def f(:\n")
    solution.unlink()
    with pytest.raises(AnswerError, match="^the course is damaged: solution.py gives no stub .*No such file"):
        state("")
    solution.mkdir()
    with pytest.raises(AnswerError, match="^the course is damaged: solution.py gives no stub .*not a regular file"):
        state("")
    solution.rmdir()
    solution.write_text("# BEGIN SOLUTION: it never ends.\n")
    with pytest.raises(AnswerError, match="^the course is damaged: solution.py gives no stub"):
        state("")


def test_the_lines_of_a_check_are_kept_where_a_run_begins(mini):
    """Its first failure then quotes them, whatever an answer has put in the check's place."""
    lines = mini.squares.check_path.read_text(encoding="utf-8").splitlines(keepends=True)
    runs.begin(mini.squares, mini.squares.answer_path)
    mini.squares.check_path.unlink()
    assert linecache.getlines(str(mini.squares.check_path)) == lines
