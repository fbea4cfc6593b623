"""Real frames: hashes are those of ImageHash, copies are found, and two passages of one match are told apart."""

from __future__ import annotations

import io

import imagehash
import polars as pl
import pytest
from PIL import Image

import labelkit
from labelkit import BuildRequest
from labelkit.core.datasets.near_duplicates import MOST_BITS
from labelkit.core.geometry import Box
from labelkit.media.phash import PictureHashes, hashes, hashes_of
from labelkit.media.pictures import quiet
from tests.services.packs import CAPABILITY, Pack, add

pytestmark = pytest.mark.real

FOLDERS = ("soccer_players", "soccer_ball", "multiformat_100")
CHANGES = {
    "compressed to quality 30": lambda image: again(image, 30),
    "half as large": lambda image: image.resize((image.width // 2, image.height // 2)),
    "a quarter as large, quality 50": lambda image: again(image.resize((image.width // 4, image.height // 4)), 50),
    "without colours": lambda image: image.convert("L"),
    "less contrast": lambda image: image.point(lambda value: 26 + value * 0.8),
}


def again(image: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out)


def apart(a: PictureHashes, b: PictureHashes) -> int:
    return max((a.dhash ^ b.dhash).bit_count(), (a.phash ^ b.phash).bit_count())


@pytest.mark.parametrize("name", FOLDERS)
def test_hashes_of_real_frames_are_those_of_the_library(real_data, name):
    for file in sorted((real_data(name) / "images").iterdir())[::3]:
        with Image.open(file) as image:
            picture = image.convert("RGB")
        found = hashes_of(picture)
        assert (found.dhash, found.phash) == (int(str(imagehash.dhash(picture)), 16), int(str(imagehash.phash(picture)), 16)), file.name


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_copy_of_a_real_frame_is_near_it(real_data, change):
    for file in sorted((real_data("soccer_players") / "images").iterdir())[::8]:
        with Image.open(file) as image:
            picture = image.convert("RGB")
        assert apart(hashes_of(picture), hashes_of(change(picture))) <= MOST_BITS, file.name


def test_no_frames_of_two_real_matches_are_near(real_data):
    # given the hashes of every frame by match
    found: dict[str, list[PictureHashes]] = {}
    with quiet():
        for file in sorted((real_data("soccer_players") / "images").iterdir())[::3]:
            found.setdefault(file.name.split("_")[0], []).append(hashes(file.read_bytes()))

    # then
    matches = sorted(found)
    assert len(matches) == 6
    near = [(a, b) for a in matches for b in matches if a < b for x in found[a] for y in found[b] if apart(x, y) <= MOST_BITS]
    assert near == []


def test_a_passage_that_is_in_two_data_sets_is_found_and_counts_as_one_group(real_data):
    # given players and balls of the match 08fd33, of one passage, and of the match 2e57b9, of two passages; each media a group of its own
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        packs = []
        for kind, pattern in (("players", "{}_*.jpg"), ("ball", "{}_0-00[24]*.jpg")):
            for match in ("08fd33", "2e57b9"):
                media = ws.media.add(real_data(f"soccer_{kind}") / "images" / pattern.format(match), name=f"{kind}-{match}")
                packs.append(Pack(media.name, [("APPROVED", {0: [("player", Box(1.0, 2.0, 3.0, 4.0))]})], frames=media.frame_count))
        ids = add(ws, packs)

        # when
        found = ws.datasets.find_near_duplicates(CAPABILITY)
        planned = ws.datasets.preflight(BuildRequest(capability=CAPABILITY, label_pack_ids=list(ids.values()), name="all"))

        # then
        assert found.select("media_a", "media_b", "dhash_distance", "phash_distance").rows() == [("players-08fd33", "ball-08fd33", 0, 0)]
        assert found["frame_pairs"][0] >= 4
        assert planned.joined_groups == (("ball-08fd33", "players-08fd33"),)
        splits = ws.datasets.build(planned.plan.request).dataset.to_polars().group_by("split").agg(pl.col("group_key").unique())
        assert [{"ball-08fd33", "players-08fd33"} <= set(groups) for groups in splits["group_key"]].count(True) == 1
