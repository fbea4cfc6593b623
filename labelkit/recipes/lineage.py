"""OpenLineage 2-0-2: what a run reads and makes, told to other systems when it starts and when it ends."""

from __future__ import annotations

import logging
import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import labelkit
from labelkit.errors import LabelkitError
from labelkit.recipes.delivery import Delivery
from labelkit.recipes.places import Place, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.core.datasets.quality import Indicator
    from labelkit.recipes.identity import Identity, Job
    from labelkit.services.datasets import Dataset
    from labelkit.services.runs import NewRun, RunFile
    from labelkit.workspace import Workspace

_LOG = logging.getLogger("labelkit.recipes")
PRODUCER = f"urn:labelkit:{labelkit.__version__}"
SPEC = "https://openlineage.io/spec"
EVENT = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACETS = {
    "dataQualityAssertions": "1-1-0/DataQualityAssertionsDatasetFacet",
    "dataQualityMetrics": "1-0-1/DataQualityMetricsDatasetFacet",
    "dataSource": "1-0-1/DatasourceDatasetFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "inputStatistics": "1-0-0/InputStatisticsInputDatasetFacet",
    "jobType": "2-0-4/JobTypeJobFacet",
    "nominalTime": "1-0-1/NominalTimeRunFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet",
    "parent": "1-2-0/ParentRunFacet",
    "processing_engine": "1-1-1/ProcessingEngineRunFacet",
    "schema": "1-2-0/SchemaDatasetFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet",
}
NAMESPACE, PARENT = "OPENLINEAGE_NAMESPACE", "OPENLINEAGE_PARENT_ID"
MOST_INPUTS = 1000  # an event of ten thousand label packs would be refused by most endpoints
Json = dict[str, Any]


