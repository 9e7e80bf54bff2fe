"""Opens the voice that a command speaks with: the emitter of the settings, or one that only tries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inzage.console.emission import LiveVoice, TrialVoice, Voice
from inzage.schemas.emitter import AlreadyPseudonyms, Emitter, SqlVault, Vault
from inzage.schemas.settings import load_settings


@contextmanager
def open_voice(
    controller: str, source_system: str, *, pseudonymise: bool, dry_run: bool
) -> Iterator[tuple[Voice, Vault]]:
    """Voice and vault; on leaving, all that was said is acknowledged or `DeliveryError` is raised."""
    if dry_run:
        yield TrialVoice(), SqlVault.passing()
        return
    settings = load_settings()
    vault: Vault = AlreadyPseudonyms()
    if pseudonymise:
        vault = SqlVault.in_file(settings.data_dir / "vault.sqlite")
    with Emitter(controller_id=controller, source_system=source_system, settings=settings, vault=vault) as emitter:
        yield LiveVoice(emitter), vault
