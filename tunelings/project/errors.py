"""What can go wrong in a project, each with the one line that the learner reads."""

from __future__ import annotations

from tunelings.course import CourseError


class ProjectError(CourseError):
    """Bad input: the data, the settings or the machine; the message says in one line what to do (exit code 2)."""


class PartError(Exception):
    """An exercise's answer raised, or returned what can't be used; the message names it and the line (exit code 1)."""
