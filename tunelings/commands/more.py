"""The commands that one doesn't need at each save; `app` imports them when one of them, or the help, is asked for."""

from __future__ import annotations

import typer

from tunelings.commands import classroom, dev, project, real_models

app = typer.Typer(rich_markup_mode=None)
app.command()(classroom.grade)
app.add_typer(real_models.app, name="models")
app.add_typer(project.app, name="project")
app.add_typer(dev.app, name="dev")
