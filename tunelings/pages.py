"""What the site says of the course, as Markdown or HTML made from the files that are the truth of it.

The contract of an exercise is its solution's docstring, its mistakes are its card's, its questions stand in
docs/quizzes/. Nothing here knows MkDocs: docs/hooks.py puts these texts where the pages ask for them.
"""

from __future__ import annotations

import html
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tunelings import contracts, questions
from tunelings.course import MODULES, Course, Exercise, module_number
from tunelings.grading import promises, stubs


def exercise_block(exercise: Exercise) -> str:
    """Where the exercise is, its contract as the stub states it, what to type, and the reference, folded."""
    card = exercise.card
    solution = exercise.solution_path.read_text(encoding="utf-8")
    commands = f"```\ntunelings watch {exercise.number}\npytest {relative(exercise.check_path)}\n"
    commands += f"tunelings hint {exercise.number}\n```"
    effort = f"{card.minutes} minutes, difficulty {card.difficulty} of 5"
    state = f'<span class="state" data-exercise="{exercise.number}"></span>'
    # A line each: on a phone, dots between them would hang at the ends of lines.
    head = f"**{exercise.number} {card.title}** {state}<br>`{relative(exercise.answer_path)}`<br>{effort}"
    return "\n\n".join([head, contracts.contract_html(solution), commands, reference_block(exercise, solution)])


def reference_block(exercise: Exercise, solution: str) -> str:
    """The reference solution in a box that opens on a click, and in which no search finds anything."""
    code = stubs.uncut(solution).rstrip()
    lines = ["```python", *code.splitlines(), "```"]
    indented = "\n".join(f"    {line}" if line else "" for line in lines)
    box = f'??? note "The reference, for when yours passes"\n\n{indented}'
    return f"<div data-search-exclude markdown>\n\n{box}\n\n</div>"


def mistakes_table(exercise: Exercise) -> str:
    """The known mistakes of an exercise, in a box that opens on a click: read before, they would give much away."""
    rows = [f"    | `{mistake.id}` | {cell(mistake.says)} |" for mistake in exercise.card.mistakes]
    title = f"{len(rows)} known mistakes, for when yours fails"
    return "\n".join([f'??? bug "{title}"', "", "    | mistake | what gives the same result |", "    |---|---|", *rows])


CODE_OR_LESS = re.compile(r"(`+).+?\1|<")


def cell(text: str) -> str:
    """Text for a cell of a Markdown table. In code spans `<` stays, since Markdown escapes it there itself."""
    line = " ".join(text.split()).replace("|", "\\|")
    return CODE_OR_LESS.sub(lambda found: "&lt;" if found[0] == "<" else found[0], line)


def hours(exercises: Sequence[Exercise]) -> str:
    """The time of some exercises by their cards, in whole hours."""
    return f"{sum(exercise.card.minutes for exercise in exercises) / 60:.0f} hours"


def cost(course: Course) -> str:
    """What the course asks of a learner, in one line."""
    minutes = [exercise.card.minutes for exercise in course.exercises]
    each = f"{min(minutes)} to {max(minutes)} minutes each"
    return (
        f"**{len(minutes)} exercises, about {hours(course.exercises)}** ({each}, as we estimate) · "
        "**2.5 GB of disk** (7 GB with CUDA) · **no GPU**, no account\n{: .cost }"
    )


def routes(course: Course, path: Path) -> str:
    """Ways through the course for those who want one thing; `path` is docs/home.toml.

    Raises CourseError for an exercise that there is not.
    """
    lines = []
    for route in tomllib.loads(path.read_text(encoding="utf-8"))["routes"]:
        exercises = [course.find(number) for number in route["exercises"]]
        links = " · ".join(f'[{e.number}]({e.module}/{e.card.lesson}.md "{e.title}")' for e in exercises)
        lines.append(f"- **{route['title']}**, {hours(exercises)}<br>{route['about']}<br>{links}")
    return '<div class="routes" markdown>\n\n' + "\n".join(lines) + "\n\n</div>"


