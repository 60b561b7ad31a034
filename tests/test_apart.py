"""The child process of the checks, and pytest's own options with it.

Long: 35 tests, of what the child says and of how it ends.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import signal
import subprocess
import sys
import warnings
from types import SimpleNamespace

import psutil
import pytest

from tests.conftest import ROOT
from tests.support.miniature import Miniature
from tests.support.processes import is_alive, wait_for
from tests.support.systems import POSIX
from tests.test_plugin import ALL_OF_SQUARES, FIRST, SHIFT, SQUARES
from tunelings import live
from tunelings.grading import apart, child, limits, printed, processes, verdict
from tunelings.grading.answers import Source
from tunelings.grading.judge import Judgement, Task
from tunelings.grading.run import checks_of
from tunelings.grading.states import CheckState

EXITS = "import os\n\ndef squares(x):\n    os._exit(0)\n\ndef mean_square(x):\n    return 1.0\n"
FORKED, SPAWNED = pytest.param(True, id="forked", marks=POSIX), pytest.param(False, id="spawned")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what several processes share")
no_fork = pytest.mark.parametrize("fork", [FORKED, SPAWNED])


JUDGED = {
    "token": "its own", "said": "judged", "final": True, "state": "crashed", "skipped": None, "fingerprint": "",
    "warnings": [], "left": False,
}  # fmt: skip


@pytest.fixture
def exits(mini: Miniature) -> Miniature:
    mini.answer(mini.squares, EXITS)
    mini.solve(mini.shift)
    return mini


@no_fork
def test_no_result_is_a_failure(exits, monkeypatch, fork: bool):
    if not fork:
        monkeypatch.delattr(os, "fork", raising=False)
    graded = exits.grade("--junitxml=report.xml")
    assert graded.code == 1
    assert [graded.states[name] for name in ALL_OF_SQUARES] == ["failed"] * 4
    assert "the answer ends the process that checks it, with exit status 0" in " ".join(graded.text().split())
    assert graded.states["test_the_argument_stays"] == "passed"
    assert 'failures="4"' in (exits.root / "report.xml").read_text()


@pytest.mark.skipif(not apart.can_fork(), reason="child processes are forked on Linux")
def test_a_pass_does_not_count_where_the_process_above_is_gone(mini, monkeypatch):
    monkeypatch.setattr(apart.Apart, "_ping", lambda _: b"")  # Killed, it ends a moment after the verdict has come.
    mini.solve(mini.squares)
    graded = mini.grade(f"{SQUARES}::{FIRST}")
    assert graded.states == {FIRST: "failed"}
    assert "the answer ends the processes that check it" in " ".join(graded.text().split())


@pytest.mark.skipif(not apart.can_fork(), reason="child processes are forked on Linux")
def test_the_end_of_the_child_is_that_of_all_that_came_from_it(monkeypatch):
    ended = []
    reap = processes.reap

    def look_and_reap(pid: int) -> None:
        ended.append(not is_alive(pid))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # It was stopped: it would be waited for in vain.
        reap(pid)

    monkeypatch.setattr(processes, "reap", look_and_reap)
    apart.Apart(lambda request: None).end()
    assert ended[-1], "it still runs, or is stopped"


@POSIX
def test_a_spawned_child_says_what_a_forked_one_says(mini, monkeypatch):
    mini.solve(mini.squares, "return x * x", "print('seen')\n    return x + x")
    mini.solve(mini.shift, "x + by", "x.add_(by)")
    forked = mini.grade()
    monkeypatch.delattr(os, "fork")
    spawned = mini.grade()
    assert (forked.code, forked.states, forked.texts) == (spawned.code, spawned.states, spawned.texts)
    assert "seen" in forked.output and "seen" in spawned.output


def test_without_fork_an_answer_that_breaks_what_the_grader_calls_breaks_no_other(mini, monkeypatch):
    monkeypatch.delattr(os, "fork", raising=False)
    mini.solve(mini.squares, "return x * x", "import linecache; linecache.getlines = None\n    return x * x")
    mini.solve(mini.shift)
    graded = mini.grade()
    assert "the answer leaves linecache.getlines changed for everything that runs after it" in graded.texts[FIRST]
    assert graded.states["test_each_number_moves"] == graded.states["test_the_argument_stays"] == "passed"


@ON_LINUX
def test_the_memory_of_several_processes_counts_together(mini, monkeypatch):
    monkeypatch.setattr(limits, "MEMORY_OF_ALL", 2**30)
    monkeypatch.setattr(limits, "MEMORY", 2**40)
    hold = [sys.executable, "-c", f"x = b'x' * {700 * 2**20}; import time; time.sleep(600)"]
    start = (
        "import subprocess, time\n    held = [subprocess.Popen({!r}) for _ in range({})]\n    time.sleep({})\n"
        "    [(one.kill(), one.wait()) for one in held]\n    return x * x"
    )
    check = mini.squares.check_path
    check.write_text("import pytest\n\npytestmark = pytest.mark.timeout(60)\n" + check.read_text())
    mini.solve(mini.squares, "return x * x", start.format(hold, 2, 600))
    graded = mini.grade(f"{SQUARES}::{FIRST}")
    assert graded.states == {FIRST: "failed"} and "of memory together" in graded.text()
    mini.solve(mini.squares, "return x * x", start.format(hold, 1, 3))
    alone = mini.grade(f"{SQUARES}::{FIRST}")
    assert alone.states == {FIRST: "passed"}, alone.text()


@ON_LINUX
def test_memory_that_could_be_shared_counts_for_one_process_too(mini, monkeypatch):
    monkeypatch.setattr(limits, "MEMORY_OF_ALL", 2**30)
    monkeypatch.setattr(limits, "MEMORY", 2**40)
    take = "import mmap, time\n    held = mmap.mmap(-1, {0})\n    held.write(b'x' * {0})\n    time.sleep({1})"
    check = mini.squares.check_path
    check.write_text("import pytest\n\npytestmark = pytest.mark.timeout(60)\n" + check.read_text())
    for size, seconds, state in ((1200 * 2**20, 600, "failed"), (2**20, 2, "passed")):
        mini.solve(mini.squares, "return x * x", f"{take.format(size, seconds)}\n    return x * x")
        graded = mini.grade(f"{SQUARES}::{FIRST}")
        assert graded.states == {FIRST: state}, graded.text()
        assert ("of memory together" in " ".join(graded.texts.values())) == (state == "failed")


@ON_LINUX
def test_what_forked_processes_share_counts_once(monkeypatch):
    held = b"x" * 2**26
    alone = processes.memory([psutil.Process()])
    pid = os.fork()
    if pid == 0:
        signal.pause()
    try:
        both = [psutil.Process(), psutil.Process(pid)]
        assert processes.memory(both) < alone + len(held) / 2

        def hidden(path: str, *names: str) -> int:
            if path.endswith("smaps_rollup"):
                raise PermissionError(path)
            return sizes(path, *names)

        sizes = processes._sizes
        monkeypatch.setattr(processes, "_sizes", hidden)
        assert processes.memory(both) > alone + len(held), "a process that hides itself has a gain from it"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_verdict_counts_with_the_token_of_its_check_alone():
    """All else of the forged one is as the child writes it."""
    heard = {}
    for token in ("its own", "guessed"):
        heard[token] = apart.Asked(os.getpid(), "its own", limit=10.0)
        heard[token].hear(json.dumps({**JUDGED, "token": token, "state": "passed", "failure": None}).encode())
    judged = heard["its own"].reply
    assert judged.judgement is not None and (judged.judgement.state, judged.ended) == ("passed", "")
    assert heard["guessed"].reply.judgement is None and heard["guessed"].reply.ended == apart.MEDDLED


@pytest.mark.parametrize(("state", "stays"), [("passed", False), ("failed", True)])
def test_where_the_answer_ends_the_process_after_its_verdict_only_a_failure_stands(state: str, stays: bool):
    asked = apart.Asked(os.getpid(), "its own", limit=10.0)
    asked.reply.judgement = judgement = Judgement(CheckState(state))
    asked.end("the answer ends the process that checks it")
    assert (asked.reply.judgement is judgement) == stays
    assert asked.reply.judgement_of("test_x").state == ("failed" if stays else "escaped")


@pytest.mark.parametrize(("count", "told"), [(limits.PROCESSES, ""), (limits.PROCESSES + 1, "more than 64 processes")])
def test_an_answer_may_not_start_any_number_of_processes(monkeypatch, count: int, told: str):
    monkeypatch.setattr(processes, "descendants", lambda pid: [psutil.Process()] * count)
    asked = apart.Asked(os.getpid(), "its own", limit=10.0, memory_is_limited=False)
    asked.next_look = 0.0
    asked.look_at_the_clock()
    assert asked.is_done == bool(told) and told in asked.reply.ended


@pytest.mark.parametrize(
    ("done", "share"),
    [("0.25", 0.25), ("-3", 0.0), ("2e5", 1.0), ("NaN", 0.0), ("Infinity", 1.0), ("1" + "0" * 400, 1.0)],
    ids=["a quarter", "negative", "large", "nan", "infinite", "too large for a float"],
)
def test_how_far_a_check_is_acts_on_no_screen_whatever_the_answer_says(monkeypatch, done: str, share: float):
    """A bar of 200,000 times its width would fill the screen for minutes."""
    told = []
    monkeypatch.setattr(live, "listener", lambda *said: told.append(said))
    asked = apart.Asked(os.getpid(), "token", limit=10.0)
    text = json.dumps("\x1b[2J" + "x" * 1000)
    for _ in range(100):  # A thousand a second would be drawn for minutes, too.
        asked.hear(f'{{"token": "token", "said": "progress", "done": {done}, "text": {text}}}'.encode())
    assert told[0] == (share, r"\x1b[2J" + "x" * 76 + "…") and len(told) < 50
    assert asked.reply.ended == ""


@pytest.mark.parametrize(
    "forged",
    [
        {"message": 7},
        {"what": None},
        {"todos": [1]},
        {"line": "x"},
        {"mistakes": [{"id": 3, "says": ""}]},
        {"frames": [{"line": 1, "function": [], "code": ""}]},
        {"difference": {"first": ["x"], "largest": 1.0}},
    ],
    ids=lambda forged: next(iter(forged)),
)
def test_a_failure_that_the_child_would_not_write_is_a_forged_verdict(forged):
    """What shows it would raise, and the others would have no verdict."""
    failure = verdict.failure_to_json(verdict.Failure("check", CheckState.CRASHED))
    asked = apart.Asked(os.getpid(), "its own", limit=10.0)
    asked.hear(json.dumps({**JUDGED, "failure": failure}, default=str).encode())
    assert asked.reply.ended == "" and asked.reply.judgement.failure.check == "check"
    asked = apart.Asked(os.getpid(), "its own", limit=10.0)
    asked.hear(json.dumps({**JUDGED, "failure": {**failure, **forged}}, default=str).encode())
    assert asked.is_done and asked.reply.ended == apart.MEDDLED


@pytest.mark.parametrize("said", ["begun", "judged"])
def test_what_gives_a_check_more_time_is_heard_once(said: str):
    asked = apart.Asked(os.getpid(), "its own", limit=10.0)
    line = json.dumps({**JUDGED, "said": said, "final": False, "state": "passed", "failure": None, "pid": os.getpid()})
    asked.hear(line.encode())
    assert not asked.is_done
    asked.hear(line.encode())
    assert asked.is_done and asked.reply.ended == apart.MEDDLED


@POSIX
@pytest.mark.timeout(60)
def test_a_child_that_reads_nothing_is_not_waited_for(monkeypatch):
    """More than a pipe holds is written to it; what waits for its end has no clock."""
    monkeypatch.setattr(limits, "IMPORTS", 0.5)
    child = apart.Apart(lambda request: None)
    try:
        assert wait_for(lambda: processes.descendants(child.pid))
        for process in processes.descendants(child.pid):
            process.suspend()
        reply = child.ask({"answer": "x" * 2**20}, limit=1.0)
    finally:
        child.end()
    assert reply.state == "timeout" and reply.judgement is None


@POSIX
def test_an_answer_that_stops_the_process_above_it_is_waited_for_once(mini: Miniature, monkeypatch):
    monkeypatch.setattr(apart, "_PATIENCE", 0.3)
    stops = "import os, signal\n\ndef squares(x):\n    os.kill(os.getppid(), signal.SIGSTOP)\n    return x\n"
    mini.answer(mini.squares, stops + "\ndef mean_square(x):\n    return 1.0\n")
    mini.solve(mini.shift)
    graded = mini.grade()
    first, *others = (graded.texts[check] for check in ALL_OF_SQUARES)
    assert "the answer stops the processes that check it" in first
    assert all("not run: the check before it" in text for text in others)
    assert "✓ 1.02" in graded.output


FORKS_AND_ENDS = """
import os, time
until = time.time() + 10
while time.time() < until:
    if os.fork():
        os._exit(0)
    time.sleep(0.001)
