"""The side of a dataset that has to do with its files: how far they are, and making them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from labelkit.core.datasets.materialization import NONE, Mode, mode_of, verify_of
from labelkit.services.datasets.materializing.making import Content, Materializing, Wish, must_fit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor
    from pathlib import Path

    import polars as pl

    from labelkit.core.datasets.freezing import Purpose
    from labelkit.core.datasets.materialization import MaterializationReport, Tally
    from labelkit.core.review.annotations import Capability
    from labelkit.core.versions import Tree
    from labelkit.store.acting import Gate
    from labelkit.store.datasets.materials import MaterialHead
    from labelkit.store.datasets.rows import BuildRow


class Materialized(ABC):
    """What a dataset version can tell and do about files made of its frames. Its state is read anew each time, because others change it."""

    _gate: Gate
    _row: BuildRow

    @property
    @abstractmethod
    def title(self) -> str:
        """Return name, version and id."""

    @property
    @abstractmethod
    def _tree(self) -> Tree:
        """Return the content; raises `DATASET_NOT_READY`."""

    @property
    def materialization(self) -> str:
        """Return `none`, `pending`, `partial` or `complete`: how far the newest run that counts has come."""
        head = self.materialized
        return NONE if head is None else str(head.status)

    @property
    def materialized(self) -> MaterialHead | None:
        """Return that run: `.mode`, `.target`, `.status`, `.tally` (shards and files), when and by whom; None where there is none."""
        with self._gate.read() as (tx, _):
            return tx.datasets.materials.head(self._row.version_id)

    def materialization_runs(self) -> pl.DataFrame:
        """Return every run that has ended, newest first: id, mode, target, status, tally and failures (JSON), cancelled, when, by whom."""
        with self._gate.read() as (tx, _):
            return tx.datasets.materials.runs(self._row.version_id)

    def materialize(
        self,
        to: str | Path,
        mode: str = "link",
        *,
        executor: Executor | None = None,
        shard_samples: int | None = None,
        progress: Callable[[Tally], object] | None = None,
        cancel: Any = None,  # noqa: ANN401 - a function, or anything with `is_set`
        storage_options: Mapping[str, Any] | None = None,
        verify: str = "new",
        copy_if_unlinkable: bool = False,
        purpose: str = "training",
    ) -> MaterializationReport:
        """Make the files of this version below `to`, or what is missing or damaged of them, and return what came of it.

        `link` makes hard links to the frames and `copy` copies, as `<split>/<workspace>/<media>/<name>`; frames of a video become PNG
        files in both. `crops` makes a PNG file a box, as `<split>/<class>/<workspace>/<media>/<frame>-<box>.png`. `to` is a folder, or any
        URL that fsspec reaches with `storage_options`; it is empty, or holds an earlier run of this version in this mode.

        The work is cut into shards of `shard_samples` samples (by mode: 1024, 512, 256; an earlier run's stay) that run on `executor`:
        threads unless told; a ProcessPoolExecutor; a Dask `Client.get_executor()`, whose workers see the frames and `to` under the same
        paths. Each shard writes a manifest below `.labelkit` when it is done. A shard fails alone, and the report names what failed.
        `progress` gets a value that prints as a bar when shards have ended: `print`, or in a notebook `display(display_id=True).update`.
        `cancel`, a function or something with `is_set`, stops before the next shard, as Ctrl-C does; the same call goes on later.

        Each file is compared with the sha256 of its frame when it is made. `verify="all"` reads the files of earlier runs again too, of
        which else only those are read whose size or time changed; `verify="changed"` also links frames unread that were not changed since
        their media was added. A link is the frame itself: who writes into it changes the frame. `copy_if_unlinkable` copies where a link
        cannot be. Crops are labelled, so those for training pass the guard of `for_training`, and those for `purpose="evaluation"` stand
        in the holdout ledger; frames alone are neither.

        Raises `MATERIALIZATION_NOT_SUPPORTED`, `MATERIALIZATION_CROPS_NEED_BOXES`, `MATERIALIZATION_LINK_IMPOSSIBLE`,
        `MATERIALIZATION_TARGET_TAKEN`, `MATERIALIZATION_TARGET_UNREACHABLE`, `DATASET_NOT_READY`, `PERMISSION_DENIED` (also where you may
        not read a workspace whose frames are in it), `INVALID_VALUE`, and for crops what `for_training` raises. Who may not build
        materializes for themselves: the dataset's status stays what it was.
        """
        wish = Wish(
            str(to), mode_of(mode), executor, shard_samples, progress, cancel, storage_options or {}, verify_of(verify), copy_if_unlinkable
        )
        with self._gate.read() as (tx, _):
            capability = tx.media.capability(self._gate.workspace.id, self._row.capability)
        content = content_of(self._row, self.title, capability, self._tree)
        if wish.mode is Mode.CROPS:
            must_fit(wish.mode, capability.name, is_points=content.is_points)
            self._pass(purpose, None)
        return Materializing(self._gate, content, wish).run()

    @abstractmethod
    def _pass(self, purpose: str, split: str | None) -> Purpose:
        """Let content out for this purpose, or raise what forbids it."""


def content_of(row: BuildRow, title: str, capability: Capability, tree: Tree) -> Content:
    """Return what a run needs to know of a version."""
    return Content(row.version_id, row.id, title, capability.name, capability.geometry == "point", tree)
