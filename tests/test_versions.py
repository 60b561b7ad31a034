"""The versions that pyproject.toml allows: the references pass at the lowest, and no two of them disagree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT.get("optional-dependencies", {})
DIRECT = {one.name: one for one in map(Requirement, [*PROJECT["dependencies"], *sum(EXTRAS.values(), [])])}


def lowest(name: str) -> Version:
    return min(Version(one.version) for one in DIRECT[name].specifier if one.operator in (">=", "=="))


def asked_of_peft(version: str) -> str:
    """The peft below which this transformers refuses `set_adapter` and its like, read from its source."""
    import transformers

    assert transformers.__version__ == version
    source = Path(transformers.__file__).parent / "integrations" / "peft.py"
    (asked,) = re.findall(r'^MIN_PEFT_VERSION = "(.+)"$', source.read_text(encoding="utf-8"), re.MULTILINE)
    return asked


def test_the_installed_transformers_takes_every_peft_that_may_be_installed():
    """The lowest peft is enough for the newest transformers that may be installed, so any two that are resolved fit."""
    from importlib import metadata

    installed = metadata.version("transformers")
    if not DIRECT["transformers"].specifier.contains(installed):
        pytest.fail(f"transformers {installed} is installed, and pyproject.toml wants {DIRECT['transformers']}")
    assert Version(asked_of_peft(installed)) <= lowest("peft")


def test_the_quick_start_names_the_torch_and_the_transformers_that_are_allowed():
    text = " ".join((ROOT / "docs" / "quick-start.md").read_text(encoding="utf-8").split())
    assert f"| torch {lowest('torch')} to 2.11 from" in text and f"This course needs torch {lowest('torch')} or" in text
    (cited,) = re.findall(r"the metadata of transformers ([\d.]+),", text)
    assert DIRECT["transformers"].specifier.contains(cited)


@pytest.mark.sweep
@pytest.mark.timeout(7200)
def test_the_references_pass_at_the_lowest_versions(tmp_path: Path):
    """In an environment of their own (6 GB; $TUNELINGS_LOWEST names a folder that keeps it)."""
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    folder = Path(os.environ.get("TUNELINGS_LOWEST") or tmp_path / "lowest")
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    version = PROJECT["requires-python"].removeprefix(">=")
    course = f"{ROOT}[{','.join(EXTRAS)}]" if EXTRAS else str(ROOT)
    here = sys.executable if sys.version.startswith(f"{version}.") else version
    for command in (
        ["uv", "venv", "--quiet", "--allow-existing", "--python", here, str(folder)],
        ["uv", "pip", "install", "--quiet", "--python", str(python), "--resolution", "lowest-direct", "-e", course],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    checks = [str(python), "-m", "pytest", "checks", "--answers", "solutions", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(checks, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-10_000:]
