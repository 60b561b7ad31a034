"""`tunelings init` and `update`: what they refuse, what they say, and how the folder's environment takes over.

Long: 29 tests, by what the folder holds before.
"""

from __future__ import annotations

import ast
import socketserver
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.miniature import Miniature
from tests.support.systems import POSIX
from tunelings import __version__
from tunelings.commands import doctor, init
from tunelings.course import PACKAGE, CourseError, find_root
from tunelings.grading import environment
from tunelings.setup import install, layout, venv

NOWHERE = "http://127.0.0.1:9/simple"  # Port 9 (discard): nothing listens there.


@pytest.fixture
def outside(mini: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which there is no course; the package carries the small one, and everything is installed."""
    monkeypatch.setattr(layout, "carried", lambda: mini.root)
    monkeypatch.setattr("tunelings.course.__file__", str(tmp_path / "site-packages" / "tunelings" / "course.py"))
    monkeypatch.setattr(environment, "problem", lambda: None)
    (tmp_path / "outside").mkdir()
    monkeypatch.chdir(tmp_path / "outside")
    return tmp_path / "outside"


def test_init_lays_a_course_out_and_says_what_is_next(tunelings, outside: Path):
    said = tunelings("init", "here/mine")
    assert (said.code, said.err) == (0, "")
    assert said.out == "The course is in here/mine: 2 exercises.\nNext: cd here/mine, then tunelings.\n"
    assert find_root(outside / "here" / "mine" / "checks") == outside / "here" / "mine"
    assert tunelings("init", "here/mine").out == "Next: cd here/mine, then tunelings.\n"


def test_tunelings_alone_uses_the_usual_folder_and_begins(tunelings, outside: Path):
    said = tunelings()
    assert (said.code, said.err) == (1, "")
    assert said.out.startswith("The course is in tunelings-course: 2 exercises.\n○ 1.01 Squares · not started\n")


def test_in_a_terminal_it_asks_for_the_folder(outside: Path, monkeypatch):
    asked = []
    monkeypatch.setattr(init, "_is_terminal", lambda: True)
    monkeypatch.setattr(init.typer, "prompt", lambda text, default: asked.append((text, default)) or "elsewhere")
    assert init._choose() == Path("elsewhere") and asked == [("Folder", "tunelings-course")]
    layout.lay_out(outside / "tunelings-course")
    assert init._choose() == Path("tunelings-course") and len(asked) == 1


def test_a_folder_with_something_else_in_it_is_left_alone(tunelings, outside: Path):
    (outside / "thesis").mkdir()
    (outside / "thesis" / "chapter.tex").write_text("text")
    said = tunelings("init", "thesis")
    assert (said.code, said.out) == (2, "")
    assert said.err == "thesis is not empty: give a folder that is new, such as thesis/tunelings-course.\n"
    assert [path.name for path in (outside / "thesis").iterdir()] == ["chapter.tex"]


def test_a_file_and_a_clone_are_left_alone(tunelings, outside: Path, mini: Miniature):
    (outside / "notes").write_text("text")
    assert tunelings("init", "notes").err == "notes is a file: give a folder that is new or empty.\n"
    said = tunelings("init", str(mini.root))
    assert said.code == 2 and "is a clone of the course" in said.err and "uv sync" in said.err
    assert not (mini.root / ".tunelings" / "course.json").exists()
    said = tunelings("update", str(mini.root))
    assert said.code == 2 and said.err.endswith("update a clone with `git pull`.\n")


def test_an_interrupted_init_is_named_and_the_same_command_goes_on(tunelings, outside: Path, monkeypatch):
    tunelings("init", "mine")
    (outside / "mine" / ".tunelings" / "unfinished").write_text("")
    monkeypatch.chdir(outside / "mine")
    assert tunelings("list").err == ". is only partly set up: run `tunelings init` there to finish.\n"
    assert tunelings("init").out.startswith("The course is in .: 2 exercises.\n")
    assert tunelings("list").code == 0


def test_update_says_what_it_has_changed(tunelings, outside: Path, mini: Miniature):
    tunelings("init", "mine")
    answer = outside / "mine" / "exercises" / "module01" / "ex01_squares.py"
    answer.write_text("squares = abs\n")
    solution = mini.squares.solution_path
    solution.write_text(solution.read_text().replace("the shape stays", "the shape is kept"))
    said = tunelings("update", "mine")
    assert said.code == 0 and "1 new or newer in solutions" in said.out
    assert "ex01_squares.py is your answer and was kept; its newer stub is exercises/module01/ex01_sq" in said.out
    assert answer.read_text() == "squares = abs\n"


def test_an_older_python_is_one_line(monkeypatch):
    text = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 4))  # It can be read there.
    monkeypatch.setattr(sys, "version_info", (3, 9, 7))
    with pytest.raises(
        SystemExit, match=r"^tunelings needs Python 3\.11 or newer, and this is 3\.9: make a new env.*$"
    ):
        exec(compile(text, "tunelings/__init__.py", "exec"), {})


# The libraries.


@pytest.fixture
def told() -> list[str]:
    return []


def test_an_index_of_cpu_builds_that_cannot_be_reached_is_one_line(monkeypatch, told):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(install, "CPU_INDEX", NOWHERE)
    assert install.torch_index(False, told.append) is None
    (line,) = told
    assert line.startswith(f"{NOWHERE} can't be reached: using the default build of torch, with CUDA")


@pytest.mark.parametrize(("reached", "size"), [(True, "2.5"), (False, "6.8")])
def test_in_a_terminal_it_asks_for_the_room_that_the_build_in_reach_takes(
    tunelings, outside, monkeypatch, reached, size
):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(install, "is_installed", lambda root: False)
    monkeypatch.setattr(install, "answers", lambda address: reached)
    monkeypatch.setattr(doctor, "nvidia_smi", lambda: "")
    monkeypatch.setattr(init, "_is_terminal", lambda: True)
    monkeypatch.setattr(init.typer, "confirm", lambda *_, **__: False)
    monkeypatch.setattr(install, "install", lambda *_: pytest.fail("it was refused"))
    said = tunelings("init", "mine")
    assert said.code == 2 and said.err == "Nothing was installed: run the same command to continue.\n"
    assert said.out.endswith(f"tunelings[course]: about {size} GB in mine/.venv.\n")


@pytest.fixture
def junk() -> Iterator[str]:
    """The address of a proxy that answers each request with something that is not HTTP."""

    class Junk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"junk\r\n\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Junk) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("proxy", ["http://proxy:port", "http://[proxy", "junk"])
def test_a_proxy_that_is_mistyped_or_broken_is_no_traceback(monkeypatch, told, junk, proxy):
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", junk if proxy == "junk" else proxy)
    monkeypatch.setattr(urllib.request, "_opener", None)  # It is made once, with the proxy of that time.
    monkeypatch.setattr(sys, "platform", "linux")
    assert install.torch_index(False, told.append) is None and "can't be reached" in told[0]
    assert doctor._hub_answers() is False


@pytest.mark.parametrize(
    ("system", "cuda", "index"),
    [
        ("linux", True, None),
        ("linux", False, install.CPU_INDEX),
        ("darwin", False, None),
        ("win32", False, None),
        ("win32", True, install.CUDA_INDEX),
    ],
)
def test_where_torch_comes_from(monkeypatch, told, system, cuda, index):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(install, "answers", lambda url: True)
    assert install.torch_index(cuda, told.append) == index and told == []


def test_cuda_on_a_mac_is_wrong_use(monkeypatch, told):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(CourseError, match="no CUDA on macOS"):
        install.torch_index(True, told.append)


def test_torch_comes_first_where_its_index_has_nothing_else():
    torch = ["torch>=2.7", "torchvision>=0.22"]
    first, second = install.commands(["pip", "install"], torch, "tunelings[course]==1.0", "https://cpu")
    assert first == ["pip", "install", "--index-url", "https://cpu", *torch]
    assert second == ["pip", "install", "tunelings[course]==1.0"]
    assert install.commands(["pip"], torch, "it", None) == [["pip", "it"]]


def test_too_little_disk_is_one_line_before_anything_is_installed(tmp_path):
    with pytest.raises(
        CourseError, match=r"The libraries take about 1000000\.0 GB, and .* GB are free at .*: free some"
    ):
        install.check_room(tmp_path, 1e6)


def test_what_an_interrupted_run_has_installed_needs_no_room_again(tmp_path, monkeypatch):
    monkeypatch.setattr(install.shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * install.GB))
    with pytest.raises(CourseError, match=r"about 6\.8 GB, and 3\.0 GB are free"):
        install.check_room(tmp_path, 6.8)
    library = tmp_path / ".venv" / "lib" / "library.so"
    library.parent.mkdir(parents=True)
    with library.open("wb") as file:
        file.truncate(4 * install.GB)  # a sparse file, which takes no room
    install.check_room(tmp_path, 6.8)


def test_a_build_that_was_asked_for_is_not_replaced_by_another(monkeypatch, told):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(install, "answers", lambda address: False)
    with pytest.raises(CourseError, match="/cpu can't be reached, and PyTorch without CUDA comes from there") as error:
        install.torch_index(False, told.append, asked=True)
    assert "\n" not in str(error.value) and told == []


@pytest.fixture
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The installer is this Python's pip, and its index is nowhere."""
    monkeypatch.setattr(install, "find_uv", lambda: None)
    monkeypatch.setattr(install, "make_environment", lambda root: None)
    monkeypatch.setattr(install, "own_requirement", lambda: "tunelings[course]==0.0.1.dev1")
    monkeypatch.setattr(venv, "python", lambda root: Path(sys.executable))
    for name, value in {"PIP_INDEX_URL": NOWHERE, "PIP_EXTRA_INDEX_URL": "", "PIP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)


def test_no_network_in_the_middle_of_init_loses_nothing(tunelings, outside, monkeypatch, without_network):
    monkeypatch.setattr(install, "is_installed", lambda root: False)
    monkeypatch.setattr(install, "DISK_CUDA", 0.001)
    said = tunelings("init", "mine", "--cuda")
    assert said.code == 2 and said.out.startswith(
        "The course is in mine: 2 exercises.\nThe exercises need PyTorch and "
    )
    line = said.err.splitlines()[-1]
    assert line.startswith("The libraries aren't installed: the lines above say why. Run the same command again")
    assert "HTTPS_PROXY" in line and layout.is_whole(outside / "mine")
    monkeypatch.setattr(install, "is_installed", lambda root: True)
    assert tunelings("init", "mine", "--cuda").code == 0


@POSIX
def test_no_network_in_an_update_changes_nothing(tunelings, outside, mini, monkeypatch, without_network):
    tunelings("init", "mine")
    pretend_environment(outside / "mine", "exit 0")
    monkeypatch.setattr(layout, "__version__", "99.1")  # Newer than the folder: it's the one to be installed there.
    mini.squares.card_path.write_text("# newer\n" + mini.squares.card_path.read_text())
    said = tunelings("update", "mine")
    assert said.code == 2 and said.err.splitlines()[-1].startswith("Couldn't get a newer version; nothing has ")
    assert not (outside / "mine" / "checks/module01/ex01_squares.toml").read_text().startswith("# newer")
    assert tunelings("update", "mine", "--files-only").code == 0


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch, without_network) -> list[list[str]]:
    """What the installer was called with, without its own words; nothing is run."""
    calls: list[list[str]] = []
    monkeypatch.setattr(install, "installer", lambda root: ["pip"])
    monkeypatch.setattr(install, "_run", lambda command, failed: calls.append(command[1:]))
    monkeypatch.setattr(install, "torch_options", lambda root: ["--extra-index-url", "CPU"])
    return calls


def test_an_update_in_the_folder_asks_for_the_newest_release(monkeypatch, told, called, tmp_path):
    monkeypatch.setattr(venv, "is_running", lambda root: True)
    install.upgrade(tmp_path, told.append)
    assert told == ["Asking the package index for the newest release of tunelings."]
    asks, installs = called  # pip alone would be content with what is there if the index can't be reached.
    assert "--dry-run" in asks and "--ignore-installed" in asks and asks[-1] == "tunelings"
    assert installs == ["--extra-index-url", "CPU", "--upgrade", "tunelings[course]"]
    monkeypatch.setattr(install, "find_uv", lambda: "uv")
    install.upgrade(tmp_path, told.append)
    assert called[2:] == [["--extra-index-url", "CPU", "--upgrade-package", "tunelings", "tunelings[course]"]]


def test_what_came_from_a_file_asks_no_index(monkeypatch, told, called, tmp_path):
    monkeypatch.setattr(venv, "is_running", lambda root: True)
    monkeypatch.setattr(install, "own_requirement", lambda: "tunelings[course] @ file:///tunelings.whl")
    install.upgrade(tmp_path, told.append)
    assert told == called == []


@POSIX
def test_without_network_the_folder_s_own_update_goes_on(tunelings, outside, mini, monkeypatch, without_network):
    tunelings("init", "mine")
    pretend_environment(outside / "mine", "exit 0")
    monkeypatch.setattr(venv, "is_running", lambda root: True)
    handed = []
    monkeypatch.setattr(venv, "hand_over", lambda root, arguments: handed.append(arguments) or sys.exit(0))
    said = tunelings("update", "mine")
    asking, line = said.out.splitlines()
    assert line.startswith("No newer release could be fetched: the lines above say why.") and "HTTPS_PROXY" in line
    assert line.endswith(f" Going on with version {__version__}.")
    assert handed == [["update", "--files-only", "."]] and said.code == 0


@POSIX
@pytest.mark.parametrize(
    ("version", "build"), [("2.9.1+cpu", "cpu"), ("2.9.1+cu130", "cu130"), ("2.9.1", ""), ("2.9.1+nv25", ""), ("", "")]
)
def test_a_torch_that_is_replaced_comes_from_where_the_first_one_did(monkeypatch, tmp_path, version, build):
    pretend = tmp_path / "python"
    pretend.write_text(f"#!/bin/sh\necho '{version}'\n")
    pretend.chmod(0o755)
    monkeypatch.setattr(venv, "python", lambda root: pretend)
    index = f"https://download.pytorch.org/whl/{build}"
    monkeypatch.setattr(install, "find_uv", lambda: None)
    assert install.torch_options(tmp_path) == (["--extra-index-url", index] if build else [])
    monkeypatch.setattr(install, "find_uv", lambda: "uv")
    compared = ["--index", index, "--index-strategy", "unsafe-best-match"]
    assert install.torch_options(tmp_path) == (compared if build else [])


# The folder's own environment.


def pretend_environment(root: Path, script: str, interpreter: str = "/bin/sh") -> Path:
    """An environment in the folder whose `tunelings` is this script."""
    command = venv.command(root)
    command.parent.mkdir(parents=True)
    command.write_text(f"#!{interpreter}\n{script}\n")
    command.chmod(0o755)
    return command


@pytest.fixture
def laid_out(mini: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    monkeypatch.setattr(layout, "carried", lambda: mini.root)
    layout.lay_out(tmp_path / "mine")
    return Miniature(tmp_path / "mine")


@POSIX
def test_the_environment_of_the_folder_takes_over(laid_out: Miniature):
    pretend_environment(laid_out.root, 'echo "there: $*"; exit 7')
    done = laid_out.command("hint", "1.01")
    assert (done.returncode, done.stdout) == (7, "there: hint 1.01\n")


@POSIX
@pytest.mark.parametrize(
    ("running", "source", "left"),
    [
        ("0.0.9", "==0.0.9", True),
        ("0.0.9", " @ file:///tunelings.whl", True),
        (__version__, f"=={__version__}", True),  # uvx would go on with the release that it has for ever.
        (__version__, " @ git+https://git.example/tunelings@abc", False),  # A later commit of the same version.
        ("99.1", "==99.1", False),
    ],
)
def test_an_update_is_left_to_the_folder_unless_what_runs_is_newer(
    tunelings, outside, monkeypatch, running, source, left
):
    tunelings("init", "mine")
    pretend_environment(outside / "mine", "exit 0")
    monkeypatch.setattr(layout, "__version__", running)
    monkeypatch.setattr(install, "own_requirement", lambda: f"tunelings[course]{source}")
    done = []
    monkeypatch.setattr(venv, "hand_over", lambda root, arguments: done.append(arguments) or sys.exit(0))
    monkeypatch.setattr(install, "upgrade", lambda root, say: done.append("installed"))
    assert tunelings("update", "mine").code == 0
    assert done == ([["update"]] if left else ["installed", ["update", "--files-only", "."]])


@POSIX
def test_init_stays_where_it_was_started(laid_out: Miniature):
    pretend_environment(laid_out.root, "echo there")
    done = laid_out.command("init", "--files-only")
    assert done.returncode == 0 and "there\n" not in done.stdout


@POSIX
def test_an_environment_whose_python_is_gone_does_not_stop_it(laid_out: Miniature):
    pretend_environment(laid_out.root, "", interpreter="/no/such/python")
    done = laid_out.command("hint", "1.02")
    assert (done.returncode, done.stdout) == (0, "1.02 Shift · hint 1 of 2\nWhich operator adds?\n")


@POSIX
def test_a_clone_with_an_environment_is_left_as_it_is(mini: Miniature):
    pretend_environment(mini.root, "echo there")
    assert mini.command("hint", "1.02").stdout == "1.02 Shift · hint 1 of 2\nWhich operator adds?\n"


def test_a_folder_that_is_no_environment_is_not_cleared(tmp_path: Path):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "precious").write_text("text")
    with pytest.raises(CourseError, match=r"\.venv isn't a virtual environment: move it away"):
        install.make_environment(tmp_path)
    assert (tmp_path / ".venv" / "precious").exists()
