"""Grading a class: what runs, what is kept, what a second run does, and the command around it.

Long: 31 tests of one command, by what may go wrong in a class.
"""

from __future__ import annotations

import base64
import getpass
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.classroom import DOUBLED, RIGHT, SHIFTED, graded, handed_in, plan_of, write
from tests.support.miniature import SHIFT, SQUARES, build
from tests.support.processes import descendants, is_alive, runs_below, wait_for
from tests.support.systems import POSIX
from tunelings.classroom import flags, keys, outputs, room, sandbox, server, told
from tunelings.classroom.client import Job, ServerGone, Servers, lost
from tunelings.classroom.engine import CourseFault, Engine
from tunelings.classroom.handed_in import Submission
from tunelings.classroom.kept import Kept
from tunelings.classroom.records import Class, Outcome
from tunelings.classroom.runners import LocalRunner
from tunelings.classroom.sandbox import Isolation
from tunelings.commands import grading_progress
from tunelings.course import Course
from tunelings.grading import run, stubs

needs_bwrap = pytest.mark.skipif(bool(sandbox.bwrap_trouble()), reason=f"no bwrap here: {sandbox.bwrap_trouble()}")
# Each server imports torch: seconds on a free machine, and minutes on one that is busy with other things.
pytestmark = [POSIX, pytest.mark.timeout(2400), pytest.mark.xdist_group("a graded class")]
CLASS = [
    handed_in("anna", RIGHT, SHIFTED),
    handed_in("ben", DOUBLED, SHIFTED),
    handed_in("cleo", stubs.cut(SQUARES), "def shift(:\n"),
    handed_in("dora", DOUBLED),
    Submission("eve", problem="it is a link, which is not followed"),
]
EXECUTED = 5  # right, doubled and the stub of 1.01; right and broken of 1.02


@pytest.fixture(scope="module")
def runner():
    made = LocalRunner(2)
    yield made
    made.close()


@pytest.fixture(scope="module")
def first(tmp_path_factory, runner):
    """The class, graded once, with the preflight."""
    place = tmp_path_factory.mktemp("class")
    plan = plan_of(build(place / "course").root)
    return (plan, place / "results", *graded(plan, place / "results", CLASS, runner=runner, preflight=True))


@needs_bwrap
def test_each_answer_comes_out_as_pytest_says(first):
    rows = {key: row.outcome for key, row in first[3].items()}
    assert rows == {
        ("anna", "1.01"): Outcome.PASSED, ("anna", "1.02"): Outcome.PASSED,
        ("ben", "1.01"): Outcome.FAILED, ("ben", "1.02"): Outcome.PASSED,
        ("cleo", "1.01"): Outcome.NOT_STARTED, ("cleo", "1.02"): Outcome.BROKEN,
        ("dora", "1.01"): Outcome.FAILED, ("dora", "1.02"): Outcome.MISSING,
        ("eve", "1.01"): Outcome.REFUSED, ("eve", "1.02"): Outcome.REFUSED,
    }  # fmt: skip


@needs_bwrap
def test_the_verdict_is_the_one_that_the_student_would_have_seen(first, tmp_path: Path):
    """`pytest --answers` on the same answer, in this process."""
    from tunelings.grading import grade

    plan, _, _, rows = first
    write(tmp_path, "ben", DOUBLED)
    exercise = plan.exercises[0]
    seen = grade.check_folder(exercise, tmp_path / "ben").verdict
    assert rows["ben", "1.01"].verdict == replace(seen, answer=f"exercises/{exercise.relative_path.as_posix()}")
    assert rows["ben", "1.01"].verdict.failure.mistakes[0].id == "doubled"


@needs_bwrap
def test_equal_answers_run_once_and_fail_alike(first):
    _, _, engine, rows = first
    assert engine.counts.executed == 4 + EXECUTED - 1  # Two references and two stubs before, one of which is cleo's.
    assert rows["ben", "1.01"].fingerprints == rows["dora", "1.01"].fingerprints != {}


