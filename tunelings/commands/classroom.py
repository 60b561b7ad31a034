"""`tunelings grade`: what a class has handed in becomes results and a report (docs/grade-a-class.md).

Exit codes: 0 everything has a verdict, whatever the marks; 1 something has none; 2 wrong use; 3 something that was
handed in can't be read; 4 the course, its references or the isolation is at fault; 130 interrupted. 4 comes before 3,
and 3 before 1. With --single, 0 only if every chosen exercise passes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunelings.commands.arguments import course, stop_if_broken
from tunelings.course import Course, CourseError, Exercise

if TYPE_CHECKING:
    from datetime import datetime

    from tunelings.classroom.engine import Engine, Plan
    from tunelings.classroom.handed_in import Submission
    from tunelings.classroom.records import Graded
    from tunelings.classroom.runners import Runner

UNDECIDED, UNREADABLE, FAULT = 1, 3, 4


def grade(
    submissions: Annotated[
        Path | None,
        typer.Argument(metavar="SUBMISSIONS", help="a folder or a zip for each student in it, or a repos.csv"),
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="OUT", help="the folder of the results")] = None,
    single: Annotated[
        Path | None, typer.Option(metavar="DIR", help="for CI: one submission; exit code 0 only if all passes")
    ] = None,
    only: Annotated[str, typer.Option(metavar="WHAT,…", help='such as "1.05,module02"')] = "all",
    seed: Annotated[int, typer.Option(min=0, help="change all random inputs")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="answers that run at a time (default: the cores)")] = None,
    points: Annotated[str, typer.Option(help='"all": 1 for a pass; "checks": the share of checks that pass')] = "all",
    roster: Annotated[
        Path | None, typer.Option(metavar="CSV", help="your LMS's CSV export; its grade column is filled in")
    ] = None,
    due: Annotated[
        str | None,
        typer.Option(metavar="ISO", help="mark work handed in after this time, such as 2026-12-01T23:59+01:00"),
    ] = None,
    gradescope: Annotated[
        bool,
        typer.Option("--gradescope", help="also write Gradescope's files; without submissions, build autograder.zip"),
    ] = False,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="run on this Dask cluster")] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="grade only this part; a later run over OUT combines the parts"),
    ] = None,
    no_isolation: Annotated[
        bool,
        typer.Option("--no-isolation", help="where no isolation is available, run answers as your own user"),
    ] = False,
) -> None:
    """Grade a class: results, feedback for each student, and a report on what the class gets wrong."""
    if submissions is not None and single is not None or not (submissions or single or gradescope):
        raise CourseError("Say what to grade: a folder of submissions, or --single DIR.")
    if out is None and single is None:
        raise CourseError("Say where the results go: -o OUT.")
    if shard is not None and submissions is None:
        raise CourseError("--shard is for a folder of submissions.")
    if points not in ("all", "checks"):
        raise CourseError(f"--points must be all or checks, not {points!r}.")
    the_course = course()
    exercises = chosen(the_course, only)
    if roster is not None:
        _see_that_it_can_be_filled(roster)
    if out is not None and submissions is None and single is None:
        return write_autograder(the_course, out, only, seed, points)
    if sys.platform == "win32":
        raise CourseError("Grading a class needs Linux: on Windows, run it in WSL.")
    stop_if_broken()
    from tunelings.classroom import engine, sandbox

    when, part = _time(due), _shard(shard)
    try:
        plan = engine.Plan(the_course, exercises, sandbox.find(may_be_none=no_isolation), seed, points, when, part)
        code = _grade(plan, submissions, single, out, jobs, scheduler, roster, gradescope)
    except (engine.CourseFault, sandbox.NoIsolation) as fault:
        print(fault, file=sys.stderr)
        code = FAULT
    raise typer.Exit(code)


def write_autograder(the_course: Course, out: Path, only: str, seed: int, points: str) -> None:
    """Write the zip that Gradescope takes as an autograder."""
    from tunelings.classroom import outputs

    made = outputs.write_autograder(the_course, out, ["--only", only, "--seed", str(seed), "--points", points])
    typer.echo(f"wrote {made}: upload it at Gradescope under Configure Autograder.")


def chosen(the_course: Course, only: str) -> tuple[Exercise, ...]:
    """The exercises that a list such as "1.05,module02" names, in the course's order."""
    wanted = {one.number for name in only.split(",") if name.strip() for one in the_course.select(name.strip())}
    if not wanted:
        raise CourseError(f"--only {only!r} names no exercise.")
    return tuple(one for one in the_course.exercises if one.number in wanted)


def _see_that_it_can_be_filled(roster: Path) -> None:
    """Before anything runs: raises CourseError where the roster is no gradebook."""
    from tunelings.classroom.roster import Gradebook

    if not roster.is_file():
        raise CourseError(f"--roster {roster}: there is no such file.")
    Gradebook(roster)


def _time(due: str | None) -> datetime | None:
    from datetime import datetime

    if due is None:
        return None
    try:
        found = datetime.fromisoformat(due)
    except ValueError:
        raise CourseError(f"--due must be a time such as 2026-12-01T23:59+01:00, not {due!r}.") from None
    return found if found.tzinfo else found.astimezone()  # This machine's own time zone.


def _shard(shard: str | None) -> tuple[int, int] | None:
    if shard is None:
        return None
    number, _, of = shard.partition("/")
    if not (number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of)):
        raise CourseError(f"--shard must be a part such as 2/8, not {shard!r}.")
    return int(number), int(of)


