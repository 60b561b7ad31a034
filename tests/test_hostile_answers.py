"""What an answer may do to the process that checks it: its own verdict says so, and nobody else's changes.

The answers stand in one small course, each beside a healthy neighbor; one pytest run checks all that are asked for.

Long: 79 deeds, each with what its verdict says.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.miniature import SHIFT, SHIFT_CARD, SHIFT_CHECK, SQUARES, SQUARES_CARD, build
from tests.support.processes import is_alive
from tunelings.course import Course
from tunelings.grading.apart import can_fork
from tunelings.grading.store import VERSION

pytestmark = pytest.mark.skipif(not can_fork(), reason="child processes are forked on Linux")

CHECK = '''"""What the answer must do."""

import pytest
import torch

from tunelings import expect


@pytest.mark.timeout(1)
def test_a_number_is_squared(answer):
    expect.close(answer.squares(torch.tensor([3.0])), [9.0], what="squares([3])", dtype=torch.float32)


@pytest.mark.timeout(1)
def test_two_numbers_are_squared(answer):
    expect.close(answer.squares(torch.tensor([3.0, 1.0])), [9.0, 1.0], what="squares([3, 1])", dtype=torch.float32)
'''
REST = "def mean_square(x):\n    return 1.0\n"
RIGHT = "def squares(x):\n    return x * x\n" + REST
WRONG = "def squares(x):\n    return x\n" + REST


def after(*lines: str) -> str:
    """An answer that does this and then returns what is right."""
    body = "".join(f"    {line}\n" for line in ("import os, sys, signal, time, torch", *lines, "return x * x"))
    return f"def squares(x):\n{body}\n{REST}"


def gives(*lines: str) -> str:
    """An answer that returns an object of this class."""
    body = "".join(f"    {line}\n" for line in lines)
    return f"import os, sys\n\nclass Thing:\n{body}\n\ndef squares(x):\n    return Thing()\n\n{REST}"


@dataclass(frozen=True)
class Deed:
    """What an answer does, and words of its verdict; None: it does not harm, and passes."""

    text: str
    said: str | None


_EXIT = "the answer ends the process that checks it, with exit status"
_PROGRAM = "the answer ends the program: "
_MODE = "from {0} import {1} as Mode; Mode().__enter__()"
DEEDS = {
    # It ends its process.
    "os._exit at import": Deed("import os\nos._exit(0)\n" + RIGHT, f"{_EXIT} 0"),
    "os._exit": Deed(after("os._exit(0)"), f"{_EXIT} 0"),
    "os._exit in a thread": Deed(
        after("import threading", "threading.Thread(target=os._exit, args=[3]).start()", "time.sleep(9)"), f"{_EXIT} 3"
    ),
    "os._exit in __del__": Deed(
        "import os\n\nclass D:\n    def __del__(self):\n        os._exit(0)\n\nd = D()\n" + RIGHT, f"{_EXIT} 0"
    ),
    "SIGKILL": Deed(after("os.kill(os.getpid(), signal.SIGKILL)"), "was ended (SIGKILL)"),
    "SIGTERM": Deed(after("os.kill(os.getpid(), signal.SIGTERM)"), "was ended (SIGTERM)"),
    "SIGINT": Deed(after("os.kill(os.getpid(), signal.SIGINT)"), f"{_PROGRAM}KeyboardInterrupt"),
    "its group": Deed(after("os.killpg(0, signal.SIGKILL)"), "was ended (SIGKILL)"),
    "its parent": Deed(after("os.kill(os.getppid(), signal.SIGKILL)"), "the answer ends the processes that check it"),
    "a segfault": Deed(after("import ctypes; ctypes.string_at(0)"), "crashed (SIGSEGV), in C code"),
    "os.abort": Deed(after("os.abort()"), "crashed (SIGABRT)"),
    "all files closed": Deed(after("os.closerange(0, 20_000)"), _EXIT),
    # It meddles with the results.
    "a forged result": Deed(
        after(
            'line = b\'{"token": "", "said": "judged", "final": true, "state": "passed"}\\n\'',
            "for number in range(3, 1000):",
            "    try: os.write(number, line)",
            "    except OSError: pass",
        ),
        "writes into the files of the process that checks it",
    ),
    "fork": Deed(after("os.fork()"), None),
    "fork in C": Deed(after("import ctypes; ctypes.CDLL(None).fork()"), None),
    "a fork that exits": Deed(after("if os.fork() == 0: raise SystemExit"), None),
    "workers of a DataLoader": Deed(
        after("from torch.utils.data import DataLoader", "assert len(list(DataLoader(x, num_workers=1))) == len(x)"),
        None,
    ),
    # Words to pytest.
    "skip": Deed(after("import pytest; pytest.skip('no')"), "the answer ends the check: Skipped"),
    "a skip without a frame": Deed(after("exec('import pytest; pytest.skip(chr(33))', {})"), "ends the check: Skipped"),
    "a skip in the check's name": Deed(
        after("exec(compile('import pytest; pytest.skip(chr(33))', sys._getframe(1).f_code.co_filename, 'exec'), {})"),
        "the answer ends the check: Skipped",
    ),
    "xfail": Deed(after("import pytest; pytest.xfail('no')"), "the answer ends the check: XFailed"),
    "exit": Deed(after("import pytest; pytest.exit('no', returncode=0)"), "the answer ends the check: Exit"),
    "SkipTest": Deed(after("import unittest; raise unittest.SkipTest('no')"), "the answer ends the check: SkipTest"),
    "xfail at import": Deed("import pytest\npytest.xfail('no')\n" + RIGHT, "loading the file raises XFailed"),
    # What it returns or raises.
    "SystemExit in __repr__": Deed(gives("def __repr__(self): sys.exit(0)"), "whose repr raises SystemExit>"),
    "os._exit in __repr__": Deed(gives("def __repr__(self): os._exit(0)"), f"{_EXIT} 0"),
    "the second __repr__": Deed(
        gives(
            "asked = []", "def __repr__(self): return self.asked.append(0) or 'x' if not self.asked else sys.exit(0)"
        ),
        "whose repr raises SystemExit>",
    ),
    "an endless second __repr__": Deed(
        gives(
            "asked = []",
            "def __repr__(self):",
            "    self.asked.append(0)",
            "    while len(self.asked) > 1: pass",
            "    return 'x'",
        ),
        "whose repr raises OutOfTime>",
    ),
    "KeyboardInterrupt in __str__": Deed(
        "class E(Exception):\n    def __str__(self): raise KeyboardInterrupt\n\n"
        f"def squares(x):\n    raise E\n\n{REST}",
        "the text of a E that the answer raises cannot be made",
    ),
    # It changes what checks it, and what others use.
    "expect patched": Deed("from tunelings import expect\nexpect.close = print\n" + WRONG, "the grader was changed"),
    "the code of expect": Deed(
        "from tunelings import expect\nexpect.close.__code__ = (lambda *a, **k: None).__code__\n" + WRONG,
        "the grader was changed: the answer replaces expect.close",
    ),
    "expect patched for one call": Deed(
        "from tunelings import expect\n\ndef squares(x):\n    own = expect.close\n"
        "    def close(*a, **k):\n        expect.close = own\n    expect.close = close\n    return x\n" + REST,
        "the grader was changed: the answer replaces expect.close",
    ),
    "the check patched": Deed(
        after("sys._getframe(1).f_globals['expect'] = __import__('types').SimpleNamespace(close=print)", "return x"),
        "the grader was changed: the answer replaces the check's expect",
    ),
    "a builtin of expect": Deed(
        "import builtins\nfrom tunelings import expect\n\ndef _max(found, default=0):\n"
        "    largest = builtins.max(found, default=default)\n    return float('inf') if largest > 1e-9 else largest\n\n"
        "expect.max = _max\n" + WRONG,
        "the grader was changed: the answer replaces expect.max",
    ),
    "a builtin of the check": Deed(
        after("sys._getframe(1).f_globals['len'] = lambda _: 3"),
        "the grader was changed: the answer replaces the check's len",
    ),
    "a builtin of torch": Deed(
        after("torch.nn.functional.max = min"), "the answer leaves torch.nn.functional.max changed"
    ),
    "the code of the check": Deed(
        after(
            "check = sys._getframe(1).f_globals['test_two_numbers_are_squared']",
            "check.__code__ = check.__code__.replace()",
        ),
        "the grader was changed: the answer replaces the check's test_two_numbers_are_squared",
    ),
    "a judgement's attributes": Deed(
        "from tunelings.grading.judge import Judgement\nfrom tunelings.grading.states import CheckState\n\n"
        "def get(self, name):\n    said = {'state': CheckState.PASSED, 'failure': None}\n"
        "    return said[name] if name in said else object.__getattribute__(self, name)\n\n"
        "Judgement.__getattribute__ = get\n" + WRONG,
        "the grader was changed: the answer replaces Judgement.__getattribute__",
    ),
    "a failure that is none": Deed(
        "import pytest\nfrom tunelings.expect import CheckFailed\n"
        "CheckFailed.__new__ = lambda kind, *_, **__: pytest.skip.Exception('no')\n" + WRONG,
        "the grader was changed: the answer replaces CheckFailed.__new__",
    ),
    "a failure of no length": Deed(
        "from tunelings.grading.verdict import Failure\nFailure.__len__ = lambda self: 0\n" + RIGHT,
        "the grader was changed: the answer replaces Failure.__len__",
    ),
    "pytest patched": Deed(after("import pytest; pytest.skip = print"), "the grader was changed: the answer replaces"),
    "json patched": Deed(after("import json; json.dumps = str"), "the answer leaves json.dumps changed"),
    "json's encoder replaced": Deed(
        after("import json; json._default_encoder = json.JSONEncoder(indent=1)"),
        "the answer leaves json._default_encoder changed",
    ),
    "hashlib patched": Deed(after("import hashlib; hashlib.sha256 = str"), "the answer leaves hashlib.sha256 changed"),
    "pathlib patched": Deed(
        after("import pathlib; pathlib.Path.read_text = str"), "the answer leaves Path.read_text changed"
    ),
    "the notes replaced": Deed(
        after("from tunelings import expect; expect.notes = None"),
        "the grader was changed: the answer replaces expect.notes",
    ),
    "pytest's items patched": Deed(
        after("import pytest; pytest.Item.runtest = print"), "the grader was changed: the answer replaces"
    ),
    "a class method patched": Deed(
        after("import pathlib; pathlib.Path.cwd = classmethod(print)"), "the answer leaves Path.cwd changed"
    ),
    "a property patched": Deed(
        after("import pathlib; pathlib.PurePath.name = property(len)"), "the answer leaves PurePath.name changed"
    ),
    "the environment patched": Deed(
        after("type(os.environ).get = lambda *_: '7'"), "the answer leaves _Environ.get changed"
    ),
    "isinstance patched": Deed(
        after("import builtins; builtins.isinstance = lambda *_: True"), "the answer leaves builtins.isinstance changed"
    ),
    "vars patched": Deed(after("import builtins; builtins.vars = None"), "the answer leaves builtins.vars changed"),
    "complex numbers": Deed(after("return x * x + 5j"), "complex numbers, where real ones are expected"),
    "os patched": Deed(after("os.replace = print"), "the answer leaves os.replace changed"),
    "sys.modules": Deed(after("sys.modules['json'] = None"), "the answer leaves sys.modules['json'] changed"),
    "a module hook": Deed(
        after("torch.nn.modules.module.register_module_forward_hook(print)"), "leaves torch's global forward hooks"
    ),
    "an optimizer hook": Deed(
        after("from torch.optim.optimizer import register_optimizer_step_pre_hook as hook; hook(print)"),
        "leaves torch's global optimizer pre hooks changed",
    ),
    "a function mode": Deed(
        after(_MODE.format("torch.overrides", "BaseTorchFunctionMode")),
        "leaves torch's stack of function modes changed",
    ),
    "a dispatch mode": Deed(
        after("import torch._dynamo", _MODE.format("torch.utils._python_dispatch", "BaseTorchDispatchMode")),
        "leaves torch's stack of dispatch modes changed",
    ),
    "hooks for saved tensors": Deed(
        after("torch.autograd.graph.saved_tensors_hooks(abs, abs).__enter__()"),
        "leaves torch's hooks for saved tensors",
    ),
    "quiet changes": Deed(
        after(
            "import gc, tempfile; gc.disable(); sys.settrace(print); sys.setprofile(lambda *a: None)",
            "sys.stdout = sys.stderr = None; os.environ.clear(); signal.signal(signal.SIGTERM, signal.SIG_IGN)",
            "folder = tempfile.mkdtemp(); os.chdir(folder); os.rmdir(folder)",
        ),
        None,
    ),
    "warnings that are none": Deed(
        "import os, warnings\n\nclass W(UserWarning):\n    def __str__(self): raise SystemExit\n\n"
        + after(
            "import warnings; warnings.showwarning(W(), W, 'f', 1)",
            "warnings.showwarning('odd', UserWarning, 7, 'x'); warnings.showwarning('odd', UserWarning, 'f', 2**70)",
            "os.path.exists('a pipe') or os.mkfifo('a pipe'); warnings.showwarning('odd', UserWarning, 'a pipe', 1)",
        ),
        None,
    ),
    "the store": Deed(
        after("os.makedirs('.tunelings', exist_ok=True); open('.tunelings/progress.json', 'w').write('{')"), None
    ),
    "a failure of its own": Deed(
        after("from tunelings.expect import CheckFailed", "raise CheckFailed('odd', 1, 2, largest=object())"),
        "what the answer gave cannot be shown",
    ),
    # It takes too much.
    "a loop": Deed(after("while True: pass"), "did not finish in 1 s"),
    "a loop that hears nothing": Deed(
        after(
            "signal.signal(signal.SIGPROF, signal.SIG_IGN)", "signal.setitimer(signal.ITIMER_REAL, 0)", "while 1: pass"
        ),
        "did not finish in 1 s and could not be interrupted, so it was stopped",
    ),
    "a sleep": Deed(after("time.sleep(600)"), "did not finish in 6 s, most of which it waited"),
    "memory": Deed(after("x = bytearray(2**33)"), "a check may use 4 GiB of memory"),
    "memory of torch": Deed(after("torch.ones(2**33)"), "a check may use 4 GiB of memory"),
    "a private map": Deed(
        after("import mmap", "mmap.mmap(-1, 6 << 30, flags=mmap.MAP_PRIVATE)"), "a check may use 4 GiB of memory"
    ),
    "a flood of text": Deed(after("for _ in range(3000): print('z' * 1000)", "return x"), "squares([3])"),
    "a screen command": Deed(after(r"print('\x1b[2J')", "return x"), "squares([3])"),
    "many processes": Deed(
        after("import subprocess", "for _ in range(80): subprocess.Popen(['sleep', '60'])", "time.sleep(60)"),
        "the answer starts more than 64 processes",
    ),
    "a daemon": Deed(after("os.system('setsid sleep 61 & echo $! >> daemons')"), None),
    # Its file.
    "20,000 terms": Deed("y = " + " + ".join("1" * 20_000) + "\n" + RIGHT, "Python can't compile the file"),
    "100,000 signs": Deed("y = " + "-" * 100_000 + "1\n" + RIGHT, "Python can't compile the file"),
    "a huge file": Deed("#" * 1_000_001, "the file is larger than 1 MB"),
    "a pipe": Deed("FIFO", "a pipe or a device stands where the answer's file should be"),
    "a folder": Deed("FOLDER", "a folder stands where the answer's file should be"),
    "a broken link": Deed("LINK", "the file is a link to nowhere, which is missing"),
}
SOLUTION = "solutions/module01/ex02_shift.py"
EARLIER = {"key": "of an earlier run", "checks": {"test_of_then": "passed"}}
GOOD = {
    "test_each_number_moves": "passed",
    "test_the_argument_stays": "passed",
    "test_many_small_steps_arrive": "passed",
}


def write_answer(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if text == "FIFO":
        os.mkfifo(path)
    elif text == "FOLDER":
        path.mkdir()
    elif text == "LINK":
        path.symlink_to("nowhere")
    else:
        path.write_text(text, encoding="utf-8")


def write_exercise(root: Path, place: str, solution: str, check: str, card: str, answer: str) -> None:
    module, name = place.split("/")
    for path, text in {
        f"solutions/{module}/{name}.py": solution,
        f"checks/{module}/test_{name}.py": check,
        f"checks/{module}/{name}.toml": card,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    write_answer(root / "exercises" / f"{place}.py", answer)


@dataclass(frozen=True)
class Case:
    """One exercise in pytest's report: the outcome and the text of each check."""

    outcomes: dict[str, str]
    texts: dict[str, str]