"""


@POSIX
def test_a_process_that_forks_and_ends_all_the_time_is_ended():
    script = f"""
import os, subprocess, sys, time
from tunelings.grading import processes
processes.adopt_orphans()
group = subprocess.Popen([sys.executable, "-c", {FORKS_AND_ENDS!r}], start_new_session=True).pid
time.sleep(1)
processes.kill_descendants()
os.killpg(group, 0)
"""
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert "ProcessLookupError" in done.stderr  # The group has nobody in it.


@POSIX
def test_a_process_that_no_signal_reaches_is_not_waited_for_without_end(monkeypatch):
    """Such as another user's, which `sudo` starts."""
    asked = []
    monkeypatch.setattr(processes, "_PATIENCE", 0.05)
    monkeypatch.setattr(os, "waitpid", lambda pid, options: asked.append(options) or (0, 0))
    deaf = SimpleNamespace(pid=2**30, kill=lambda: None)
    monkeypatch.setattr(processes, "_below", lambda pid: [deaf])
    monkeypatch.setattr(processes, "_is_alive", lambda process: True)
    processes.kill_descendants()
    assert set(asked) == {os.WNOHANG} and len(asked) < 50


@pytest.mark.parametrize("forged", [{"line": "x"}, {"file": 7}, {"text": None}, {"kind": []}])
def test_a_warning_that_the_child_would_not_write_is_a_forged_verdict(forged):
    warning = {"text": "odd", "kind": "UserWarning", "file": "f", "line": 1, **forged}
    told = {**JUDGED, "state": "passed", "failure": None, "warnings": [warning]}
    asked = apart.Asked(os.getpid(), "its own", limit=10.0)
    asked.hear(json.dumps(told).encode())
    assert asked.is_done and asked.reply.ended == apart.MEDDLED


