"""The grader and the command line of the course."""

import sys

__version__ = "0.1.0"

if sys.version_info < (3, 11):  # Before any import that an older Python cannot read.
    raise SystemExit(
        "tunelings needs Python 3.11 or newer, and this is %d.%d: make a new environment with a newer one."
        % sys.version_info[:2]
    )
