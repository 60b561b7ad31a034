"""What leaves a project: a push to the hub, only listed in a dry run, and a GGUF file by another's converter."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import huggingface_hub
import pytest
from typer.testing import CliRunner

from tests.support.projects import tunelings
from tests.support.systems import POSIX
from tunelings.commands.project import app
from tunelings.course import CourseError
from tunelings.project import config as settings
from tunelings.project import export, push
from tunelings.project import steps as running
from tunelings.project.errors import ProjectError
from tunelings.project.folder import Folder

FILES = ("README.md", "config.json", "model.safetensors")


@pytest.fixture
def exported(tmp_path: Path) -> Folder:
    """A project whose steps are done, as far as their results say."""
    folder = Folder(tmp_path / "colors")
    folder.path.mkdir()
    (folder.path / "data.jsonl").write_text("", encoding="utf-8")
    config = settings.Config.model_validate(
        {"model": "tiny", "data": {"path": "data.jsonl", "kind": "chat"}, "train": {"technique": "full"},
         "compare": {"metric": "exact_match"}}
    )  # fmt: skip
    settings.save(folder, config, {})
    for step, key in running.keys(folder, settings.load(folder)).items():
        work = folder.begin(step, key)
        if step == "export":
            (work / export.MERGED).mkdir()
            for name in FILES:
                (work / export.MERGED / name).write_text("{}", encoding="utf-8")
        folder.finish(step, {"key": key, "parts": {}})
    folder.report.mkdir()
    (folder.report / "report.html").touch()
    return folder


class Hub:
    """Stands for HfApi, and keeps what it was asked."""

    asked: list[tuple[str, dict]] = []

    def create_repo(self, repo: str, **options) -> None:
        self.asked.append((repo, options))

    def upload_folder(self, repo_id: str, folder_path: Path) -> None:
        self.asked.append((repo_id, {"files": sorted(path.name for path in folder_path.iterdir())}))


@pytest.fixture
def hub(monkeypatch) -> list[tuple[str, dict]]:
    monkeypatch.setattr(Hub, "asked", [])
    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    return Hub.asked


def test_a_dry_run_lists_the_files_and_uploads_nothing(exported, hub):
    done = CliRunner().invoke(app, ["run", str(exported.path), "--push", "me/colors", "--dry-run"])
    assert done.exit_code == 0, done.output
    assert [line for line in done.output.splitlines() if "push" in line] == [
        f"would push merged/{name}" for name in FILES
    ]
    assert hub == []


def test_a_push_makes_a_private_repository_of_the_merged_model(exported, hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "a token")
    done = CliRunner().invoke(app, ["run", str(exported.path), "--push", "me/colors"])
    assert done.exit_code == 0, done.output
    assert hub == [("me/colors", {"exist_ok": True, "private": True}), ("me/colors", {"files": list(FILES)})]
    assert "pushed merged/model.safetensors" in done.output


@pytest.mark.parametrize(
    ("repo", "token", "line"),
    [
        ("me/colors", "", "--push me/colors: you aren't logged in to the Hub; `hf auth login` does it."),
        ("me/col ors", "a-token", "--push me/col ors: Repo id must use alphanumeric chars"),
        ("me/colors", "a-token", "me/colors can't be pushed: "),
    ],
    ids=["no login", "no name", "no network"],
)
def test_a_push_that_cannot_be_is_one_line_and_exit_code_2(exported, tmp_path, repo, token, line):
    """The hub's address leads nowhere here, so the last case has a login and no network."""
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": token}
    done = tunelings("project", "run", str(exported.path), "--push", repo, **nowhere)
    assert done.returncode == 2 and done.stderr.startswith(line) and done.stderr.count("\n") == 1


def test_a_push_before_the_export_and_a_dry_run_of_nothing_are_one_line(exported, tmp_path):
    with pytest.raises(ProjectError, match="new is not exported yet: `tunelings project run new` does it."):
        push.push(Folder(tmp_path / "new"), "me/new", is_dry=True)
    done = CliRunner().invoke(app, ["run", str(exported.path), "--dry-run"])
    assert isinstance(done.exception, CourseError) and str(done.exception) == "--dry-run goes with --push REPO."


# ---------------------------------------------------------------- GGUF
def converter(folder: Path, body: str) -> None:
    """A stand-in for llama.cpp's converter, first on the path."""
    path = folder / "convert_hf_to_gguf.py"
    path.write_text(f"#!{sys.executable}\nimport json, sys\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


@POSIX
def test_a_converter_on_the_path_is_called_with_the_merged_model(exported, tmp_path, monkeypatch):
    converter(tmp_path, "open(sys.argv[3], 'w').write(json.dumps(sys.argv[1:]))")
    monkeypatch.setenv("PATH", str(tmp_path))
    merged, work = exported.done("export") / export.MERGED, tmp_path / "work"
    work.mkdir()
    left: list[str] = []
    assert export.gguf(merged, work, left) == ["model.gguf"] and left == []
    assert json.loads((work / "model.gguf").read_text()) == [str(merged), "--outfile", str(work / "model.gguf")]


@POSIX
def test_a_converter_that_fails_is_named_with_its_last_line(exported, tmp_path, monkeypatch):
    converter(tmp_path, "sys.exit('Loading\\nModel Llama is not supported')")
    monkeypatch.setenv("PATH", str(tmp_path))
    left: list[str] = []
    assert export.gguf(exported.done("export") / export.MERGED, tmp_path, left) == []
    assert left == [f"GGUF: {tmp_path / 'convert_hf_to_gguf.py'} failed: Model Llama is not supported"]


def test_without_a_converter_nothing_is_made_and_it_is_said(exported, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    left: list[str] = []
    assert export.gguf(exported.done("export") / export.MERGED, tmp_path, left) == []
    assert left[0].startswith("GGUF: no converter is installed (convert_hf_to_gguf.py of llama.cpp)")