@needs_bwrap
def test_answers_that_differ_in_comments_only_run_once_and_are_kept_for_each(first, runner, tmp_path: Path):
    plan, _, _, rows = first
    twins = [handed_in(name, f"{DOUBLED}\n# {name}\n") for name in ("ann", "ben", "cleo")]
    engine, found = graded(plan, tmp_path, twins, runner=runner)
    assert (engine.counts.executed, engine.counts.same) == (1, 2)
    assert [found[twin.name, "1.01"].verdict for twin in twins] == [rows["ben", "1.01"].verdict] * 3
    engine, _ = graded(plan, tmp_path, twins[2:], runner=runner)
    assert (engine.counts.executed, engine.counts.same, engine.counts.kept) == (0, 0, 1)


@needs_bwrap
def test_the_second_run_executes_nothing_and_gives_the_same(first, runner):
    plan, results, _, rows = first
    engine, again = graded(plan, results, CLASS[::-1], runner=runner, preflight=True)
    assert engine.counts.executed == 0 and again == rows


@needs_bwrap
def test_neither_the_order_nor_the_jobs_change_a_byte_but_the_seconds(first, tmp_path: Path):
    """Reversed, one at a time, and without any result from before."""
    plan, _, _, rows = first
    _, others = graded(plan, tmp_path / "results", CLASS[::-1], preflight=True)
    assert list(others) != list(rows)
    names = tuple(sorted(one.name for one in CLASS))
    for place, found in (("a", rows), ("b", others)):
        of_each = [replace(found[name, one.number], seconds=None) for name in names for one in plan.exercises]
        klass = Class(names, tuple(one.number for one in plan.exercises), tuple(of_each), {"seed": plan.seed})
        outputs.write_all(klass, tmp_path / place, names={})
    files = {path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()}
    assert len(files) > 8
    for file in files:
        mine, yours = ((tmp_path / place / file).read_text("utf-8") for place in "ab")
        assert mine.replace(str(tmp_path / "a"), "") == yours.replace(str(tmp_path / "b"), ""), file


@needs_bwrap
def test_a_changed_byte_executes_one(first, runner):
    plan, results, _, _ = first
    changed = [replace(CLASS[0], answers={**CLASS[0].answers, "1.01": (RIGHT + "#").encode()}), *CLASS[1:]]
    engine, rows = graded(plan, results, changed, runner=runner)
    assert engine.counts.executed == 1 and rows["anna", "1.01"].outcome == Outcome.PASSED


@needs_bwrap
def test_shards_are_the_whole_together(first, runner, tmp_path: Path):
    plan, _, _, rows = first
    executed = []
    for number in (1, 2):
        engine, part = graded(replace(plan, shard=(number, 2)), tmp_path, CLASS, runner=runner)
        executed.append(engine.counts.executed)
    engine, whole = graded(plan, tmp_path, CLASS, runner=runner)
    assert sum(executed) == EXECUTED and engine.counts.executed == 0
    without_seconds = {key: replace(row, seconds=None) for key, row in whole.items()}
    assert without_seconds == {key: replace(row, seconds=None) for key, row in rows.items()}


@needs_bwrap
def test_a_course_whose_reference_fails_grades_nobody(tmp_path: Path):
    mini = build(tmp_path / "course")
    path = mini.shift.solution_path
    path.write_text(SHIFT.replace("x + by", "x - by"), encoding="utf-8")
    with pytest.raises(CourseFault, match=r"The reference of 1\.02 is 'failed' here"):
        graded(replace(plan_of(mini.root), exercises=(mini.shift,)), tmp_path / "results", [], preflight=True)


# What a result depends on


