"""Where the picture of a sample was materialized to: its file, an address of it, and when that is made anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from labelkit.errors import FrameUnavailable
from labelkit.media.asset_urls import RENEWED_BEFORE, TTL, AssetUrls
from tests.widgets.scenes import built
from tests.widgets.signing import register

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def scene(tmp_path: Path):
    ws, dataset = built(tmp_path)
    with ws:
        yield ws, dataset


def test_a_picture_is_read_from_where_it_was_materialized(scene, tmp_path: Path):
    # given
    ws, dataset = scene
    dataset.materialize(tmp_path / "files", "copy", shard_samples=4)
    sample = dataset.sample("club-a/clip-2/000001")
    # then
    assets = ws.datasets.get(dataset.id).assets
    assert assets.bytes(sample) == ws.media.frame_bytes("clip-2", 1)[0]
    assert assets.url(sample) is None


def test_a_materialized_file_that_is_another_one_now_is_refused(scene, tmp_path: Path):
    # given
    dataset = scene[1]
    dataset.materialize(tmp_path / "files", "copy")
    for file in (tmp_path / "files").rglob("*.jpg"):
        file.write_bytes(b"another picture")
    # when
    with pytest.raises(FrameUnavailable) as refusal:
        dataset.assets.bytes(dataset.sample("club-a/clip-1/000000"))
    # then
    assert refusal.value.facts["problem"] == "SAMPLE_ASSET_CHANGED"


@pytest.mark.parametrize("state", ["nothing was materialized", "the place is gone", "only crops were made"])
def test_where_there_is_no_file_there_is_no_picture(scene, tmp_path: Path, state):
    # given
    dataset = scene[1]
    if state != "nothing was materialized":
        dataset.materialize(tmp_path / "files", "crops" if "crops" in state else "copy")
    if state == "the place is gone":
        (tmp_path / "files").rename(tmp_path / "elsewhere")
    # then
    sample = dataset.sample("club-a/clip-1/000000")
    assert (dataset.assets.bytes(sample), dataset.assets.url(sample)) == (None, None)


def test_an_address_is_signed_by_the_file_system_that_holds_the_file(scene):
    # given
    files = register()
    dataset = scene[1]
    dataset.materialize("signed://bucket/players", "copy")
    # when
    asset = dataset.assets.url(dataset.sample("club-a/clip-1/000000"))
    # then
    assert asset.url.startswith("https://assets.invalid/bucket/players/")
    assert asset.url.endswith(f"turn=1&seconds={int(TTL.total_seconds())}")
    assert files.made == 1


@pytest.mark.parametrize(
    ("after", "turn"),
    [
        (timedelta(), 1),
        (TTL - RENEWED_BEFORE - timedelta(seconds=1), 1),
        (TTL - RENEWED_BEFORE, 2),
        (TTL - timedelta(seconds=1), 2),
        (TTL * 2, 2),
    ],
)
def test_an_address_is_made_anew_before_it_expires(after, turn):
    # given
    register()
    clock = Clock()
    urls = AssetUrls(clock)
    urls.get("signed://bucket/a.jpg")
    # when
    clock.now += after
    asset = urls.get("signed://bucket/a.jpg")
    # then
    assert f"turn={turn}&" in asset.url
    assert asset.expires_at - clock.now > RENEWED_BEFORE


def test_only_so_many_addresses_are_kept_and_a_refused_one_is_forgotten():
    # given
    files = register()
    urls = AssetUrls(Clock(), size=2)
    for name in ("a", "b", "c", "c"):
        urls.get(f"signed://bucket/{name}.jpg")
    # when
    urls.get("signed://bucket/a.jpg")
    urls.forget("signed://bucket/a.jpg")
    urls.get("signed://bucket/a.jpg")
    # then
    assert files.made == 5
    assert (urls.get("memory://a.jpg"), urls.get("/somewhere/a.jpg")) == (None, None)