def asked_for(session: pytest.Session) -> set[str]:
    """The deeds of the tests that were selected, so that one alone takes seconds; a test that names none needs all."""
    items = [item for item in session.items if "checked" in getattr(item, "fixturenames", ())]
    named = [getattr(item, "callspec", None) and item.callspec.params.get("deed") for item in items]
    return set(named) if all(named) else set(DEEDS)


@pytest.fixture(scope="module")
def checked(request, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess, dict[str, Case]]:
    """The course's folder, the pytest run over it, and by the exercise's number what its XML says."""
    asked = asked_for(request.session)
    root = build(tmp_path_factory.mktemp("hostile") / "course").root
    for tree in ("exercises", "solutions", "checks"):
        for path in (root / tree).rglob("*.*"):
            path.unlink()
    for index, (name, deed) in enumerate(DEEDS.items()):
        if name in asked:
            write_exercise(root, place(index), SQUARES, CHECK, SQUARES_CARD, deed.text)
            write_exercise(root, place(index, "shift"), SHIFT, SHIFT_CHECK, SHIFT_CARD, SHIFT)
    store = root / ".tunelings" / "progress.json"
    store.parent.mkdir()
    store.write_text(json.dumps({"version": VERSION, "exercises": {"9.99": EARLIER}}), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "checks", "-p", "no:cacheprovider", "-c", "pyproject.toml"]
    done = subprocess.run([*command, "--junitxml=report.xml"], cwd=root, capture_output=True, text=True, timeout=500)
    found: dict[str, Case] = {}
    for case in ET.parse(root / "report.xml").iter("testcase"):
        *_, module, file = case.get("classname", "").split(".")
        one = found.setdefault(f"{int(module[-2:])}.{file[7:9]}", Case({}, {}))
        wrong = case.find("failure")
        one.outcomes[case.get("name", "")] = "passed" if not len(case) else case[0].tag
        one.texts[case.get("name", "")] = "" if wrong is None else wrong.text or ""
    return root, done, found