def test_a_key_changes_with_all_that_a_result_depends_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mini = build(tmp_path / "course")

    def key(answer: bytes = b"a", seed: int = 0, isolation: Isolation = Isolation.BWRAP, number: str = "1.01") -> str:
        keys._tree_hash.cache_clear()
        return keys.keys_for(mini.course, mini.course.exercises, seed, isolation).of(number, answer, ["opens files"])

    seen = {key()}
    seen |= {key(b"b"), key(seed=1), key(isolation=Isolation.NONE), key(number="1.02")}
    for path in (mini.squares.check_path, mini.squares.card_path, mini.squares.solution_path):
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        seen.add(key())
    monkeypatch.setattr(keys.platform, "python_version", lambda: "3.99")
    seen.add(key())
    monkeypatch.setattr(keys.environment, "installed", lambda: {})
    seen.add(key())
    monkeypatch.setattr(keys, "VERSION", 2)
    seen.add(key())
    assert len(seen) == 11 and key() == key()


def test_the_limits_are_those_that_the_grader_keeps(tmp_path: Path):
    mini = build(tmp_path / "course")
    assert keys.DEFAULT_LIMIT == run.DEFAULT_LIMIT
    assert keys.limits_of(mini.shift) == (1.0, 10.0, 10.0)
    checks = run.checks_of(mini.shift.check_path, mini.shift.check_names())
    assert keys.limits_of(mini.shift) == tuple(run.limit_of(check) for check in checks)


# What a server may say

PASSED = {"test_a": "passed", "test_b": "passed"}


def said(**changed) -> told.Told:
    plain = {**json.loads(lost("").model_dump_json()), "state": "passed", "checks": PASSED, "starved": False, **changed}
    return told.read(json.dumps(plain).encode())


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, Outcome.PASSED),
        ({"checks": {}}, Outcome.NO_VERDICT),
        ({"checks": {"test_a": "passed"}}, Outcome.NO_VERDICT),
        ({"checks": {**PASSED, "test_c": "passed"}}, Outcome.NO_VERDICT),
        ({"checks": {"test_a": "passed", "test_b": "skipped"}}, Outcome.NO_VERDICT),
        ({"state": "failed", "checks": {"test_a": "passed", "test_b": "failed"}}, Outcome.FAILED),
        ({"state": "failed", "checks": {"test_a": "timeout", "test_b": "not run"}}, Outcome.TIMEOUT),
        ({"state": "failed", "checks": {"test_a": "passed", "test_b": "crashed"}, "memory": True}, Outcome.MEMORY),
        ({"tampered": True}, Outcome.TAMPERED),
        ({"trouble": "CheckError"}, Outcome.NO_VERDICT),
        ({"ended": True, "trouble": "it ended"}, Outcome.FAILED),
        ({"state": "not started", "checks": {}}, Outcome.NOT_STARTED),
    ],
)
def test_a_pass_is_the_exercises_own_set_of_checks(changed: dict, outcome: Outcome):
    assert told.outcome_of(said(**changed), PASSED)[0] == outcome


@pytest.mark.parametrize(
    "line",
    [
        b"", b"[]", b"{}", b'{"state": "passed", "checks": {}}', b"\x80\x04K\x01.",
        lost("").model_dump_json().replace('"id"', '"more": 1, "id"').encode(),
        lost("").model_dump_json().replace('"seconds":0.0', '"seconds":"0"').encode(),
        lost("").model_dump_json().replace('"seconds":0.0', '"seconds":NaN').encode(),
        lost("x" * told.LARGEST).model_dump_json().encode(),
    ],
)  # fmt: skip
def test_what_is_not_of_the_schema_is_no_result(line: bytes):
    with pytest.raises(told.NotOfThisForm):
        told.read(line)


# What is run once more


class Scripted:
    """A runner whose results are prepared: the first for the first run, and so on; it notes what ran together."""

    def __init__(self, results: dict[bytes, list[told.Told]]):
        self.results, self.batches = results, []

    def run(self, sandbox, batches):
        self.batches.append([[job.answer for job in batch] for batch in batches])
        for job in (job for batch in batches for job in batch):
            given = self.results[job.answer]
            yield job, given.pop(0) if len(given) > 1 else given[0]

    def close(self) -> None:
        pass


GOOD = {name: "passed" for name in ("test_each_number_is_squared", "test_a_matrix_keeps_its_shape",
                                    "test_the_mean_is_a_plain_number", "test_any_numbers_will_do")}  # fmt: skip