def module_cards(course: Course, path: Path) -> str:
    """A card for each module: what one builds, its hours, and its exercises, folded; `path` is docs/home.toml."""
    about = tomllib.loads(path.read_text(encoding="utf-8"))["modules"]
    cards = []
    for module, title in MODULES.items():
        exercises = course.module(module)
        links = "\n".join(f"        - {link(exercise, f'{module}/')}" for exercise in exercises)
        card = [
            f"-   ### [{module_number(module)} · {title}]({module}/index.md)",
            f"    {about[module]}",
            f"    **{hours(exercises)}**",
            f'    ??? abstract "{len(exercises)} exercises"\n\n{links}',
        ]
        cards.append("\n\n".join(card))
    return '<div class="grid cards" markdown>\n\n' + "\n\n".join(cards) + "\n\n</div>"


def exercise_table(course: Course, module: str) -> str:
    """The exercises of one module, for its overview."""
    rows = []
    for e in course.module(module):
        dots = "●" * e.card.difficulty + "○" * (5 - e.card.difficulty)
        difficulty = f'<span title="{e.card.difficulty} of 5">{dots}</span>'
        rows.append(f"| {link(e, '')} | {cell(e.card.learnt)} | {e.card.minutes} min<br>{difficulty} |")
    return "\n".join(["| exercise | what it teaches | time and difficulty |", "|---|---|---|", *rows])


def link(exercise: Exercise, folder: str) -> str:
    return f"[{exercise.number} {exercise.title}]({folder}{exercise.card.lesson}.md)"


def checklist(course: Course) -> str:
    """The empty checklist; status.js fills it in where the site is served beside the learner's files."""
    parts = []
    for module, title in MODULES.items():
        exercises = course.module(module)
        number = module_number(module)
        count = f'<span data-done="{module}">0</span> of {len(exercises)}'
        parts.append(f"## Module {number} · {title}\n\n{count} done\n{{: data-module='{module}' }}\n")
        parts += [f'- <span data-exercise="{e.number}">☐ TODO</span> {link(e, f"{module}/")}' for e in exercises]
        parts.append("")
    return "\n".join(parts)


def quiz_block(path: Path) -> str:
    """A module's questions as radio buttons; CSS shows the reason of the chosen answer, and quiz.js keeps the score."""
    asked = questions.load(path)
    shown = [question_html(number, one) for number, one in enumerate(asked, start=1)]
    return "\n".join([*shown, f'<p class="score" role="status" data-questions="{len(asked)}"></p>'])


def question_html(number: int, question: questions.QuizQuestion) -> str:
    choices = []
    for letter, choice in zip(questions.LETTERS, question.choices, strict=False):
        name = f"q{number}{letter}"
        kind, verdict = ("right", "✓ Right.") if choice.right else ("wrong", "✗ No.")
        choices.append(
            f'<div class="choice {kind}">'
            f'<input type="radio" name="q{number}" id="{name}" aria-describedby="{name}-why">'
            f'<label for="{name}">{html.escape(choice.says)}</label>'
            f'<p class="why" id="{name}-why"><strong>{verdict}</strong> {html.escape(choice.why)}</p></div>'
        )
    asks = f"<legend>{number}. {html.escape(question.asks)}</legend>"
    return f'<fieldset class="question">{asks}{"".join(choices)}</fieldset>\n'


def glossary(path: Path) -> str:
    """The glossary page: every term with what it means, as a definition list."""
    return "\n\n".join(f"{term}\n:   {meaning}" for term, meaning in sorted(terms(path).items(), key=_by_name))


def tooltips(path: Path) -> str:
    """The same terms as abbreviations, which the theme shows where they stand in a page."""
    return "\n".join(f"*[{term}]: {meaning}" for term, meaning in terms(path).items())


def terms(path: Path) -> dict[str, str]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _by_name(entry: tuple[str, str]) -> str:
    return entry[0].casefold()


def relative(path: Path) -> str:
    """An exercise's file as it is typed in the course's folder."""
    return "/".join(path.parts[-3:])


class Row(Protocol):
    """A run of the hardware table; `parts` are its GiB by part, the last of them the total."""

    @property
    def name(self) -> str: ...

    @property
    def about(self) -> str: ...

    @property
    def parts(self) -> dict[str, float]: ...


