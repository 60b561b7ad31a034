"""The warm workers: the verdict is the cold one, and whatever an answer does stays in its own process."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.support.miniature import Miniature
from tunelings.course import Exercise
from tunelings.watch.pool import FORK, Pool

KINDS = [pytest.param(True, id="fork", marks=pytest.mark.skipif(not FORK, reason="fork is for Linux")), False]


@pytest.fixture(params=KINDS, ids=lambda fork: "fork" if fork else "standby")
def pool(request, mini: Miniature) -> Iterator[Pool]:
    made = Pool(mini.course, fork=request.param)
    yield made
    made.close()


def collect(pool: Pool, seconds: float = 60) -> list[dict]:
    """The events of the request under way, to its end."""
    events, end = [], time.monotonic() + seconds
    while pool.active is not None:
        server, event = pool.events.get(timeout=max(0.01, end - time.monotonic()))
        if pool.handle(server, event):
            events.append(event)
    return events


def ask(pool: Pool, *exercises: Exercise) -> list[dict]:
    pool.request(list(exercises))
    return collect(pool)


def verdicts(events: list[dict]) -> list[dict]:
    return next((event["verdicts"] for event in events if event["event"] == "verdicts"), [])


def wait_until_warm(pool: Pool, exercise: Exercise) -> None:
    pool.prepare(exercise)
    end = time.monotonic() + 60
    while not any(server.ready for server in pool.servers):
        pool.handle(*pool.events.get(timeout=max(0.01, end - time.monotonic())))


def wait_for(condition, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_first_request_does_not_wait_for_the_warm_worker_and_says_the_same(pool: Pool, mini: Miniature):
    mini.solve(mini.squares, "x * x", "x + x")
    first = verdicts(ask(pool, mini.squares))
    wait_until_warm(pool, mini.squares)
    warm = verdicts(ask(pool, mini.squares))
    cold = mini.grade("checks/module01/test_ex01_squares.py")
    assert first == warm
    assert first[0]["state"] == "failed"
    assert first[0]["text"] == cold.text()
    assert "added to itself" in first[0]["text"]


def test_several_exercises_come_in_one_request(pool: Pool, mini: Miniature):
    mini.solve(mini.squares)
    found = verdicts(ask(pool, mini.squares, mini.shift))
    assert [(v["number"], v["state"]) for v in found] == [("1.01", "passed"), ("1.02", "not started")]


def test_each_check_is_announced_with_its_limit(pool: Pool, mini: Miniature):
    mini.solve(mini.shift)
    announced = {e["check"]: e["limit"] for e in ask(pool, mini.shift) if e["event"] == "checking"}
    assert announced["test_each_number_moves"] == 1.0
    assert announced["test_the_argument_stays"] == 10.0


def test_a_long_check_says_how_far_it_is(pool: Pool, mini: Miniature):
    check = mini.shift.check_path.read_text(encoding="utf-8")
    told = check.replace(
        "    for _ in range(8):\n", "    for _ in range(8):\n        live.progress(1.0, 'step 8, loss 0.5')\n"
    )
    mini.shift.check_path.write_text(told.replace("import expect\n", "import expect, live\n"), encoding="utf-8")
    mini.solve(mini.shift)
    events = [(e["done"], e["text"]) for e in ask(pool, mini.shift) if e["event"] == "progress"]
    assert events and set(events) == {(1.0, "step 8, loss 0.5")}


def test_an_answer_that_ends_its_process_harms_nobody_else(pool: Pool, mini: Miniature):
    wait_until_warm(pool, mini.squares)
    mini.answer(mini.squares, "import os\n\ndef squares(x):\n    os._exit(3)\n\ndef mean_square(x):\n    return 1.0\n")
    events = ask(pool, mini.squares)
    assert events[-1]["event"] in {"ended", "died"} and not verdicts(events)
    mini.solve(mini.squares)
    assert verdicts(ask(pool, mini.squares))[0]["state"] == "passed"


def test_what_an_answer_patches_is_gone_in_the_next_request(pool: Pool, mini: Miniature):
    wait_until_warm(pool, mini.squares)
    spoilt = "import torch\ntorch.Tensor.mean = None\ntorch.set_default_dtype(torch.float16)\n"
    mini.answer(mini.squares, spoilt + mini.squares.solution_path.read_text(encoding="utf-8"))
    assert verdicts(ask(pool, mini.squares))[0]["state"] == "failed"
    mini.solve(mini.squares)
    assert verdicts(ask(pool, mini.squares))[0]["state"] == "passed"


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
    start = time.monotonic()
    pool.cancel()
    assert time.monotonic() - start < 5
    assert wait_for(lambda: not is_alive(int(note.read_text())))
    mini.solve(mini.squares)
    assert verdicts(ask(pool, mini.squares))[0]["state"] == "passed"


def test_a_new_request_drops_the_one_under_way(pool: Pool, mini: Miniature):
    wait_until_warm(pool, mini.squares)
    slow = "import time\n\ndef squares(x):\n    time.sleep(8)\n    return x\n\ndef mean_square(x):\n    return 1.0\n"
    mini.answer(mini.squares, slow)
    pool.request([mini.squares])
    mini.solve(mini.squares)
    start = time.monotonic()
    assert [v["state"] for v in verdicts(ask(pool, mini.squares))] == ["passed"]
    assert time.monotonic() - start < 8


def test_a_worker_that_died_is_replaced(pool: Pool, mini: Miniature):
    mini.solve(mini.squares)
    wait_until_warm(pool, mini.squares)
    for server in pool.servers:
        os.kill(server.process.pid, 9)
        server.process.wait()
    assert verdicts(ask(pool, mini.squares))[0]["state"] == "passed"
    wait_until_warm(pool, mini.squares)
    assert verdicts(ask(pool, mini.squares))[0]["state"] == "passed"


def test_other_packages_mean_another_worker(pool: Pool, mini: Miniature):
    wait_until_warm(pool, mini.squares)
    before = [server.process.pid for server in pool.servers]
    pool.packages = -1.0
    pool.prepare(mini.squares)
    assert not {server.process.pid for server in pool.servers} & set(before)


def test_closing_leaves_no_process(pool: Pool, mini: Miniature):
    wait_until_warm(pool, mini.squares)
    pool.request([mini.squares])
    pids = [server.process.pid for server in pool.servers] + [pool.active.process.pid]
    pool.close()
    assert wait_for(lambda: not any(is_alive(pid) for pid in pids))
