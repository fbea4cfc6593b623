"""OpenLineage: the events are what OpenLineage's own client would have written, and no target of them ever harms a run."""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from openlineage.client import event_v2, facet_v2
from openlineage.client.serde import Serde

from labelkit import errors
from labelkit.recipes import delivery, identity
from labelkit.recipes.lineage import Lineage
from labelkit.recipes.places import declared_outputs
from labelkit.recipes.recording import Recorder
from tests import servers
from tests.recipes import stores

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLES = [delivery.VARIABLE, delivery.URL, delivery.DISABLED, delivery.ENDPOINT, delivery.API_KEY]
NESTED = {
    "assertions": lambda value: [facet_v2.data_quality_assertions_dataset.Assertion(**one) for one in value],
    "columnMetrics": lambda value: {
        name: facet_v2.data_quality_metrics_dataset.ColumnMetrics(**one, quantiles=None) for name, one in value.items()
    },
    "fields": lambda value: [facet_v2.schema_dataset.SchemaDatasetFacetFields(**one) for one in value],
}
PARENT = {
    "run": lambda value: facet_v2.parent_run.Run(**value),
    "job": lambda value: facet_v2.parent_run.Job(**value),
}
FACETS = {
    "dataQualityAssertions": facet_v2.data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet,
    "dataQualityMetrics": facet_v2.data_quality_metrics_dataset.DataQualityMetricsDatasetFacet,
    "dataSource": facet_v2.datasource_dataset.DatasourceDatasetFacet,
    "errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet,
    "inputStatistics": facet_v2.input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
    "jobType": facet_v2.job_type_job.JobTypeJobFacet,
    "nominalTime": facet_v2.nominal_time_run.NominalTimeRunFacet,
    "outputStatistics": facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "parent": facet_v2.parent_run.ParentRunFacet,
    "processing_engine": facet_v2.processing_engine_run.ProcessingEngineRunFacet,
    "schema": facet_v2.schema_dataset.SchemaDatasetFacet,
    "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet,
}


def as_the_client_writes(event):
    """The event, built from OpenLineage's own models, which refuse unknown fields and check ids and times, and written by its client."""

    def facets(given):
        made = {}
        for name, facet in (given or {}).items():
            readers = PARENT if name == "parent" else NESTED
            values = {key: readers.get(key, lambda value: value)(value) for key, value in facet.items() if key[0] != "_"}
            made[name] = FACETS[name](**values, producer=facet["_producer"])
        return made

    inputs = [
        event_v2.InputDataset(one["namespace"], one["name"], facets=facets(one["facets"]), inputFacets=facets(one["inputFacets"]))
        for one in event["inputs"]
    ]
    outputs = [
        event_v2.OutputDataset(one["namespace"], one["name"], facets=facets(one["facets"]), outputFacets=facets(one["outputFacets"]))
        for one in event["outputs"]
    ]
    return Serde.to_dict(
        event_v2.RunEvent(
            eventType=event_v2.RunState[event["eventType"]],
            eventTime=event["eventTime"],
            run=event_v2.Run(event["run"]["runId"], facets=facets(event["run"]["facets"])),
            job=event_v2.Job(event["job"]["namespace"], event["job"]["name"], facets=facets(event["job"]["facets"])),
            inputs=inputs,
            outputs=outputs,
            producer=event["producer"],
        )
    )