class Lineage:
    """Tells of one run: `begin` says that it starts, then either `complete` or `fail`; without a target all of it is nothing."""

    def __init__(self, job: Job, run: NewRun, identity: Identity, ws: Workspace | None, delivery: Delivery | None) -> None:
        self._job = job
        self._run = run
        self._ws = ws
        self._delivery = delivery
        self._began = _now()
        self._namespace = os.environ.get(NAMESPACE) or "labelkit"
        self._uuid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"labelkit:{run.id}"))
        self._inputs = [self._input(source.name, source.version, source.rows) for source in identity.inputs.sources[:MOST_INPUTS]]

    @classmethod
    def begin(cls, job: Job, run: NewRun, identity: Identity, ws: Workspace | None, target: str | None) -> Lineage:
        """Send START to a target, which `target_of` has found."""
        lineage = cls(job, run, identity, ws, None if target is None else Delivery(target))
        lineage._send("START", {})
        return lineage

    @property
    def environment(self) -> dict[str, str]:
        """Return what lets whatever runs within this run name it as its parent."""
        return {} if self._delivery is None else {PARENT: f"{self._namespace}/{self._job.recipe}/{self._uuid}"}

    def complete(self, datasets: Sequence[str], files: Sequence[RunFile]) -> None:
        """Send COMPLETE with the dataset versions (ids) and files that the run made."""
        if self._delivery is None:
            return
        outputs = self._folders(files)
        try:
            found = [] if self._ws is None else [self._ws.datasets.get(one) for one in datasets]
            outputs += [self._dataset(self._ws, one) for one in found if self._ws is not None and one.status == "success"]
        except LabelkitError as refused:  # the run is done and well; only the telling lacks a part
            _LOG.warning("lineage: what was made cannot be read: %s", refused)
        self._send("COMPLETE", {}, outputs)

    def fail(self, error: BaseException) -> None:
        """Send FAIL with what the run ended by; ABORT where somebody interrupted it."""
        message = {"message": str(error) or type(error).__name__, "programmingLanguage": "PYTHON"}
        kind = "FAIL" if isinstance(error, Exception) else "ABORT"
        self._send(kind, {"errorMessage": _facet("errorMessage", **message)})

    def close(self) -> None:
        """Wait a little for the events that are under way."""
        if self._delivery is not None:
            self._delivery.close()

    def _send(self, kind: str, facets: Json, outputs: Sequence[Json] = ()) -> None:
        if self._delivery is None:
            return
        now = _now()
        ended = {} if kind == "START" else {"nominalEndTime": now}
        run_facets = {
            "nominalTime": _facet("nominalTime", nominalStartTime=self._began, **ended),
            "processing_engine": _facet(
                "processing_engine",
                name="labelkit",
                version=labelkit.__version__,
                openlineageAdapterVersion=labelkit.__version__,
            ),
            **_parent(),
            **facets,
        }
        job_type = _facet("jobType", processingType="BATCH", integration="LABELKIT", jobType="RECIPE")
        event = {
            "eventTime": now,
            "eventType": kind,
            "producer": PRODUCER,
            "schemaURL": EVENT,
            "run": {"runId": self._uuid, "facets": run_facets},
            "job": {"namespace": self._namespace, "name": self._job.recipe, "facets": {"jobType": job_type}},
            "inputs": self._inputs,
            "outputs": list(outputs),
        }
        self._delivery.send(event)

    # --- datasets, as OpenLineage calls whatever is read and made

    @property
    def _place(self) -> str:
        """Return the namespace of what a workspace holds."""
        return f"labelkit://{self._job.workspace}"

    def _input(self, name: str, version: str, rows: int | None) -> Json:
        in_files = name in places(type(self._job.parameters), Place.INPUT)
        path = str(Path(str(getattr(self._job.parameters, name))).expanduser().absolute()) if in_files else name
        counted = {} if rows is None else {"inputStatistics": _facet("inputStatistics", rowCount=rows)}
        facets = {"version": _facet("version", datasetVersion=version), **self._source()}
        return {"namespace": "file" if in_files else self._place, "name": path, "facets": facets, "inputFacets": counted}

    def _source(self) -> Json:
        if self._ws is None or not Path(self._ws.path).is_absolute():  # one in memory has no address
            return {}
        return {"dataSource": _facet("dataSource", name=self._job.workspace, uri=Path(self._ws.path).as_uri())}

    def _dataset(self, ws: Workspace, dataset: Dataset) -> Json:
        classes = {name: sum(splits.values()) for name, splits in dataset.class_counts.items()}
        metrics = {
            "sample_key": {"count": dataset.sample_count, "nullCount": 0, "distinctCount": dataset.sample_count},
            "annotations": {"count": dataset.annotation_count, "distinctCount": len(classes)},
        }
        columns = ws.runs.schema(dataset.id)
        fields = [{"name": name, "type": kind, "ordinal_position": place} for place, (name, kind) in enumerate(columns.items(), 1)]
        facets = {
            "schema": _facet("schema", fields=fields),
            "version": _facet("version", datasetVersion=str(dataset.manifest_hash)),
            "dataQualityMetrics": _facet("dataQualityMetrics", rowCount=dataset.sample_count, columnMetrics=metrics),
            "dataQualityAssertions": _facet("dataQualityAssertions", assertions=[_assertion(one) for one in dataset.quality.checks]),
            **self._source(),
        }
        counted = {"outputStatistics": _facet("outputStatistics", rowCount=dataset.sample_count)}
        return {"namespace": self._place, "name": dataset.name, "facets": facets, "outputFacets": counted}

    def _folders(self, files: Sequence[RunFile]) -> list[Json]:
        found = []
        for name in places(type(self._job.parameters), Place.OUTPUT):
            given = getattr(self._job.parameters, name)
            root = None if given is None else Path(given).expanduser().absolute()
            inside = [file for file in files if root is not None and Path(file.path).is_relative_to(root)]
            if inside:
                counted = _facet("outputStatistics", size=sum(file.byte_count for file in inside), fileCount=len(inside))
                found.append({"namespace": "file", "name": str(root), "facets": {}, "outputFacets": {"outputStatistics": counted}})
        return found


def _assertion(check: Indicator) -> Json:
    return {
        "assertion": check.code,
        "success": not check.fired,
        "severity": "error" if check.severity == "hard_fail" else "warn",
        "description": check.message,
        "expected": str(check.threshold),
        "actual": str(check.value),
    }


def _parent() -> Json:
    """Return the facet of the run within which this one runs, as `OPENLINEAGE_PARENT_ID` names it: namespace/job/run."""
    namespace, _, rest = os.environ.get(PARENT, "").partition("/")
    name, _, run = rest.rpartition("/")
    if not (namespace and name and run):
        return {}
    return {"parent": _facet("parent", run={"runId": run}, job={"namespace": namespace, "name": name})}


def _facet(kind: str, /, **values: object) -> Json:
    path = FACETS[kind]
    return {"_producer": PRODUCER, "_schemaURL": f"{SPEC}/facets/{path}.json#/$defs/{path.partition('/')[2]}", **values}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