LATE = {**GOOD, "test_any_numbers_will_do": "timeout"}
SPOILT = {
    "ends its grader": ([lost("it ended", by_answer=True)] * 2, Outcome.FAILED, True),
    "ended once": ([lost("it ended", by_answer=True), said(checks=GOOD)], Outcome.PASSED, True),
    "late": ([said(state="failed", checks=LATE)], Outcome.TIMEOUT, True),
    "late once": ([said(state="failed", checks=LATE), said(checks=GOOD)], Outcome.PASSED, True),
    "no memory": ([said(state="failed", checks={**GOOD, "test_any_numbers_will_do": "crashed"}, memory=True)],
                  Outcome.MEMORY, True),
    "workers lost": ([lost("the workers were lost")], Outcome.NO_VERDICT, False),
    "right": ([said(checks=GOOD)], Outcome.PASSED, True),
}  # fmt: skip


def test_what_a_busy_machine_may_have_spoilt_runs_once_more_alone_and_then_counts(tmp_path: Path):
    plan = plan_of(build(tmp_path / "course").root)
    runner = Scripted({name.encode(): list(results) for name, (results, _, _) in SPOILT.items()})
    handed = [handed_in(name, name) for name in SPOILT]
    engine, rows = graded(plan, tmp_path / "results", handed, runner=runner)
    assert {name: rows[name, "1.01"].outcome for name in SPOILT} == {name: one[1] for name, one in SPOILT.items()}
    again = [name for name in SPOILT if name != "right"]
    assert engine.counts.repeated == len(again)
    assert runner.batches[1:] == [[[name.encode()]] for name in again], "each once, and nothing beside it"
    assert engine.undecided, "of the lost workers' answer"
    row = rows["ends its grader", "1.01"]
    assert row.is_to_look_at and row.reason == "the answer ended the grader, even when it ran alone: it ended"
    later = Scripted({name.encode(): [said(checks=GOOD)] for name in SPOILT})
    engine, again_rows = graded(plan, tmp_path / "results", handed, runner=later)
    assert sum(later.batches, []) == [[b"workers lost"]], "all that has a verdict is kept"
    assert not engine.undecided
    kept = [name for name, (_, _, is_kept) in SPOILT.items() if is_kept]
    assert [again_rows[name, "1.01"] for name in kept] == [rows[name, "1.01"] for name in kept]


def test_hands_on_exercises_run_first_and_then_those_with_the_longest_limits(tmp_path: Path):
    """The last exercise of a module is its hands-on, though the limits of another one's checks may be longer."""
    mini = build(tmp_path / "course")
    longer = mini.squares.check_path
    longer.write_text("import pytest\n\npytestmark = pytest.mark.timeout(300)\n" + longer.read_text("utf-8"), "utf-8")
    answers = {b"a square": "1.01", b"the hands-on": "1.02"}
    runner = Scripted({answer: [said(checks=GOOD)] for answer in answers})
    engine = Engine(plan_of(mini.root), tmp_path / "results", runner)
    jobs = [engine.job(number, answer) for answer, number in answers.items()]
    assert sum(engine.limits["1.01"]) > sum(engine.limits["1.02"])
    for batches in ([[job] for job in jobs], [jobs]):  # Of two students, and of one.
        engine.found.clear()
        engine.kept = Kept(tmp_path / str(len(batches)))
        engine._execute("answers", engine.sandbox, batches)
    assert runner.batches == [[[b"the hands-on"], [b"a square"]], [[b"the hands-on", b"a square"]]]


MADE_UP_SERVER = """
import base64, json, os, sys
print(json.dumps({"ready": True, "rooms": True, "seen": SEEN}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    answer = base64.b64decode(asked["answer"])
    if answer == b"dies":
        os._exit(1)
    if answer != b"silent":
        print(json.dumps({**RESULT, "id": asked["id"]}), flush=True)
    print(json.dumps({"ended": asked["id"]}), flush=True)
"""


