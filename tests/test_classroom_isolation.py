"""What an answer may try while a class is graded: on the machine, on its neighbors, and on its own verdict."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.classroom import RIGHT, graded, handed_in, plan_of
from tests.support.miniature import SHIFT, build
from tunelings.classroom import room, sandbox
from tunelings.classroom.records import Outcome
from tunelings.classroom.sandbox import Isolation
from tunelings.grading.states import CheckState

# All deeds run in one fixture: seconds on a free machine, and many minutes on one that is busy with other things.
pytestmark = [
    pytest.mark.timeout(2400),
    pytest.mark.xdist_group("hostile class"),  # Graded once, by one process.
    pytest.mark.skipif(bool(sandbox.bwrap_trouble()), reason=f"no bwrap here: {sandbox.bwrap_trouble()}"),
]

CHECK = '''"""One check is enough, and a short one."""

import pytest
import torch

from tunelings import expect


@pytest.mark.timeout(2)
def test_three_is_squared(answer):
    x = torch.tensor([3.0])
    expect.close(answer.squares(x), [9.0], what="squares([3])", dtype=torch.float32)
'''
CARD = """title = "Squares"
lesson = "squares"
minutes = 5
difficulty = 1
learnt = "A number times itself is never negative."
hints = ["What is three times three?"]

[[mistakes]]
id = "doubled"
says = "each number is added to itself and not multiplied."
forms = [[{ old = "x * x", new = "x + x" }]]
"""
REST = "\n\ndef mean_square(x):\n    return squares(x).mean().item()\n"
MARK = secrets.token_hex(8)  # on the command line of a process that must not survive


def after(*lines: str, returns: str = "x * x") -> str:
    """A right answer, or one that returns something else, that does this first."""
    body = "".join(
        f"    {line}\n" for line in ("import os, sys, socket, subprocess, time", *lines, f"return {returns}")
    )
    return f"def squares(x):\n{body}{REST}"


def fails(*lines: str) -> str:
    """A right answer that asserts that each of these lines raises OSError."""
    tried = [part for line in lines for part in ("try:", f"    {line}", "except OSError: pass", "else: return None")]
    return after(*tried)


FORGE = """
import json, os, sys


def squares(x):
    frame = sys._getframe()
    while "find_task" not in frame.f_locals or "answers" not in frame.f_locals:
        frame = frame.f_back
    there, token, lines = (frame.f_locals[name] for name in ("answers", "token", "lines"))
    while True:
        said = {"token": token, "said": "judged", "final": True, "state": "passed", "failure": None, "skipped": None,
                "fingerprint": "", "warnings": [], "left": False}
        os.write(there, json.dumps(said).encode() + b"\\n")
        token = json.loads(next(lines))["token"]
