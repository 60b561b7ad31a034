"""Is what the course needs installed, in a version that it works with? Read from metadata, nothing is imported."""

from __future__ import annotations

import functools
from importlib import metadata

from packaging.requirements import Requirement

MEND = "run `uv sync` (or `pip install -e .`) in the course's folder"


@functools.cache
def problem() -> str | None:
    """One line on the first package that is missing or of a wrong version; None if all is well."""
    try:
        requirements = [Requirement(line) for line in metadata.requires("tunelings") or []]
    except metadata.PackageNotFoundError:
        return f"tunelings is not installed in this Python: {MEND}."
    for requirement in requirements:
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            return f"{requirement.name} is not installed: {MEND}."
        if not requirement.specifier.contains(version, prereleases=True):
            wanted = f"{requirement.name}{requirement.specifier}"
            return f"the course needs {wanted}, and {version} is installed: {MEND}."
    return None
