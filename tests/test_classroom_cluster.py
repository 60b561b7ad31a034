"""The same class on a Dask cluster of two workers, one of which is killed in the middle."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from tests.support.classroom import DOUBLED, RIGHT, SHIFTED, graded, handed_in, plan_of
from tests.support.miniature import build
from tests.support.processes import descendants, is_alive, runs_below, wait_for
from tunelings.classroom import cluster, sandbox, server
from tunelings.classroom.client import ServerGone
from tunelings.classroom.cluster import ClusterRunner, Task, run_task
from tunelings.classroom.engine import CourseFault
from tunelings.classroom.records import Outcome
from tunelings.course import CourseError

distributed = pytest.importorskip("distributed")
# What Dask warns of where a worker is lost, and at its own end.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.filterwarnings("ignore::pytest.PytestWarning")]
needs_bwrap = pytest.mark.skipif(bool(sandbox.bwrap_trouble()), reason=f"no bwrap here: {sandbox.bwrap_trouble()}")

# Slow enough that the worker is lost while it runs.
SLOW = RIGHT.replace("return x * x", "__import__('time').sleep(2)\n    return x * x")
CLASS = [
    handed_in("anna", SLOW, SHIFTED),
    handed_in("ben", DOUBLED),
    handed_in("cleo", SLOW.replace("sleep(2)", "sleep(2.1)")),
]


@needs_bwrap
def test_a_worker_that_is_lost_loses_no_result(tmp_path: Path):
    plan = plan_of(build(tmp_path / "course").root)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local:
        runner = ClusterRunner(local.scheduler_address)
        pids = [worker.pid for worker in local.workers.values()]
        below: list[int] = []

        def kill_one() -> None:
            if wait_for(lambda: runs_below(pids[0], server.__name__), 300):
                below.extend(descendants(pids[0]))
                os.kill(pids[0], signal.SIGKILL)

        killer = threading.Thread(target=kill_one, daemon=True)
        killer.start()
        try:
            engine, rows = graded(plan, tmp_path / "results", CLASS, runner=runner)
            killer.join()
            again, _ = graded(plan, tmp_path / "results", CLASS, runner=runner)
        finally:
            runner.close()
        assert below and wait_for(lambda: not any(map(is_alive, below)), 60), "its server outlives a lost worker"
    assert {key: row.outcome for key, row in rows.items() if row.outcome != Outcome.MISSING} == {
        ("anna", "1.01"): Outcome.PASSED, ("anna", "1.02"): Outcome.PASSED,
        ("ben", "1.01"): Outcome.FAILED, ("cleo", "1.01"): Outcome.PASSED,
    }  # fmt: skip
    assert engine.counts.executed == 4 and again.counts.executed == 0


@needs_bwrap
def test_a_scheduler_that_is_gone_ends_the_run_with_one_line(tmp_path: Path):
    plan = plan_of(build(tmp_path / "course").root)
    slow = [handed_in("dora", RIGHT.replace("return x * x", "__import__('time').sleep(2)\n    return x * x"))]
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as local:
        runner = ClusterRunner(local.scheduler_address)

        def end() -> None:
            if wait_for(lambda: runs_below(next(iter(local.workers.values())).pid, server.__name__), 300):
                local.close()

        thread = threading.Thread(target=end, daemon=True)
        thread.start()
        try:
            with pytest.raises(CourseFault, match="the Dask scheduler is gone"):
                graded(plan, tmp_path / "results", slow, runner=runner)
        finally:
            thread.join()
            runner.close()


def test_a_worker_of_another_version_runs_nothing(tmp_path: Path):
    root = build(tmp_path / "course").root
    task = Task(str(root), "bwrap", (), False, {"python": "3.99", "package": "another"}, ())
    with pytest.raises(ServerGone, match="a worker differs from here in python, package"):
        run_task(task)


def test_a_line_that_is_no_result_is_no_verdict():
    assert cluster._told(b"").trouble and cluster._told(b'{"state": "passed"}').trouble


def test_no_scheduler_is_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster, "_PATIENCE", "1s")
    with pytest.raises(CourseError, match="No Dask scheduler answers at tcp://127.0.0.1:9"):
        ClusterRunner("tcp://127.0.0.1:9")