def place(index: int, name: str = "squares") -> str:
    """Thirty deeds in a module; each has an odd number, and its neighbor the next one."""
    number = index % 30 * 2 + (1 if name == "squares" else 2)
    return f"module{index // 30 + 1:02d}/ex{number:02d}_{name}"


def number_of(deed: str, name: str = "squares") -> str:
    module, exercise = place(list(DEEDS).index(deed), name).split("/")
    return f"{int(module[-2:])}.{exercise[2:4]}"


def ticks(root: Path, number: str) -> dict[str, str]:
    stored = json.loads((root / ".tunelings" / "progress.json").read_text(encoding="utf-8"))["exercises"]
    return stored.get(number, {}).get("checks", {})  # An answer that cannot be read has no entry.


pytestmark = [pytestmark, pytest.mark.timeout(600), pytest.mark.xdist_group("hostile answers")]  # One run for all.


@pytest.mark.parametrize("deed", DEEDS)
def test_its_own_verdict_says_what_it_does(checked, deed: str):
    root, _, found = checked
    case, said = found[number_of(deed)], DEEDS[deed].said
    assert list(case.outcomes) == ["test_a_number_is_squared", "test_two_numbers_are_squared"]
    if said is None:
        assert set(case.outcomes.values()) == {"passed"}, case.texts
    else:
        assert set(case.outcomes.values()) == {"failure"}
        assert said in " ".join(case.texts["test_a_number_is_squared"].split())
        assert "passed" not in ticks(root, number_of(deed)).values()


