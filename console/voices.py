"""Opens the voice that a command speaks with: the emitter of the settings, or one that only tries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from inzage.console.emission import LiveVoice, TrialVoice, Voice
from inzage.schemas.emitter import AlreadyPseudonyms, Emitter, SqlVault, Vault
from inzage.schemas.settings import load_settings


@contextmanager
def open_voice(
    controller: str, source_system: str, *, pseudonymise: bool, dry_run: bool
) -> Iterator[tuple[Voice, Vault]]:
    """Voice and vault; on leaving, all that was said is acknowledged or `DeliveryError` is raised."""
    if dry_run:
        passing = SqlVault.passing()
        yield TrialVoice(passing), passing
        return
    settings = load_settings()
    # References that others handed out have keys too, but only when something is said that needs one.
    vault: Vault = AlreadyPseudonyms(partial(SqlVault.of, settings.data_dir))
    if pseudonymise:
        vault = SqlVault.of(settings.data_dir)
    with Emitter(controller_id=controller, source_system=source_system, settings=settings, vault=vault) as emitter:
        yield LiveVoice(emitter), vault
