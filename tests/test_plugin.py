"""`pytest checks/…` as a learner runs it: exit codes, options, states, and what one answer does to another.

Long: 36 tests, by option of pytest and by state of a check.
"""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.miniature import Miniature
from tests.support.systems import POSIX
from tunelings.grading import grade, judge, states
from tunelings.grading.apart import can_fork
from tunelings.grading.plugin import Grader
from tunelings.grading.store import Progress

SQUARES, SHIFT = "checks/module01/test_ex01_squares.py", "checks/module01/test_ex02_shift.py"
FIRST = "test_each_number_is_squared"
ALL_OF_SQUARES = [FIRST, "test_a_matrix_keeps_its_shape", "test_the_mean_is_a_plain_number", "test_any_numbers_will_do"]
GPU = "test_a_gpu_gives_the_same"


@pytest.fixture
def solved(mini: Miniature) -> Miniature:
    """The course with both exercises done."""
    mini.solve(mini.squares)
    mini.solve(mini.shift)
    return mini


# In a process of its own.


def test_runs_in_one_process_are_no_deeds_of_an_answer(solved):
    """Where no process can be forked, each run of the loop's worker starts pytest anew in the same process."""
    again = "[verdict.state.value for _ in range(4) for verdict in grade.check(exercises, in_process=True)]"
    script = f"""
from tunelings.course import Course
from tunelings.grading import grade
exercises = Course(__import__("pathlib").Path.cwd()).exercises
print(set({again}))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=solved.root, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["{'passed'}"], done.stderr


def test_everything_passes_from_a_cold_start(solved):
    graded = solved.cold()
    assert graded.code == 0
    assert "7 passed, 1 skipped" in graded.output
    summary = graded.output.rpartition("= what to do next =")[2].splitlines()
    assert [line for line in summary if line and "==" not in line] == [
        "✓ 1.01 Squares                      4 of 4 checks pass",
        "✓ 1.02 Shift                        3 of 3 checks pass",
        "All of these pass; `tunelings list` shows the whole course.",
    ]


def test_a_failure_is_explained_once_and_not_started_is_counted_apart(mini):
    mini.solve(mini.squares, "x * x", "x + x")
    graded = mini.cold("--junitxml=report.xml")
    assert graded.code == 1
    assert "4 failed, 1 skipped, 3 not started" in graded.output
    assert graded.output.count("This is what comes out when") == 1
    assert graded.output.count("6 is 3 + 3.") == 1
    assert "Traceback" not in graded.output and "tunelings/" not in graded.output
    assert "Next: exercises/module01/ex01_squares.py · `tunelings hint 1.01`" in graded.output
    (suite,) = ET.parse(mini.root / "report.xml").getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8", "failures": "7", "errors": "0", "skipped": "1",
    }  # fmt: skip
    assert "This is what comes out" in suite[0][0].text


def test_an_answers_folder_that_is_not_there_is_one_line(mini):
    graded = mini.cold("--answers", "nowhere")
    assert (graded.code, graded.output.strip()) == (4, "ERROR: --answers nowhere: there is no such folder")


# In this process.


def test_a_selection_of_nothing_has_pytests_own_exit_code(mini):
    assert mini.grade("-k", "no_such_check").code == 5


def test_a_seed_that_is_no_number_is_wrong_use(mini):
    assert mini.grade("--seed", "many").code == 4


@pytest.mark.parametrize(
    "args, ran",
    [
        ([SQUARES], ALL_OF_SQUARES),
        ([f"{SQUARES}::{FIRST}"], [FIRST]),
        (["-k", "matrix"], ["test_a_matrix_keeps_its_shape"]),
        ([SHIFT, SQUARES, "-k", "each_number"], ["test_each_number_moves", FIRST]),
        (["-m", "not trains", SHIFT, "-k", "not gpu"], ["test_each_number_moves", "test_the_argument_stays"]),
    ],
)
def test_pytests_own_selections_work(solved, args, ran):
    graded = solved.grade(*args)
    assert graded.code == 0
    assert list(graded.states) == ran


def test_the_first_failure_stops_the_run_where_asked(mini):
    mini.solve(mini.squares, "x * x", "x + x")
    assert list(mini.grade("-x").states) == [FIRST]


def test_the_states_are_told_apart(mini):
    assert set(mini.grade(SQUARES).states.values()) == {"not started"}
    mini.solve(mini.squares, "return squares(x).mean().item()", 'raise NotImplementedError("TODO")')
    assert mini.grade(SQUARES).states == {
        **dict.fromkeys(ALL_OF_SQUARES, "passed"),
        "test_the_mean_is_a_plain_number": "in progress",
    }
    mini.solve(mini.squares, ".mean()", ".sum()")
    assert mini.grade(SQUARES).states["test_the_mean_is_a_plain_number"] == "failed"


def test_another_folder_of_answers_can_be_graded(mini):
    assert mini.grade("--answers", "solutions").code == 0
    assert mini.grade().code == 1


def test_another_seed_gives_other_numbers(solved):
    solved.solve(solved.squares, "x * x", "x * x + (x.shape == (7,))")
    texts = {seed: solved.grade("--seed", seed, "-k", "any_numbers").text() for seed in ("0", "1")}
    again = solved.grade("--seed", "1", "-k", "any_numbers").text()
    assert texts["0"] != texts["1"] == again


@pytest.mark.parametrize("args, reason", [([], "a full run: ask for it with -m gpu"), (["-m", "gpu"], "sees none")])
def test_a_full_run_is_skipped_with_a_reason(solved, monkeypatch, args, reason):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    graded = solved.grade(SHIFT, *args, "-rs")
    assert (graded.code, graded.states[GPU]) == (0, "skipped")
    assert reason in graded.output


def test_a_full_run_on_real_data_is_run_where_it_is_asked_for_alone(solved):
    check = solved.shift.check_path.read_text(encoding="utf-8")
    solved.shift.check_path.write_text(check.replace("@pytest.mark.trains\n", "@pytest.mark.real\n"), encoding="utf-8")
    states = {mark: solved.grade(SHIFT, *mark.split(), "-rs") for mark in ("", "-m real")}
    assert [graded.states["test_many_small_steps_arrive"] for graded in states.values()] == ["skipped", "passed"]
    assert "a full run: ask for it with -m real" in states[""].output


REAL = """