@pytest.mark.parametrize("deed", DEEDS)
def test_the_next_exercise_has_its_verdict_and_its_tick(checked, deed: str):
    root, _, found = checked
    number = number_of(deed, "shift")
    assert found[number].outcomes == {**GOOD, "test_a_gpu_gives_the_same": "skipped"}
    assert ticks(root, number) == GOOD
    assert Course(root).find(number).number == number


def test_the_run_ends_as_one_with_failures(checked):
    _, done, _ = checked
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    assert "INTERNALERROR" not in done.stdout and "damaged" not in done.stderr


@pytest.mark.parametrize("deed", ["a flood of text"])
def test_what_is_printed_is_cut(checked, deed: str):
    _, done, _ = checked
    assert done.stdout.count("z" * 1000) <= 2 * 66
    assert "… the answer prints more than 64 KiB; the rest is not shown" in done.stdout


@pytest.mark.parametrize("deed", ["a screen command"])
def test_what_is_printed_acts_on_no_screen(checked, deed: str):
    _, done, _ = checked
    assert "\x1b[2J" not in done.stdout and r"\x1b[2J" in done.stdout


@pytest.mark.parametrize("deed", ["the store"])
def test_what_was_stored_before_is_still_there(checked, deed: str):
    root, _, _ = checked
    assert ticks(root, "9.99") == EARLIER["checks"]


