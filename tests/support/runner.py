"""GitHub's runner as far as the workflows need it: the commands of each step, in the step's shell and environment.

A program that lies outside is a stand-in that notes what it was asked; Python and the files are real. What this runner
doesn't know, such as another expression, action or key, fails the test, and is to be added here.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

VALUES = {
    "github.event.repository.name": "tunelings",
    "github.repository": "somebody/tunelings",
    "github.repository_owner": "somebody",
    "github.run_id": "77",
    "github.server_url": "https://github.com",
    "github.token": "a-token",
}
# Whether a step runs, by what stands in its `if`: given whether one before it has failed, and the event.
CONDITIONS = {
    "": lambda failed, event: not failed,
    "!cancelled()": lambda failed, event: True,
    "failure() && github.event_name == 'schedule'": lambda failed, event: failed and event == "schedule",
}
SHELLS = {None: ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}
DO_NOTHING = {"actions/setup-python", "astral-sh/setup-uv", "actions/deploy-pages"}
KNOWN_IN_A_STEP = {"id", "name", "if", "env", "run", "uses", "with"}
OUTSIDE = ("uv", "uvx", "gh", "git", "sudo", "pip", "chromium", "bwrap")
STAND_IN = """#!/bin/sh
line="${0##*/} $*"
{ printf '%s\\037' "${0##*/}" "$@"; echo; } >> "$ASKED"
[ "$line" != "$FAILS" ] || exit 5
case "$line" in
CASES
esac
"""


@dataclass(frozen=True)
class Asked:
    """One call of a stand-in."""

    job: str  # its name, and which row of its matrix
    step: dict
    words: list[str]
    environment: dict[str, str]  # what the workflow, the job and the step set

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass
class Runner:
    """One run of a workflow."""

    folder: Path  # for all that it writes
    checkout: Path  # what actions/checkout brings
    ref: str = "main"
    event: str = "push"
    fails: str = ""  # the command that fails
    does: dict[str, str] = field(default_factory=dict)  # what a stand-in does, by how its command begins
    outside: tuple[str, ...] = OUTSIDE  # the programs with a stand-in
    broken: tuple[str, ...] = ()  # jobs in other workflows that fail
    asked: list[Asked] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)  # the `run` of each step that was started
    failed: set[str] = field(default_factory=set)  # jobs
    said: str = ""  # on standard error

    def run(self, workflow: dict) -> Runner:
        """Every job, once with each row of its matrix; one that needs a job that has failed is left out."""
        self._write_stand_ins()
        for name, job in workflow["jobs"].items():
            assert "if" not in job
            if name in self.broken or self.failed & set(needed_by(job)):
                self.failed.add(name)
            elif "uses" not in job:
                for at, row in enumerate(rows(job)):
                    if not self._job(
                        f"{name}-{at}", {**job, "env": {**workflow.get("env", {}), **job.get("env", {})}}, row
                    ):
                        self.failed.add(name)
        return self

    def _job(self, label: str, job: dict, row: dict) -> bool:
        """Run the steps of a job; returns whether none has failed."""
        workspace = self.folder / label
        workspace.mkdir()
        shell = SHELLS[job.get("defaults", {}).get("run", {}).get("shell")]
        failed = False
        for step in job["steps"]:
            assert step.keys() <= KNOWN_IN_A_STEP, step
            condition = step.get("if", "").removeprefix("${{ ").removesuffix(" }}")
            if not CONDITIONS[condition](failed, self.event):
                continue
            if "uses" in step:
                self._act(step["uses"].partition("@")[0], step.get("with", {}), workspace)
            else:
                given = {name: fill(value, row) for name, value in {**job["env"], **step.get("env", {})}.items()}
                failed |= self._step(label, step, [*shell, self._script(step, row)], given) != 0
        return not failed

    def _script(self, step: dict, row: dict) -> str:
        (self.folder / "step.sh").write_text(fill(step["run"], row), encoding="utf-8")
        return str(self.folder / "step.sh")

    def _step(self, label: str, step: dict, command: list[str], given: dict[str, str]) -> int:
        asked = self.folder / "asked"
        asked.write_text("", encoding="utf-8")
        # Neither the programs of this machine nor its settings of git.
        outside = {"PATH": f"{self.folder / 'programs'}:/usr/bin:/bin", "HOME": str(self.folder), "CI": "true"}
        ours = {"GITHUB_REF_NAME": self.ref, "ASKED": str(asked), "FAILS": self.fails}
        environment = {**outside, **ours, **given}
        done = subprocess.run(command, cwd=self.folder / label, env=environment, capture_output=True, text=True)
        self.said += done.stderr
        self.ran.append(step["run"])
        for line in asked.read_text(encoding="utf-8").splitlines():
            self.asked.append(Asked(label, step, line.split("\037")[:-1], given))
        return done.returncode

    def _write_stand_ins(self) -> None:
        programs = self.folder / "programs"
        programs.mkdir(parents=True)
        cases = "\n".join(f'"{start}"*) {script} ;;' for start, script in self.does.items())
        for name in self.outside:
            (programs / name).write_text(STAND_IN.replace("CASES", cases), encoding="utf-8")
            (programs / name).chmod(0o755)
        (programs / "python3").symlink_to(sys.executable)

    def _act(self, action: str, given: dict, workspace: Path) -> None:
        kept = self.folder / "artifacts" / given.get("name", "")
        if action == "actions/checkout":
            shutil.copytree(self.checkout, workspace, dirs_exist_ok=True)
        elif action == "actions/upload-artifact":
            for name in given["path"].split():
                copy(workspace / name, kept / name)
        elif action == "actions/download-artifact":
            shutil.copytree(kept, workspace, dirs_exist_ok=True)
        elif action == "actions/upload-pages-artifact":
            assert (workspace / given["path"]).is_dir(), f"there is no {given['path']} to publish"
        else:
            assert action in DO_NOTHING, action


def needed_by(job: dict) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else needs


def copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(path, to) if path.is_dir() else shutil.copy(path, to)


def rows(job: dict) -> Iterator[dict]:
    """The rows of a job's matrix; an empty one, where it has none."""
    matrix = job.get("strategy", {}).get("matrix", {})
    if "include" in matrix:
        yield from matrix["include"]
    else:
        yield from (dict(zip(matrix, values, strict=True)) for values in itertools.product(*matrix.values()))


def fill(text: str, row: dict) -> str:
    """A text with its expressions filled in; KeyError names one that isn't known."""
    known = {**VALUES, **{f"matrix.{name}": value for name, value in row.items()}}
    return re.sub(r"\$\{\{ *(.*?) *\}\}", lambda found: known[found[1]], text)
