"""Where the picture of a sample was materialized to, as the manifests of its place say, for when the original cannot be read."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.datasets.materialization import Mode
from labelkit.errors import FrameUnavailable, LabelkitError
from labelkit.media.asset_urls import RENEWED_BEFORE, AssetUrl, AssetUrls
from labelkit.media.shards import manifest_of
from labelkit.media.targets import open_target
from labelkit.services.datasets.materializing.making import MARKER
from labelkit.store.database import utc_now
from labelkit.store.versions import snapshots

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from labelkit.core.datasets.samples import Sample
    from labelkit.core.versions import Tree
    from labelkit.store.datasets.materials import MaterialHead
    from labelkit.store.objects import Objects

KEPT_MANIFESTS = 16


class SampleAssets:
    """The materialized pictures of one version; the place is looked up once, manifests are read as they are needed."""

    def __init__(
        self, head: MaterialHead | None, objects: Objects, tree: Callable[[], Tree], *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._place = None if head is None or head.mode is Mode.CROPS else head.target.rstrip("/")
        self._objects = objects
        self._tree = tree
        self._clock = clock
        self._urls = AssetUrls(clock)
        self._shard_samples: int | None = None
        self._manifests: dict[int, dict[str, tuple[str, str]]] = {}

    def url(self, sample: Sample) -> AssetUrl | None:
        """Return an address from which a browser gets the picture; None where its place has none to give, or does not hold it."""
        found = self._found(sample)
        return None if found is None else self._urls.get(f"{self._place}/{found[0]}")

    def renewed(self, sample: Sample) -> AssetUrl | None:
        """Return a new address, whatever was given before."""
        found = self._found(sample)
        if found is None:
            return None
        self._urls.forget(f"{self._place}/{found[0]}")
        return self._urls.get(f"{self._place}/{found[0]}")

    def renew_in_s(self, asset: AssetUrl) -> float:
        """Return after how many seconds an address should be asked for again: a minute before it expires."""
        return max(1.0, (asset.expires_at - self._clock() - RENEWED_BEFORE / 2).total_seconds())

    def bytes(self, sample: Sample) -> bytes | None:
        """Return the picture; None where it was not materialized. Raises `FRAME_UNAVAILABLE` where its bytes are others."""
        found = self._found(sample)
        data = None if found is None else open_target(str(self._place)).read(found[0])
        if found is not None and data is not None and hashlib.sha256(data).hexdigest() != found[1]:
            raise FrameUnavailable(index=sample.frame_index, name=found[0], problem="SAMPLE_ASSET_CHANGED")
        return data

    def _found(self, sample: Sample) -> tuple[str, str] | None:
        """Return path and sha256 of the sample's file."""
        if self._place is None:
            return None
        try:
            if self._shard_samples is None:
                self._shard_samples = int(self._json(MARKER)["shard_samples"])
            shard = _position(self._objects, self._tree(), sample.key) // self._shard_samples
            if shard not in self._manifests:
                rows = self._json(manifest_of(shard))["rows"]
                self._manifests[shard] = {row[0]: (row[1], row[3]) for row in rows}
                while len(self._manifests) > KEPT_MANIFESTS:
                    del self._manifests[next(iter(self._manifests))]
        except (LabelkitError, OSError, ValueError, KeyError, TypeError, IndexError):
            return None  # what the place does not tell is as if it were not there
        return self._manifests[shard].get(sample.key)

    def _json(self, path: str) -> Any:  # noqa: ANN401 - what stands in a file
        return json.loads(open_target(str(self._place)).read(path) or b"null")


def _position(objects: Objects, tree: Tree, key: str) -> int:
    """Return how many samples come before a key."""
    before = [chunk for chunk in tree.chunks if chunk.first_key <= key]
    rows = snapshots.collected(objects.scan([before[-1].object]).select(pl.col(tree.key)))
    return sum(chunk.rows for chunk in before[:-1]) + int(rows[tree.key].search_sorted(key))
