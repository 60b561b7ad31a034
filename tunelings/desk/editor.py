"""The editor that opens an answer."""

from __future__ import annotations

import os
import shlex
import shutil

from tunelings.course import CourseError, Exercise, shown_path


def command_for(exercise: Exercise) -> list[str]:
    """The command that opens the answer: $VISUAL, $EDITOR, or VS Code where it is installed."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or shutil.which("code")
    if not editor:
        path = shown_path(exercise.answer_path)
        raise CourseError(f"No editor is known: open {path} yourself, or set the variable EDITOR.")
    command = shlex.split(editor) if not os.path.exists(editor) else [editor]
    if not shutil.which(command[0]):
        raise CourseError(f"The editor {command[0]!r} (from VISUAL or EDITOR) is not installed.")
    return [*command, str(exercise.answer_path)]