def bare(value):
    """Without what is empty, and without the versions of schemas, which the client is free to raise."""
    if isinstance(value, dict):
        return {
            key: item.rpartition("/")[2] if key in ("_schemaURL", "schemaURL") else bare(item)
            for key, item in value.items()
            if item not in ({}, [], None)
        }
    return [bare(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch):
    for name in [*VARIABLES, "OPENLINEAGE_NAMESPACE", "OPENLINEAGE_PARENT_ID"]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def job(tmp_path):
    """The job of a build, its workspace, and the identity that it has."""
    values = {"store": str(stores.make(tmp_path / "labels.duckdb")), "ratios": stores.RATIOS, "export_to": str(tmp_path / "coco")}
    job = identity.prepare("build_dataset", values)
    with Recorder(job) as recorder:
        yield job, recorder, recorder.identity()


@contextmanager
def endpoint(status: int = 200, hold_s: float = 0.0) -> Iterator[tuple[str, list[dict]]]:
    """An HTTP server on loopback with what it was sent; it may refuse, or hold its answer back."""
    seen: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append({"path": self.path, "key": self.headers["Authorization"], "type": self.headers["Content-Type"], "body": body})
            ended.wait(hold_s)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    ended = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        ended.set()
        server.shutdown()
        thread.join(5)
        server.server_close()


def test_a_build_is_told_as_the_client_of_openlineage_would_tell_it(job, tmp_path, monkeypatch):
    # given a run within a run of another system
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "club")
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", "airflow/nightly.build/0195c0de-0000-7000-8000-000000000001")
    job, recorder, known = job
    file = tmp_path / "deep" / "lineage.jsonl"

    # when it builds and exports
    run = recorder.start(known, "{}")
    lineage = Lineage.begin(job, run, known, recorder.ws, str(file))
    dataset = recorder.ws.datasets.build(job.parameters.request(recorder.ws.datasets.candidates("player_detection")["pack_id"])).dataset
    dataset.export("coco", job.parameters.export_to)
    lineage.complete([dataset.id], declared_outputs(job.parameters))
    lineage.close()

    # then both events are what the client's own models write
    start, complete = events = [json.loads(line) for line in file.read_text().splitlines()]
    assert [bare(as_the_client_writes(event)) for event in events] == [bare(event) for event in events]
    assert (start["eventType"], complete["eventType"], start["outputs"]) == ("START", "COMPLETE", [])
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert (start["job"]["namespace"], start["job"]["name"]) == ("club", "build_dataset")
    assert lineage.environment == {"OPENLINEAGE_PARENT_ID": f"club/build_dataset/{start['run']['runId']}"}
    assert start["run"]["facets"]["parent"]["job"] == {"namespace": "airflow", "name": "nightly.build"}
    assert set(complete["run"]["facets"]["nominalTime"]) == {"_producer", "_schemaURL", "nominalStartTime", "nominalEndTime"}

    # and they name what was read and made
    assert [(one["name"], one["inputFacets"]["inputStatistics"]["rowCount"]) for one in start["inputs"]] == [
        (f"{media}/player_detection", 8) for media in "abc"
    ]
    files, made = complete["outputs"]
    size = sum(path.stat().st_size for path in (tmp_path / "coco").rglob("*") if path.is_file())
    assert (files["namespace"], files["name"]) == ("file", str(tmp_path / "coco"))
    assert (files["outputFacets"]["outputStatistics"]["size"], files["outputFacets"]["outputStatistics"]["fileCount"]) == (size, 4)
    assert (made["namespace"], made["name"]) == ("labelkit://default", "players")
    assert made["facets"]["version"]["datasetVersion"] == dataset.manifest_hash
    assert made["outputFacets"]["outputStatistics"]["rowCount"] == 12
    assert made["facets"]["dataQualityMetrics"]["columnMetrics"]["annotations"] == {"count": 24, "distinctCount": 2}
    columns = dataset.to_polars().schema
    assert [(one["name"], one["type"]) for one in made["facets"]["schema"]["fields"]] == [
        (name, str(kind)) for name, kind in columns.items()
    ]
    judged = {one["assertion"]: (one["success"], one["severity"]) for one in made["facets"]["dataQualityAssertions"]["assertions"]}
    assert judged["LOW_SAMPLE_COUNT"] == (False, "warn")
    assert judged["INVALID_GEOMETRY"] == (True, "error")


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        pytest.param(errors.ReasonRequired(action="revoke"), "FAIL", "REASON_REQUIRED", id="a refusal"),
        pytest.param(KeyboardInterrupt(), "ABORT", "KeyboardInterrupt", id="an interruption"),
    ],
)
def test_a_run_that_fails_is_told_with_its_message(job, tmp_path, error, kind, message):
    # given
    job, recorder, known = job

    # when
    lineage = Lineage.begin(job, recorder.start(known, "{}"), known, recorder.ws, str(tmp_path / "lineage.jsonl"))
    lineage.fail(error)
    lineage.close()

    # then
    last = json.loads((tmp_path / "lineage.jsonl").read_text().splitlines()[-1])
    assert last["eventType"] == kind
    assert message in last["run"]["facets"]["errorMessage"]["message"]
    assert bare(as_the_client_writes(last)) == bare(last)


