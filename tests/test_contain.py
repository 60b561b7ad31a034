"""What an answer does to its surroundings ends with its check.

Long: each kind of change that an answer may leave has a test of its own, 34 in all.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch

from tests.support.systems import POSIX
from tunelings import live
from tunelings.grading import functions, limits, snapshot
from tunelings.grading.limits import OutOfTime, time_limit

HEAD = "import torch\n\n\ndef squares(x):\n"
RIGHT = HEAD + "    return x * x\n"


def after(*lines: str) -> str:
    """An answer that does this, and then returns what is right."""
    return HEAD + "".join(f"    {line}\n" for line in lines) + "    return x * x\n"


SETTINGS = {
    "torch's grad mode": "torch.set_grad_enabled(False)",
    "torch's autocast mode": "torch.set_autocast_enabled('cpu', True)",
    "torch's default dtype": "torch.set_default_dtype(torch.float64)",
    "torch's default device": "torch.set_default_device('meta')",
    "torch's thread count": "torch.set_num_threads(torch.get_num_threads() + 1)",
}
PATCHES = {
    "torch.relu": "torch.relu = lambda x: x",
    "torch.nn.functional.softmax": "torch.nn.functional.softmax = None",
    "torch.nn.init.zeros_": "del torch.nn.init.zeros_",
    "Linear.forward": "torch.nn.Linear.forward = lambda self, x: x",
    "Module.__call__": "torch.nn.Module.__call__ = lambda self, x: x",
    "Linear.__call__": "torch.nn.Linear.__call__ = lambda self, x: x",
    "CrossEntropyLoss.forward": "torch.nn.CrossEntropyLoss.forward = lambda self, x, y: 0",
    "Tensor.mean": "torch.Tensor.mean = lambda self: 0",
    "SGD.step": "torch.optim.SGD.step = lambda self: None",
    "AdamW.step": "torch.optim.AdamW.step = lambda self: None",
    "DataLoader.__iter__": "torch.utils.data.DataLoader.__iter__ = lambda self: iter([])",
    "numpy.mean": "import numpy; numpy.mean = sum",
    "numpy.random.shuffle": "import numpy; numpy.random.shuffle = list",
    "random.shuffle": "import random; random.shuffle = list",
    "json._default_encoder": "import json; json._default_encoder = json.JSONEncoder(indent=1)",
    "builtins.print": "import builtins; builtins.print = len",
    "builtins.abs": "import builtins; builtins.abs = len",
    "time.perf_counter": "import time; time.perf_counter = int",
}


def place(name: str):
    """What a name such as "Linear.forward" stands for now."""
    owner, _, attribute = name.rpartition(".")
    module = sys.modules.get(owner)
    if module is None:
        module = next(getattr(m, owner) for m in (torch.nn, torch, torch.optim, torch.utils.data) if hasattr(m, owner))
    return getattr(module, attribute)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_changed_setting_is_named_and_put_back(mini, name: str):
    get = snapshot._settings()[name][0]
    before = get()
    result = mini.run(mini.squares, after(SETTINGS[name]))
    assert result.state == "escaped"
    assert str(result.error) == f"the answer leaves {name} changed for everything that runs after it"
    assert get() == before
    assert mini.run(mini.squares, RIGHT).state == "passed"


@pytest.mark.parametrize("name", PATCHES)
def test_a_patched_function_is_named_and_put_back(mini, name: str):
    before = place(name)
    result = mini.run(mini.squares, after(PATCHES[name]))
    assert result.state == "escaped"
    assert f"the answer leaves {name} changed" in str(result.error)
    assert place(name) is before
    assert mini.run(mini.squares, RIGHT).state == "passed"


GRADER = {
    "expect.max": "from tunelings import expect; expect.max = max",
    "Failure.__len__": "from tunelings.grading.verdict import Failure; Failure.__len__ = lambda self: 1",
    "the check's len": "import sys; sys._getframe(1).f_globals['len'] = len",
    "the check's test_a_matrix_keeps_its_shape": (
        "import sys; check = sys._getframe(1).f_globals['test_a_matrix_keeps_its_shape']; "
        "check.__code__ = check.__code__.replace()"
    ),
}


@pytest.mark.parametrize("name", GRADER)
def test_a_change_of_the_grader_is_named_and_put_back(mini, name: str):
    result = mini.run(mini.squares, after(GRADER[name]))
    assert result.state == "escaped"
    assert str(result.error) == f"the grader was changed: the answer replaces {name}"
    assert mini.run(mini.squares, RIGHT).state == "passed"


def test_a_patched_constant_is_put_back_without_a_word(mini):
    assert mini.run(mini.squares, after("import math", "math.pi = 3")).state == "passed"
    assert torch.pi == place("math.pi") != 3


def test_a_name_that_hides_nothing_may_be_added(mini):
    try:
        assert mini.run(mini.squares, after("torch.nn.Linear.is_mine = True")).state == "passed"
    finally:
        del torch.nn.Linear.is_mine


def test_what_was_changed_is_put_back_also_when_the_check_fails(mini):
    result = mini.run(mini.squares, HEAD + "    torch.set_grad_enabled(False)\n    raise ValueError('no')\n")
    assert (result.state, str(result.error)) == ("crashed", "no")
    assert torch.is_grad_enabled()


def test_a_setting_that_is_put_back_by_the_answer_is_no_fault(mini):
    assert mini.run(mini.squares, HEAD + "    with torch.no_grad():\n        return x * x\n").state == "passed"


def test_torchs_own_wrapping_at_the_first_step_is_not_reported(mini):
    """In a process of its own: in this one some test may have taken the first step."""
    lines = [
        "w = torch.nn.Parameter(torch.ones(2))",
        "for kind in (torch.optim.SGD, torch.optim.AdamW, torch.optim.NAdam):",
        "    optimizer = kind([w], lr=0.1)",
        "    torch.optim.lr_scheduler.StepLR(optimizer, 1)",
        "    w.sum().backward(); optimizer.step(); optimizer.zero_grad()",
    ]
    mini.answer(mini.squares, after(*lines))
    graded = mini.cold(str(mini.squares.check_path.relative_to(mini.root)), "-k", "each_number")
    assert (graded.code, "1 passed" in graded.output) == (0, True), graded.output


def test_random_numbers_begin_at_the_same_place_in_each_check(mini):
    text = after("import random, numpy", "print(random.random(), numpy.random.rand(), torch.rand(1).item())")
    printed = []
    for global_seed in (0, 0, 1):
        random.random(), np.random.rand(), torch.rand(1)
        stream = Recording()
        sys.stdout, before = stream, sys.stdout
        try:
            assert mini.run(mini.squares, text, global_seed=global_seed).state == "passed"
        finally:
            sys.stdout = before
        printed.append("".join(stream.written))
    assert printed[0] == printed[1]
    assert all(a != b for a, b in zip(printed[1].split(), printed[2].split(), strict=True))


class Recording:
    def __init__(self):
        self.written = []

    def write(self, text):
        self.written.append(text)


def test_folder_variables_and_streams_are_put_back(mini, monkeypatch):
    monkeypatch.setenv("KEPT", "as it was")
    before = os.getcwd(), sys.stdout, sys.stderr, sys.getrecursionlimit()
    lines = ["import os, sys", "os.chdir('/')", "os.environ['NEW'] = '1'", "os.environ['KEPT'] = '2'"]
    lines += ["sys.stdout = sys.stderr = None", "sys.setrecursionlimit(500)"]
    assert mini.run(mini.squares, after(*lines)).state == "passed"
    assert (os.getcwd(), sys.stdout, sys.stderr, sys.getrecursionlimit()) == before
    assert os.environ["KEPT"] == "as it was" and "NEW" not in os.environ


@pytest.mark.parametrize(
    "line, name",
    [
        ("import sys; sys.exit()", "SystemExit"),
        ("raise SystemExit(3)", "SystemExit"),
        ("quit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
    ],
)
def test_an_answer_that_ends_the_program_gets_a_verdict(mini, line: str, name: str):
    result = mini.run(mini.squares, after(line))
    assert (result.state, str(result.error)) == ("escaped", f"the answer ends the program: {name}")


def test_an_exception_that_is_no_exception_gets_a_verdict(mini):
    text = "class Mine(BaseException):\n    pass\n\n" + after("raise Mine('no')")
    result = mini.run(mini.squares, text)
    assert (result.state, str(result.error)) == ("crashed", "no")


def test_an_error_without_a_text_has_a_verdict(mini):
    text = "class E(Exception):\n    def __str__(self):\n        raise KeyboardInterrupt\n\n" + after("raise E")
    result = mini.run(mini.squares, text)
    assert result.state == "escaped"
    assert str(result.error) == "the text of a E that the answer raises cannot be made"


def test_an_error_of_the_answers_own_is_no_todo_that_is_left(mini):
    for text, state in (("no numbers below zero", "crashed"), ("TODO: the rest", "todo")):
        assert mini.run(mini.squares, after(f"raise NotImplementedError({text!r})")).state == state


def test_a_skip_in_a_full_run_passes_through_and_one_in_an_answer_gets_a_verdict(mini):
    check = mini.squares.check_path
    skips = "def test_{0}(answer):\n    pytest.skip('not here')\n"
    full = f"import pytest\n\n\n@pytest.mark.real\n{skips.format('full')}\n\n{skips.format('last')}"
    check.write_text(f"{check.read_text()}\n\n{full}")
    with pytest.raises(pytest.skip.Exception, match="not here"):
        mini.run(mini.squares, RIGHT, "test_full")
    try:
        state = mini.run(mini.squares, RIGHT, "test_last").state.value
    except pytest.skip.Exception:  # It would skip this test, too.
        state = "skipped"
    assert state == "escaped"
    for deed in ("pytest.skip('no')", "pytest.exit('no')", "pytest.importorskip('nothing_at_all')"):
        result = mini.run(mini.squares, after(f"import pytest; {deed}"))
        assert result.state == "escaped" and str(result.error).startswith("the answer ends the check: ")


def test_a_real_interrupt_passes_through_and_the_handler_is_put_back(mini):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        mini.run(mini.squares, after("import signal", "signal.raise_signal(signal.SIGINT)", "sum(range(9))"))
    assert signal.getsignal(signal.SIGINT) is before
    assert mini.run(mini.squares, RIGHT).state == "passed"


LOOPS = {
    "plain": "    while True:\n        pass\n",
    "in torch": "    while True:\n        x = x + 1\n",
    "bare except": "    while True:\n        try:\n            x = x + 1\n        except:\n            pass\n",
    "bare except and sleep": "    import time\n    while True:\n        try: time.sleep(0.01)\n        except: pass\n",
    "except Exception": "    while True:\n        try: x = x + 1\n        except Exception: pass\n",
    "nested": "    import time\n    while True:\n        try:\n            while True:\n                try:\n"
    "                    time.sleep(0.01)\n                finally:\n                    x = x + 1\n"
    "        except BaseException:\n            continue\n",
}


@POSIX  # Elsewhere a child process ends, from outside.
@pytest.mark.parametrize("loop", LOOPS)
def test_an_endless_loop_ends(mini, loop: str):
    result = mini.run(mini.squares, HEAD + LOOPS[loop], limit=0.2)
    waits = " 1.2 s, most of which it waited" if "sleep" in LOOPS[loop] else " 0.2 s"
    assert (result.state, str(result.error)) == ("timeout", f"did not finish in{waits}")
    assert sys.gettrace() is None
    assert mini.run(mini.squares, RIGHT, limit=5).state == "passed"


@POSIX
def test_the_end_of_the_time_that_was_swallowed_comes_again_where_it_is_not():
    def swallow():
        for _ in range(9):
            try:
                signal.raise_signal(signal.SIGPROF)  # As the timer sends it: a limit of 0 is over at once.
            except OutOfTime:
                continue

    with pytest.raises(OutOfTime), time_limit(0.0):
        swallow()


@POSIX
def test_a_limit_inside_a_limit_leaves_the_outer_one_as_it_was():
    outer = signal.getsignal(signal.SIGALRM), signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        with pytest.raises(OutOfTime, match="1.8 s"), time_limit(0.3):
            with pytest.raises(OutOfTime, match="0.3 s"), time_limit(0.05):
                time.sleep(2)
            assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
            assert signal.getitimer(signal.ITIMER_PROF)[0] > 0
            time.sleep(3)
        assert signal.getsignal(signal.SIGALRM) is outer[0]
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *outer[1])


@POSIX
def test_processor_time_is_what_counts_and_not_that_of_other_processes():
    with time_limit(0.3):
        time.sleep(0.6)
    with pytest.raises(OutOfTime, match=r"in 0\.1 s$"), time_limit(0.1):
        while True:
            pass


@POSIX
def test_the_time_of_other_threads_does_not_count(monkeypatch):
    monkeypatch.setattr(limits, "queued", time.monotonic)  # The clock stands still.
    end = time.process_time() + 0.4

    def compute() -> None:
        while time.process_time() < end:
            pass

    other = threading.Thread(target=compute)
    with time_limit(0.1):
        other.start()
        other.join()


@POSIX
def test_the_clock_stands_still_while_others_have_the_processors(monkeypatch):
    monkeypatch.setattr(limits, "queued", time.monotonic)  # As if nothing else had been waited for.
    with time_limit(0.02):
        time.sleep(0.5)
    monkeypatch.setattr(limits, "queued", lambda: 0.0)  # As if the machine were idle.
    with pytest.raises(OutOfTime, match=r"0\.12 s, most of which it waited$"), time_limit(0.02):
        time.sleep(2)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the bytes of a process's data")
def test_a_check_has_a_limit_of_memory_and_gives_it_back():
    before = limits.memory_is_limited()
    with limits.memory_limit(2**40):
        assert limits.memory_is_limited()
    assert limits.memory_is_limited() == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a thread was ready to run")
def test_time_in_the_queue_is_told_from_time_asleep():
    before = limits.queued()
    assert before == pytest.approx(limits.queued(os.getpid()), abs=60) and limits.queued(2**22 + 1) == 0.0
    here = os.sched_getaffinity(0)
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        for pid in (0, other.pid):
            os.sched_setaffinity(pid, {min(here)})
        while limits.queued() < before + 0.2:  # Two on one processor; the test's own limit ends it.
            pass
    finally:
        os.sched_setaffinity(0, here)
        other.kill()
        other.wait()


def test_a_check_that_is_done_in_time_hears_no_alarm():
    with time_limit(0.3):
        pass
    time.sleep(0.4)


def test_a_thread_left_behind_does_not_change_the_next_check(mini):
    lines = ["import threading, time", "threading.Thread(target=time.sleep, args=(0.5,), daemon=True).start()"]
    assert mini.run(mini.squares, after(*lines)).state == "passed"
    assert mini.run(mini.squares, RIGHT).state == "passed"
    assert mini.run(mini.squares, HEAD + "    return x\n").state == "failed"


def test_a_megabyte_of_print_does_not_change_the_next_check(mini, capsys):
    assert mini.run(mini.squares, after("for _ in range(1024):", "    print('x' * 1024)")).state == "passed"
    assert len(capsys.readouterr().out) > 2**20
    assert mini.run(mini.squares, RIGHT).state == "passed"


@pytest.mark.parametrize(
    "line, kind",
    [
        ("return squares(x)", RecursionError),
        ("raise MemoryError", MemoryError),
        ("return torch.empty(10**14)", RuntimeError),
    ],
)
def test_running_out_of_stack_or_memory_is_a_crash(mini, line: str, kind: type):
    result = mini.run(mini.squares, HEAD + f"    {line}\n")
    assert result.state == "crashed" and isinstance(result.error, kind)
    assert mini.run(mini.squares, RIGHT).state == "passed"


def test_an_answer_that_deletes_its_own_file_keeps_its_verdict(mini):
    mini.answer(mini.squares, "import os\nos.remove(__file__)\n" + RIGHT)
    graded = mini.grade(str(mini.squares.check_path))
    assert graded.states["test_each_number_is_squared"] == "passed"
    assert graded.states["test_a_matrix_keeps_its_shape"] == "failed"
    assert "loading the file raises FileNotFoundError" in graded.text()


def test_a_warning_in_an_answer_changes_nothing_for_the_next(mini):
    lines = ["import warnings", "warnings.simplefilter('error')"]
    assert mini.run(mini.squares, after(*lines)).state == "passed"
    code = "import warnings; warnings.warn('heard', stacklevel=1)"
    with pytest.warns(UserWarning, match="heard"):
        exec(code)
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_listener_that_the_loop_sets_is_no_change_of_the_grader(monkeypatch):
    """The loop's worker has one listener, and each of its children sets its own."""
    monkeypatch.setattr(live, "listener", print)
    monkeypatch.setattr(functions, "_last", None)  # So that the listener of now is among what is compared.
    before = snapshot.Snapshot()
    monkeypatch.setattr(live, "listener", len)
    assert before.restore() == ([], [])