@pytest.mark.filterwarnings("always")
def test_a_warning_that_cannot_be_told_is_left_out_and_an_odd_line_is_the_first():
    class Quits(UserWarning):
        def __str__(self):
            raise SystemExit

    with warnings.catch_warnings(record=True) as caught:
        warnings.showwarning(Quits(), Quits, "f", 1)
        for line in (7, 2**70):
            warnings.showwarning("odd", UserWarning, "f", line)
    assert [one["line"] for one in child._as_json(caught)] == [7, 1]


def test_what_a_del_does_comes_before_the_verdict(mini, monkeypatch):
    monkeypatch.chdir(mini.root)
    text = "class D:\n    def __del__(self): open('gone', 'w').close()\n\nd = D()\n"
    source = Source(mini.squares.answer_path, text + mini.squares.solution_path.read_text())
    task = Task(mini.squares, checks_of(mini.squares.check_path, [FIRST])[0], source, seed=0, limit=10.0)
    gone = []
    gc.disable()
    try:
        request = {"token": "its own", "memory_is_limited": False}
        child._answer(request, task, lambda *said, **fields: gone.append((mini.root / "gone").exists()), None)
    finally:
        gc.enable()
    assert gone == [False, True]  # The check began; its verdict.


def test_the_first_failure_ends_the_run_where_asked(exits):
    assert list(exits.grade("-x").states) == [FIRST]
    assert list(exits.grade("--maxfail=2").states) == ALL_OF_SQUARES[:2]


