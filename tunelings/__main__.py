"""`python -m tunelings`, for those whose PATH does not have the command, as an editor's tasks."""

from tunelings.commands.cli import main

main()
