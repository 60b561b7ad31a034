"""Keys: what a terminal sends becomes names, however the reads cut it."""

from __future__ import annotations

import importlib.util
import os
import queue
import sys
import types

import pytest

from tests.support.systems import POSIX
from tunelings.watch import keys
from tunelings.watch.keys import KeyDecoder, Keys


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h", ["h"]),
        ("xy", ["x", "y"]),
        ("\r\n\x03", ["enter", "enter", "interrupt"]),
        ("\x1b[A", ["up"]),
        ("\x1bOB", ["down"]),
        ("\x1b[A\x1b[A", ["up", "up"]),
        ("j\x1b[Bq", ["j", "down", "q"]),
        ("\x1b[B\x1bOA\r", ["down", "up", "enter"]),
    ],
)
def test_each_key_in_a_read_is_found(text: str, expected: list[str]):
    assert KeyDecoder().feed(text) == expected


@pytest.mark.parametrize(
    "unknown",
    [
        "\x1b[C",  # right
        "\x1b[5~",  # page up
        "\x1b[1;5A",  # up with Ctrl
        "\x1b[15;2~",  # F5 with Shift
        "\x1b[[A",  # F1 of the Linux console
        "\x1bOP",  # F1
        "\x1bq",  # q with Alt
        "\x1b[>0;276;0c",  # which terminal this is, asked by an editor that has ended since
        "\x1b]11;rgb:1e1e/1e1e/1e1e\x07",  # its color, likewise
        "\x1bP1+r524742\x1b\\",
    ],
)
def test_an_unknown_sequence_is_swallowed_whole(unknown: str):
    assert KeyDecoder().feed(f"{unknown}h{unknown}{unknown}\x1b[A{unknown}") == ["h", "up"]
    decoder = KeyDecoder()
    assert [key for character in f"{unknown}h" for key in decoder.feed(character)] == ["h"]


@pytest.mark.parametrize("cut", range(1, 10))
def test_a_sequence_that_a_read_cuts_is_completed_by_the_next(cut: int):
    text = "k\x1b[A\x1bOBl\x1b[B"
    decoder = KeyDecoder()
    assert decoder.feed(text[:cut]) + decoder.feed(text[cut:]) == ["k", "up", "down", "l", "down"]


def test_an_escape_that_nothing_follows_is_the_key():
    decoder = KeyDecoder()
    assert decoder.feed("\x1b") == []
    assert decoder.feed("") == ["escape"]
    assert decoder.feed("") == []
    assert decoder.feed("\x1b\x1b") + decoder.feed("") == ["escape", "escape"]


@pytest.mark.parametrize("begun", ["\x1b[", "\x1b[1;", "\x1bO", "\x1b]11;rgb"])
def test_a_sequence_that_breaks_off_is_no_key(begun: str):
    decoder = KeyDecoder()
    assert decoder.feed(begun) + decoder.feed("") == []
    assert decoder.feed("q") == ["q"]


@pytest.mark.parametrize("begun", ["", "\x1b[", "\x1b[1;", "\x1bO", "\x1b]11;rgb"])
def test_ctrl_c_counts_also_within_a_sequence(begun: str):
    assert KeyDecoder().feed(f"{begun}\x03") == ["interrupt"]
    assert KeyDecoder().feed("\x1b\x03") == ["escape", "interrupt"]


@POSIX
def test_keys_come_through_a_terminal(monkeypatch: pytest.MonkeyPatch):
    ours, theirs = os.openpty()
    pressed: queue.Queue[str] = queue.Queue()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        with Keys(pressed.put):
            os.write(ours, b"\x1b[A\x1b[A\x1b[C" * 7 + b"j\x1b[Bq\x1b")  # More than one read takes.
            found = [pressed.get(timeout=300) for _ in range(18)]
    os.close(ours)
    assert found == ["up"] * 14 + ["j", "down", "q", "escape"]


@POSIX
def test_the_terminal_is_given_back_to_an_editor_and_at_the_end(monkeypatch: pytest.MonkeyPatch):
    import signal
    import termios

    def modes() -> int:
        return termios.tcgetattr(terminal)[3] & (termios.ICANON | termios.ECHO)

    ours, theirs = os.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        before, handlers = modes(), [signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)]
        pressed: queue.Queue[str] = queue.Queue()
        with Keys(pressed.put) as keyboard:
            assert modes() == 0
            with keyboard.suspended():
                assert modes() == before
            assert modes() == 0
            settings = termios.tcgetattr(terminal)
            settings[3] |= before
            termios.tcsetattr(terminal, termios.TCSANOW, settings)
            signal.raise_signal(signal.SIGCONT)  # A shell has set the terminal for itself meanwhile.
            assert pressed.get(timeout=300) == "continued" and modes() == 0
        assert modes() == before
        assert [signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)] == handlers
    os.close(ours)


@POSIX
def test_a_terminal_that_is_closed_reads_like_ctrl_c(monkeypatch: pytest.MonkeyPatch):
    ours, theirs = os.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        assert keys._read(0.0) == ""
        os.close(ours)
        assert keys._read(60.0) == "\x03"


def test_on_windows_special_keys_are_named_or_swallowed(monkeypatch: pytest.MonkeyPatch):
    typed: list[str] = []
    console = types.SimpleNamespace(kbhit=lambda: bool(typed), getwch=lambda: typed.pop(0))
    monkeypatch.setitem(sys.modules, "msvcrt", console)
    spec = importlib.util.spec_from_file_location("keys_on_windows", keys.__file__)
    module = importlib.util.module_from_spec(spec)
    with monkeypatch.context() as on_windows:
        on_windows.setattr(sys, "platform", "win32")
        spec.loader.exec_module(module)
    decoder, found = module.KeyDecoder(), []
    for between_pauses in ("h\xe0H\x00P", "\xe0K", "\x1b", "q\r", "\x03"):
        typed += between_pauses
        while typed:
            found += decoder.feed(module._read(0.0))
        found += decoder.feed(module._read(0.0))
    assert found == ["h", "up", "down", "escape", "q", "enter", "interrupt"]