def test_one_check_alone_and_the_last_that_failed(exits):
    assert exits.grade(f"{SQUARES}::{FIRST}").states == {FIRST: "failed"}
    command = [sys.executable, "-m", "pytest", "-q", "-c", "pyproject.toml", "checks"]
    subprocess.run(command, cwd=exits.root, capture_output=True)
    again = subprocess.run([*command, "--lf"], cwd=exits.root, capture_output=True, text=True)
    assert again.returncode == 1 and "4 failed" in again.stdout and "passed" not in again.stdout


def test_two_processes_share_the_checks(exits):
    graded = exits.cold("-n", "2", "--junitxml=report.xml")
    assert graded.code == 1
    assert "4 failed, 3 passed, 1 skipped" in graded.output


def test_what_an_answer_prints_is_seen_live_where_asked(mini):
    mini.solve(mini.squares, "return x * x", "print('seen', x.numel())\n    return x * x")
    mini.solve(mini.shift)
    assert "seen 3" in mini.grade("-s", SQUARES).output
    assert "seen" not in mini.grade(SQUARES).output


def test_a_debugger_finds_the_answer_in_its_own_process(mini):
    seen = mini.root / "seen"
    noted = f"open({str(seen)!r}, 'a').write('x')"
    mini.solve(mini.squares, "return x * x", f"unheard = 41 + 1; {noted}\n    raise ValueError(unheard)")
    command = [sys.executable, "-m", "pytest", "--pdb", "-c", "pyproject.toml", f"{SQUARES}::{FIRST}"]
    done = subprocess.run(
        command, cwd=mini.root, input="p 'the value is', unheard\nq\n", capture_output=True, text=True, timeout=300
    )
    assert "('the value is', 42)" in done.stdout
    assert seen.read_text() == "x", "it ran again, for a name: each breakpoint would stop again"


