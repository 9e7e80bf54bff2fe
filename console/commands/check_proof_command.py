"""`inzage check-proof`: checks a proof file with the keys one was given, without Kafka, ClickHouse or a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, show_object, show_text, stderr
from inzage.schemas.errors import ConfigError, TamperError

if TYPE_CHECKING:
    from inzage.sinks.proof.check import Held

app = typer.Typer(help="Check a proof file offline.")

_KEYS = "verifier key of the sealer, or a file of such keys; may be repeated"


@app.command()
def check_proof(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="what `inzage prove` wrote")],
    key: Annotated[list[str] | None, typer.Option(help=_KEYS)] = None,
    witness_key: Annotated[list[str] | None, typer.Option(help="the same of a witness")] = None,
    quorum: Annotated[
        int | None, typer.Option(min=0, help="witnesses that must have cosigned; all stated ones when not stated")
    ] = None,
    tsa_cert: Annotated[
        list[Path] | None, typer.Option(help="root certificate of a time-stamp authority, PEM; asks for a time stamp")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Check every step from the record's bytes to the keys given, and show what is proven by whom and the event.

    Exit 0 when it holds, 1 when it does not, 2 when it cannot be checked: no key is given, or a file cannot be read.
    A key that came with the proof proves nothing.
    """
    from inzage.sinks.proof.check import Trust
    from inzage.sinks.proof.check import check_proof as check

    witnesses = _verifiers(witness_key or [])
    wanted = len(witnesses) if quorum is None else quorum
    trust = Trust(_verifiers(key or []), witnesses, wanted, _certificates(tsa_cert or []))
    content = _read(file)
    try:
        held = check(content, trust)
    except TamperError as error:
        if output is not Output.TABLE:
            show_object({"holds": False, "code": error.code, "why": str(error)}, output)
        stderr.print(f"[bold red]does not hold[/bold red] {error.code}: {error.diagnostics()}", soft_wrap=True)
        raise typer.Exit(EXIT_FINDINGS) from error
    if output is Output.TABLE:
        show_text("[bold green]holds[/bold green]")
        show_object(_in_words(held), output)
        show_text("[bold]event[/bold]:")
        show_text((held.event or "(its bytes are proven; no schema to decode them with)").replace("[", r"\["))
    else:
        show_object(_as_data(held), output)


def _in_words(held: Held) -> dict[str, Any]:
    record = held.record
    unchecked = {"not checked": ", ".join(held.unchecked)} if held.unchecked else {}
    return {
        "record": f"offset {record.offset}, received {record.at.isoformat()} by the clock of {record.stamped_by}",
        "leaf": held.leaf_hash.hex(),
        "log": f"record {held.index} (from 0) of {held.log.size} in {held.log.origin}",
        "meta log": f"that state of the log is entry {held.meta_index} of {held.meta.size} in {held.meta.origin}",
        "signed by": ", ".join(f"{key.name}+{key.key_id.hex()}" for key in held.signed_by),
        "witnessed by": _attested(held.witnesses) or "nobody that was asked for",
        "time stamp": _attested(held.timestamps) or "none that was asked for",
        "schema from": held.schema_proven_by,
        **unchecked,
    }


def _attested(attested: Any) -> str:
    return ", ".join(f"{one.by} at {one.at.isoformat()}" for one in attested)


def _as_data(held: Held) -> dict[str, Any]:
    import json

    def seen(attested: Any) -> list[dict[str, Any]]:
        return [{"by": one.by, "at": one.at} for one in attested]

    return {
        "holds": True,
        "origin": held.log.origin,
        "index": held.index,
        "offset": held.record.offset,
        "timestamp": held.record.at,
        "leaf_hash": held.leaf_hash.hex(),
        "log_size": held.log.size,
        "log_root": held.log.root.hex(),
        "meta_origin": held.meta.origin,
        "meta_index": held.meta_index,
        "meta_size": held.meta.size,
        "meta_root": held.meta.root.hex(),
        "signed_by": [f"{key.name}+{key.key_id.hex()}" for key in held.signed_by],
        "witnesses": seen(held.witnesses),
        "timestamps": seen(held.timestamps),
        "schema_from": held.schema_proven_by,
        "not_checked": list(held.unchecked),
        "event": None if held.event is None else json.loads(held.event),
    }


def _read(file: Path) -> bytes:
    from inzage.sinks.proof.proof_file import MAX_BYTES

    try:
        if file.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{file}: larger than any proof ({MAX_BYTES} bytes)", code="config.proof")
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}", code="config.proof") from error


def _verifiers(stated: list[str]) -> tuple[Any, ...]:
    """Keys stated as text or as files of them."""
    from inzage.sinks.ledger.note import Verifier
    from inzage.sinks.ledger.signing_key import read_verifiers

    found: list[Verifier] = []
    for one in stated:
        found += [Verifier.read(one)] if one.count("+") >= 2 and not Path(one).exists() else read_verifiers(Path(one))
    return tuple(dict.fromkeys(found))


def _certificates(files: list[Path]) -> tuple[Any, ...]:
    from inzage.sinks.witness.attestations import read_certificates

    return tuple(certificate for file in files for certificate in read_certificates(file))