def hardware_table(rows: Sequence[Row], cards: Mapping[str, float]) -> str:
    """What each run needs, part by part, and a list of cards (name -> usable GiB) to hold it against (hardware.js)."""
    chooser = (
        '<p><label for="card">Your card</label> <select id="card"><option value="">choose one</option>'
        f"{card_options(cards)}</select></p>\n\n"
    )
    head = ["run", *rows[0].parts, "fits"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        parts = row.parts
        figures = " | ".join(f"{gib:.1f}" for gib in parts.values())
        fits = f'<span data-gib="{parts["total"]:.2f}"></span>'
        lines.append(f"| **{row.name}**<br>{row.about} | {figures} | {fits} |")
    return chooser + "\n".join(lines) + "\n\nAll figures in GiB."


def card_options(cards: Mapping[str, float]) -> str:
    """The entries of a list of cards (name -> usable GiB)."""
    return "".join(f'<option value="{gib:.2f}">{name}</option>' for name, gib in cards.items())


def model_options(models: Mapping[str, Mapping[str, object]], chosen: str) -> str:
    """The entries of a list of models (name -> sizes), which calculator.js reads as JSON."""
    return "".join(
        f'<option value="{html.escape(json.dumps(sizes))}"{" selected" if name == chosen else ""}>{name}</option>'
        for name, sizes in models.items()
    )


def scenarios(path: Path) -> str:
    """The written tasks of 5.08 with the answer and its reason."""
    lines = ["| task | card | approach | why | source |", "|---|---|---|---|---|"]
    for one in tomllib.loads(path.read_text(encoding="utf-8"))["scenarios"]:
        approach = one["approach"] + (f", {one['technique']}" if one["technique"] else "")
        columns = [one["story"], f"{one['gpu_gib']} GiB", f"`{approach}`", one["why"], one["source"]]
        lines.append("| " + " | ".join(cell(column) for column in columns) + " |")
    return "\n".join(lines)


SCORES = {  # field of an exercise in the result file -> head of its column
    "checks": "checks",
    "mistakes": "known mistakes",
    "forms": "their forms",
    "variants": "variants",
    "wrong": "wrong answers",
    "named": "named truly",
    "misnamed": "named falsely",
    "leave_one_out": "leave one out",
    "mutants": "mutants",
    "survivors": "not caught",
}


def scores(path: Path, keys: Mapping[str, str]) -> str:
    """What the checks of each module are tried on, from the result file of figures/check_quality.py.

    `keys`: by number, the hash of an exercise's code as it is now; mutants of other code aren't shown.
    """
    entries = json.loads(path.read_text(encoding="utf-8"))["exercises"]
    measured = []
    for number, entry in entries.items():
        mutation = entry["mutation"]
        # No mutant at all is no measurement: each reference has some.
        is_measured = mutation.get("mutants") and mutation["key"] == keys.get(number)
        measured.append(entry | (mutation if is_measured else {}))
    lines = ["| module | exercises | " + " | ".join(SCORES.values()) + " |", "|---" * (len(SCORES) + 2) + "|"]
    for module, title in MODULES.items():
        lines.append(_score_line(title, [one for one in measured if one["module"] == module]))
    return "\n".join([*lines, _score_line("**all**", measured)])


def promises_held(course: Course) -> str:
    """How many sentences of the contracts are broken by a kept wrong answer, of all that promise something."""
    if not (course.root / "tests").is_dir():
        return "This table is counted in a clone: a folder made by `tunelings init` does not hold the wrong answers."
    lines = ["| module | promises held | of |", "|---|---|---|"]
    total = [0, 0]
    for module, title in MODULES.items():
        counted = [p for exercise in course.module(module) for p in promises.contract(exercise).counted]
        row = [sum(bool(promise.broken_by) for promise in counted), len(counted)]
        total = [a + b for a, b in zip(total, row, strict=True)]
        lines.append(f"| {title} | {row[0]:,} | {row[1]:,} |")
    return "\n".join([*lines, f"| **all** | {total[0]:,} | {total[1]:,} |"])


def _score_line(title: str, entries: list[dict]) -> str:
    return " | ".join([f"| {title}", str(len(entries)), *(_total(entries, name) for name in SCORES)]) + " |"


def _total(entries: list[dict], name: str) -> str:
    """The sum over some exercises; how many of them it is of, where the others were not measured."""
    figures = [entry[name] for entry in entries if name in entry]
    if not figures:
        return "not measured"
    return f"{sum(figures):,}" + (f" (of {len(figures)} measured)" if len(figures) < len(entries) else "")
