"""Real pictures added twice under two names: a frozen test set knows them again, by frame."""

from __future__ import annotations

import re

import pytest

import labelkit
from labelkit import BuildRequest

pytestmark = pytest.mark.real

CLASSES = ["ball", "goalkeeper", "player", "referee"]
CAPABILITY = "player_detection"


@pytest.fixture(scope="module")
def data(real_data):
    return real_data("soccer_players")


@pytest.fixture(scope="module")
def clips(data) -> list[str]:
    return sorted({name.name.split("_")[0] for name in (data / "images").iterdir()})[:3]


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    with labelkit.open(tmp_path_factory.mktemp("twice") / "labels.duckdb", workspace="bundesliga", user="ana") as opened:
        yield opened


def reviewed(ws, data, clip: str, name: str, work) -> str:
    """Add a clip's pictures under a name, publish its labels, approve them, and return the pack's id."""
    ws.media.add(str(data / "images" / f"{clip}_*.jpg"), name=name, group_key=name, camera_type="broadcast")
    folder = work / name
    folder.mkdir()
    for file in (data / "labels_rev1").glob(f"{clip}_*.txt"):
        (folder / file.name).write_bytes(file.read_bytes())
    run = ws.prelabels.import_("yolo", folder, media=name, capability=CAPABILITY, classes=CLASSES, model="rev1", model_version="1")
    draft = ws.review.open(name, CAPABILITY, run=run.id)
    out = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="as found")
    ws.review.set_eligibility(out.revision.id, "APPROVED", expected_version=1)
    return out.pack.id


def test_a_folder_that_is_added_twice_leaks_by_frame_under_its_second_name(ws, data, clips, tmp_path):
    # given the first clip under two names, and two other clips
    held, other, clean = clips
    packs = {
        name: reviewed(ws, data, clip, name, tmp_path)
        for name, clip in zip(["held", "again", "other", "clean"], [held, held, other, clean], strict=True)
    }

    def build(name: str, *media: str):
        asked = BuildRequest(capability=CAPABILITY, label_pack_ids=[packs[one] for one in media], name=name, ratios={"train": 1.0})
        return ws.datasets.build(asked).dataset

    test, leaky, rest = build("test", "held"), build("leaky", "again", "other"), build("rest", "other", "clean")

    # when
    test.freeze("official test of the season")

    # then every picture of the clip is found under its second name, and nothing else
    shared = len(list((data / "images").glob(f"{held}_*.jpg")))
    (path,) = leaky.leakage().iter_rows(named=True)
    assert (path["by"], path["count"], path["frozen_id"]) == ("media frame", shared, test.id)
    assert (path["ours"], path["theirs"]) == ("bundesliga/again/000000", "bundesliga/held/000000")
    with pytest.raises(labelkit.LabelkitError) as refused:
        leaky.export("coco", tmp_path / "leaky")
    assert refused.value.code == "FROZEN_SOURCE_LEAKAGE_FORBIDDEN"
    assert re.search(
        rf"again/000000 \(bundesliga/held/000000 there\) and {shared - 1} more with frozen test set test v1", refused.value.detail
    )
    assert not (tmp_path / "leaky").exists()

    # and the other clips may be trained on
    with rest.for_training(purpose="fastestdet") as open_door:
        assert open_door.export("coco", tmp_path / "rest").sample_count == rest.sample_count
