"""`inzage topics`: creates the topics of the installation."""

from __future__ import annotations

import typer

from inzage.console.output import say
from inzage.schemas.settings import load_settings

app = typer.Typer(help="Create the topics of the installation.")


@app.command()
def create() -> None:
    """Create every missing topic; what exists is left alone."""
    from inzage.deploy.local.topics import ensure_topics

    settings = load_settings()
    ensure_topics(settings, settings.controllers)
    say(f"topics of {', '.join(settings.controllers)} are there")