class MadeUp(sandbox.Sandbox):
    """A sandbox whose server judges nothing: it says what it was told to, or dies. `imports`: what it sees outside."""

    def command(self, canary: str) -> list[str]:
        result = json.loads(said(checks=GOOD).model_dump_json())
        server = MADE_UP_SERVER.replace("RESULT", repr(result)).replace("SEEN", repr(list(self.imports)))
        return [sys.executable, "-c", server]


@pytest.mark.parametrize("answer", [b"dies", b"silent"])
def test_an_answer_that_ends_its_grader_costs_its_neighbors_nothing(tmp_path: Path, answer: bytes):
    """In one batch: the server that died is replaced, and only that answer has no result."""
    place = MadeUp(Course(build(tmp_path / "course").root), Isolation.NONE, ())
    jobs = [Job(str(n), "1.01", 0, text, (), (1.0,)) for n, text in enumerate([b"a", answer, b"b"])]
    told_of, servers = {}, Servers()
    try:
        servers.run(place, jobs, lambda job, result: told_of.update({job.answer: result}))
    finally:
        servers.close()
    assert {text: result.ended for text, result in told_of.items()} == {b"a": False, answer: True, b"b": False}
    assert told_of[answer].starved and told_of[b"b"].checks


def test_a_server_that_sees_the_machine_is_given_no_answer(tmp_path: Path):
    place = MadeUp(Course(build(tmp_path / "course").root), Isolation.BWRAP, ("files", "the network"))
    servers = Servers()
    with pytest.raises(ServerGone, match="the sandbox doesn't hide files and the network of this machine"):
        servers.run(place, [Job("0", "1.01", 0, b"a", (), (1.0,))], lambda job, result: None)
    assert not servers.all


def test_a_python_that_cannot_be_started_is_one_line(tmp_path: Path):
    """As for the user `student` of a container, where Python lies in root's home."""

    class Nowhere(sandbox.Sandbox):
        def command(self, canary: str) -> list[str]:
            return [str(tmp_path / "python")]

    place = Nowhere(Course(build(tmp_path / "course").root), Isolation.NONE, ())
    with pytest.raises(ServerGone, match="python can't be started: No such file or directory"):
        Servers().run(place, [Job("0", "1.01", 0, b"", (), (1.0,))], print)


def test_what_is_seen_without_a_sandbox_and_what_in_one(tmp_path: Path):
    """The canary itself: in this process everything is to be seen, and in bwrap nothing."""
    canary = tmp_path / "canary"
    canary.write_text("x", encoding="utf-8")
    assert room.seen(canary, files_alone=True) == ["files"] and room.seen(tmp_path / "none", files_alone=True) == []
    assert {"files", "processes"} <= set(room.seen(canary, files_alone=False))
    if sandbox.bwrap_trouble():
        pytest.skip("no bwrap here")
    made = sandbox.Sandbox(Course(build(tmp_path / "course").root), Isolation.BWRAP, ())
    words = made.command(str(canary))
    before = words[: words.index("-m")]  # As far as the interpreter's name.
    code = "from pathlib import Path; from tunelings.classroom.room import seen; import sys; "
    code += "print(seen(Path(sys.argv[1]), files_alone=False))"
    for hidden, expected in ((canary, "[]"), (made.course.root / "solutions/module01/ex01_squares.py", "['files']")):
        done = subprocess.run([*before, "-c", code, str(hidden)], capture_output=True, text=True, **made.options())
        assert done.stdout.strip() == expected, done.stderr


# Flags


