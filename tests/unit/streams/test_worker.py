"""What a worker lets go of when partitions are assigned anew."""

from __future__ import annotations

from typing import Any

from inzage.schemas.settings import Settings
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.screening.engine import engine
from inzage.streams.screening.pack import policies_of
from inzage.streams.screening.screener import Screener
from inzage.streams.transport.batch import RecordBatch
from inzage.streams.worker import Worker
from tests.unit.streams.dossier.test_store import speak_of


def test_partitions_as_they_were_assigned_before_are_forgotten() -> None:
    policies = policies_of("HMBS")
    controller = engine().add(policies.only({"HMBS-02"}))
    measures: Any = None
    worker = Worker(Settings(), measures=measures)
    worker._controllers["hmbs"] = controller
    for place, incarnation in ((("events", 0), 1), (("events", 1), 2), (("others", 0), 1)):
        screener = Screener(engine(), controller, References("HMBS", law(), policies.settings))
        worker._screeners[place] = incarnation, screener
    speak_of(screener.store, 1, "SUB-1")
    engine().load_dossiers(controller, screener.store.opened())
    worker._forget_former("hmbs", RecordBatch("events", 0, [], incarnation=2))
    assert set(worker._screeners) == {("events", 1), ("others", 0)}
    assert not controller.held.dossiers and controller.held.begun_afresh
    engine().load_dossiers(controller, screener.store.opened())
    worker._forget_former("hmbs", RecordBatch("events", 0, [], incarnation=2))
    assert controller.held.dossiers, "once for each time that they were assigned"
