"""Two projects that ship: their data is made from what the course has, into the project's own folder."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tunelings.course import data_folder
from tunelings.project import folder as files
from tunelings.project.errors import ProjectError

REVIEWS = 500  # of 10,070: enough for an interval, and minutes on a CPU


def films(folder: Path) -> dict[str, Any]:
    """Film reviews to one line of JSON: a form that fine-tuning teaches in minutes."""
    from tunelings.handson import reviews_task

    pairs = random.Random(0).sample(reviews_task.load_pairs()[0], REVIEWS)
    files.write_lines(folder / "data.jsonl", ({"prompt": prompt, "completion": answer} for prompt, answer in pairs))
    return {"data": "data.jsonl", "fractions": (0.6, 0.1, 0.3)}


def docs(folder: Path) -> dict[str, Any]:
    """Questions about the Python documentation: knowledge, which retrieval brings and fine-tuning does not."""
    from tunelings.handson import pydocs

    data = data_folder("pydocs")
    questions = pydocs.load_development(data) + pydocs.load_test(data)
    rows = ({"prompt": q.question, "completion": q.answers[0], "answers": q.answers} for q in questions)
    files.write_lines(folder / "data.jsonl", rows)
    passages = ({"title": passage.title, "text": passage.text} for passage in pydocs.load_passages(data))
    files.write_lines(folder / "passages.jsonl", passages)
    return {
        "data": "data.jsonl",
        "passages": "passages.jsonl",
        "fractions": (0.4, 0.1, 0.5),
        "metric": "contains",
        "instruction": "Answer this question about Python with one name or a few words.",
    }


EXAMPLES = {"films": films, "docs": docs}


def write(name: str, folder: Path) -> dict[str, Any]:
    """Write the data of a project that ships; returns the options that suit it."""
    if name not in EXAMPLES:
        raise ProjectError(f"There is no example {name!r}: the examples are {', '.join(EXAMPLES)}.")
    return EXAMPLES[name](folder)
