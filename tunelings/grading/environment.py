"""Is what the course needs installed, in a version that it works with? Read from metadata, nothing is imported.

What is missing can be said without any package at all; versions are compared by `packaging`.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from tunelings.course import PACKAGE, carried

if TYPE_CHECKING:
    from packaging.requirements import Requirement

EXTRA = "course"  # what the exercises need; `tunelings init`, `list` and `hint` do without
IN_A_CLONE = 'run `uv sync` (or `pip install -e ".[course]"`) in the course\'s folder'
IN_A_FOLDER = "run `tunelings init` in the course's folder"
REMEDY = IN_A_FOLDER if carried() != PACKAGE.parent else IN_A_CLONE
_EXTRA = re.compile(r"""extra == ['"]([\w-]+)['"]""")
_NAMED = 3  # packages that one line names


@functools.cache
def installed() -> dict[Requirement, str | None]:
    """The version that is installed (None: it is not) for each requirement of the course that applies here.

    Raises:
        PackageNotFoundError: tunelings itself is not installed.
    """
    from importlib import metadata

    from packaging.requirements import Requirement

    requirements = [Requirement(line) for line in metadata.requires("tunelings") or []]
    here = [one for one in requirements if one.marker is None or one.marker.evaluate({"extra": EXTRA})]
    return {one: _version(one.name) for one in here}


def missing() -> list[str]:
    """The names of the packages that `installed` would find missing, told without `packaging`, which may be one."""
    from importlib import metadata

    try:
        lines = metadata.requires("tunelings") or []
    except metadata.PackageNotFoundError:
        return ["tunelings"]
    needed = [line for line in lines if (extra := _EXTRA.search(line)) is None or extra[1] == EXTRA]
    names = [re.split(r"[^\w.-]", line)[0] for line in needed]
    return [name for name in names if _version(name) is None]


def named(packages: list[str]) -> str:
    """Some names of packages in one line: "24 packages (accelerate, bitsandbytes, …)" where they are many."""
    if len(packages) <= _NAMED:
        return ", ".join(packages)
    return f"{len(packages)} packages ({', '.join(packages[:2])}, …)"


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def fits(requirement: Requirement, version: str) -> bool:
    return requirement.specifier.contains(version, prereleases=True)


@functools.cache
def problem() -> str | None:
    """One line on the first package that is missing or of a wrong version; None if all is well."""
    from importlib import metadata

    try:
        found = installed()
    except metadata.PackageNotFoundError:
        return f"tunelings isn't installed in this Python: {REMEDY}."
    if absent := [requirement.name for requirement, version in found.items() if version is None]:
        return f"{named(absent)} {'is' if len(absent) == 1 else 'are'} not installed: {REMEDY}."
    for requirement, version in found.items():
        if version is not None and not fits(requirement, version):
            wanted = f"{requirement.name}{requirement.specifier}"
            return f"the course needs {wanted}, and {version} is installed: {REMEDY}."
    return None
