"""What is handed in, and what of it can't be taken: each has a reason, and the rest is read.

Long: 28 tests, by way of handing in.
"""

from __future__ import annotations

import http.server
import io
import json
import os
import socket
import stat
import subprocess
import threading
import zipfile
from pathlib import Path

import pytest

from tests.conftest import COURSE
from tests.support.systems import POSIX
from tunelings.classroom import git as git_
from tunelings.classroom import submissions, zips
from tunelings.classroom.handed_in import Submission
from tunelings.course import CourseError

pytestmark = POSIX  # Grading a class needs Linux, or macOS.
EXERCISES = COURSE.module("module01")[:2]
FIRST = f"module01/{EXERCISES[0].name}.py"
SECOND = f"module01/{EXERCISES[1].name}.py"


def folder(place: Path, name: str, **files: bytes) -> Path:
    for path, content in files.items():
        target = place / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return place / name


def zipped(place: Path, name: str, members: dict[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(place / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in members.items():
            archive.writestr(path, content)
    return place / name


def read(place: Path) -> dict[str, Submission]:
    return {one.name: one for one in submissions.read_all(place, EXERCISES, place / "repositories")}


@pytest.mark.parametrize("top", ["", "exercises/", "anna/exercises/"])
def test_the_tree_of_exercises_is_found_in_a_folder_and_in_a_zip(tmp_path: Path, top: str):
    folder(tmp_path, "folder", **{top + FIRST: b"one", top + SECOND: b"two", top + "notes.txt": b"x"})
    zipped(tmp_path, "packed.zip", {top + FIRST: b"one", top + SECOND: b"two", "__MACOSX/" + FIRST: b"x"})
    found = read(tmp_path)
    assert found["folder"].answers == found["packed"].answers == {"1.01": b"one", "1.02": b"two"}
    assert found["folder"].handed_in and found["packed"].handed_in


def test_of_the_whole_course_only_the_answers_are_taken(tmp_path: Path):
    folder(tmp_path, "anna", **{"exercises/" + FIRST: b"mine", "solutions/" + FIRST: b"the reference"})
    assert read(tmp_path)["anna"].answers == {"1.01": b"mine"}


def test_the_references_are_never_taken_for_answers(tmp_path: Path):
    """Also where no folder `exercises` says which of the two is meant."""
    for place, files in {"anna": {FIRST: b"mine", "solutions/" + SECOND: b"reference"},
                         "ben": {"solutions/" + FIRST: b"reference"}}.items():  # fmt: skip
        folder(tmp_path, place, **files)
        zipped(tmp_path, f"{place} packed.zip", files)
    found = read(tmp_path)
    assert found["anna"].answers == found["anna packed"].answers == {"1.01": b"mine"}
    assert all("none of the files" in found[name].problem for name in ("ben", "ben packed"))


def test_a_folder_with_one_zip_in_it_is_that_zip(tmp_path: Path):
    (tmp_path / "Anna_12345_assignsubmission_file").mkdir()
    zipped(tmp_path / "Anna_12345_assignsubmission_file", "mine.zip", {FIRST: b"one"})
    assert read(tmp_path)["Anna_12345_assignsubmission_file"].answers == {"1.01": b"one"}


def test_links_and_special_files_are_not_followed(tmp_path: Path):
    secret = tmp_path / "secret.txt"
    secret.write_text("grades", encoding="utf-8")
    place = tmp_path / "class"
    eve = folder(place, "eve", **{SECOND: b"two"})
    (eve / FIRST).symlink_to(secret)
    (place / "linked").symlink_to(eve)
    mallory = place / "mallory"
    mallory.mkdir()
    (mallory / "module01").symlink_to(eve / "module01")
    pipe = folder(place, "pipe", **{SECOND: b"two"})
    os.mkfifo(pipe / FIRST)
    (place / "zoe").mkdir()
    (place / "zoe" / "mine.zip").symlink_to(zipped(tmp_path, "neighbor.zip", {FIRST: b"one"}))
    found = read(place)
    assert not found["zoe"].answers and "none of the files" in found["zoe"].problem
    assert found["eve"].answers == {"1.02": b"two"} and "link" in found["eve"].refused["1.01"]
    assert "link" in found["linked"].problem and found["mallory"].problem == "module01 is a link, which is not followed"
    assert found["pipe"].answers == {"1.02": b"two"} and "regular file" in found["pipe"].refused["1.01"]


def test_a_file_that_is_too_large_is_refused_alone(tmp_path: Path):
    folder(tmp_path, "anna", **{FIRST: b"#" * 1_000_001, SECOND: b"two"})
    zipped(tmp_path, "ben.zip", {FIRST: b"#" * 1_000_001, SECOND: b"two"})
    for one in read(tmp_path).values():
        assert one.answers == {"1.02": b"two"} and "larger than 1 MB" in one.refused["1.01"]


BAD_PATHS = ["../" + FIRST, "/etc/" + FIRST, "C:/" + FIRST, "a\\..\\" + FIRST, "module01/../../" + FIRST]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_zip_with_a_path_that_leads_out_is_refused(tmp_path: Path, path: str):
    zipped(tmp_path, "eve.zip", {FIRST: b"one", path: b"x"})
    zipped(tmp_path, "anna.zip", {FIRST: b"one"})
    found = read(tmp_path)
    assert "leads out" in found["eve"].problem and found["anna"].answers == {"1.01": b"one"}


def test_a_link_in_a_zip_is_refused(tmp_path: Path):
    link = zipfile.ZipInfo(FIRST)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    zipped(tmp_path, "eve.zip", {link: b"/etc/passwd", SECOND: b"two"})
    one = read(tmp_path)["eve"]
    assert one.answers == {"1.02": b"two"} and "link" in one.refused["1.01"]


def test_a_bomb_is_read_no_further_than_the_limit(tmp_path: Path):
    """The size in the zip's directory is a lie, so what counts is what comes out."""
    path = zipped(tmp_path, "eve.zip", {FIRST: bytes(30_000_000), SECOND: b"two"})
    assert path.stat().st_size < 100_000
    one = read(tmp_path)["eve"]
    assert one.answers == {"1.02": b"two"} and "larger than 1 MB" in one.refused["1.01"]


def test_a_zip_that_is_too_large_is_not_opened(tmp_path: Path):
    """A whole zip with one wanted file, behind a hole: only its size is against it."""
    path = zipped(tmp_path, "large.zip", {FIRST: b"one"})
    content = path.read_bytes()
    for name, size in (("large.zip", zips.BYTES + 1), ("small.zip", zips.BYTES)):
        with (tmp_path / name).open("wb") as file:
            file.seek(size - len(content))
            file.write(content)
    found = read(tmp_path)
    assert found["large"].problem == "the zip is larger than 50 MB" and not found["large"].answers
    assert found["small"].answers == {"1.01": b"one"}


def test_the_files_of_a_zip_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    zipped(tmp_path, "eve.zip", {FIRST: bytes(900_000), SECOND: bytes(900_000)})
    monkeypatch.setattr(zips, "BYTES", 1_500_000)
    assert read(tmp_path)["eve"].problem == "its files are larger than 1.5 MB together"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_whatever_a_decompressor_says_of_a_damaged_member_is_a_reason(tmp_path: Path, method: int):
    """Each has errors of its own; cut and overwritten at many places, none of them ends the run."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        archive.writestr(FIRST, os.urandom(400) + bytes(4000))
    content = whole.getvalue()
    for place in range(60, len(content) - 120, 7):
        path = tmp_path / "eve.zip"
        path.write_bytes(content[:place] + b"\xff\x00\xff" + content[place + 3 :])
        one = submissions.read_one(path, EXERCISES)
        assert one.problem or one.refused or one.answers, place
        assert "None" not in one.problem + one.detail + "".join(one.refused.values())


def test_an_error_that_nobody_foresaw_costs_one_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fails(*words: object) -> None:
        raise LookupError("of eve's")

    folder(tmp_path, "anna", **{FIRST: b"one"})
    zipped(tmp_path, "eve.zip", {FIRST: b"one"})
    monkeypatch.setattr(zips, "read", fails)
    anna, eve = read(tmp_path).values()
    assert anna.answers and (eve.problem, eve.detail) == ("it can't be read (LookupError)", "of eve's")


def test_a_zip_with_too_many_entries_a_damaged_one_and_an_encrypted_one_are_refused(tmp_path: Path):
    zipped(tmp_path, "many.zip", {f"x/{n}": b"" for n in range(zips.ENTRIES + 1)})
    (tmp_path / "damaged.zip").write_bytes(b"PK\x03\x04 and no more")
    path = zipped(tmp_path, "encrypted.zip", {FIRST: b"one"})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # The flag of the member, and the same in the directory.
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(content))
    (tmp_path / "notes.rar").write_bytes(b"Rar!")
    found = read(tmp_path)
    assert "10,000 entries" in found["many"].problem and "damaged" in found["damaged"].problem
    assert "encrypted" in found["encrypted"].refused["1.01"] and "neither" in found["notes.rar"].problem


@pytest.mark.parametrize("pair", [("Anna", "anna"), ("Zo\u00eb", "Zoe\u0308")])
def test_of_two_with_one_name_neither_is_graded(tmp_path: Path, pair: tuple[str, str]):
    for name in pair:
        folder(tmp_path, name, **{FIRST: b"one"})
    folder(tmp_path, "ben", **{FIRST: b"one"})
    found = submissions.read_all(tmp_path, EXERCISES, tmp_path)
    assert len(found) == 2 and [one.name for one in found if one.answers] == ["ben"]
    (twins,) = (one for one in found if one.problem)
    assert all(repr(name) in twins.detail and name not in twins.problem for name in pair)


def test_an_empty_place_and_none_are_said(tmp_path: Path):
    with pytest.raises(CourseError, match="no submissions"):
        read(tmp_path)
    with pytest.raises(CourseError, match="a folder with a folder or a zip"):
        submissions.read_all(tmp_path / "nowhere", EXERCISES, tmp_path)


# When it was handed in

EXPORT = """---
submission_100:
  :submitters:
  - :name: Ann Lee
    :sid: '7'
    :email: ann@example.org
  :created_at: 2026-11-30 23:58:59.123456000 Z
  :score: 1.0
  :history: []
submission_200:
  :submitters: []
  :created_at: 2026-12-01 00:00:01.000000000 Z
"""


def test_gradescope_says_when_an_export_was_handed_in_and_not_the_files_dates(tmp_path: Path):
    for name in ("submission_100", "submission_200", "submission_300"):
        os.utime(folder(tmp_path, name, **{FIRST: b"one"}) / FIRST, (1.8e9, 1.8e9))  # In 2027: the download's.
    (tmp_path / "submission_metadata.yml").write_text(EXPORT, encoding="utf-8")
    times = {name: one.handed_in.isoformat() for name, one in read(tmp_path).items()}
    assert times == {
        "submission_100": "2026-11-30T23:58:59.123456+00:00",
        "submission_200": "2026-12-01T00:00:01+00:00",
        "submission_300": "2027-01-15T08:00:00+00:00",
    }


def test_gradescope_says_when_the_submission_of_its_autograder_was_handed_in(tmp_path: Path):
    submission = folder(tmp_path, "submission", **{FIRST: b"one"})
    own = submissions.read_single(submission, EXERCISES).handed_in
    metadata = {"created_at": "2018-07-01T14:22:32.365935-07:00", "assignment": {"due_date": None}}
    (tmp_path / "submission_metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    told = submissions.read_single(submission, EXERCISES).handed_in
    assert own.year > 2018 and told.isoformat() == "2018-07-01T14:22:32.365935-07:00"


@pytest.mark.parametrize("text", ["submission_1: [", "a: b: c"])
def test_times_that_cannot_be_read_are_one_line(tmp_path: Path, text: str):
    folder(tmp_path, "submission_1", **{FIRST: b"one"})
    (tmp_path / "submission_metadata.yml").write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match="says when things were handed in") as raised:
        read(tmp_path)
    assert "\n" not in str(raised.value)


# Repositories


def git(place: Path, *words: str, stdin: str | None = None) -> str:
    name = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *name, *words], cwd=place, input=stdin, check=True, capture_output=True, text=True
    ).stdout


def repository(place: Path, **files: bytes) -> Path:
    folder(place.parent, place.name, **files)
    git(place, "init", "-q")
    git(place, "add", "-A")
    git(place, "commit", "-qm", "mine")
    return place


def test_repositories_are_read_out_of_a_commit(tmp_path: Path):
    anna = repository(tmp_path / "anna", **{"exercises/" + FIRST: b"old"})
    git(anna, "tag", "handed-in")
    (anna / "exercises" / FIRST).write_bytes(b"new")
    git(anna, "commit", "-qam", "later")
    eve = tmp_path / "eve"
    (eve / "module01").mkdir(parents=True)
    (eve / FIRST).symlink_to("/etc/passwd")
    repository(eve, **{SECOND: b"two"})
    (tmp_path / "repos.csv").write_text(
        "name,address,ref\nanna,anna,handed-in\nlate anna,anna,\neve,eve,\nnobody,nowhere,\n"
        "ext,ext::sh -c touch% here,\noption,--upload-pack=x,\n",
        encoding="utf-8",
    )
    found = submissions.read_all(tmp_path / "repos.csv", EXERCISES, tmp_path / "kept")
    by_name = {one.name: one for one in found}
    assert by_name["anna"].answers == {"1.01": b"old"} and by_name["late anna"].answers == {"1.01": b"new"}
    assert by_name["anna"].handed_in is not None
    assert by_name["eve"].answers == {"1.02": b"two"} and "link" in by_name["eve"].refused["1.01"]
    for name in ("nobody", "ext", "option"):
        assert by_name[name].problem and not by_name[name].answers
    assert not any(path.suffix == ".py" for path in (tmp_path / "kept").rglob("*"))


def test_an_annotated_tag_is_a_ref_and_a_time_that_no_calendar_has_is_none(tmp_path: Path):
    anna = repository(tmp_path / "anna", **{FIRST: b"one"})
    git(anna, "tag", "-a", "v1", "-m", "handed in")
    late = folder(tmp_path, "late", **{FIRST: b"two"})
    git(late, "init", "-q")
    git(late, "add", "-A")
    commit = (
        f"tree {git(late, 'write-tree').strip()}\nauthor t <t> 1 +0000\ncommitter t <t> 999999999999 +0000\n\nmine\n"
    )
    git(late, "update-ref", "HEAD", git(late, "hash-object", "-t", "commit", "-w", "--stdin", stdin=commit).strip())
    lines = [
        "name,address,ref",
        "anna,anna,v1",
        "full,anna,refs/tags/v1",
        "late,late,",
        'nul,"a\0b",',
        f"long,{'x' * 5000},",
    ]
    (tmp_path / "repos.csv").write_text("\n".join(lines), encoding="utf-8")
    found = {one.name: one for one in submissions.read_all(tmp_path / "repos.csv", EXERCISES, tmp_path / "kept")}
    assert found["anna"].answers == found["full"].answers == {"1.01": b"one"} and found["anna"].handed_in
    assert found["late"].answers == {"1.01": b"two"} and found["late"].handed_in is None
    assert found["nul"].problem and found["long"].problem


def listing(place: Path, *addresses: str) -> dict[str, Submission]:
    lines = [f"s{n},{address}" for n, address in enumerate(addresses)]
    (place / "repos.csv").write_text("\n".join(["name,address", *lines]), encoding="utf-8")
    found = submissions.read_all(place / "repos.csv", EXERCISES, place / "kept")
    assert all("\n" not in one.problem for one in found)
    return {one.name: one for one in found}


def test_a_repository_that_is_too_large_is_refused_alone_and_not_kept(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(git_, "FETCHED", 1_000_000)
    repository(tmp_path / "large", **{FIRST: b"one", "model.bin": os.urandom(2_000_000)})
    repository(tmp_path / "small", **{FIRST: b"one"})
    found = listing(tmp_path, "large", "small")
    assert found["s0"].problem == "the repository is larger than 1 MB"
    assert found["s1"].answers == {"1.01": b"one"} and len(list((tmp_path / "kept").iterdir())) == 1


def test_a_tree_that_lists_itself_over_and_over_is_refused(tmp_path: Path, monkeypatch):
    """Four objects, and 10,000 paths in them: with ten levels it would be ten thousand million."""
    monkeypatch.setattr(git_, "SAID", 100_000)
    place = repository(tmp_path / "bomb", **{FIRST: b"one"})
    tree = git(place, "rev-parse", "HEAD:module01").strip()
    for _ in range(4):
        lines = "".join(f"040000 tree {tree}\tmodule{n:02d}\n" for n in range(10))
        tree = git(place, "mktree", stdin=lines).strip()
    git(place, "reset", "-q", "--soft", git(place, "commit-tree", "-m", "bomb", tree).strip())
    assert "git lists more than 0.1 MB" in listing(tmp_path, "bomb")["s0"].problem


def test_a_server_that_never_answers_is_given_up(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(git_, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = listing(tmp_path, f"git://127.0.0.1:{silent.getsockname()[1]}/x")
    assert found["s0"].problem == "git did not finish in 0.5 s"


def test_several_are_fetched_at_a_time_and_each_address_once(tmp_path: Path):
    """Six rows with three addresses of a server that hangs up when it has three at the same time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(100)

        def serve() -> None:
            for one in [server.accept()[0] for _ in range(3)]:
                one.close()

        serving = threading.Thread(target=serve)
        serving.start()
        found = listing(tmp_path, *(f"git://127.0.0.1:{server.getsockname()[1]}/{n % 3}" for n in range(6)))
        serving.join()
    assert len(found) == 6 and all(one.problem.startswith("git can't read it") for one in found.values())


def test_a_repository_that_asks_for_a_password_is_refused_and_asks_nobody(tmp_path: Path, monkeypatch):
    asked = tmp_path / "asked"
    script = tmp_path / "ask"
    script.write_text(f"#!/bin/sh\ntouch {asked}\necho secret\n", encoding="utf-8")
    script.chmod(0o755)
    for name in ("GIT_ASKPASS", "SSH_ASKPASS"):
        monkeypatch.setenv(name, str(script))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Locked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = listing(tmp_path, f"http://127.0.0.1:{server.server_address[1]}/private.git")
        server.shutdown()
    assert found["s0"].problem == "git can't read it" and not asked.exists(), "an address may hold a name"
    assert found["s0"].detail.startswith("fatal: Authentication failed")


class Locked(http.server.BaseHTTPRequestHandler):
    """Wants a password for everything."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="private"')
        self.end_headers()

    def log_message(self, *args) -> None:
        pass


def test_no_hook_of_the_user_runs(tmp_path: Path, monkeypatch):
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    ran = tmp_path / "ran"
    for name in ("reference-transaction", "post-checkout", "post-merge"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n", encoding="utf-8")
        (hooks / name).chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(f"[core]\nhooksPath = {hooks}\n[init]\ntemplateDir = {hooks.parent}\n", encoding="utf-8")
    repository(tmp_path / "anna", **{FIRST: b"one"})
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert listing(tmp_path, "anna")["s0"].answers == {"1.01": b"one"} and not ran.exists()


def test_a_list_without_the_columns_is_said(tmp_path: Path):
    (tmp_path / "repos.csv").write_text("student;url\n", encoding="utf-8")
    with pytest.raises(CourseError, match="name,address,ref"):
        submissions.read_all(tmp_path / "repos.csv", EXERCISES, tmp_path)
