"""The warm workers: the verdict is the cold one, and whatever an answer does stays in its own process."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psutil
import pytest

from tests.support import miniature
from tests.support.miniature import Miniature
from tests.support.processes import is_alive, wait_for
from tests.support.warm import ask, collect, text_of, verdicts, wait_until_warm
from tunelings.watch import events, worker
from tunelings.watch.pool import FORK, Pool, Said

ON_LINUX = pytest.mark.skipif(not FORK, reason="fork is for Linux")
KINDS = [
    pytest.param(True, id="fork", marks=[ON_LINUX, pytest.mark.xdist_group("pool that forks")]),
    pytest.param(False, id="standby", marks=pytest.mark.xdist_group("pool of standbys")),
]


@pytest.fixture(scope="module", params=KINDS)
def shared(request, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Miniature, Pool]]:
    """A course and its pool, for all tests of a kind: a worker takes seconds to start."""
    course = miniature.build(tmp_path_factory.mktemp("pool") / "course")
    made = Pool(course.course, fork=request.param)
    yield course, made
    made.close()


@pytest.fixture
def mini(shared: tuple[Miniature, Pool], monkeypatch: pytest.MonkeyPatch) -> Miniature:
    made, _ = shared
    miniature.build(made.root)  # Every file as it was before the last test.
    miniature.enter(made, monkeypatch)
    return made


@pytest.fixture
def pool(shared: tuple[Miniature, Pool], mini: Miniature) -> Pool:
    return shared[1]


@pytest.fixture
def own_pool(shared: tuple[Miniature, Pool], mini: Miniature) -> Iterator[Pool]:
    """One that a test may close or wait for without other events."""
    made = Pool(mini.course, fork=shared[1].fork)
    yield made
    made.close()


def test_the_first_request_does_not_wait_for_the_warm_worker_and_says_the_same(own_pool: Pool, mini: Miniature):
    pool = own_pool
    mini.solve(mini.squares, "x * x", "x + x")
    pool.request([mini.squares])
    assert pool.active.imports == [], "the worker that is still importing has the request"
    first = verdicts(collect(pool))
    wait_until_warm(pool, mini.squares)
    warm = verdicts(ask(pool, mini.squares))
    cold = mini.grade("checks/module01/test_ex01_squares.py")
    assert first == warm
    assert first[0].state == "failed"
    assert text_of(first[0]) == cold.text()
    assert "added to itself" in text_of(first[0])


def test_several_exercises_come_in_one_request(pool: Pool, mini: Miniature):
    mini.solve(mini.squares)
    found = verdicts(ask(pool, mini.squares, mini.shift))
    assert [(verdict.number, verdict.state) for verdict in found] == [("1.01", "passed"), ("1.02", "not started")]


def test_each_check_is_announced_with_its_limit(pool: Pool, mini: Miniature):
    mini.solve(mini.shift)
    told = [event for event in ask(pool, mini.shift) if isinstance(event, events.Checking | events.Checked)]
    announced = {event.check: event.limit for event in told[::2]}
    assert announced["test_each_number_moves"] == 1.0
    assert announced["test_the_argument_stays"] == 10.0
    assert told[1::2] == [events.Checked()] * len(announced), "each check begins and ends before the next one"


def test_what_keeps_a_request_from_being_checked_is_said(pool: Pool, mini: Miniature):
    gone = mini.shift
    for path in (gone.solution_path, gone.check_path, gone.card_path):
        path.unlink()
    (error,) = [event for event in ask(pool, gone) if isinstance(event, events.Error)]
    assert "1.02" in error.text


def test_a_long_check_says_how_far_it_is(pool: Pool, mini: Miniature):
    check = mini.shift.check_path.read_text(encoding="utf-8")
    told = check.replace(
        "    for _ in range(8):\n", "    for _ in range(8):\n        live.progress(2e5, 'step 8\\x1b[2J')\n"
    )
    mini.shift.check_path.write_text(told.replace("import expect\n", "import expect, live\n"), encoding="utf-8")
    mini.solve(mini.shift)
    reported = {event for event in ask(pool, mini.shift) if isinstance(event, events.Reported)}
    assert reported == {events.Reported(1.0, r"step 8\x1b[2J")}


HOSTILE = {
    "os._exit(3)": "the answer ends the process that checks it, with exit status 3",
    "os.kill(os.getpid(), 9)": "was ended (SIGKILL)",
    "os.kill(os.getppid(), 9)": "the answer ends the processes that check it",
    "write_into_pipes()": "writes into the files of the process that checks it",
}


@pytest.mark.skipif(not FORK, reason="elsewhere the loop's own process is the child, and the loop says that it ended")
@pytest.mark.parametrize("deed", HOSTILE)
def test_an_answer_that_ends_its_process_has_a_verdict_and_harms_nobody_else(pool: Pool, mini: Miniature, deed: str):
    wait_until_warm(pool, mini.squares)
    mini.answer(
        mini.squares,
        "import os\n\ndef write_into_pipes():\n    for number in range(3, 1000):\n"
        "        try:\n            os.write(number, b'no message\\n')\n        except OSError:\n            pass\n\n"
        f"def squares(x):\n    {deed}\n    return x * x\n\ndef mean_square(x):\n    return 1.0\n",
    )
    mini.solve(mini.shift)
    bad, good = verdicts(ask(pool, mini.squares, mini.shift))
    assert (bad.state, good.state) == ("failed", "passed")
    assert HOSTILE[deed] in bad.failure.message
    assert text_of(bad) == mini.grade("checks/module01/test_ex01_squares.py").text()
    mini.solve(mini.squares)
    assert verdicts(ask(pool, mini.squares))[0].state == "passed"


@pytest.mark.skipif(not FORK, reason="processes are adopted on Linux")
def test_a_daemon_of_the_answer_ends_with_its_checks(pool: Pool, mini: Miniature, tmp_path):
    wait_until_warm(pool, mini.squares)
    note = tmp_path / "pid"
    # The shell itself is waited for: in the background it could be ended before it has written the number.
    command = f"setsid sleep 600 & echo $! > {note}"
    mini.answer(mini.squares, f"import os\nos.system({command!r})\n" + mini.squares.solution_path.read_text())
    assert verdicts(ask(pool, mini.squares))[0].state == "passed"
    assert not is_alive(int(note.read_text()))


@pytest.mark.skipif(not FORK, reason="processes are adopted on Linux")
def test_a_daemon_of_an_answer_that_ends_the_run_above_it_ends_too(pool: Pool, mini: Miniature, tmp_path):
    if not pool.fork:
        pytest.skip("the run that the answer ends is the worker itself")
    wait_until_warm(pool, mini.squares)
    note = tmp_path / "pid"
    command = f"setsid sleep 600 & echo $! > {note}"
    mini.answer(
        mini.squares,
        f"import os, psutil\nos.system({command!r})\nos.kill(psutil.Process(os.getppid()).ppid(), 9)\n"
        + mini.squares.solution_path.read_text(encoding="utf-8"),
    )
    assert verdicts(ask(pool, mini.squares)) == ()
    assert not is_alive(int(note.read_text()))


@pytest.mark.skipif(not FORK, reason="Linux ends a process with its parent")
def test_a_check_ends_with_its_worker(pool: Pool, mini: Miniature, tmp_path):
    check = mini.shift.check_path.read_text(encoding="utf-8")
    mini.shift.check_path.write_text(check.replace("timeout(1)", "timeout(300)"), encoding="utf-8")
    note = tmp_path / "pid"
    sleep = f"import os, time\n\ndef shift(x, by=1.0):\n    open({str(note)!r}, 'w').write(str(os.getpid()))\n"
    mini.answer(mini.shift, sleep + "    time.sleep(600)\n")
    wait_until_warm(pool, mini.shift)
    pool.request([mini.shift])
    assert wait_for(lambda: note.exists() and note.read_text(), 60)
    os.kill(pool.active.process.pid, 9)
    ended = wait_for(lambda: not is_alive(int(note.read_text())))
    pool.cancel()
    assert ended


def test_what_an_answer_patches_is_gone_in_the_next_request(pool: Pool, mini: Miniature):
    wait_until_warm(pool, mini.squares)
    spoilt = "import torch\ntorch.Tensor.mean = None\ntorch.set_default_dtype(torch.float16)\n"
    mini.answer(mini.squares, spoilt + mini.squares.solution_path.read_text(encoding="utf-8"))
    assert verdicts(ask(pool, mini.squares))[0].state == "failed"
    mini.solve(mini.squares)
    assert verdicts(ask(pool, mini.squares))[0].state == "passed"


def test_a_hang_in_c_code_is_ended_by_cancel_with_all_it_started(pool: Pool, mini: Miniature, tmp_path):
    wait_until_warm(pool, mini.squares)
    note = tmp_path / "pid"
    hang = (
        "import subprocess, sys, torch\n\ndef squares(x):\n"
        "    sleeper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"    open({str(note)!r}, 'w').write(str(sleeper.pid))\n"
        "    return torch.linalg.svd(torch.randn(6000, 6000))\n\ndef mean_square(x):\n    return 1.0\n"
    )
    mini.answer(mini.squares, hang)
    pool.request([mini.squares])
    assert wait_for(lambda: note.exists() and note.read_text(), 60)
    pool.cancel()
    assert wait_for(lambda: not is_alive(int(note.read_text())))
    mini.solve(mini.squares)
    assert verdicts(ask(pool, mini.squares))[0].state == "passed"


def test_a_new_request_drops_the_one_under_way(pool: Pool, mini: Miniature, tmp_path):
    # No time is measured: the verdict after the dropped one may come from a cold process, which takes what it takes.
    wait_until_warm(pool, mini.squares)
    begun, survived = tmp_path / "begun", tmp_path / "survived"
    slow = (
        "import os, time\n\ndef squares(x):\n"
        f"    open({str(begun)!r}, 'w').write(str(os.getpid()))\n"
        "    try:\n        time.sleep(600)\n"
        f"    finally:\n        open({str(survived)!r}, 'w').close()\n"
        "\ndef mean_square(x):\n    return 1.0\n"
    )
    mini.answer(mini.squares, slow)
    pool.request([mini.squares])
    assert wait_for(lambda: begun.exists() and begun.read_text(), 60)
    mini.solve(mini.squares)
    pool.request([mini.squares])
    assert wait_for(lambda: not is_alive(int(begun.read_text())))
    assert not survived.exists(), "the check ran into its own limit and was not ended by the new request"
    assert [verdict.state for verdict in verdicts(collect(pool))] == ["passed"]


def test_a_worker_that_died_is_replaced(pool: Pool, mini: Miniature):
    mini.solve(mini.squares)
    wait_until_warm(pool, mini.squares)
    for server in pool.servers:
        os.kill(server.process.pid, 9)
        server.process.wait()
    assert verdicts(ask(pool, mini.squares))[0].state == "passed"
    wait_until_warm(pool, mini.squares)
    assert verdicts(ask(pool, mini.squares))[0].state == "passed"


def test_other_packages_mean_another_worker(pool: Pool, mini: Miniature):
    wait_until_warm(pool, mini.squares)
    before = [server.process.pid for server in pool.servers]
    pool.packages_changed = -1.0
    pool.prepare(mini.squares)
    after = [server.process.pid for server in pool.servers]
    assert not set(after) & set(before)
    pool.prepare(mini.squares)
    assert [server.process.pid for server in pool.servers] == after, "an installation is seen once"


def test_closing_leaves_no_process(own_pool: Pool, mini: Miniature):
    pool = own_pool
    wait_until_warm(pool, mini.squares)
    pool.request([mini.squares])
    pids = [server.process.pid for server in pool.servers] + [pool.active.process.pid]
    pool.close()
    assert wait_for(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.parametrize("once", [False, True])
def test_what_the_pool_starts_is_the_worker(own_pool: Pool, once: bool):
    server = own_pool._start([], once=once)
    assert own_pool.next_happening(60) == Said(server, events.Ready()), "a worker that is not found ends without a word"
    assert server.process.args[1:3] == ["-m", "tunelings.watch.worker"] == ["-m", worker.__name__]
    server.close()


@pytest.mark.skipif(not FORK, reason="only a worker that forks must have no threads, and Windows has no sessions")
def test_a_worker_has_its_own_session_and_one_that_forks_has_no_threads_of_a_library(own_pool: Pool, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    server = own_pool._start([], once=not own_pool.fork)
    assert own_pool.next_happening(60) == Said(server, events.Ready())
    process = psutil.Process(server.process.pid)
    assert process.environ()["OPENBLAS_NUM_THREADS"] == ("1" if own_pool.fork else "2")
    assert os.getsid(process.pid) == process.pid, "Ctrl-C in the terminal reaches it"
    server.close()
