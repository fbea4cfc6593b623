"""Small workspaces that the widgets' tests start from: a synthetic match with published revisions, in a store of its own.

A scene is made once and copied for each test, because drawing, importing and publishing take longer than most tests.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import labelkit
from labelkit import BuildRequest, LabelkitError, ReviewOp, synthetic

if TYPE_CHECKING:
    from labelkit import Workspace
    from labelkit.services.datasets import Dataset

PLAYERS = "player_detection"
STORE = "labels.duckdb"


def published(folder: Path, *, clips: int = 1, revisions: int = 1) -> Workspace:
    """Return ana's workspace with media clip-1, clip-2, … of 3 frames each, and that many published revisions of the players in each."""
    return _copy(_published(clips, revisions), folder)


def approved(folder: Path, *, clips: int = 3, leave: int = 0) -> Workspace:
    """Return a published workspace whose revisions are approved for datasets, but for the last `leave` media."""
    return _copy(_approved(clips, leave), folder)


def built(folder: Path, *, clips: int = 3) -> tuple[Workspace, Dataset]:
    """Return an approved workspace and the dataset `players` built from all of it."""
    ws = _copy(_built(clips), folder)
    return ws, ws.datasets.get("players")


def half_built(folder: Path) -> tuple[Workspace, Dataset]:
    """Return an approved workspace that lost a revision's content, and the dataset `lost` whose build failed by it."""
    ws = approved(folder)
    lost = ws.review.history("clip-1", PLAYERS)[0].content_object
    for file in Path(ws.path).parent.rglob(f"*{lost[2:]}*"):
        file.unlink()
    packs = ws.datasets.candidates(PLAYERS)["pack_id"].to_list()
    with pytest.raises(LabelkitError):
        ws.datasets.build(BuildRequest(capability=PLAYERS, label_pack_ids=packs, name="lost"))
    return ws, ws.datasets.get("lost")


def colleague(ws: Workspace, user: str, role: str) -> Workspace:
    """Return the same workspace of the same store as another user with that role sees it."""
    ws.set_role(user, role)
    return labelkit.open(ws.path, workspace=ws.name, user=user)


def _copy(master: Path, folder: Path) -> Workspace:
    copied = Path(tempfile.mkdtemp(dir=folder))
    shutil.copytree(master / "store", copied, dirs_exist_ok=True)
    return labelkit.open(copied / STORE, workspace="club-a", user="ana")


def _folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="labelkit-scene-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    (made / "store").mkdir()
    return made


@cache
def _published(clips: int, revisions: int) -> Path:
    folder = _folder()
    match = synthetic.match(folder / "match", frames=3 * clips, width=320, height=180, clips=clips)
    labels = match.write_yolo(folder / "labels")
    with labelkit.open(folder / "store" / STORE, workspace="club-a", user="ana") as ws:
        for clip in match.clips:
            ws.media.add(clip.folder, name=clip.name, camera_type="broadcast")
            run = ws.prelabels.import_("yolo", labels / clip.name, media=clip.name, capability=PLAYERS, classes=list(match.classes))
            draft = ws.review.open(clip.name, PLAYERS, run=run.id)
            for number in range(1, revisions + 1):
                if number > 1:
                    op = ReviewOp.delete(0, draft.frames[0].annotations[0].id)
                    draft = ws.review.apply(draft.id, base_version=draft.version, ops=[op])
                ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason=f"round {number}")
    return folder


@cache
def _approved(clips: int, leave: int) -> Path:
    folder = _folder()
    with _copy(_published(clips, 1), folder) as ws:
        for number in range(1, clips + 1 - leave):
            ws.review.set_eligibility(ws.review.history(f"clip-{number}", PLAYERS)[0].id, "APPROVED", expected_version=1)
        shutil.copytree(Path(ws.path).parent, folder / "store", dirs_exist_ok=True)
    return folder


@cache
def _built(clips: int) -> Path:
    folder = _folder()
    with _copy(_approved(clips, 0), folder) as ws:
        packs = ws.datasets.candidates(PLAYERS)["pack_id"].to_list()
        ws.datasets.build(BuildRequest(capability=PLAYERS, label_pack_ids=packs, name="players"))
        shutil.copytree(Path(ws.path).parent, folder / "store", dirs_exist_ok=True)
    return folder
