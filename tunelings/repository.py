"""The course's public address: `[project.urls]` of pyproject.toml, and nowhere else."""

from __future__ import annotations

import functools
import tomllib
from importlib import metadata
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


@functools.cache
def address() -> str:
    """Where the repository is, such as "https://github.com/owner/name": from the clone, or from what is installed."""
    if PYPROJECT.is_file():
        return tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
    urls = dict(line.split(", ", 1) for line in metadata.metadata("tunelings").get_all("Project-URL") or [])
    return urls["Repository"]


def in_colab(path: str) -> str:
    """The address at which Colab opens a notebook of the repository; `path` is relative to its root."""
    name = address().removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{name}/blob/main/{path}"
