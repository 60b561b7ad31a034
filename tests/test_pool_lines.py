"""What a pool makes of the lines that its workers write, and the order in which it hands events on."""

from __future__ import annotations

import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from tests.support.miniature import Miniature
from tests.support.processes import is_alive
from tunelings import live
from tunelings.watch import events, worker
from tunelings.watch import pool as pools
from tunelings.watch.pool import Pool, Said, Server


def a_worker_that_writes(pool: Pool, content: bytes) -> Server:
    """A process in a worker's place that writes this and then waits."""
    script = f"import sys, time; sys.stdout.buffer.write({content!r}); sys.stdout.flush(); time.sleep(600)"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    server = Server(process, imports=[], once=False)
    threading.Thread(target=pool._read, args=(server,), daemon=True).start()
    return server


DAMAGED = [b"no message\n", b'{"event": "verdicts"}\n', b"\xff\n", b'{"event": "checking", "che{"event": "ready"}\n']


@pytest.mark.parametrize("damage", DAMAGED, ids=["no JSON", "a field missing", "no text", "cut short"])
def test_a_damaged_line_ends_the_worker(mini: Miniature, damage: bytes):
    pool = Pool(mini.course)
    server = a_worker_that_writes(pool, damage)
    assert pool.next_happening(60) == Said(server, events.Died(once=False))
    assert not is_alive(server.process.pid)


def test_a_word_that_is_not_known_is_passed_over(mini: Miniature):
    pool = Pool(mini.course)
    server = a_worker_that_writes(pool, b'{"event": "hurried", "by": 2}\n{"event": "ready"}\n')
    assert pool.next_happening(60) == Said(server, events.Ready())
    server.close()


def test_what_happens_while_a_request_is_dropped_keeps_its_order(mini: Miniature):
    pool = Pool(mini.course)
    server = Server(process=None, imports=[], once=False)
    other = Said(Server(process=None, imports=[], once=False), events.Ended())
    first, second = events.KeyPressed("x"), events.KeyPressed("y")
    for happening in (first, other, Said(server, events.Ended()), second):
        pool.inbox.put(happening)
    assert pool._take_until(server, events.Ended)
    assert [pool.next_happening(1) for _ in range(3)] == [first, other, second]


def test_a_worker_that_does_not_say_that_a_dropped_request_has_ended_is_dropped_too(mini: Miniature, monkeypatch):
    monkeypatch.setattr(pools, "WAIT", 0.0)
    pool = Pool(mini.course)
    server = a_worker_that_writes(pool, b"")
    pool.servers, pool.active = [server], server
    pool.cancel()
    assert pool.servers == [] and not is_alive(server.process.pid)


def test_a_worker_that_lacks_an_import_of_the_module_is_replaced_and_one_that_has_more_is_kept(
    mini: Miniature, monkeypatch
):
    def start(imports: list[str], *, once: bool) -> Server:
        server = a_worker_that_writes(pool, b"")
        server.imports = imports
        return server

    pool = Pool(mini.course, fork=True)
    monkeypatch.setattr(pool, "_start", start)
    solution, before = mini.shift.solution_path, mini.shift.solution_path.read_text(encoding="utf-8")
    pool.prepare(mini.shift)
    solution.write_text(f"import fractions\n{before}", encoding="utf-8")
    pool.prepare(mini.shift)
    (server,) = pool.servers
    assert "fractions" in server.imports
    solution.write_text(before, encoding="utf-8")
    pool.prepare(mini.shift)
    assert pool.servers == [server]
    pool.close()


def test_how_far_a_check_is_comes_from_the_answer_where_nothing_is_forked(mini: Miniature, monkeypatch):
    """There the worker runs the answer itself."""
    told: list[events.FromWorker] = []
    monkeypatch.setattr(live, "listener", None)
    monkeypatch.setattr("tunelings.grading.grade.check", lambda *_, **__: live.listener(2e5, "step 8\x1b[2J") or [])
    worker.answer_request(events.request_to_json(events.Request(())), SimpleNamespace(send=told.append), mini.root)
    assert told == [events.Reported(1.0, r"step 8\x1b[2J"), events.Verdicts(())]
