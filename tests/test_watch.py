"""The watch loop as a learner sees it: in a terminal, by its screen, its keys and the files that are saved.

Long: 24 tests, each with a loop in a pseudo-terminal.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests.support.miniature import ROOT, Miniature
from tests.support.processes import descendants, is_alive, wait_for
from tests.support.systems import POSIX
from tests.support.terminal import COMMAND, default_interrupt

pytestmark = POSIX

# A loop in C code that looks at no signal: it is there at once, and no limit of the check itself can end it.
HANG = """def squares(x):
    return sum(range(10**15))

def mean_square(x):
    pass
"""


def save_by_renaming(path, text: str) -> None:
    """As editors do that write a new file and put it in place of the old one."""
    temporary = path.with_name(".swap.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def test_a_learner_goes_from_the_stub_to_a_pass_and_on(mini: Miniature, terminal):
    shown = terminal().warm_up()
    assert "1.01 Squares" in shown.text and "0 of 2 done" in shown.text
    shown.press("h")
    shown.until("Hint 1 of 3: What is three times three?")
    mini.solve(mini.squares, "x * x", "x + x")
    assert "Hint" not in shown.until("added to itself")
    save_by_renaming(mini.squares.answer_path, mini.squares.solution_path.read_text(encoding="utf-8"))
    passed = shown.until("Next (n): 1.02 Shift")
    assert "all 4 checks pass" in passed and "A number times itself is never negative." in passed
    assert "- [x] 1.01 Squares" in (mini.root / "STATUS.md").read_text(encoding="utf-8")
    shown.press("s")
    shown.until(lambda text: "word for word" in text or "the reference" in text)
    shown.press("n")
    shown.until("1.02 Shift")
    shown.until("not started")
    mini.solve(mini.shift)
    assert "all 3 checks pass" in shown.until("Module done: Training fundamentals.")
    mini.answer(mini.shift, mini.shift.answer_path.read_text(encoding="utf-8") + "\n# again\n")
    shown.until(lambda text: "Module done" not in text and "all 3 checks pass" in text)


def test_the_exercise_that_is_saved_is_shown(mini: Miniature, terminal):
    shown = terminal().warm_up()
    mini.solve(mini.shift, "x + by", "x + 1.0")
    shown.until("the amount is always 1.")


def test_the_list_is_moved_through_and_jumped_from(mini: Miniature, terminal):
    shown = terminal().warm_up()
    shown.press("l")
    assert "> 1.01 Squares" in shown.until("enter: go there")
    shown.press("\x1b[B\x1b[B\x1b[B")  # Three at once, as a key that is held sends them: down, around, down.
    shown.until("> 1.02 Shift")
    shown.press("\x1b")
    shown.until(lambda text: "go there" not in text)  # A letter that follows at once would be one with Alt.
    shown.press("lj")
    shown.until("> 1.02 Shift")
    shown.press("\r")
    shown.until(lambda text: "1.02 Shift" in text and "not started" in text and "go there" not in text)


def test_reset_asks_and_keeps_the_file(mini: Miniature, terminal):
    shown = terminal().warm_up()
    mine = mini.solve(mini.squares, "x * x", "x + x").read_text(encoding="utf-8")
    shown.until("added to itself")
    shown.press("x")
    shown.until("Your file is kept beside it. y/n")
    shown.press("n")
    shown.until(lambda text: "y/n" not in text)
    assert mini.squares.answer_path.read_text(encoding="utf-8") == mine
    shown.press("xy")
    shown.until(lambda text: "not started" in text and "The stub is back; your file is kept as" in text)
    kept = list(mini.squares.answer_path.parent.glob("ex01_squares.*.py"))
    assert [path.read_text(encoding="utf-8") for path in kept] == [mine]


def test_a_file_that_is_deleted_and_comes_back(mini: Miniature, terminal):
    shown = terminal().warm_up()
    mini.squares.answer_path.unlink()
    shown.until("the file is missing")
    mini.solve(mini.squares)
    shown.until("all 4 checks pass")


def limit_first_check(mini: Miniature, seconds: int) -> None:
    """Give the first check of 1.01 this limit in place of the default one."""
    first = "def test_each_number_is_squared"
    check = mini.squares.check_path.read_text(encoding="utf-8")
    check = check.replace(first, f"@pytest.mark.timeout({seconds})\n{first}")
    mini.squares.check_path.write_text(
        check.replace("import torch\n", "import pytest\nimport torch\n", 1), encoding="utf-8"
    )


def test_a_save_during_a_check_shows_the_newest_state_and_touching_runs_nothing(mini: Miniature, terminal, tmp_path):
    limit_first_check(mini, 300)  # However long a busy machine takes to hand the second save over.
    shown = terminal().warm_up()
    count, survived = tmp_path / "runs", tmp_path / "survived"
    counting = f"open({str(count)!r}, 'a').write('x')\n"
    solution = mini.squares.solution_path.read_text(encoding="utf-8")
    slow = f"import time\ntry:\n    time.sleep(600)\nfinally:\n    open({str(survived)!r}, 'w').close()\n"
    mini.answer(mini.squares, counting + slow + solution)
    assert wait_for(count.exists, 60)
    mini.answer(mini.squares, counting + solution)
    shown.until("all 4 checks pass")
    assert not survived.exists(), "the first check ran into its own limit and was not ended by the second save"
    runs = len(count.read_text())
    os.utime(mini.squares.answer_path)
    again = tmp_path / "again.py"
    again.write_text(counting + solution, encoding="utf-8")
    os.replace(again, mini.squares.answer_path)  # Whole at every moment: an empty file would be another answer.
    time.sleep(1.5)
    shown.read()
    assert len(count.read_text()) == runs


def test_a_check_that_hangs_in_c_code_is_ended_from_outside(mini: Miniature, terminal):
    limit_first_check(mini, 1)
    shown = terminal().warm_up()
    mini.answer(mini.squares, HANG)
    shown.until("did not finish in 1 s and could not be interrupted")
    mini.solve(mini.squares)
    shown.until("all 4 checks pass")


def test_switching_a_branch_shows_the_exercise_at_hand(mini: Miniature, terminal):
    def git(*args: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *identity, *args], cwd=mini.root, check=True, capture_output=True)

    git("init", "-q", "-b", "stubs")
    git("add", "exercises")
    git("commit", "-qm", "stubs")
    git("checkout", "-qb", "solved")
    mini.solve(mini.squares)
    mini.solve(mini.shift)
    git("commit", "-qam", "solved")
    shown = terminal()
    shown.until("all 4 checks pass")
    git("checkout", "-q", "stubs")
    shown.until(lambda text: "not started" in text)
    git("checkout", "-q", "solved")
    shown.until("checks pass")
    shown.press("l")
    shown.until(lambda text: text.count("✓ done") == 2)


def test_a_long_check_can_be_stopped_with_a_key(mini: Miniature, terminal):
    shown = terminal().warm_up()
    mini.answer(mini.squares, HANG)
    shown.until("the verdict below is the previous one")
    shown.press("c")
    shown.until("Stopped.")


@pytest.mark.parametrize(("leave", "code"), [("q", 0), ("\x03", 130)])
def test_leaving_restores_the_terminal_and_leaves_no_process(mini: Miniature, terminal, leave: str, code: int):
    shown = terminal().warm_up()
    below = descendants(shown.process.pid)
    assert below
    shown.press(leave)
    shown.process.expect(pexpect.EOF, timeout=300)
    shown.process.close()
    assert shown.process.exitstatus == code and shown.process.signalstatus is None
    assert wait_for(lambda: not any(is_alive(pid) for pid in below))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_loop_and_the_check_under_way(mini: Miniature, terminal, number: int):
    limit_first_check(mini, 300)
    shown = terminal().warm_up()
    mini.answer(mini.squares, HANG)
    shown.until("the verdict below is the previous one")
    assert wait_for(lambda: len(descendants(shown.process.pid)) > 3)  # The check runs in a process of its own.
    below = descendants(shown.process.pid)
    os.kill(shown.process.pid, number)
    shown.process.expect(pexpect.EOF, timeout=300)
    shown.process.close()
    assert shown.process.exitstatus == 128 + number
    assert wait_for(lambda: not any(is_alive(pid) for pid in below))


def test_a_signal_to_the_loop_leaves_the_editor_alone(mini: Miniature, terminal):
    """What is not saved would be lost with it."""
    editor, saved = mini.root / "editor", mini.root / "saved"
    editor.write_text(f"#!/bin/sh\ntrap '' HUP\necho the editor\nsleep 3\necho text > {saved}\n", encoding="utf-8")
    editor.chmod(0o755)
    shown = terminal(env={"VISUAL": str(editor)}).warm_up()
    shown.press("o")
    shown.until("the editor")
    os.kill(shown.process.pid, signal.SIGTERM)
    assert wait_for(saved.exists)


def test_the_terminal_is_as_before_after_ctrl_c(mini: Miniature):
    options = {"cwd": str(mini.root), "timeout": 60, "encoding": "utf-8", "preexec_fn": default_interrupt}
    shell = pexpect.spawn("bash", ["--norc", "--noprofile"], **options)
    shell.sendline("PS1='> '; stty -a > before")
    shell.sendline(f"{sys.executable} -c '{COMMAND}'")
    shell.expect("not started")
    shell.sendintr()
    shell.expect("> ")
    shell.sendline("stty -a > after; echo written")
    shell.expect("written\r\n.*> ")
    shell.close(force=True)
    assert (mini.root / "before").read_text() == (mini.root / "after").read_text()


@pytest.mark.parametrize("shell", ["bash --norc --noprofile", "sh"])
def test_after_ctrl_z_and_fg_the_keys_work_and_between_them_the_shell_does(mini: Miniature, shell: str):
    environment = {**os.environ, "PS1": "prompt> ", "TERM": "xterm-256color"}
    options = {"cwd": str(mini.root), "timeout": 60, "encoding": "utf-8", "env": environment}
    started = pexpect.spawn(shell, preexec_fn=default_interrupt, **options)
    started.sendline("set -m; stty -a > before")
    started.sendline(f"{sys.executable} -c '{COMMAND}'")
    started.expect("not started")
    for _ in range(2):
        started.send("\x1a")
        started.expect("Stopped")
        started.sendline("stty -a > between; echo $((40 + 2))ready")
        started.expect("42ready")
        started.sendline("fg")
        started.expect("not started")  # The screen is drawn anew.
        started.send("h")
        started.expect("Hint [12] of 3")
    started.send("q")
    started.expect("prompt> ")  # Before that, the loop could still take what is typed for keys.
    started.sendline("stty -a > after; echo $((50 + 2))ready")
    started.expect("52ready")
    started.close(force=True)
    states = [(mini.root / name).read_text() for name in ("before", "between", "after")]
    if shell == "sh":  # bash sets the terminal for its own line editor.
        assert states[0] == states[1] == states[2]


def test_ctrl_c_in_an_editor_ends_the_editor_and_not_the_loop(mini: Miniature, terminal):
    editor = mini.root / "editor"
    editor.write_text("#!/bin/sh\necho the editor\nread line\n", encoding="utf-8")
    editor.chmod(0o755)
    shown = terminal(env={"VISUAL": str(editor)}).warm_up()
    for count in (1, 2):
        shown.press("o")
        shown.until("the editor")
        shown.process.sendintr()
        shown.until(lambda text: "the editor" not in text and "h hint" in text)
        shown.press("h")
        shown.until(f"Hint {count} of 3")
    shown.process.sendintr()
    shown.process.expect(pexpect.EOF, timeout=300)
    shown.process.close()
    assert shown.process.exitstatus == 130


def test_a_save_through_a_link_is_seen(mini: Miniature, terminal, tmp_path):
    mine = tmp_path / "mine" / "answer.py"
    mine.parent.mkdir()
    mini.squares.answer_path.replace(mine)
    mini.squares.answer_path.symlink_to(mine)
    shown = terminal().warm_up()
    solution = mini.squares.solution_path.read_text(encoding="utf-8")

    def save_and_look(
        text: str,
    ) -> bool:  # The links are watched from some moment on; a save of the same changes nothing.
        save_by_renaming(mine, solution)
        return "all 4 checks pass" in text

    shown.until(save_and_look)


def test_closing_the_terminal_ends_it_also_where_hangups_are_ignored(mini: Miniature):
    def ignore_signals() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    options = {"cwd": str(mini.root), "timeout": 60, "encoding": "utf-8", "preexec_fn": ignore_signals}
    watcher = pexpect.spawn(sys.executable, ["-c", COMMAND], **options)
    watcher.expect("not started")
    pids = [watcher.pid, *descendants(watcher.pid)]
    os.close(watcher.child_fd)
    assert wait_for(lambda: not any(is_alive(pid) for pid in pids))


def test_a_killed_worker_is_replaced(mini: Miniature, terminal):
    shown = terminal().warm_up()
    for pid in descendants(shown.process.pid):
        os.kill(pid, signal.SIGKILL)
    mini.solve(mini.squares)
    shown.until("all 4 checks pass")


def test_two_watchers_work_at_once(mini: Miniature, terminal):
    one, other = terminal(), terminal("watch", "1.01")
    one.until("not started")
    other.until("not started")
    mini.solve(mini.squares)
    one.until("all 4 checks pass")
    other.until("all 4 checks pass")
    assert "- [x] 1.01 Squares" in (mini.root / "STATUS.md").read_text(encoding="utf-8")


def test_it_reads_at_60_columns_without_color_and_without_unicode(mini: Miniature, terminal):
    shown = terminal(columns=60, env={"NO_COLOR": "1", "PYTHONIOENCODING": "ascii"})
    shown.warm_up()
    mini.solve(mini.squares, "x * x", "x + x")
    text = shown.until("each number is added")
    assert "x 1.01 Squares - each number is squared" in text
    assert all(len(line) <= 60 for line in text.splitlines())
    assert shown.raw.isascii()
    assert not re.search(rb"\x1b\[[0-9;]*[34][0-9]m", shown.raw), "a color in spite of NO_COLOR"


def test_without_a_terminal_it_checks_once_and_exits(mini: Miniature):
    done = mini.command()
    assert done.returncode == 1 and "not started" in done.stdout
    mini.solve(mini.squares)
    mini.solve(mini.shift)
    assert mini.command("run", "all").returncode == 0
    assert mini.command().returncode == 0


def test_polling_sees_saves_too(mini: Miniature, terminal):
    shown = terminal("watch", "--poll").warm_up()
    mini.solve(mini.squares)
    shown.until("all 4 checks pass")


def test_an_exercise_that_is_added_is_walked_to_and_a_damaged_card_ends_nothing(mini: Miniature, terminal):
    shown = terminal().warm_up()
    shown.press("l")
    shown.until("> 1.01 Squares")
    for path in (mini.shift.check_path, mini.shift.card_path, mini.shift.solution_path):
        text = path.read_text(encoding="utf-8").replace('title = "Shift"', 'title = "Third"')
        Path(str(path).replace("ex02_shift", "ex03_third")).write_text(text, encoding="utf-8")
    shown.until("1.03 Third")
    shown.press("l")
    mini.squares.card_path.write_text("title =", encoding="utf-8")
    shown.press("n")
    shown.until("1.02 Shift")
    shown.press("n")
    shown.until("1.03 Third")
    shown.press("n")
    shown.until("1.01 Squares")
    shown.press("h")
    shown.until("can't be read as a card")
    shown.press("l")
    shown.until("> 1.01 Squares")
    shown.press("q")
    shown.press("q")
    shown.process.expect(pexpect.EOF, timeout=300)
    shown.process.close()
    assert shown.process.exitstatus == 0


def test_a_changed_grader_is_the_one_that_says_the_next_verdict(mini: Miniature, terminal, tmp_path):
    shutil.copytree(ROOT / "tunelings", tmp_path / "tunelings")
    shown = terminal(env={"PYTHONPATH": str(tmp_path)}).warm_up()
    mini.solve(mini.squares, "return x * x", "x * x")
    remark = "is a return missing?"
    shown.until(remark)
    wording = tmp_path / "tunelings" / "grading" / "failures.py"
    wording.write_text(wording.read_text(encoding="utf-8").replace(remark, "now we say that"), encoding="utf-8")
    shown.until("now we say that", 120)
