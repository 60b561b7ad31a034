"""The autograder of an assignment in Classroom 50: CLASSROOM/autograders/ASSIGNMENT/autograder.py.

Its runner starts this in the student's repository. The course is fetched and installed, the answers are graded, and
result.json is left where the runner looks for it. An exit code other than 0 is an error there, and no mark.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

COURSE = "https://github.com/OWNER/tunelings"  # your course's repository
REF = "main"  # better a tag: what you teach with
ONLY = "module01"  # the exercises that count: "1.05,module02"


def run(*command: str, cwd: Path | None = None) -> int:
    """Run a command, whose output is the workflow's log; returns its exit code."""
    return subprocess.run(command, cwd=cwd).returncode


def need(*command: str, cwd: Path | None = None) -> None:
    if run(*command, cwd=cwd):
        sys.exit(f"{' '.join(command[:3])} … has failed: there is no mark.")


def main() -> None:
    student = Path.cwd()
    folder = Path(os.environ.get("RUNNER_TEMP", "/tmp"), "tunelings")
    course, graded, python = folder / "course", folder / "graded", folder / "venv" / "bin" / "python"
    need("git", "clone", "--depth", "1", "--branch", REF, COURSE, str(course))
    need("sudo", "apt-get", "update")
    need("sudo", "apt-get", "install", "-y", "bubblewrap")
    need("sudo", "sysctl", "-w", "kernel.apparmor_restrict_unprivileged_userns=0")
    need(sys.executable, "-m", "venv", str(folder / "venv"))
    need(str(python), "-m", "pip", "install", "--quiet", "uv")
    os.environ["UV_TORCH_BACKEND"] = "cpu"
    need(str(python), "-m", "uv", "pip", "install", "--python", str(python),
         "-e", f"{course}[course]", "-c", str(course / "constraints.txt"))  # fmt: skip
    command = [str(python), "-m", "tunelings", "grade", "--single", str(student), "-o", str(graded), "--only", ONLY]
    code = run(*command, cwd=course)
    result = graded / "classroom50" / "result.json"
    if code not in (0, 1, 3) or not result.is_file():  # All pass, not all do, or a file could not be taken.
        sys.exit(f"tunelings grade has ended with {code}: there is no mark.")
    shutil.copy(result, student / "result.json")


if __name__ == "__main__":
    main()
