"""Grade a class: what has been handed in becomes jobs, jobs become results, and results become rows.

A program runs once, whoever else has handed in the same, and not at all where its result is kept. Before any of them,
the course's own references must pass, and its stubs must count as not started, in the same sandbox and with the same
seed. What ran out of time or memory, or ended its grader, is tried once more when nothing else runs, and then counts.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tunelings.classroom import flags, keys, told
from tunelings.classroom.client import Job, ServerGone
from tunelings.classroom.handed_in import Submission
from tunelings.classroom.kept import KEPT, KEPT_IF_ALONE, Kept
from tunelings.classroom.programs import program
from tunelings.classroom.records import Graded, Outcome
from tunelings.classroom.runners import Batch, LocalRunner, Runner
from tunelings.classroom.sandbox import Isolation, Sandbox
from tunelings.classroom.told import Told
from tunelings.course import Course, CourseError, Exercise
from tunelings.grading import stubs
from tunelings.grading.imports import needed_imports
from tunelings.grading.states import CheckState

_WARM = 4  # submissions from which on the vectors of all mistakes are made beforehand


class CourseFault(CourseError):
    """The course itself, or the sandbox, is at fault: nothing can be graded."""


@dataclass(frozen=True)
class Plan:
    """What is graded and how. shard: (number, of how many), where this run does a part. due: late from then on."""

    course: Course
    exercises: tuple[Exercise, ...]
    isolation: Isolation
    seed: int = 0
    points: str = "all"
    due: datetime | None = None
    shard: tuple[int, int] | None = None


@dataclass
class Counts:
    """How many results there were to have, and where they came from; same: from the same program, run here."""

    executed: int = 0
    same: int = 0
    kept: int = 0
    repeated: int = 0


Watch = Callable[[str, int, int], None]  # what is done, how much of it, of how much


class Engine:
    """One run. `watch` hears how far it is."""

    def __init__(self, plan: Plan, results: Path, runner: Runner, watch: Watch = lambda what, done, of: None):
        self.plan, self.kept, self.runner, self.watch = plan, Kept(results), runner, watch
        self.counts = Counts()
        self.found: dict[str, Told] = {}  # by key
        self.undecided = False  # Of what this run was to do, something has no verdict.
        self.fresh: set[str] = set()  # the keys of what this run has executed
        self.same: dict[str, list[str]] = {}  # by such a key, those of other answers that are the same program
        self.keys = keys.keys_for(plan.course, plan.exercises, plan.seed, plan.isolation)
        self.exercises = {one.number: one for one in plan.exercises}
        self.usual = {one.number: tuple(flags.usual(one)) for one in plan.exercises}
        self.checks = {one.number: tuple(one.check_names()) for one in plan.exercises}
        self.hands_on = {one.number for one in plan.course.hands_on()}
        self.limits = {one.number: keys.limits_of(one) for one in plan.exercises}
        imports = tuple(needed_imports(plan.exercises))
        self.sandbox = Sandbox(plan.course, plan.isolation, imports)

    def job(self, number: str, answer: bytes, *, vectors: bool = False) -> Job:
        key = self.keys.of(number, answer, self.usual[number])
        key = keys.hash_of([key.encode(), b"vectors"]) if vectors else key
        return Job(key, number, self.plan.seed, answer, self.usual[number], self.limits[number], vectors)

    # ------------------------------------------------------------ before the answers of students
    def preflight(self, submissions: int) -> None:
        """See that the references pass and the stubs count as not started.

        Raises:
            CourseFault: they don't, or no server starts.
        """
        vectors = submissions >= _WARM and self._make_vectors_folder()
        wanted: list[tuple[Job, Outcome]] = []
        for one in self.plan.exercises:
            solution = one.solution_path.read_text(encoding="utf-8")
            wanted.append((self.job(one.number, solution.encode(), vectors=vectors), Outcome.PASSED))
            wanted.append((self.job(one.number, stubs.cut(solution).encode()), Outcome.NOT_STARTED))
        sandbox = Sandbox(self.plan.course, self.plan.isolation, self.sandbox.imports, may_write_vectors=vectors)
        jobs = [job for job, _ in wanted]
        # Where a server is used for one batch only, the course's own answers, which do no harm, can share one.
        batches = [[job] for job in jobs] if self.plan.isolation == Isolation.BWRAP else [jobs]
        self._execute("the course's own answers", sandbox, batches)
        self._repeat(jobs, sandbox)
        for job, outcome in wanted:
            result = self.found[job.key]
            came_out, reason = self._outcome(job.number, result)
            if came_out != outcome:
                what = "reference" if outcome == Outcome.PASSED else "stub"
                why = reason or (result.failure.check if result.failure else "")
                raise CourseFault(
                    f"The {what} of {job.number} is {came_out.value!r} here, not {outcome.value!r}"
                    f"{f' ({why})' if why else ''}: nothing is graded until that's fixed."
                )

    def _make_vectors_folder(self) -> bool:
        """Whether the vectors of the course's mistakes can be kept in the course, where each failure looks for them."""
        try:
            folder = self.plan.course.root / ".tunelings" / "vectors"
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return False
        return os.access(folder, os.W_OK)

    # ------------------------------------------------------------ the answers of students
    def run(self, submissions: Sequence[Submission]) -> None:
        """Have results for everything that was handed in. Raises CourseFault where no server starts."""
        batches: dict[str, dict[str, Job]] = {}
        seen: set[str] = set()
        for one in submissions:
            for number, answer in one.answers.items():
                job = self.job(number, answer)
                if job.key not in seen and self._is_mine(job):
                    seen.add(job.key)
                    batches.setdefault(one.name, {})[job.key] = job
        by_student = [list(jobs.values()) for jobs in batches.values()]
        everything = [job for batch in by_student for job in batch]
        # Where each answer has a room of its own, nothing but the order binds those of one student together.
        has_rooms = self.plan.isolation == Isolation.BWRAP and isinstance(self.runner, LocalRunner)
        self._execute("answers", self.sandbox, [[job] for job in everything] if has_rooms else by_student)
        self._repeat(everything, self.sandbox)
        self.undecided = any(
            self._outcome(job.number, self.found[job.key])[0] == Outcome.NO_VERDICT for job in everything
        )

    def _is_mine(self, job: Job) -> bool:
        if self.plan.shard is None:
            return True
        number, of = self.plan.shard
        return int(_program_hash(job)[:8], 16) % of == number - 1

    def _execute(self, what: str, sandbox: Sandbox, batches: Sequence[Batch]) -> None:
        """Take what is kept, and run the rest: hands-on exercises first, then what takes longest."""
        for job in (job for batch in batches for job in batch):
            if job.key not in self.found and (result := self.kept.get(job.key)) is not None:
                self.found[job.key] = result
                self.counts.kept += 1
        left = [sorted(batch, key=self._order) for batch in self._once(batches)]
        left = sorted((batch for batch in left if batch), key=lambda batch: self._order(batch[0]))
        total = sum(map(len, left))
        self.watch(what, 0, total)
        if total:
            self._run(what, sandbox, left, total)

    def _order(self, job: Job) -> tuple[bool, float]:
        """Hands-on exercises, which train on real data, come first; within both kinds, the longest limits do."""
        return job.number not in self.hands_on, -sum(job.limits)

    def _once(self, batches: Sequence[Batch]) -> list[list[Job]]:
        """What has no result yet, each program once."""
        runs: dict[str, str] = {}
        left: list[list[Job]] = []
        for batch in batches:
            left.append([])
            for job in batch:
                if job.key in self.found:
                    continue
                first = runs.setdefault(_program_hash(job), job.key)
                if first == job.key:
                    left[-1].append(job)
                else:
                    self.same.setdefault(first, []).append(job.key)
                    self.counts.same += 1
        return left

    def _run(
        self, what: str, sandbox: Sandbox, batches: Sequence[Batch], total: int, done: int = 0, *, alone: bool = False
    ) -> None:
        try:
            for job, result in self.runner.run(sandbox, batches):
                done += 1
                self.counts.executed += 1
                self.fresh.add(job.key)
                outcome = self._outcome(job.number, result)[0]
                is_kept = outcome in KEPT_IF_ALONE if alone else outcome in KEPT and not result.starved
                for key in (job.key, *self.same.get(job.key, ())):
                    self.found[key] = result
                    if is_kept:
                        self.kept.put(key, result)
                self.watch(what, done, total)
        except ServerGone as gone:
            raise CourseFault(f"Answers can't be run here: {gone}") from None

    def _repeat(self, jobs: Sequence[Job], sandbox: Sandbox) -> None:
        """Run what a busy machine may have spoilt once more, one after the other; what comes out then counts.

        The whole exercise, and not its late check alone: checks share what the first of them makes (a base model in
        an `lru_cache`), so that a later one takes longer alone than in its place, and would be late without fault.
        """
        again = [job for job in jobs if job.key in self.fresh and self._is_spoilt(job)]
        self.counts.repeated += len(again)
        if again:
            self.watch("once more, alone", 0, len(again))
        for done, job in enumerate(again):
            self._run("once more, alone", sandbox, [[job]], len(again), done, alone=True)

    def _is_spoilt(self, job: Job) -> bool:
        result = self.found[job.key]
        return result.starved or self._outcome(job.number, result)[0] in {Outcome.TIMEOUT, Outcome.MEMORY}

    def _outcome(self, number: str, result: Told) -> tuple[Outcome, str]:
        return told.outcome_of(result, self.checks[number])

    # ------------------------------------------------------------ rows
    def rows(self, submissions: Iterable[Submission], pseudonyms: Mapping[str, str]) -> tuple[Graded, ...]:
        """A row for each student and exercise, in this order."""
        return tuple(
            self._row(one, pseudonyms[one.name], exercise) for one in submissions for exercise in self.plan.exercises
        )

    def _row(self, one: Submission, student: str, exercise: Exercise) -> Graded:
        number = exercise.number
        due = self.plan.due
        is_late = due is not None and one.handed_in is not None and one.handed_in > due
        if one.problem or number in one.refused:
            reason = one.problem or one.refused[number]
            return Graded(student, number, Outcome.REFUSED, reason=reason, late=is_late)
        if number not in one.answers:
            return Graded(student, number, Outcome.MISSING, reason="there is no such file", late=is_late)
        answer = one.answers[number]
        answer_hash = hashlib.sha256(answer).hexdigest()
        result = self.found.get(self.job(number, answer).key)
        if result is None:
            reason = "its shard hasn't been graded yet"
            return Graded(student, number, Outcome.NO_VERDICT, reason=reason, answer_hash=answer_hash, late=is_late)
        outcome, reason = self._outcome(number, result)
        has_verdict = outcome != Outcome.NO_VERDICT
        return Graded(
            student,
            number,
            outcome,
            points=self._points(number, outcome, result),
            seconds=result.seconds if has_verdict else None,
            verdict=told.verdict_of(result, exercise) if has_verdict else None,
            reason=reason,
            flags=tuple(result.flags),
            fingerprints=dict(result.fingerprints),
            answer_hash=answer_hash,
            late=is_late,
        )

    def _points(self, number: str, outcome: Outcome, result: Told) -> float:
        """1 for a pass; with `--points checks` the share of checks that passed, where the grader was left alone."""
        if outcome == Outcome.PASSED:
            return 1.0
        if self.plan.points != "checks" or outcome not in {Outcome.FAILED, Outcome.TIMEOUT, Outcome.MEMORY}:
            return 0.0
        checks = self.checks[number]
        return sum(result.checks.get(name) == CheckState.PASSED for name in checks) / len(checks)


def _program_hash(job: Job) -> str:
    return keys.hash_of([job.number.encode(), str(job.vectors).encode(), program(job.answer)])