def test_events_are_posted_in_their_order_with_the_key(monkeypatch):
    # given
    monkeypatch.setenv(delivery.API_KEY, "secret")
    with endpoint() as (url, seen):
        # when
        monkeypatch.setenv(delivery.URL, url)
        sender = delivery.Delivery(delivery.target_of(None))
        for number in range(20):
            sender.send({"number": number})
        arrived = sender.close()

    # then
    assert arrived
    assert [one["body"]["number"] for one in seen] == list(range(20))
    assert {(one["path"], one["key"], one["type"]) for one in seen} == {("/api/v1/lineage", "Bearer secret", "application/json")}


@contextmanager
def nowhere(target):
    yield str(target), []


PLACES = {
    "an endpoint that refuses": lambda _: endpoint(500),
    "an endpoint that never answers": lambda _: endpoint(hold_s=30),
    "an endpoint that is not there": lambda _: nowhere(f"http://127.0.0.1:{servers.free_port()}"),
    "a file that cannot be written": lambda folder: nowhere(folder / "file" / "lineage.jsonl"),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_target_that_fails_is_a_warning_and_holds_nobody_up(tmp_path, place, monkeypatch, caplog):
    # given
    monkeypatch.setattr(delivery, "REQUEST_S", 0.2)
    (tmp_path / "file").write_text("")
    with place(tmp_path) as (target, _), caplog.at_level(logging.WARNING, logger="labelkit.recipes"):
        # when
        began = time.monotonic()
        sender = delivery.Delivery(target)
        sender.send({"number": 1})
        sender.send({"number": 2})
        taken = time.monotonic() - began
        arrived = sender.close(timeout_s=2.0)

        # then
        assert taken < 0.5
        assert not arrived
        assert time.monotonic() - began < 3.5
        (warning,) = caplog.messages
        assert warning.startswith(f"lineage: 2 of 2 events did not reach {target}: ")


def test_a_run_waits_for_a_silent_endpoint_no_longer_than_its_farewell(caplog):
    with endpoint(hold_s=30) as (url, _):
        sender = delivery.Delivery(url)
        sender.send({})
        began = time.monotonic()
        assert not sender.close(timeout_s=0.2)
        assert time.monotonic() - began < 2
        assert "no answer within" in caplog.text


@pytest.mark.parametrize(
    ("given", "variables", "target"),
    [
        pytest.param(None, {}, None, id="nobody asks for it"),
        pytest.param("runs/lineage.jsonl", {}, "runs/lineage.jsonl", id="a file"),
        pytest.param("http://host:5000", {}, "http://host:5000/api/v1/lineage", id="a host"),
        pytest.param("https://host/events?x=1", {}, "https://host/events?x=1", id="an address with a path"),
        pytest.param(None, {"OPENLINEAGE_URL": "http://host/"}, "http://host/api/v1/lineage", id="OpenLineage's variable"),
        pytest.param(None, {"OPENLINEAGE_URL": "http://host", "OPENLINEAGE_ENDPOINT": "/v2"}, "http://host/v2", id="its endpoint"),
        pytest.param(None, {"OPENLINEAGE_URL": "http://host", "LABELKIT_LINEAGE": "file"}, "file", id="ours wins"),
        pytest.param("mine", {"LABELKIT_LINEAGE": "file"}, "mine", id="what is given wins"),
        pytest.param(None, {"LABELKIT_LINEAGE": "file", "OPENLINEAGE_DISABLED": "true"}, None, id="disabled"),
    ],
)
def test_where_events_go(monkeypatch, given, variables, target):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert delivery.target_of(given) == target


def test_an_address_that_is_not_http_is_refused():
    with pytest.raises(errors.InvalidValue, match="no http address"):
        delivery.target_of("ftp://host/x")