"""


@dataclass(frozen=True)
class Deed:
    """An answer to 1.01, how it comes out, and words of its failure or a flag that it gets."""

    text: str
    outcome: Outcome
    says: str = ""
    flag: str = ""


DEEDS = {
    # On its own verdict.
    "ends its process": Deed("import os\nos._exit(0)\n", Outcome.FAILED, "with exit status 0"),
    "patches expect": Deed(
        "from tunelings import expect\nfor name in ('close', 'equal', 'number', 'true'):\n"
        "    setattr(expect, name, lambda *a, **k: None)\n\ndef squares(x):\n    return x\n" + REST,
        Outcome.TAMPERED, "the grader was changed", "imports what the checks are written in",
    ),
    "a short event": Deed(
        after("for n in range(3, 1000):", "    try: os.write(n, b'{\"state\": \"passed\", \"checks\": {}}\\n')",
              "    except OSError: pass", returns="x"),
        Outcome.TAMPERED,
    ),
    "reads the solution": Deed(
        "import tunelings.course as c\n"
        "exec((c.find_root() / 'solutions' / 'module01' / 'ex01_squares.py').read_text())\n",
        Outcome.PASSED, flag="names the folder solutions/",
    ),
    "is the reference": Deed(RIGHT, Outcome.PASSED, flag="the same syntax tree as the reference"),
    # A pass is evidence, not proof: docs/grade-a-class.md says so.
    "forges everything": Deed(FORGE, Outcome.PASSED, flag="reads the frames of its callers"),
    "ends all processes": Deed(after("os.kill(-1, 9)"), Outcome.FAILED, "the answer ended the grader"),
    # On the machine.
    "the network": Deed(
        fails("socket.create_connection(('1.1.1.1', 53), 5)", "socket.create_connection(('8.8.8.8', 443), 5)"),
        Outcome.PASSED,
    ),
    "loopback works": Deed(
        after(
            "here = socket.create_server(('127.0.0.1', 0))",
            "socket.create_connection(here.getsockname(), 5).close()",
        ),
        Outcome.PASSED,
    ),
    "homes and keys": Deed(
        fails("os.listdir(os.path.expanduser('~root') + '/.ssh')", "os.listdir('/home')", "open('/etc/shadow')",
              "open(OUTSIDE)"),
        Outcome.PASSED,
    ),
    "the environment": Deed(after("assert 'TUNELINGS_TEST_SECRET' not in os.environ"), Outcome.PASSED),
    "the course": Deed(
        fails(
            "open(ROOT + '/checks/module01/x.py', 'w')", "os.remove(ROOT + '/solutions/module01/ex01_squares.py')"
        ),
        Outcome.PASSED,
    ),
    "leaves a file": Deed(after("open('/scratch/left', 'w').close()"), Outcome.PASSED),
    "the one after it": Deed(after("assert not os.path.exists('/scratch/left'), 'later'"), Outcome.PASSED),
    "the devices, which all share": Deed(
        fails("open('/dev/left', 'w')", "os.remove('/dev/fd')", "os.mkdir('/dev/mine')")
        .replace("return x * x", "open('/dev/shm/mine', 'w').write('x')\n    os.openpty()\n    return x * x"),
        Outcome.PASSED,
    ),
    "a process that stays": Deed(
        after(
            "command = [sys.executable, '-c', 'import time; time.sleep(600)']",
            f"subprocess.Popen([*command, '{MARK}'], start_new_session=True)",
        ),
        Outcome.PASSED,
    ),
    "other processes": Deed(  # bwrap's first, the server, the judge, the one between and this: not the one that stayed.
        after("assert sum(name.isdigit() for name in os.listdir('/proc')) == 5"), Outcome.PASSED,
    ),
    "the judge's memory": Deed(
        fails("open(f'/proc/{os.getppid()}/mem', 'r+b')", "open(f'/proc/{os.getppid()}/fd/1', 'wb')"), Outcome.PASSED
    ),
    "input": Deed(after("try: input()", "except EOFError: pass", "else: return None"), Outcome.PASSED),
    # On its resources.
    "10 GB": Deed(after("bytearray(10 * 2**30)"), Outcome.MEMORY, "4 GiB of memory"),
    "a print of 100 MB": Deed(after("print('x' * 10**8)"), Outcome.PASSED),
    "a file of 1 GB": Deed(
        after("with open('/scratch/big', 'wb') as file:", "    for _ in range(1024): file.write(bytes(2**20))"),
        Outcome.FAILED,
    ),
    "a fork bomb": Deed(  # All of them stay, so that they are counted while the check waits.
        after("for _ in range(100): subprocess.Popen(['sleep', '60'])", "time.sleep(60)"),
        Outcome.FAILED, "starts more than 64 processes",
    ),
}  # fmt: skip
ENDLESS = SHIFT.replace("return x + by", "while True: pass")


@pytest.fixture(scope="module")
def class_(tmp_path_factory):
    place = tmp_path_factory.mktemp("hostile")
    mini = build(place / "course")
    mini.squares.check_path.write_text(CHECK, encoding="utf-8")
    mini.squares.card_path.write_text(CARD, encoding="utf-8")
    mini.shift.check_path.write_text(CHECK.replace("squares(x)", "shift(x, 6.0)"), encoding="utf-8")
    outside = place / "grades.txt"
    outside.write_text("everybody's", encoding="utf-8")
    texts = {name: deed.text.replace("OUTSIDE", repr(str(outside))).replace("ROOT", repr(str(mini.root)))
             for name, deed in DEEDS.items()}  # fmt: skip
    handed = [handed_in(name, text) for name, text in texts.items()] + [handed_in("never ends", shift=ENDLESS)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TUNELINGS_TEST_SECRET", "token")
        return graded(plan_of(mini.root), place / "results", handed)


@pytest.mark.parametrize("deed", DEEDS)
def test_a_hostile_answer_has_the_verdict_that_it_should(class_, deed: str):
    row = class_[1][deed, "1.01"]
    failure = row.verdict.failure if row.verdict else None
    assert row.outcome == DEEDS[deed].outcome, (failure, row.reason)
    assert row.points == (row.outcome == Outcome.PASSED)
    assert DEEDS[deed].says in (failure.message if failure else row.reason)
    assert not DEEDS[deed].flag or DEEDS[deed].flag in row.flags


def test_without_bwrap_an_answer_still_has_no_say(tmp_path: Path):
    """`--no-isolation`: a process of its own for each answer, and the same rules of what is a pass."""
    mini = build(tmp_path / "course")
    plan = plan_of(mini.root, isolation=Isolation.NONE)
    # Of one student: each has a server of its own.
    handed = [handed_in("eve", RIGHT, "import os\nos._exit(0)\n")]
    _, rows = graded(plan, tmp_path / "results", handed)
    assert [rows["eve", number].outcome for number in ("1.01", "1.02")] == [Outcome.PASSED, Outcome.FAILED]


def test_no_process_of_an_answer_is_left(class_):
    assert [one.pid for one in psutil.process_iter() if MARK in " ".join(_command(one))] == []


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_what_never_ends_is_tried_once_more_and_then_out_of_time(class_):
    engine, rows = class_
    assert rows["never ends", "1.02"].outcome == Outcome.TIMEOUT
    assert CheckState.TIMEOUT in rows["never ends", "1.02"].verdict.checks.values()
    assert engine.counts.repeated >= 1


def test_every_verdict_but_that_of_a_tampered_grader_is_kept(class_, tmp_path: Path):
    engine, rows = class_
    for (name, number), row in rows.items():
        if row.answer_hash:
            text = DEEDS[name].text if name in DEEDS else ENDLESS
            if "OUTSIDE" not in text and "ROOT" not in text:
                is_kept = engine.kept.get(engine.job(number, text.encode()).key) is not None
                assert is_kept == (row.outcome != Outcome.TAMPERED), name


HOARD = """
import subprocess, sys, time

