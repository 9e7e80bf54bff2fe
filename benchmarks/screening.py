"""Rows a second of the engine alone, by size of batch; where the time goes; what one more policy costs.

CPU time, not wall-clock time, so that a busy machine measures the same: `python benchmarks/screening.py`. Cycles are
looked for as seldom as in a worker. Ends with 1 when full batches are judged slower than `AIM`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from inzage.schemas.codec import current, encode
from inzage.schemas.framing import SINGLE_OBJECT_BYTES
from inzage.schemas.json_face import read
from inzage.streams.collection import collect_seldom
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.dossier.versions import PersonDossier
from inzage.streams.screening.computed import Computed
from inzage.streams.screening.decoding import Decoding
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.examples import merged
from inzage.streams.screening.open_insert import OpenInsert
from inzage.streams.screening.pack import Policies, policies_of
from inzage.streams.screening.row import Row

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
KINDS = 97  # distinct events; the rest repeats them under other ids
SUBJECTS = 1_000
AIM = 60_000
STEPS = {"decode": Decoding, "_computed": Computed, "feed": OpenInsert, "_found": Computed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 1_000, 20_000, 50_000])
    parser.add_argument("--controllers", nargs="+", default=["CIGNA", "HMBS"])
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    slow = False
    for name in arguments.controllers:
        begun = time.process_time()
        policies = policies_of(name)
        engine().add(policies)
        loaded = time.process_time() - begun
        controller = prepared(policies)
        rows = made(controller, max(arguments.sizes))
        collect_seldom()
        said: dict[str, Any] = {"benchmark": "screening"}
        print(json.dumps({**said, "of": name, "rules": len(policies.rules), "load_s": round(loaded, 2)}))
        for size in arguments.sizes:
            figures = measured(controller, rows[:size], arguments.repeat)
            print(json.dumps({**said, "of": f"{name}, batches of {size:,}", **figures}))
        slow = slow or figures["rows_per_s"] < AIM
        print(json.dumps({**said, "of": f"{name}, where {size:,} go", **steps(controller, rows, arguments.repeat)}))
        print(json.dumps({**said, "of": f"{name}, usual rows", **of_usual(controller, rows, arguments.repeat)}))
        print(json.dumps({**said, "of": f"{name}, one more policy", **of_one_more(policies, rows, arguments.repeat)}))
    sys.exit(1 if slow else 0)


def prepared(policies: Policies) -> Controller:
    """A controller with the references and dossiers that the packs' examples start from."""
    controller, controller_id = engine().add(policies), policies.controller_id
    references = References(controller_id, law(), controller.policies.settings)
    agreed = {"type": "AgreementSigned", "fact_id": "agreed", "agreement_ref": "DPA", "agreement_type": "DPA_ART28"}
    agreed |= {"party_org_id": "ORG-OTHER", "signed_by_both": True}
    for fact in (*controller.policies.own.base_facts, agreed):
        said = {**fact, "recorded_at": START - timedelta(days=1), "controller_id": controller_id}
        if "subject" not in fact:
            references.take(START - timedelta(days=1), read({"fact": said}).record)
    engine().load_tables(controller, references.tables(START))
    engine().load_dossiers(controller, [_dossier(controller, number) for number in range(SUBJECTS)])
    return controller


def _dossier(controller: Controller, number: int) -> PersonDossier:
    """A person of whom the packs' examples say the same, and who once consented."""
    subject, controller_id = f"subject-{number:06}", controller.policies.controller_id
    dossier = PersonDossier(subject)
    base = controller.policies.own.base_event["subject"]["pseudonym"]
    consent = {"type": "ConsentGiven", "consent_ref": f"consent-{number}", "given_at": START - timedelta(days=90)}
    facts = [fact for fact in controller.policies.own.base_facts if "subject" in fact]
    for offset, fact in enumerate((consent, *facts)):
        own = {name: subject if value == base else value for name, value in fact.items()}
        envelope = {"recorded_at": START, "controller_id": controller_id, "subject": subject}
        said = read({"fact": {**own, **envelope, "fact_id": f"{subject}-{offset}"}}).record
        dossier.take(offset, encode("fact", said), said)
    return dossier


