"""The installation of `tunelings init`: through a proxy that works, on a disk that fills, without a network."""

from __future__ import annotations

import http.server
import io
import os
import sys
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.systems import POSIX
from tests.test_init import outside  # noqa: F401
from tunelings.commands import doctor
from tunelings.course import CourseError
from tunelings.setup import install, layout, venv

INDEX = "http://packages.example"  # No such host: it is reached by the proxy, or not at all.
VERSION = "99.0"


def wheel(name: str) -> bytes:
    """A package with nothing in it."""
    content = io.BytesIO()
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\nProvides-Extra: course\n"
    with zipfile.ZipFile(content, "w") as archive:
        for file, text in [
            ("METADATA", metadata),
            ("WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n"),
            ("RECORD", ""),
        ]:
            archive.writestr(f"{name}-{VERSION}.dist-info/{file}", text)
    return content.getvalue()


class Proxy(http.server.BaseHTTPRequestHandler):
    """It has every package itself, so that nothing leaves this machine, and lets nothing encrypted through."""

    asked: list[str] = []

    def do_HEAD(self) -> None:
        self.answer(b"")

    def do_GET(self) -> None:
        name = self.path.rstrip("/").rpartition("/")[2]
        file = f"{name}-{VERSION}-py3-none-any.whl"
        page = f"<a href='{file}'>{file}</a>".encode()
        self.answer(wheel(name.partition("-")[0]) if name.endswith(".whl") else page)

    def do_CONNECT(self) -> None:
        self.asked.append(f"CONNECT {self.path}")
        self.send_error(502)

    def answer(self, content: bytes) -> None:
        self.asked.append(f"{self.command} {self.path}")
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a proxy is asked for by pip, which has no other settings, and by the course."""
    monkeypatch.setattr(Proxy, "asked", [])
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    settings = {"CONFIG_FILE": os.devnull, "NO_CACHE_DIR": "1", "RETRIES": "0", "TRUSTED_HOST": "packages.example"}
    for name, value in settings.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setattr(urllib.request, "_opener", None)  # It is made once, with the proxy of that time.
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        for scheme in ("http", "https"):
            monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{server.server_port}")
        yield Proxy.asked
        server.shutdown()


@pytest.fixture
def by_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """This Python's pip installs, into the folder that is returned; the libraries count as missing."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(install, "is_installed", lambda root: False)
    monkeypatch.setattr(install, "find_uv", lambda: None)
    monkeypatch.setattr(install, "DISK_CPU", 0.001)
    monkeypatch.setattr(install, "own_requirement", lambda: f"tunelings[course]=={VERSION}")
    monkeypatch.setattr(venv, "python", lambda root: Path(sys.executable))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "installed"))
    return tmp_path / "installed"


def test_everything_is_fetched_through_the_proxy_that_is_set(tunelings, outside, monkeypatch, asked, by_pip):
    monkeypatch.setattr(install, "CPU_INDEX", f"{INDEX}/cpu")
    monkeypatch.setenv("PIP_INDEX_URL", f"{INDEX}/simple")
    said = tunelings("init", "mine", "--cpu")
    assert said.code == 0, said.err
    packages = [f"{name}-{VERSION}.dist-info" for name in ("torch", "torchvision", "tunelings")]
    assert sorted(path.name for path in by_pip.glob("*.dist-info")) == packages
    pages = [line for line in asked if line.endswith("/")]
    expected = ["HEAD cpu/torch", "GET cpu/torch", "GET cpu/torchvision", "GET simple/tunelings"]
    assert pages == [f"{line.replace(' ', f' {INDEX}/')}/" for line in expected]


def test_an_encrypted_index_is_asked_for_through_it_too(tunelings, outside, monkeypatch, asked, by_pip):
    monkeypatch.setattr(install, "CPU_INDEX", "https://cpu.example")
    monkeypatch.setattr(install, "DISK_CUDA", 0.001)
    monkeypatch.setattr(doctor, "gpus", lambda said: [])
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")
    said = tunelings("init", "mine", "--yes")
    assert said.code == 2 and "https://cpu.example can't be reached: using the default build of torch" in said.out
    assert asked == ["CONNECT cpu.example:443", "CONNECT packages.example:443"]


# The program uv; it says what the file "fails" holds, and fails, as long as that file is there.
UV = """#!/bin/sh
[ "$1" = pip ] || exit 0
[ ! -e fails ] || { cat fails >&2; exit 2; }
touch installed
"""
NO_SPACE = "error: failed to write to file `torch.so`: No space left on device (os error 28)"
NO_NETWORK = "error: error sending request: dns error: failed to lookup address information"


@pytest.fixture
def by_uv(outside: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that makes uv, a stand-in, fail."""
    (outside / "uv").write_text(UV, encoding="utf-8")
    (outside / "uv").chmod(0o755)
    monkeypatch.setenv("UV", str(outside / "uv"))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(install, "is_installed", lambda root: (outside / "installed").exists())
    monkeypatch.setattr(install, "DISK_CUDA", 1)
    return outside / "fails"


def free(monkeypatch: pytest.MonkeyPatch, *gigabytes: float) -> None:
    """What is free on the disk, each time that it is asked."""
    left = iter(gigabytes)
    monkeypatch.setattr(install.shutil, "disk_usage", lambda path: SimpleNamespace(free=next(left) * install.GB))


@POSIX
@pytest.mark.parametrize(
    ("why", "left", "said"),
    [
        (NO_SPACE, 0.2, "The libraries take about 1.0 GB, and 0.2 GB are free at mine: free some and run the same"),
        (NO_SPACE, 5, "if no space is left, free some, or set TMPDIR to a folder on another disk."),
        (NO_NETWORK, 5, "the lines above say why. Run the same command again; what was downloaded is kept. Behind a p"),
    ],
    ids=["the disk has filled", "another disk has filled", "no network"],
)
def test_an_installation_that_stops_says_in_one_line_what_to_do_and_goes_on(
    tunelings, outside, monkeypatch, by_uv, why, left, said
):
    by_uv.write_text(f"{why}\n", encoding="utf-8")
    free(monkeypatch, 5, left)
    stopped = tunelings("init", "mine", "--cuda")
    assert stopped.code == 2 and stopped.err.count("\n") == 1 and said in stopped.err
    assert layout.is_whole(outside / "mine")
    by_uv.unlink()
    free(monkeypatch, 5)
    again = tunelings("init", "mine", "--cuda")
    assert (again.code, again.err) == (0, "") and "The libraries are in mine/.venv.\n" in again.out


@POSIX
def test_what_the_installer_says_is_shown(outside, monkeypatch, by_uv, capfd):
    by_uv.write_text(f"{NO_SPACE}\n", encoding="utf-8")
    free(monkeypatch, 5, 5)
    with pytest.raises(CourseError):
        install.install(outside, None)
    assert capfd.readouterr().err == f"{NO_SPACE}\n"