@pytest.mark.real
def test_a_full_run(answer):
    try:
        answer.shift(torch.zeros(1)).clone()
        open("no such data")
    except OSError as error:
        pytest.skip(f"no numbers here: {error}")
"""


@pytest.mark.parametrize("in_process", [[], ["--in-process"]])
def test_a_full_run_without_its_data_is_skipped_and_stops_no_tick(solved, in_process):
    solved.shift.check_path.write_text(solved.shift.check_path.read_text(encoding="utf-8") + REAL, encoding="utf-8")
    graded = solved.grade(SHIFT, "-rs", "-m", "not gpu or real", *in_process)
    assert (graded.code, graded.states["test_a_full_run"]) == (0, "skipped")
    assert "no numbers here: " in graded.output
    assert "✓ 1.02" in graded.output and "3 of 3 checks pass" in graded.output
    assert Progress(solved.course).state(solved.shift) == "passed"


SKIPS = {
    "an attribute that skips": (
        "skip = __import__('functools').partial(__import__('pytest').skip, 'no')\n"
        "    return type('T', (), {'clone': skip})()"
    ),
    "no file of its own": "open('nowhere')",
    "a line in the check's name": (
        "check = __import__('sys')._getframe(1).f_code.co_filename\n"
        "    code = compile('import pytest; pytest.skip(chr(33))', check, 'exec')\n"
        "    return type('T', (), {'clone': __import__('functools').partial(exec, code, {})})()"
    ),
}


@pytest.mark.parametrize("in_process", [[], ["--in-process"], ["--pdb"]])
@pytest.mark.parametrize("mark", ["real", "timeout(1)"])
@pytest.mark.parametrize("deed", SKIPS)
def test_no_answer_skips_its_check(solved, monkeypatch, deed, mark, in_process):
    monkeypatch.setattr("_pytest.debugging._enter_pdb", lambda node, excinfo, rep: rep)
    check = solved.shift.check_path.read_text(encoding="utf-8") + REAL.replace("real", mark)
    solved.shift.check_path.write_text(check, encoding="utf-8")
    solved.solve(solved.shift, "return x + by", SKIPS[deed])
    graded = solved.grade(SHIFT, "-k", "a_full_run", "-m", "real or not gpu", *in_process)
    assert (graded.code, graded.states) == (1, {"test_a_full_run": "failed"})
    assert "✓" not in graded.output


def test_a_check_of_the_tick_that_skips_itself_has_failed(solved):
    """No answer can then bring one to be skipped: it would have neither a failure nor a pass."""
    check = solved.squares.check_path.read_text(encoding="utf-8")
    skips = 'def test_any_numbers_will_do(answer):\n    import pytest\n\n    pytest.skip("no numbers here")\n'
    check = check.replace("def test_any_numbers_will_do(answer):\n", skips)
    solved.squares.check_path.write_text(check, encoding="utf-8")
    graded = solved.grade(SQUARES)
    assert (graded.code, graded.states["test_any_numbers_will_do"]) == (1, "failed")
    assert Progress(solved.course).state(solved.squares) == "in progress"


def _forges_a_skip(self, *_):
    return judge.Judgement(states.CheckState.SKIPPED, skipped="forged")


def _says_nothing_known(self, *_):
    return judge.Judgement(states.CheckState.NOT_STARTED)


def _fails_itself(self, *_):
    raise OverflowError("the grader's own")


@pytest.mark.parametrize("ask", [_forges_a_skip, _says_nothing_known, _fails_itself])
def test_a_run_without_a_pass_of_each_check_never_says_passed(solved, monkeypatch, ask):
    own = Grader._ask
    monkeypatch.setattr(Grader, "_ask", lambda self, item, run: (own if item.name == FIRST else ask)(self, item, run))
    graded = solved.grade(SQUARES)
    assert graded.code == 1 and list(graded.states.values()).count("passed") == 1
    assert "✓" not in graded.output and "All of these pass" not in graded.output
    (verdict,) = grade.check([solved.squares])
    assert verdict.state != "passed" and verdict.failure is not None
    assert Progress(solved.course).state(solved.squares) == "in progress"


def test_a_check_whose_fixture_fails_has_not_passed(solved):
    check = solved.squares.check_path.read_text(encoding="utf-8").replace(
        "import torch", "import pytest\nimport torch", 1
    )
    fixture = "@pytest.fixture\ndef lamp():\n    raise RuntimeError('the lamp broke')\n\n\n"
    check = check.replace(f"def {FIRST}(answer)", f"{fixture}def {FIRST}(answer, lamp)")
    solved.squares.check_path.write_text(check, encoding="utf-8")
    graded = solved.grade(SQUARES)
    assert graded.code == 1 and "the lamp broke" in graded.output
    assert "✗ 1.01" in graded.output and "✓" not in graded.output


def test_an_error_after_a_check_keeps_its_own_text(solved):
    """The verdict on the answer is that of the call alone."""
    check = solved.squares.check_path.read_text(encoding="utf-8")
    fixture = "@pytest.fixture\ndef lamp():\n    yield\n    raise RuntimeError('the lamp broke')\n\n\n"
    check = check.replace(f"def {FIRST}(answer)", f"{fixture}def {FIRST}(answer, lamp)")
    solved.squares.check_path.write_text(
        check.replace("import torch", "import pytest\nimport torch", 1), encoding="utf-8"
    )
    solved.solve(solved.squares, "x * x", "x + x")
    graded = solved.grade(SQUARES)
    assert "the lamp broke" in graded.output and "added to itself" in graded.output


@pytest.mark.skipif(not can_fork(), reason="only a fork has the values of other fixtures")
def test_a_check_may_have_a_fixture_of_its_own_after_one_that_has_none(solved):
    check = solved.shift.check_path.read_text(encoding="utf-8")
    fixture = "@pytest.fixture\ndef lamp():\n    return 'on'\n\n\n"
    marked = "@pytest.mark.trains\ndef test_many_small_steps_arrive(answer"
    assert check.count(marked) == 1
    solved.shift.check_path.write_text(check.replace(marked, f"{fixture}{marked}, lamp"), encoding="utf-8")
    graded = solved.grade(SHIFT)
    assert graded.code == 0, graded.text()


def test_what_is_set_in_the_environment_stays(solved, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert solved.grade(SQUARES).code == 0
    assert os.environ["HF_HUB_OFFLINE"] == "0"


def test_a_run_that_only_skips_says_nothing_of_passing(solved, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "what to do next" not in solved.grade("-m", "gpu").output


def test_a_check_that_hangs_ends_and_those_after_it_are_not_waited_for(solved):
    solved.solve(solved.shift, "return x + by", "while by == 2:\n        pass\n    return x + by")
    graded = solved.grade(SHIFT)
    assert "did not finish in 1 s" in graded.texts["test_each_number_moves"]
    assert "This is what comes out" not in graded.text()
    assert graded.states["test_the_argument_stays"] == "failed"
    said = "not run: the check before it (test_each_number_moves) ran out of time"
    assert said in graded.texts["test_the_argument_stays"]
    assert graded.code == 1


def test_only_the_first_failing_check_is_diagnosed(mini):
    mini.solve(mini.squares, "x * x", "x + x")
    mini.solve(mini.shift, "x + by", "x + 1.0")
    graded = mini.grade()
    explained = [name for name, text in graded.texts.items() if "This is what comes out" in text]
    assert explained == [FIRST, "test_each_number_moves"]


def test_two_files_in_one_run_have_their_own_verdicts(mini):
    mini.solve(mini.squares)
    mini.solve(mini.shift, "x + by", "x - by")
    graded = mini.grade()
    assert {graded.states[name] for name in ALL_OF_SQUARES} == {"passed"}
    assert graded.states["test_each_number_moves"] == "failed"
    assert "Next: exercises/module01/ex02_shift.py" in graded.output


def test_tests_that_are_no_checks_are_left_alone(mini):
    (mini.root / "tests").mkdir()
    other = mini.root / "tests" / "test_other.py"
    other.write_text(
        "def test_two():\n    assert 1 + 1 == 3\n\ndef test_todo():\n    raise NotImplementedError('TODO')\n"
    )
    graded = mini.grade(str(other))
    assert graded.states == {"test_two": "failed", "test_todo": "failed"}
    assert "assert (1 + 1) == 3" in graded.texts["test_two"]
    assert "what to do next" not in graded.output
    assert not (mini.root / ".tunelings").exists()


BAD = {
    "prints": "print('x' * 2**20)\n    return x * x",
    "exits": "import sys; sys.exit(0)",
    "interrupts": "raise KeyboardInterrupt",
    "raises what is no Exception": "raise BaseException('no')",
    "patches a class": "torch.Tensor.__add__ = lambda self, other: self\n    return x * x",
    "patches a module": "torch.zeros = torch.tensor = torch.ones\n    return x * x",
    "turns gradients off": "torch.set_grad_enabled(False)\n    return x * x",
    "changes the dtype": "torch.set_default_dtype(torch.float16)\n    return x * x",
    "takes the numbers": "torch.manual_seed(x.numel())\n    return x * torch.rand(1)",
    "drops the streams": "import sys; sys.stdout = sys.stderr = None\n    return x * x",
    "closes stdout's file": "import os; os.close(1)\n    return x * x",
    "leaves the folder": "import os; os.chdir('/'); os.environ.clear()\n    return x * x",
    "starts a thread": "import threading; threading.Thread(target=lambda: 1 / 1).start()\n    return x * x",
    "raises in a thread": "import threading; threading.Thread(target=lambda: 1 / 0).start()\n    return x * x",
    "warns": "import warnings; warnings.warn('look'); warnings.simplefilter('error')\n    return x * x",
    "skips": "import pytest; pytest.skip('no')",
    "ends pytest": "import pytest; pytest.exit('no')",
    "recurses": "return squares(x)",
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("deed", BAD)
def test_what_one_answer_does_changes_no_other_verdict(mini, deed: str):
    mini.solve(mini.squares, "return x * x", BAD[deed])
    mini.solve(mini.shift)
    graded = mini.grade()
    shift = {name: state for name, state in graded.states.items() if name not in ALL_OF_SQUARES}
    assert list(graded.states)[:4] == ALL_OF_SQUARES
    assert shift == {
        "test_each_number_moves": "passed",
        "test_the_argument_stays": "passed",
        "test_many_small_steps_arrive": "passed",
        GPU: "skipped",
    }


def test_a_check_that_cannot_be_imported_is_the_courses_fault_and_pytests_error(mini):
    mini.squares.check_path.write_text("import no_such_package\n")
    graded = mini.grade(SQUARES)
    assert graded.code == 2 and "No module named 'no_such_package'" in graded.output


def test_a_card_that_cannot_be_read_is_told_and_ends_nothing(mini):
    mini.solve(mini.squares, "x * x", "x + x")
    mini.solve(mini.shift)
    mini.squares.card_path.write_text("title = ")
    graded = mini.grade()
    assert (graded.states[FIRST], graded.states["test_each_number_moves"]) == ("failed", "passed")
    assert "No mistake can be named: " in graded.text() and "ex01_squares.toml can't be read" in graded.text()
    assert "what to do next" in graded.output


def test_the_same_answer_gets_the_same_text_each_time(mini):
    mini.solve(mini.squares, "x * x", "x * torch.rand_like(x)")
    texts = {tuple(mini.grade(SQUARES).texts.items()) for _ in range(8)}
    assert len(texts) == 1
    assert "multiplied by a random one" in texts.pop()[0][1]


def test_a_warning_of_an_answer_writes_nothing_to_the_screen(mini):
    text = '"w\\x1b[2J\\x07", UserWarning'
    lines = f'import warnings\n    warnings.warn({text})\n    warnings.warn_explicit({text}, "f\\x1b[31m.py", 1)\n'
    mini.solve(mini.shift, "return x + by", f"{lines}    return x + by")
    output = mini.grade(SHIFT, "-W", "default").output
    assert "\\x1b[2J\\x07" in output and "f\\x1b[31m.py" in output
    assert not {"\x1b", "\x07"} & set(output)


def test_an_answer_that_deletes_the_temporary_folder_stops_no_other(mini):
    base = mini.root / "base"
    mini.solve(mini.squares, "return x * x", f"__import__('shutil').rmtree({str(base)!r})\n    return x * x")
    mini.solve(mini.shift)
    graded = mini.grade(SQUARES, SHIFT, f"--basetemp={base}", "-k", "each_number_is_squared or argument_stays")
    assert graded.code == 0, graded.output


@pytest.fixture
def temporary_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where pytest makes its temporary folders, of which it keeps none."""
    root = tmp_path / "temporary"
    root.mkdir()
    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", str(root))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-o tmp_path_retention_count=0")
    yield root
    subprocess.run(["rm", "-rf", root])  # What the test is about Python may not be able to remove.


