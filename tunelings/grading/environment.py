"""Is what the course needs installed, in a version that it works with? Read from metadata, nothing is imported."""

from __future__ import annotations

import functools
from importlib import metadata

from packaging.requirements import Requirement

MEND = "run `uv sync` (or `pip install -e .`) in the course's folder"


@functools.cache
def installed() -> dict[Requirement, str | None]:
    """The version that is installed (None: it is not) for each requirement of the course that applies here.

    Raises:
        PackageNotFoundError: tunelings itself is not installed.
    """
    requirements = [Requirement(line) for line in metadata.requires("tunelings") or []]
    here = [one for one in requirements if one.marker is None or one.marker.evaluate()]
    return {one: _version(one.name) for one in here}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def fits(requirement: Requirement, version: str) -> bool:
    return requirement.specifier.contains(version, prereleases=True)


@functools.cache
def problem() -> str | None:
    """One line on the first package that is missing or of a wrong version; None if all is well."""
    try:
        found = installed()
    except metadata.PackageNotFoundError:
        return f"tunelings is not installed in this Python: {MEND}."
    for requirement, version in found.items():
        if version is None:
            return f"{requirement.name} is not installed: {MEND}."
        if not fits(requirement, version):
            wanted = f"{requirement.name}{requirement.specifier}"
            return f"the course needs {wanted}, and {version} is installed: {MEND}."
    return None