def kinds(base_event: Mapping[str, Any], random: Random) -> list[dict[str, Any]]:
    """Kinds of events: most are ordinary disclosures and looks, some go abroad or to the employer."""
    base = merged(base_event, {"channel": "EDI_MTLS", "direction": "OUTBOUND"})
    changes: list[dict[str, Any]] = [
        {},
        {"event_type": "AccessEvent", "action": "READ", "recipient": None},
        {
            "data_categories": ["IDENTITY", "HEALTH_PHYSICAL"],
            "special_basis": "ART9_HEALTH_CARE",
            "special_category": True,
        },
        {"recipient": {"org_id": "ORG-EMPLOYER", "category": "EMPLOYER"}, "purpose": "EMPLOYER_ADMINISTRATION"},
        {"recipient": {"establishment_country": "IN", "processing_country": "IN"}},
    ]
    return [merged(base, change) for change in random.choices(changes, weights=(45, 35, 15, 4, 1), k=KINDS)]


def made(controller: Controller, count: int) -> list[Row]:
    """Rows as they come from Kafka."""
    base = controller.policies.own.base_event
    of_kind = kinds(base, Random(7))
    rows = []
    for number in range(count):
        event = {
            **of_kind[number % KINDS],
            "event_id": f"01930000-0000-7000-8000-{number:012}",
            "occurred_at": START + timedelta(seconds=number),
            "recorded_at": START + timedelta(seconds=number),
            "controller_id": controller.policies.controller_id,
            "subject": {**base["subject"], "pseudonym": f"subject-{number % SUBJECTS:06}"},
        }
        known_at = int((START + timedelta(seconds=number)).timestamp() * 1000)
        datum = encode("activity", read({"event": event}).record)[SINGLE_OBJECT_BYTES:]
        rows.append(Row(number + 10, known_at, datum, "", number + 10, known_at))
    return rows


def measured(controller: Controller, rows: list[Row], repeat: int) -> dict[str, float]:
    """The best of `repeat` runs: CPU milliseconds a batch, and rows per second of CPU."""
    best = float("inf")
    hits = 0
    for _ in range(repeat):
        begun = time.process_time()
        hits = len(engine().judge(controller, current("activity"), rows)[0])
        best = min(best, time.process_time() - begun)
    return {"rows_per_s": round(len(rows) / best), "cpu_ms": round(best * 1000, 1), "hits": hits}


def steps(controller: Controller, rows: list[Row], repeat: int) -> dict[str, float]:
    """CPU milliseconds of each step of a batch, the mean of `repeat` runs."""
    with _timed() as spent:
        for _ in range(repeat):
            engine().judge(controller, current("activity"), rows)
    decoded, given, computed, found = (1_000 * spent[name] / repeat for name in STEPS)
    own = {"decode_ms": decoded, "hand_over_ms": given - computed, "compute_ms": computed, "read_hits_ms": found}
    return {name: round(value, 1) for name, value in own.items()}


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """CPU seconds spent in the steps of a batch from now on."""
    spent = dict.fromkeys(STEPS, 0.0)

    def timed(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            begun = time.process_time()
            try:
                return step(*given)
            finally:
                spent[name] += time.process_time() - begun

        return run

    before = {name: getattr(of, name) for name, of in STEPS.items()}
    for name, of in STEPS.items():
        setattr(of, name, timed(name, before[name]))
    try:
        yield spent
    finally:
        for name, of in STEPS.items():
            setattr(of, name, before[name])


def of_usual(controller: Controller, rows: list[Row], repeat: int) -> dict[str, float]:
    """The best CPU milliseconds with what usual rows do not say left out and with nothing left out, alternately."""
    schema, known = current("activity"), controller.batch._learnt._known
    usual, best = known[schema], [float("inf")] * 2
    for _ in range(repeat):
        for number, left_out in enumerate((usual, None)):
            known[schema] = left_out
            begun = time.process_time()
            engine().judge(controller, schema, rows)
            best[number] = min(best[number], time.process_time() - begun)
    known[schema] = usual
    return {"left_out_ms": round(1000 * best[0], 1), "nothing_left_out_ms": round(1000 * best[1], 1)}


def of_one_more(policies: Policies, rows: list[Row], repeat: int) -> dict[str, float]:
    """What a policy costs a row: all of them against every second one, one after the other, `repeat` times."""
    half = policies.only({entry.id for entry in policies.entries[::2]})
    sides = [prepared(half), prepared(policies)]
    best = [float("inf")] * 2
    for _ in range(repeat):
        for number, side in enumerate(sides):
            begun = time.process_time()
            engine().judge_at_once(side, current("activity"), rows)
            best[number] = min(best[number], time.process_time() - begun)
    more = len(policies.rules) - len(half.rules)
    return {"microseconds_a_row": round(1e6 * (best[1] - best[0]) / more / len(rows), 4)}


if __name__ == "__main__":
    main()