DEEP = "[(os.mkdir('abcd'), os.chdir('abcd')) for _ in range(1200)]"


def go_deep(folders: str) -> str:
    """Lines that make a folder below the first of `folders`; its path is too long for the system, too."""
    return f"import glob, os; os.chdir(glob.glob({folders!r})[0]); {DEEP}"


@POSIX
def test_a_folder_that_an_answer_makes_too_deep_to_be_removed_stops_no_later_run(mini, temporary_root: Path):
    base = temporary_root / "base"
    mini.solve(mini.shift, "return x + by", f"{go_deep(str(base))}\n    return x + by")
    assert mini.grade(SHIFT, f"--basetemp={base}", "-k", "each_number_moves").code == 0
    mini.solve(mini.shift)
    graded = mini.grade(SHIFT, f"--basetemp={base}")
    assert graded.code == 0 and "= what to do next =" in graded.output, graded.output


@POSIX
def test_a_folder_that_a_killed_run_left_too_deep_to_be_removed_is_removed(mini, temporary_root: Path):
    folder = temporary_root / f"pytest-of-{getpass.getuser()}" / "pytest-0"
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, "-c", go_deep(str(folder))], check=True)
    mini.solve(mini.shift)
    graded = mini.grade(SHIFT, "-k", "each_number_moves")
    assert graded.code == 0 and "= what to do next =" in graded.output, graded.output
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == []


@POSIX
@pytest.mark.parametrize("chosen", ["each_number_is_squared or argument_stays", "each_number_is_squared"])
def test_an_answer_that_puts_a_file_in_place_of_the_temporary_folders_stops_no_other(mini, temporary_root, chosen: str):
    folder = str(temporary_root / f"pytest-of-{getpass.getuser()}")
    deed = f"__import__('shutil').rmtree({folder!r}); open({folder!r}, 'w').close()"
    mini.solve(mini.squares, "return x * x", f"{deed}\n    return x * x")
    mini.solve(mini.shift)
    graded = mini.grade(SQUARES, SHIFT, "-k", chosen)
    assert graded.code == 0 and "= what to do next =" in graded.output, graded.output
    assert Path(folder).is_dir(), "the next run would have another one"