@pytest.mark.parametrize("place", ["checks/module01/test_ex02_shift.py", "checks/module01/ex02_shift.toml", SOLUTION])
def test_a_pipe_among_the_courses_files_holds_up_nobody(mini, place: str):
    deed = f"import os\n\nos.path.isfile({place!r}) and (os.remove({place!r}), os.mkfifo({place!r}))\n"
    mini.answer(mini.squares, deed + mini.squares.solution_path.read_text())
    mini.solve(mini.shift, "x + by", "x - by")
    graded = mini.grade()
    assert [graded.states[name] for name in GOOD] == ["failed", "passed", "failed"]
    # Each failure still says what came out, and nobody waits for lines from the pipe.
    assert graded.output.count("shift([1, 2, 4], 2)") == graded.output.count("eight steps of 0.5") == 1
    assert not re.search("ends the program|did not finish|out of time", graded.output)
    assert not (mini.root / place).is_file()


@pytest.mark.parametrize("deed", ["a daemon"])
def test_no_process_is_left(checked, deed: str):
    root, _, _ = checked
    pids = [int(line) for line in (root / "daemons").read_text().split()]
    assert pids and not any(is_alive(pid) for pid in pids)


@pytest.mark.parametrize("deed", ["a loop"])
def test_checks_after_one_that_ran_out_of_time_are_not_run(checked, deed: str):
    _, _, found = checked
    text = found[number_of(deed)].texts["test_two_numbers_are_squared"]
    assert "not run: the check before it (test_a_number_is_squared) ran out of time" in text