def test_a_process_of_its_own_can_be_done_without(mini):
    mini.answer(
        mini.squares, f"import os\n\nassert os.getpid() == {os.getpid()}\n" + mini.squares.solution_path.read_text()
    )
    assert mini.grade(SQUARES, "--in-process").code == 0
    assert mini.grade(SQUARES).code == 1


@POSIX
def test_ctrl_c_ends_the_run_and_the_child(mini, tmp_path):
    note = tmp_path / "pid"
    mini.solve(mini.squares)
    mini.answer(
        mini.shift,
        f"import os, time\n\ndef shift(x, by=1.0):\n    open({str(note)!r}, 'w').write(str(os.getpid()))\n"
        "    time.sleep(600)\n",
    )
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "--junitxml=report.xml", SQUARES, SHIFT]
    process = subprocess.Popen(command, cwd=mini.root, stdout=subprocess.PIPE, text=True)
    assert wait_for(lambda: note.exists() and note.read_text(), 60)
    process.send_signal(2)
    output, _ = process.communicate(timeout=300)
    assert (process.returncode, "KeyboardInterrupt" in output) == (2, True)
    assert not is_alive(int(note.read_text()))
    assert 'tests="4"' in (mini.root / "report.xml").read_text()


def test_the_imports_of_an_answer_are_not_on_the_clock(mini, monkeypatch):
    """A package that takes three seconds of processor time to import, for a check that may take one."""
    folder = mini.root / "site-packages"
    folder.mkdir()
    slow = "import time\nend = time.process_time() + 3\nwhile time.process_time() < end:\n    pass\n"
    (folder / "takes_long.py").write_text(slow)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(folder))
    mini.solve(mini.shift, "return x + by", "import takes_long\n    return x + by")
    assert mini.grade(SHIFT, "-k", "each_number").code == 0


def test_the_limit_from_outside_comes_after_the_one_from_inside():
    assert limits.hard_limit(10) > 10 * limits.CLOCK
    assert limits.longest(10) > limits.hard_limit(10)


@pytest.mark.parametrize(("others_had", "is_over"), [(3600.0, False), (0.0, True)])
def test_the_limit_from_outside_stands_still_while_others_have_the_processors(monkeypatch, others_had, is_over):
    now = queued = 1000.0
    monkeypatch.setattr(apart, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(limits, "queued", lambda pid: queued)
    monkeypatch.setattr(processes, "processor_seconds", lambda pid: 0.0)
    asked = apart.Asked(2**22 + 1, "token", limit=1.0)
    asked.hear(f'{{"token": "token", "said": "begun", "pid": {os.getpid()}}}'.encode())
    now, queued = now + 3600.0, queued + others_had
    asked.look_at_the_clock()
    assert asked.is_done == is_over


def test_what_is_printed_is_passed_on_up_to_a_limit(capsys):
    shown = printed.Printed(left=8)
    shown.show(1, b"a\x1b\rb")
    shown.show(2, "é".encode())
    shown.show(1, b"123456")
    out, err = capsys.readouterr()
    assert out.startswith("a\\x1b\nb12\n… the answer prints more than 64 KiB") and err == "é"
    shown.show(1, b"never")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("encoding", "out"), [("ascii", "?-> U\n"), ("cp1252", "\xe9-> U\n"), ("utf-8", "\xe9\u2192 U\n")]
)
def test_what_is_printed_is_passed_on_in_the_characters_that_the_screen_has(monkeypatch, encoding: str, out: str):
    screen = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", screen)
    shown = printed.Printed(left=8)
    shown.show(1, "\xe9\u2192 U\n".encode())
    assert screen.buffer.getvalue().decode(encoding).startswith(out.replace("\n", os.linesep))
    assert "the answer prints more" in screen.buffer.getvalue().decode(encoding)


def test_what_is_printed_has_no_line_ends_but_its_own_and_is_not_turned_around(capsys):
    printed.Printed().show(1, "a\u202eb\u2066\u200f\u061c\u2028\x85c \xe9\u3000\u4e2d\t.\n".encode())
    assert capsys.readouterr().out == r"a\u202eb\u2066\u200f\u061c\u2028\x85c" + " \xe9\u3000\u4e2d\t.\n"


def test_an_answer_may_print_what_the_screen_has_no_character_for(mini, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    mini.solve(mini.shift, "return x + by", "print('\xe9\u2192')\n    return x + by")
    graded = mini.cold(SHIFT, "-s", "-k", "each_number")
    assert graded.code == 0 and "?->" in graded.output, graded.output