def _grade(
    plan: Plan,
    place: Path | None,
    single: Path | None,
    out: Path | None,
    jobs: int | None,
    scheduler: str | None,
    roster: Path | None,
    gradescope: bool,
) -> int:
    """Grade, write what there is to write, and return the exit code."""
    import tempfile

    from tunelings.classroom import outputs
    from tunelings.classroom.submissions import read_all, read_single

    if (given := single or place) is not None and not given.exists():
        raise CourseError(f"{given}: there is no such file or folder.")
    with tempfile.TemporaryDirectory(prefix="tunelings-") as temporary:
        folder = out or Path(temporary)
        outputs.make_folder(folder)
        if single is not None:
            found = [read_single(single.resolve(), plan.exercises)]
        else:
            assert place is not None
            found = read_all(place, plan.exercises, folder / "repositories")
        for one in found:
            if one.problem:
                _show(f"{one.name}: {one.problem}{f' ({one.detail})' if one.detail else ''}")
        with _engine(plan, folder, jobs, scheduler) as engine:
            engine.preflight(len(found))
            engine.run(found)
        if plan.shard is not None:
            _show(f"Part {plan.shard[0]} of {plan.shard[1]}: {_counts(engine)}. When all parts are there, run "
                  "the same command without --shard.")  # fmt: skip
            is_whole = not any(one.problem or one.refused for one in found)
            return UNREADABLE if not is_whole else UNDECIDED if engine.undecided else 0
        rows = _write(plan, engine, found, folder, roster, gradescope, is_single=single is not None)
    return _exit_code(rows, is_single=single is not None)


@contextmanager
def _engine(plan: Plan, out: Path, jobs: int | None, scheduler: str | None) -> Iterator[Engine]:
    """An engine whose progress is shown; everything that it has started ends with it."""
    import os

    from tunelings.classroom.engine import Engine
    from tunelings.classroom.runners import LocalRunner
    from tunelings.commands.grading_progress import progress

    runner: Runner
    if scheduler is not None:
        from tunelings.classroom.cluster import ClusterRunner

        runner = ClusterRunner(scheduler)
    else:
        runner = LocalRunner(jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or 1)
    try:
        with progress() as watch:
            yield Engine(plan, out / "results", runner, watch)
    finally:
        runner.close()


def _write(
    plan: Plan,
    engine: Engine,
    found: list[Submission],
    out: Path,
    roster: Path | None,
    gradescope: bool,
    *,
    is_single: bool,
) -> tuple[Graded, ...]:
    """Write the results, and say in a few lines what came out."""
    from tunelings.classroom import manifest, outputs
    from tunelings.classroom.feedback import seen
    from tunelings.classroom.pseudonyms import pseudonyms, salt_of
    from tunelings.classroom.records import Class, Outcome
    from tunelings.desk import screen

    names = pseudonyms((one.name for one in found), salt_of(out))
    found = sorted(found, key=lambda one: names[one.name])  # The order of the names would tell whose rows these are.
    rows = engine.rows(found, names)
    klass = Class(
        tuple(names[one.name] for one in found),
        tuple(one.number for one in plan.exercises),
        rows,
        manifest.manifest(plan, found, names),
    )
    contents = {names[one.name]: one.answers for one in found}
    texts = {
        row.answer_hash: contents[row.student][row.exercise].decode(errors="replace") for row in rows if row.answer_hash
    }
    said = outputs.write_all(
        klass, out, names={made: name for name, made in names.items()}, points=plan.points, roster=roster,
        course=plan.course, answers=texts, for_gradescope=gradescope,
    )  # fmt: skip
    for row in rows:
        if is_single or row.is_to_look_at and row.outcome != Outcome.REFUSED:
            name = "" if is_single else f"{row.student} "
            _show(f"{name}{row.exercise} {row.outcome.value}{f': {row.reason}' if row.reason else ''}")
        if is_single and (text := seen(row)):
            screen.show(text)
    passed = sum(row.outcome == Outcome.PASSED for row in rows)
    _show(f"{_many(len(found), 'submission')}, {_many(len(plan.exercises), 'exercise')}: {passed} of {len(rows)} "
          f"passed; {_counts(engine)}; isolation: {plan.isolation.value}.", "bold")  # fmt: skip
    for line in said:
        _show(line)
    if not is_single:
        _show(f"The results are in {out}: results.csv, grades.csv, feedback/, report.html; key.csv has the names.")
    return rows


def _show(line: str, style: str = "") -> None:
    """Names and reasons come from what was handed in: what would steer a terminal is written out."""
    from tunelings.desk import screen
    from tunelings.grading.text import visible

    screen.show(visible(line), style)


def _counts(engine: Engine) -> str:
    counts = engine.counts
    again = f", {counts.repeated} of them twice" if counts.repeated else ""
    same = f", {counts.same} the same as one of these" if counts.same else ""
    return f"{_many(counts.executed, 'answer')} run{again}{same}, {counts.kept} known from before"


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _exit_code(rows: tuple[Graded, ...], *, is_single: bool) -> int:
    from tunelings.classroom.records import Outcome

    outcomes = {row.outcome for row in rows}
    if is_single:
        return 0 if outcomes == {Outcome.PASSED} else UNDECIDED
    return UNREADABLE if Outcome.REFUSED in outcomes else UNDECIDED if Outcome.NO_VERDICT in outcomes else 0
