"""The command line `tunelings`: what starts it, and what it says where a package that it needs is missing.

Exit codes: 0 done, 1 a check failed or a model cannot be had, 2 wrong use, 130 interrupted.

Only the standard library is imported here; `app` has the commands.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; what it needs and does not find is one line on standard error."""
    try:
        from tunelings.setup import venv

        venv.hand_over_if_due(sys.argv[1:])
        from tunelings.commands import app

        app.run()
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "tunelings":
            raise
        print(_without(error), file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _without(error: ImportError) -> str:
    from tunelings.grading import environment

    if missing := environment.missing():
        return f"Not installed: {environment.named(missing)}. To install what the course needs, {environment.REMEDY}."
    # What is there counts as installed, damaged or not.
    return f"A package is damaged ({error}). To install it again, delete the folder .venv, then {environment.REMEDY}."