@pytest.mark.parametrize(
    ("line", "flag"),
    [
        ("import gc", "looks through all objects (gc)"),
        ("from ctypes import CDLL", "uses ctypes"),
        ("import sys; sys._getframe(1)", "reads the frames of its callers"),
        ("f = squares.__globals__", "reaches into other modules"),
        ("exec('x = 1')", "runs text as code"),
        ("from tunelings import expect", "imports what the checks are written in"),
        ("from tunelings.grading import judge", "imports the grader"),
        ("p = 'solutions/module01'", "names the folder solutions/"),
        ("import sys\nsys.modules['a'] = 1", "reaches into other modules"),
        ("from sys import modules", "reaches into other modules"),
        ("import tunelings\ntunelings.expect.close = print", "imports what the checks are written in"),
        ("import os\nos.fork()", "starts processes"),
        ("np.fromfile('a')", "opens files"),
    ],
)
def test_a_flag_says_what_to_look_at(line: str, flag: str):
    assert flags.of(line + "\n", RIGHT, []) == [flag] and flags.of(line + "\n", RIGHT, [flag]) == []


def test_the_reference_is_known_without_its_docstrings(tmp_path: Path):
    exercise = build(tmp_path / "course").squares
    assert flags.SAME in flags.of(RIGHT.replace("every number times itself", "mine"), RIGHT, flags.usual(exercise))
    assert flags.of(DOUBLED, RIGHT, []) == [] and flags.of("def (", RIGHT, []) == []
    assert flags.of("list(model.modules()), model.eval()", RIGHT, []) == []
    assert flags.of("eval('1')", RIGHT, []) == ["runs text as code"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away")
def test_no_answer_spoils_the_temporary_folder_of_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In a container the answers of all students share one, and pytest refuses to work in what isn't its own."""
    root = build(tmp_path / "course").root
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", str(tmp_path))
    spoiled = tmp_path / f"pytest-of-{getpass.getuser()}"
    spoiled.mkdir()
    os.chown(spoiled, 4711, 4711)
    answer = base64.b64encode(RIGHT.encode()).decode()
    request = {"id": "1", "number": "1.01", "seed": 0, "answer": answer, "usual": [], "vectors": False}
    result = told.read(server.judge(Course(root), request).encode())
    assert told.outcome_of(result, Course(root).find("1.01").check_names()) == (Outcome.PASSED, "")


# The command


GRADE = [sys.executable, "-c", "from tunelings.commands.cli import main; main()", "grade"]


def command(root: Path, *words: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([*GRADE, *words], cwd=root, capture_output=True, text=True, timeout=500, **options)


@needs_bwrap
def test_the_command_writes_the_results_and_goes_on_after_a_kill(tmp_path: Path):
    root = build(tmp_path / "course").root
    place, out = tmp_path / "class", tmp_path / "out"
    write(place, "anna", RIGHT, SHIFTED)
    write(place, "ben", DOUBLED)
    for twin in ("Zora", "zora"):
        write(place, twin, RIGHT)
    (place / "\x1b[31mred.txt").touch()
    killed = subprocess.Popen(
        [*GRADE, str(place), "-o", str(out)], cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert wait_for(lambda: list((out / "results").glob("*/*.json")), 400)
    below = descendants(killed.pid)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert wait_for(lambda: not any(map(is_alive, below)), 60), "a server outlives the command"
    before = len(list((out / "results").glob("*/*.json")))
    done = command(root, str(place), "-o", str(out))
    assert done.returncode == 3, done.stderr
    assert f"{before} known from before" in done.stdout and "2 of 8 passed" in done.stdout
    assert "2 submissions have the same name ('Zora' and 'zora')" in done.stdout
    assert "\\x1b[31mred.txt: it is neither a folder nor a zip" in done.stdout, "it would steer the terminal"
    results = (out / "results.csv").read_text(encoding="utf-8").splitlines()
    assert len(results) == 1 + 8 and results[1:] == sorted(results[1:]), "the order of the names would tell them"
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["isolation"] == "bwrap" and manifest["seed"] == 0
    for path in (path for path in out.rglob("*") if path.is_file() and path.name != "key.csv"):
        assert not [name for name in ("anna", "ben", "zora") if name in path.read_text("utf-8").lower()], path


@needs_bwrap
def test_an_interrupted_run_ends_with_130_and_leaves_nothing_running(tmp_path: Path):
    root = build(tmp_path / "course").root
    write(tmp_path / "class", "anna", RIGHT)
    process = subprocess.Popen(
        [*GRADE, str(tmp_path / "class"), "-o", str(tmp_path / "out")], cwd=root, stderr=subprocess.PIPE, text=True
    )
    # A trial of bwrap comes and goes before.
    assert wait_for(lambda: runs_below(process.pid, server.__name__), 400)
    below = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130 and "Traceback" not in said
    assert wait_for(lambda: not any(map(is_alive, below)), 60)


def test_off_a_terminal_a_line_comes_every_hundred_answers_and_at_the_end(capsys):
    with grading_progress.lines(period=600, many=100) as watch:
        for done in range(251):
            watch("answers", done, 250)
    said = capsys.readouterr()
    assert [line.split(" after")[0] for line in said.err.splitlines()] == [
        "answers: 100 of 250", "answers: 200 of 250", "answers: 250 of 250"]  # fmt: skip
    assert not said.out


def test_off_a_terminal_a_line_comes_after_a_while_though_nothing_has_ended(capsys):
    said: list[str] = []

    def has_come() -> bool:
        said.append(capsys.readouterr().err)
        return "answers: 0 of 4 after" in "".join(said)

    with grading_progress.lines(period=0.05) as watch:
        watch("answers", 0, 4)
        assert wait_for(has_come)


WRONG_USE = {
    "nothing to grade": ([], "Say what to grade"),
    "no folder for the results": (["class"], "-o OUT"),
    "no such exercise": (["class", "-o", "out", "--only", "9.99"], "no exercise '9.99'"),
    "no such points": (["class", "-o", "out", "--points", "half"], "all or checks"),
    "no such part": (["class", "-o", "out", "--shard", "3/2"], "a part such as 2/8"),
    "no such roster": (["class", "-o", "out", "--roster", "lms.csv"], "there is no such file"),
    "a roster that is none": (["class", "-o", "out", "--roster", "pyproject.toml"], "isn't valid CSV"),
    "no such time": (["class", "-o", "out", "--due", "tomorrow"], "a time such as"),
}


@pytest.mark.parametrize("case", WRONG_USE)
def test_wrong_use_is_one_line_and_exit_code_2(tunelings, case: str):
    words, says = WRONG_USE[case]
    done = tunelings("grade", *words)
    assert done.code == 2 and says in done.err and done.err.count("\n") == 1


@pytest.mark.parametrize("undecided", [True, False])
def test_a_shard_with_an_answer_that_has_no_verdict_ends_with_1(tunelings, mini, monkeypatch, undecided: bool):
    monkeypatch.setattr(sandbox, "bwrap_trouble", lambda: "")
    monkeypatch.setattr(Engine, "preflight", lambda engine, submissions: None)
    monkeypatch.setattr(Engine, "run", lambda engine, submissions: setattr(engine, "undecided", undecided))
    write(mini.root / "class", "anna", RIGHT)
    assert tunelings("grade", "class", "-o", "out", "--shard", "1/2").code == undecided


def test_without_isolation_nothing_is_graded(tunelings, mini, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sandbox, "bwrap_trouble", lambda: "bwrap is not installed")
    write(mini.root / "class", "anna", RIGHT)
    done = tunelings("grade", "class", "-o", "out")
    assert done.code == 4 and "bwrap is not installed" in done.err and "--no-isolation" in done.err
    assert not list(Path("out").glob("*.csv"))


def test_nothing_heavy_is_imported_to_show_the_help():
    code = (
        "import sys; from tunelings.commands import app; print({'torch', 'pydantic', 'distributed'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_a_course_has_its_own_root(tmp_path: Path):
    """The sandbox shows the course's trees and not the folder that they are in, where grades may lie."""
    mini = build(tmp_path / "course")
    words = sandbox.Sandbox(Course(mini.root), Isolation.BWRAP, ()).command("/tmp/canary")
    shown = [words[n + 1] for n, word in enumerate(words) if word in {"--ro-bind", "--bind"}]
    assert str(mini.root / "solutions") in shown
    assert not {str(path) for path in (mini.root, *mini.root.parents, Path.home())} & set(shown)
