"""`tunelings dev branch`: the branch `solutions`, the course as it is with every exercise solved and every box ticked.

It is made in a git worktree of its own, from the commit that is checked out; the working tree is only read. The ticks
are those of the checks, which run there on the references. The same commit gives the same branch, to the hash: the
commit takes its author and its dates from the one that it is made from.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tunelings.course import Course, CourseError
from tunelings.grading import stubs
from tunelings.grading.states import ExerciseState
from tunelings.grading.store import Progress
from tunelings.writing import write_atomically

NAME = "solutions"
FOLDER = "tunelings-branch-"  # and the process that works in it
SUBJECT = "Every exercise solved, of "  # and the commit; what begins so may be replaced
# Who made the commit that the branch is made from, and when, in the variables that `git commit-tree` reads.
IDENTITY = {
    "GIT_AUTHOR_NAME": "%an",
    "GIT_AUTHOR_EMAIL": "%ae",
    "GIT_AUTHOR_DATE": "%aI",
    "GIT_COMMITTER_NAME": "%an",
    "GIT_COMMITTER_EMAIL": "%ae",
    "GIT_COMMITTER_DATE": "%cI",
}


def build(root: Path, name: str = NAME) -> str:
    """Make the branch, or make it anew; returns its commit.

    Raises:
        CourseError: `root` is no clone, holds what is not committed, has a branch of this name that was not made here
            or is checked out, or a reference fails one of its checks.
    """
    head = _head(root)
    if changed := git(root, "status", "--porcelain").splitlines():
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise CourseError(
            f"Not committed: {changed[0][3:]}{more}. The branch is made from a commit: commit or stash first."
        )
    _stop_if_not_ours(root, name)
    with _worktree(root, head) as folder:
        course = Course(folder)
        solve(course)
        tick(course)
        tree = _tree(folder)
    commit = _commit(root, head, tree)
    git(root, "branch", "--force", "--no-track", name, commit)
    return commit


def solve(course: Course) -> None:
    """Write each reference, without the marks of its regions, to where its answer belongs."""
    for exercise in course.exercises:
        text = stubs.uncut(exercise.solution_path.read_text(encoding="utf-8"))
        write_atomically(exercise.answer_path, text)


def tick(course: Course) -> None:
    """Run the checks on the answers, so that the status is written; CourseError if one does not pass."""
    command = [sys.executable, "-m", "pytest", "checks", "-q", "-p", "no:cacheprovider"]
    # `-m` puts the working folder first, so the grader that runs is that of the worktree.
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, encoding="utf-8", errors="replace")
    states = Progress(course).states()
    wrong = [number for number, state in states.items() if state != ExerciseState.PASSED]
    if wrong or done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-1:]
        which = f"Not every check passes on the solution of {', '.join(wrong)}" if wrong else "The checks do not run"
        raise CourseError(f"{which}, so no branch was made ({' '.join(said)}).")


def _head(root: Path) -> str:
    try:
        return git(root, "rev-parse", "--verify", "HEAD")
    except CourseError:
        raise CourseError(f"{root} isn't a clone with a commit to make a branch from.") from None


def _stop_if_not_ours(root: Path, name: str) -> None:
    if git(root, "for-each-ref", f"refs/heads/{name}"):
        if not git(root, "log", "-1", "--format=%s", f"refs/heads/{name}", "--").startswith(SUBJECT):
            raise CourseError(f"The branch {name!r} holds other work and wasn't changed: --name takes another name.")
        if git(root, "for-each-ref", "--format=%(worktreepath)", f"refs/heads/{name}"):
            raise CourseError(f"The branch {name!r} is checked out: switch to another one first.")
    else:
        git(root, "check-ref-format", "--branch", name)


@contextlib.contextmanager
def _worktree(root: Path, commit: str) -> Iterator[Path]:
    _sweep(root)
    with tempfile.TemporaryDirectory(prefix=f"{FOLDER}{os.getpid()}-") as parent:
        folder = Path(parent).resolve() / "course"
        try:
            git(root, "worktree", "add", "--quiet", "--detach", str(folder), commit)
            yield folder
        finally:
            with contextlib.suppress(CourseError):
                git(root, "worktree", "remove", "--force", str(folder))


def _sweep(root: Path) -> None:
    """Remove the worktrees of earlier calls that were killed; one that still runs, in another terminal, has its own."""
    import psutil

    for line in git(root, "worktree", "list", "--porcelain").splitlines():
        word, _, place = line.partition(" ")
        parent = Path(place).parent
        if word != "worktree" or not parent.name.startswith(FOLDER):
            continue
        process = parent.name.removeprefix(FOLDER).partition("-")[0]
        if not process.isdigit() or not psutil.pid_exists(int(process)):
            git(root, "worktree", "remove", "--force", "--force", place)  # Twice: one that was killed as it was made.
            shutil.rmtree(parent, ignore_errors=True)


def _tree(folder: Path) -> str:
    """The answers and the status are committed; the status by force, since git ignores it everywhere else."""
    git(folder, "add", "exercises")
    git(folder, "add", "--force", "STATUS.md", ".tunelings/progress.json")
    return git(folder, "write-tree")


def _commit(root: Path, head: str, tree: str) -> str:
    values = git(root, "log", "-1", f"--format={'%n'.join(IDENTITY.values())}", head).splitlines()
    message = (
        f"{SUBJECT}{head}\n\nMade by `tunelings dev branch`; it's rebuilt each time, and nothing added here is kept."
    )
    return git(root, "commit-tree", tree, "-p", head, "-m", message, **dict(zip(IDENTITY, values, strict=True)))


def git(folder: Path, *args: str, **variables: str) -> str:
    """What git prints, without the last line's end; CourseError with what it says where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *args],
            env={**os.environ, "LC_ALL": "C", **variables},
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError:
        raise CourseError("git is not installed.") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise CourseError(f"git {args[0]}: {said[-1]}")
    return done.stdout.rstrip("\n")
