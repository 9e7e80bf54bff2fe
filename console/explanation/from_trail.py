"""Makes the case of a verdict from the trail."""

from __future__ import annotations

from pathlib import Path

from inzage.console.explanation.case import Case, before_and_after, facts_in, statements_of
from inzage.sinks.judgement import Judgement
from inzage.streams.screening.pack import Entry, has_pack, policies_of


def case_of(judgement: Judgement, packs: Path | None) -> Case:
    """What there is to say about `judgement`; `packs` is a folder of packs that stand before those that ship."""
    verdict = judgement.verdict
    said = statements_of((kept.said, kept.kept_at) for kept in judgement.statements)
    before, after = before_and_after(verdict, judgement.revisions, said)
    entry, pack_version = entry_of(verdict["controller_id"], verdict["rule_id"], packs)
    judged = judgement.judged.said if judgement.judged else None
    return Case(verdict, judged, facts_in(verdict, said), before, after, entry, pack_version)


def entry_of(controller: str, rule: str, packs: Path | None) -> tuple[Entry | None, str]:
    """The entry as the packs at hand have it, and their version; None and empty when they do not."""
    if not has_pack(controller, packs):
        return None, ""
    policies = policies_of(controller, packs)
    entries = (*policies.entries, *policies.unjudged)
    return next((entry for entry in entries if entry.id == rule), None), policies.version
