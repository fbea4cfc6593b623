"""The files that a build request asks for: whether they can be, where they go, and what quality says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from labelkit.core.datasets.materialization import NONE, MaterializationStatus, Mode, missing_assets
from labelkit.errors import InvalidValue, LabelkitError
from labelkit.services.datasets.freezing.guard import Target, check_promised
from labelkit.services.datasets.materializing.making import Materializing, Wish, must_fit
from labelkit.services.datasets.materializing.materials import content_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.core.datasets.builds import BuildRequest
    from labelkit.core.datasets.quality import Statistics
    from labelkit.core.review.annotations import Capability
    from labelkit.core.versions import Tree
    from labelkit.services.datasets.dataset import Dataset
    from labelkit.store.acting import Gate
    from labelkit.store.datasets.rows import BuildRow

IN_MEMORY = ":memory:"


def refusals(request: BuildRequest, capability: Capability, store: str) -> tuple[LabelkitError, ...]:
    """Return why the files that a request asks for cannot be made, before anything is built."""
    if request.materialization == NONE:
        return ()
    found: list[LabelkitError] = []
    try:
        must_fit(Mode(request.materialization), capability.name, is_points=capability.geometry == "point")
    except LabelkitError as refused:
        found.append(refused)
    if request.materialize_to is None and store == IN_MEMORY:
        reason = "a store in memory has no place beside it"
        found.append(InvalidValue(what="BuildRequest.materialize_to", reason=reason, fix="Name a folder or a URL."))
    return tuple(found)


def place(request: BuildRequest, store: str, version: str) -> str:
    """Return where the files of a version go: the place that was asked for, else a folder beside the store."""
    return request.materialize_to or f"{store}.assets/{version}"


def kept(gate: Gate, build: BuildRow, tree: Tree, capability: Capability, statistics: Statistics, check: Callable[[], None]) -> Statistics:
    """Make the files that a running build promised and return its statistics with what is missing of them; `check` may stop it.

    Crops are labelled files to train on: where the build shares a source with a frozen test set they are refused, and the build with them.
    """
    request = build.asked
    if request.materialization == NONE:
        return statistics
    title = f"{build.name} ({build.version_id})"
    if request.materialization == Mode.CROPS:
        check_promised(gate, Target(build.version_id, title, tree.digest.value), build.id, tree)
    to = place(request, gate.database.path, build.version_id)
    wish = Wish(to, Mode(request.materialization), progress=lambda _: check())
    run = Materializing(gate, content_of(build, title, capability, tree), wish)
    tally = run.run().tally
    return replace(statistics, failed_shards=tally.failed + tally.missing, missing_assets=missing_assets(tally, run.missing_files()))


def keep_again(gate: Gate, request: BuildRequest, dataset: Dataset) -> None:
    """Make the files that a request promises of a version which was built before, where they are not all there."""
    if request.materialization == NONE:
        return
    to = place(request, gate.database.path, dataset.id)
    head = dataset.materialized
    if head is None or head.status is not MaterializationStatus.COMPLETE or head.target != to:
        dataset.materialize(to, request.materialization)
