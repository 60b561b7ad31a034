"""`tunelings init` and `update`, and what `tunelings` alone does where there is no course: lay one out, and begin."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tunelings import __version__
from tunelings.course import UNFINISHED, Course, CourseError, find_root, is_laid_out, laid_out_root, shown_path

FOLDER = "tunelings-course"
Folder = Annotated[Path | None, typer.Argument(metavar="DIR", help="the course's folder", show_default=False)]
Cuda = Annotated[
    bool | None,
    typer.Option("--cuda/--cpu", help="PyTorch with CUDA, or for the CPU only; default: whichever suits this machine"),
]
FilesOnly = Annotated[bool, typer.Option("--files-only", help="install nothing")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]


def init(folder: Folder = None, cuda: Cuda = None, files_only: FilesOnly = False, yes: Yes = False) -> None:
    """Set up the course in a folder, install what it needs there, and start."""
    root = set_up(folder or _choose(yes), cuda, files_only, yes)
    there = "" if root == Path.cwd() else f"cd {shown_path(root)}, then "
    if files_only:
        typer.echo(f"Next: {there}tunelings init, which installs the libraries.")
    elif _is_terminal():
        _begin_in(root)
    else:
        typer.echo(f"Next: {there}tunelings.")


def begin() -> None:
    """`tunelings` without a command: the first exercise that is not done, in a course that is made if there is none."""
    root: Path | None
    try:
        root = find_root()
    except CourseError:
        root = laid_out_root()
    if root is None or is_laid_out(root):
        from tunelings.setup import install

        if root is None or (root / UNFINISHED).exists() or not install.is_installed(root):
            root = set_up(root or _choose(), None, False, False)
    _begin_in(root)


def update(folder: Folder = None, files_only: FilesOnly = False) -> None:
    """Bring newer exercises, checks and lessons into a course folder; your answers stay as they are."""
    from tunelings.setup import install, layout, venv

    root = laid_out_root(folder)
    if root is None:
        place = shown_path(Path(folder or Path.cwd()))
        raise CourseError(f"{place} isn't a folder made by `tunelings init`: update a clone with `git pull`.")
    if not files_only and venv.command(root).exists():
        os.chdir(root)
        as_new = layout.is_newer(root) or (install.is_from_index() and not layout.is_older(root))
        if as_new and not venv.is_running(root):  # uvx keeps using the release that it has once downloaded.
            venv.hand_over(root, ["update"])  # The one in the folder asks the index for the newest.
        install.upgrade(root, typer.echo)
        venv.hand_over(root, ["update", "--files-only", "."])
    before = layout.version_of(root)
    outcome = _laid_out_with_a_bar(root)
    since = f", before that {before}" if before not in ("", __version__) else ""
    typer.echo(f"The files in {shown_path(root)} are those of version {__version__}{since}.")
    for part, count in layout.changes(outcome).items():
        typer.echo(f"  {count} new or newer in {part}")
    if outcome.removed:
        typer.echo(f"  {len(outcome.removed)} that the course no longer has were removed")
    for name, kept in outcome.kept.items():
        typer.echo(f"  {name} had changes of yours, which are kept as {kept}")
    for name, stub in outcome.stubs.items():
        typer.echo(f"  {name} is your answer and was kept; its newer stub is {stub}")


def set_up(folder: Path, cuda: bool | None, files_only: bool, yes: bool) -> Path:
    """Lay the course out in `folder`, or go on where that was interrupted, and install the libraries; returns the root.

    Raises:
        CourseError: the folder holds something else, or the disk or the network fails; the same command then goes on.
    """
    from tunelings.setup import layout

    root = folder.expanduser().absolute()
    _refuse_what_is_not_ours(root)
    if not layout.is_whole(root):
        outcome = _laid_out_with_a_bar(root)
        typer.echo(f"The course is in {shown_path(root)}: {len(Course(root).exercises)} exercises.")
        for name, kept in outcome.kept.items():
            typer.echo(f"  {name} was already there and is kept as {kept}")
    elif layout.version_of(root) != __version__:
        typer.echo(
            f"{shown_path(root)} holds {layout.version_of(root)}, this is {__version__}: see `tunelings update`."
        )
    if not files_only:
        _install(root, cuda, yes)
    return root


def _refuse_what_is_not_ours(root: Path) -> None:
    if is_laid_out(root) or not root.exists():
        return
    here = shown_path(root)
    if not root.is_dir():
        raise CourseError(f"{here} is a file: give a folder that is new or empty.")
    if all((root / tree).is_dir() for tree in ("exercises", "solutions", "checks")):
        from tunelings.grading import environment

        raise CourseError(f"{here} is a clone of the course. To install what it needs, {environment.IN_A_CLONE}.")
    if any(not path.name.startswith(".") for path in root.iterdir()):  # A .venv or a .git may be there.
        raise CourseError(f"{here} is not empty: give a folder that is new, such as {shown_path(root / FOLDER)}.")


def _install(root: Path, cuda: bool | None, yes: bool) -> None:
    from tunelings.commands import doctor
    from tunelings.setup import install

    if install.is_installed(root):
        return
    asked = cuda is not None
    if cuda is None:
        cards = doctor.gpus(doctor.nvidia_smi())
        cuda = bool(cards)
        typer.echo(f"{cards[0].name}: PyTorch with CUDA." if cards else "No NVIDIA card: PyTorch without CUDA.")
    place = shown_path(root / ".venv")
    index = install.torch_index(cuda, typer.echo, asked=asked)  # First, since another build takes other room.
    size = install.gigabytes(index)
    typer.echo(f"The exercises need PyTorch and other libraries, tunelings[course]: about {size} GB in {place}.")
    if _is_terminal() and not yes and not typer.confirm("Install them now?", default=True):
        raise CourseError("Nothing was installed: run the same command to continue.")
    install.install(root, index)
    typer.echo(f"The libraries are in {place}.")


def _laid_out_with_a_bar(root: Path):
    from rich.progress import Progress

    from tunelings.desk import screen
    from tunelings.setup import layout

    with Progress(console=screen.console, transient=True, disable=not screen.console.is_terminal) as bar:
        task = bar.add_task("Setting up the course", total=None)
        return layout.lay_out(root, lambda done, total: bar.update(task, completed=done, total=total))


def _choose(yes: bool = False) -> Path:
    """The folder to use: this one if it is ours, the usual one if that is there, else what the learner says."""
    if root := laid_out_root():
        return root
    usual = Path(FOLDER)
    if is_laid_out(usual) or yes or not _is_terminal():
        return usual
    typer.echo("tunelings sets up the course in a folder of its own; your answers are files in it.")
    return Path(typer.prompt("Folder", default=str(usual)))


def _begin_in(root: Path) -> None:
    """Begin, in the environment of the folder if it has one."""
    from tunelings.commands import checks
    from tunelings.setup import venv

    if is_laid_out(root):
        os.chdir(root)
        if venv.command(root).exists() and not venv.is_running(root):
            venv.hand_over(root, [])
    checks.begin(Course(root))


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
