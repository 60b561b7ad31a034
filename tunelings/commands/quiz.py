"""`tunelings quiz`: the questions at the end of a module, one after the other."""

from __future__ import annotations

from collections.abc import Callable

from tunelings.questions import LETTERS, QuizQuestion


def ask(questions: list[QuizQuestion], show: Callable[[str], None], prompt: Callable[[str], str]) -> int:
    """Put the questions one after the other; returns how many were right at the first try."""
    right = 0
    for number, question in enumerate(questions, start=1):
        show(f"\n{number}. {question.asks}")
        letters = dict(zip(LETTERS, question.choices, strict=False))
        for letter, choice in letters.items():
            show(f"   {letter}) {choice.says}")
        tries = 0
        while True:
            said = prompt(f"Your answer ({', '.join(letters)})").strip().lower()
            if said not in letters:
                continue
            tries += 1
            show(f"   {'Right.' if letters[said].right else 'No.'} {letters[said].why}")
            if letters[said].right:
                break
        right += tries == 1
    return right
