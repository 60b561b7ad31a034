"""What a pool makes of the lines that its workers write, and the order in which it hands events on."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from tests.support.miniature import Miniature
from tests.support.processes import is_alive
from tunelings.watch import events
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
    first, second = events.KeyPressed("x"), events.KeyPressed("y")
    for happening in (first, Said(server, events.Ended()), second):
        pool.inbox.put(happening)
    pool._take_until(server, events.Ended)
    assert [pool.next_happening(1), pool.next_happening(1)] == [first, second]
