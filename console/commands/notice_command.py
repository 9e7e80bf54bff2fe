"""`inzage notice`: shows what is wrong with the privacy notices themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from inzage.console.consultation import controllers_read
from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, say, show_plain, show_rows
from inzage.schemas.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Show what is wrong with the notices themselves.")

_WORST_FIRST = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")
_TOLD = """\
{id} ({severity}): {title}
  GDPR {articles}; under {headings}
  It says: {says}
  The law asks: {law_asks}
  Change: {change}
"""


@app.callback()
def _notice() -> None:
    """Show what is wrong with the notices themselves."""


@app.command()
def defects(
    controller: Annotated[str, typer.Option(help="only the notice of this controller")] = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Show where a notice contradicts itself or the law, the worst first. Exit 1 when there is one.

    They are readings of a published text and concern nobody's data: nothing is recorded.
    """
    from inzage.streams.policies.notice_defects import notice_of

    settings = load_settings()
    rows = []
    for name in controllers_read(settings, controller):
        notice = notice_of(name, settings.packs_dir)
        if notice is None:
            say(f"{name}: nobody has read its notice for defects")
            continue
        found = sorted(notice.defects, key=lambda defect: _WORST_FIRST.index(defect.severity))
        rows += [{"controller": name, "notice": notice.notice, **defect.model_dump()} for defect in found]
    if output is Output.TABLE:
        show_plain("\n".join(_told(row) for row in rows))
        say(f"{len(rows)} defects")
    else:
        show_rows(rows, (), output)
    if rows:
        raise typer.Exit(EXIT_FINDINGS)


def _told(row: dict[str, object]) -> str:
    return _TOLD.format(
        **{name: ", ".join(value) if isinstance(value, list) else value for name, value in row.items()}
    )
