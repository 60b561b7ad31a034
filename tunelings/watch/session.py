"""A learner at work: the exercise at hand, what was sent to be checked, and what came of it.

There are no keys, files or threads here; the loop says what happens.
"""

from __future__ import annotations

import contextlib
import time
from bisect import bisect_left, bisect_right

from tunelings.course import Course, CourseError, Exercise
from tunelings.desk import screen
from tunelings.grading.limits import longest
from tunelings.grading.states import ExerciseState
from tunelings.grading.store import Progress, content_hash
from tunelings.grading.verdict import Verdict
from tunelings.watch import events
from tunelings.watch.pool import Pool
from tunelings.watch.view import View

# The worker ends what hangs by itself; beyond its own limits by this many seconds, it is ended from here.
GRACE = 3.0
# Between checks the worker compares the failure with the known mistakes.
DIAGNOSIS_LIMIT = 120.0


class Session:
    """Sends exercises to the pool, and brings what comes back to the screen."""

    def __init__(
        self, course: Course, first: Exercise, selection: str = "all", pool: Pool | None = None, plain: bool = False
    ):
        self.course = course
        self.selection = selection  # what `n` and `p` walk through, as `Course.select` understands it
        self.pool = pool or Pool(course)
        self.progress = Progress(course)
        self.view = View(first, self.progress.states(), plain)
        if self.progress.is_new():
            self.view.greet()
        self.sent: dict[str, str] = {}  # number -> `content_hash` of what was last sent to be checked
        self.asked: set[str] = set()  # the numbers that were last sent together
        self.deadline: float | None = None
        self.limit = 0.0

    # The course

    def reload(self) -> None:
        """Read the course anew: an exercise, a check or a card has changed, come or gone."""
        self.course = Course(self.course.root)
        self.pool.course = self.progress.course = self.course
        view, exercises = self.view, self.course.exercises
        with contextlib.suppress(CourseError):  # Its solution may be gone in this branch.
            view.exercise = self.course.find(view.exercise.number)
        view.states = self.progress.states()
        if view.listing:
            view.listing = exercises
            view.cursor = max(0, min(view.cursor, len(exercises) - 1))
            view.draw()

    def others(self) -> list[Exercise]:
        """The chosen exercises as the course is now, without the current one, from the next one on and around."""
        try:
            within = self.course.select(self.selection)
        except CourseError:  # The chosen module is gone in this branch.
            within = list(self.course.exercises)
        here = _place(self.view.exercise)
        before, after = bisect_left(within, here, key=_place), bisect_right(within, here, key=_place)
        return within[after:] + within[:before]

    def move(self, exercise: Exercise) -> None:
        """Show another exercise, and check it."""
        self.view.turn_to(exercise)
        self.check([exercise])

    # Verdicts

    def check(self, exercises: list[Exercise]) -> None:
        """Send exercises to be checked; what is shown is the current one if it is among them."""
        if not exercises:
            return
        self.asked = {exercise.number for exercise in exercises}
        if self.view.exercise.number not in self.asked:
            self.view.turn_to(exercises[0])
        for exercise in exercises:
            self.sent[exercise.number] = content_hash(exercise)
        self.limit, self.deadline = 0.0, time.monotonic() + DIAGNOSIS_LIMIT
        self.view.begin()
        self.pool.request(exercises)

    def is_new(self, exercise: Exercise) -> bool:
        """Its answer, check or card is another than when it was last sent to be checked."""
        return self.sent.get(exercise.number) != content_hash(exercise)

    def on_worker(self, event: events.FromWorker) -> None:
        """An event of the request under way."""
        match event:
            case events.Checking(check, limit):
                self.limit = limit
                self.deadline = time.monotonic() + longest(limit) + GRACE
                self.view.checking(check)
            case events.Checked():
                self.deadline = time.monotonic() + DIAGNOSIS_LIMIT
            case events.Reported(done, text):
                self.view.report(done, text)
            case events.Verdicts(verdicts):
                self._show(verdicts)
            case events.Error(text):
                self.view.no_verdict(f"The check couldn't be run. {screen.in_one_line(text)}")
            case events.Died(once=False) if self.view.running:
                self.view.say("The warm worker exited; starting a new one.")
                self.check([self.view.exercise])  # In a process of its own, while the new worker imports.
            case events.Ended() | events.Died():
                self._ended()

    def replace_worker(self) -> None:
        """The warm worker died while it had nothing to do."""
        self.view.say("The warm worker exited; starting a new one.")
        self.pool.prepare(self.view.exercise)
        self.view.draw()

    def restart_workers(self) -> None:
        """The grader itself has changed, so what it said may be said differently."""
        self.view.say("The grader has changed: restarting it.")
        self.pool.restart()
        self.sent.clear()

    def stop(self) -> None:
        """End the check under way, as the learner asks."""
        if self.view.running:
            self._cancel("Stopped. Press r to run it again.")

    def end_hanging(self) -> None:
        """End the check under way, whose deadline has passed."""
        what = f"did not finish in {self.limit:g} s and could not be interrupted, so it was stopped"
        self._cancel(f"The check {what}. Look for a loop that never ends, or a very large tensor.")

    def _cancel(self, why: str) -> None:
        self.pool.cancel()
        self.deadline = None
        self.view.no_verdict(why)

    def _ended(self) -> None:
        self.deadline = None
        if self.view.running:  # No verdict came.
            self.view.no_verdict("The process that checked the answer exited unexpectedly: os._exit or a crash in C.")
        # A save while the check was running; its event comes too, unless it got lost. Any other would turn the screen.
        asked = [e for e in self.course.exercises if e.number in self.asked]
        self.check([exercise for exercise in asked if self.is_new(exercise)])

    def _show(self, verdicts: tuple[Verdict, ...]) -> None:
        view, module = self.view, self.view.exercise.module
        was_done = self.progress.module_is_done(module, view.states)
        told = {verdict.number for verdict in verdicts}
        for exercise in self.course.exercises:  # One of them may be gone meanwhile.
            if exercise.number in told:
                view.states[exercise.number] = self.progress.state(exercise)
        shown = next((v for v in verdicts if v.number == view.exercise.number), verdicts[0])
        next_one = next((e for e in self.others() if view.states[e.number] != ExerciseState.PASSED), None)
        module_done = self.progress.module_is_done(module, view.states) and not was_done
        view.show(shown, next_one=next_one, module_done=module_done)


def _place(exercise: Exercise) -> tuple[str, str]:
    """What the exercises of a course are sorted by."""
    return exercise.module, exercise.name
