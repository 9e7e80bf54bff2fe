"""The command line: `inzage`. Exit 0 clean, 1 findings, 2 usage, configuration, input or I/O.

Commands stand one to a file under `commands/` and are imported only when named, so that `inzage emit` does not
wait for engines it does not use.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from inzage.console.output import EXIT_USAGE, stderr
from inzage.schemas.errors import InzageError

COMMANDS = {
    "up": "Run broker, ClickHouse endpoint, worker, sink, sealer and reviser on this machine.",
    "demo": "Run the whole path once on real and generated events and show what was found.",
    "emit": "Emit facts and events from JSON lines.",
    "import": "Import events from other formats (FHIR AuditEvents).",
    "screen": "Judge facts and events of a file, without Kafka or ClickHouse.",
    "policy": "Check policy packs and run their examples; show what they cover.",
    "notice": "Show what is wrong with the notices themselves.",
    "verify": "Recompute the trail and say whether it is what was sealed.",
    "trail": "Show what the trail holds and whether it is complete.",
    "whatif": "Ask what would be a violation if the law, an agreement or a policy were another.",
    "gaps": "Show which numbers of which source are missing, and who fell silent.",
    "violations": "Show violations from the trail, with the promise each breaks.",
    "explain": "Explain a verdict: what happened, which promise it breaks, what would be lawful.",
    "reference": "Load and list what is known of organisations, agreements, instruments and law.",
    "checks": "List and run the checks that look over the whole trail.",
    "subject": "Show, export and erase what is held about one person.",
    "dead-letters": "List, show and replay what could not be read.",
    "prove": "Write the proof of one event to a file.",
    "check-proof": "Check a proof file offline, with the keys one was given.",
    "retention": "Show and drop what is older than its period, after a signed statement.",
    "ledger-vectors": "Run Merkle proofs made elsewhere against the ledger.",
    "witness": "Run a witness for another organisation's trail.",
    "topics": "Create the topics of the installation.",
    "worker": "Run the screening worker.",
    "sink": "Run the trail sink.",
    "reviser": "Run the reviser: late facts, deadlines, scheduled checks.",
    "sealer": "Run the sealer of the trail.",
}


class _LazyGroup(TyperGroup):
    """Imports a command's module when it is asked for; lists all without importing any."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"inzage.console.commands.{cmd_name.replace('-', '_')}_command")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        command.short_help = COMMANDS[cmd_name]
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(
    cls=_LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Audit and transfer logging for personal data: judged against what the privacy notice promises.",
)


@app.callback()
def _root() -> None:
    """Audit and transfer logging for personal data."""


def main(argv: list[str] | None = None) -> Any:
    """Run one command; every `InzageError` becomes its diagnostics on stderr and exit code 2."""
    try:
        return app(args=argv, standalone_mode=True)
    except InzageError as error:
        stderr.print(f"[bold red]error[/bold red] {error.code}: {error.diagnostics()}", soft_wrap=True)
        sys.exit(EXIT_USAGE)
    except BrokenPipeError:
        sys.exit(EXIT_USAGE)


if __name__ == "__main__":
    main()