def test_the_input_of_a_case_ends_with_its_check(mini):
    first, second = mini.squares.check_names()[:2]
    text = mini.squares.check_path.read_text(encoding="utf-8")
    case = text.replace('    expect.note("x", VECTOR)', "    expect.case(x=VECTOR)")
    assert case != text
    mini.squares.check_path.write_text(case, encoding="utf-8")
    wrong = mini.squares.solution_path.read_text(encoding="utf-8").replace("return x * x", "return x + x")
    assert mini.run(mini.squares, wrong, first).error.given["x"].tolist() == [3.0, -1.0, 0.5]
    assert mini.run(mini.squares, wrong, second).error.given is None


@pytest.mark.parametrize("source", [RIGHT, after("1 / 0")], ids=["it passes", "it crashes"])
def test_an_answer_is_not_among_the_loaded_modules_after_its_check(mini, source: str):
    mini.run(mini.squares, source)
    assert not [name for name in sys.modules if name.startswith("tunelings_answer_")]


def test_a_check_counts_with_one_thread(mini, monkeypatch):
    """Sums over several threads are added up in another order, so the same answer would get other digits."""
    threads = torch.get_num_threads()
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    try:
        assert mini.run(mini.squares, after("assert torch.get_num_threads() == 1")).error is None
    finally:
        torch.set_num_threads(threads)
