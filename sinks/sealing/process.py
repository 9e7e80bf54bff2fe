"""Decides what the sealer as a process is made of, and where its key, its state and its archive lie."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from functools import partial

import structlog
from prometheus_client import start_http_server

from inzage.schemas.settings import Settings
from inzage.sinks.completeness.watch import Watch, Watched
from inzage.sinks.ledger.signing_key import signing_key
from inzage.sinks.lifetime import live, serve
from inzage.sinks.logs import Cluster, Said, Topic, read_cluster, topics_of
from inzage.sinks.sealing.archive import Archive, open_archive
from inzage.sinks.sealing.attestation import Attestor
from inzage.sinks.sealing.rounds import Passes
from inzage.sinks.sealing.sealer import Sealer
from inzage.sinks.sealing.state import State
from inzage.sinks.sealing.watched import MakeCompleteness
from inzage.sinks.witness.attestor import configured_attestor

FOLDER = "sealer"
KEY = "key"

_log = structlog.get_logger("inzage.sealer")


def run_sealer(settings: Settings, *, attestor: Attestor | None = None, metrics_port: int | None = None) -> int:
    """Seal until SIGTERM or SIGINT; returns the exit code. `metrics_port` on 127.0.0.1. Raises `ConfigError`."""

    def body() -> None:
        topics = topics_of(settings.controllers)
        cluster = read_cluster(settings.kafka, topics)
        if metrics_port is not None:
            start_http_server(metrics_port, addr="127.0.0.1")
        watch = partial(watch_of, cluster, topics)
        asyncio.run(serve(lambda: open_sealer(settings, cluster, topics, completeness=watch, attestor=attestor)))

    return live(body, _log)


def watch_of(cluster: Cluster, topics: Mapping[str, Topic], not_whole: Collection[str]) -> Watch:
    """The watch over every events topic; those in `not_whole` are not read from their beginning."""
    return Watch(
        Watched(name, topic.controller, cluster.topics[name][1], whole=name not in not_whole)
        for name, topic in topics.items()
        if topic.said is Said.EVENTS and topic.controller
    )


def open_sealer(
    settings: Settings,
    cluster: Cluster,
    topics: Mapping[str, Topic],
    *,
    archive: Archive | None = None,
    completeness: MakeCompleteness | None = None,
    attestor: Attestor | None = None,
    passes: Passes = lambda point: None,
) -> Sealer:
    """A sealer to run in this loop, which gives its state back when it ends; raises `ConfigError`."""
    folder = settings.data_dir / FOLDER
    sealing = settings.sealing
    signer = signing_key(sealing.key_file or folder / KEY, sealing.key_name)
    archive = archive or open_archive(sealing.archive, settings.data_dir)
    state = State(folder, cluster.meta_origin)
    return Sealer(
        settings,
        cluster,
        topics,
        state,
        signer,
        archive,
        completeness=completeness,
        attestor=attestor or configured_attestor(sealing),
        passes=passes,
    )