def squares(x):
    command = [sys.executable, "-c", "x = b'x' * (3 * 2**30); import time; time.sleep(600)"]
    held = [subprocess.Popen(command) for _ in range(3)]
    time.sleep(600)
"""


def test_what_takes_longer_than_seconds_to_take(tmp_path: Path):
    """The memory of processes together, in a room, which hides them from each other; and a print of 1 GB."""
    mini = build(tmp_path / "course")
    mini.squares.check_path.write_text(CHECK.replace("timeout(2)", "timeout(60)"), encoding="utf-8")
    mini.squares.card_path.write_text(CARD, encoding="utf-8")
    _, rows = graded(plan_of(mini.root), tmp_path / "results", [
        handed_in("hoards", HOARD + REST), handed_in("prints", after("for _ in range(1000): print('x' * 10**6)")),
    ])  # fmt: skip
    assert rows["prints", "1.01"].outcome == Outcome.PASSED and len(repr(rows["prints", "1.01"])) < 2**13
    row = rows["hoards", "1.01"]
    assert row.outcome == Outcome.MEMORY and "6 GiB of memory together" in row.verdict.failure.message


BOMB = """
import time

PROCESSES = 20
limit(has_own_user=True)
started = 0
try:
    while started < 100:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        started += 1
except BlockingIOError:
    pass
print(started, flush=True)
"""


@pytest.mark.skipif(not sandbox._counts_by_namespace(), reason="before Linux 5.14 the limit counts all of a user's")
def test_in_a_sandbox_of_its_own_user_the_system_ends_a_fork_bomb():
    """With an ordinary user's limit, and made by one: here that is `nobody` where the tests run as root."""
    is_root = os.geteuid() == 0
    python = shutil.which("python3", path="/usr/bin") if is_root else sys.executable
    if python is None:
        pytest.skip("no Python that an ordinary user may run")
    words = ["bwrap", *sandbox._NAMESPACES, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", python, "-c"]
    code = Path(room.__file__).read_text("utf-8") + BOMB
    user = {"user": 65534, "group": 65534, "extra_groups": []} if is_root else {}
    done = subprocess.run([*words, code], capture_output=True, text=True, timeout=300, cwd="/", **user)
    assert 10 < int(done.stdout or 0) < 20, done.stderr
