"""`inzage explain`: tells from the trail what happened, which promise that breaks and what would have been lawful."""

from __future__ import annotations

from typing import Annotated

import typer

from inzage.console.consultation import (
    DEFAULT_PURPOSE,
    ActorOption,
    PurposeOption,
    Reader,
    RoleOption,
    controllers_read,
    recorded,
)
from inzage.console.output import Output, OutputOption, show_object, show_plain
from inzage.schemas.settings import load_settings

app = typer.Typer(help="Explain a verdict: what happened, which promise it breaks, what would be lawful.")


@app.command()
def explain(
    identifier: Annotated[str, typer.Argument(metavar="VERDICT_ID", help="may be shortened while it is unique")],
    actor: ActorOption = "",
    purpose: PurposeOption = DEFAULT_PURPOSE,
    role: RoleOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Explain one verdict of the trail, with the facts it rests on and the verdicts it superseded.

    Looking is recorded as an event of the verdict's controller about its data subject, before anything is shown.
    """
    from inzage.console.explanation.explain import explain as explained
    from inzage.console.explanation.from_trail import case_of
    from inzage.sinks.judgement import find_verdict, judgement_of
    from inzage.sinks.reading import open_trail

    settings = load_settings()
    reader = Reader(actor, purpose, role)
    with (
        recorded(
            settings, controllers_read(settings), reader, query="explain", filter={"identifier": identifier}
        ) as look,
        open_trail(settings) as trail,
    ):
        verdict = find_verdict(trail, identifier)
        controller = verdict["controller_id"]
        look.controllers = controllers_read(settings, controller)
        look.subject = verdict["subject"]
        look.rows.update(look.controllers)
        case = case_of(judgement_of(trail, verdict), settings.packs_dir)
    explanation = explained(case, settings.zone_of(controller))
    if output is Output.TABLE:
        show_plain(explanation.as_text())
    else:
        show_object(explanation.as_json(), output)
