"""The steps of the demo: each does one thing through the workspace and says in one line what came of it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from labelkit import recipes
from labelkit.core.geometry import Box, iou
from labelkit.core.review.annotations import PLAYER
from labelkit.core.review.operations import ReviewOp
from labelkit.core.review.revisions import Eligibility
from labelkit.demo.layout import Clip, Source, drawn, found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.status import Status

    from labelkit.services.prelabels import PrelabelRun
    from labelkit.services.review.draft import Draft
    from labelkit.services.review.publish import PublishOutcome
    from labelkit.workspace import Workspace

FRAMES, QUICK_FRAMES = 48, 12
NEARLY_IDENTICAL = 0.9
REASON = "reviewed by the demo's operations"


class Demo:
    """The main job on an embedded store at `store`; run again on the same store it finds everything done and builds nothing twice."""

    def __init__(
        self,
        store: Path,
        *,
        data: Path | None = None,
        labels: str | None = None,
        corrected: str | None = None,
        quick: bool = False,
        console: Console | None = None,
    ) -> None:
        self.store = store
        self._data = data
        self._labels = labels
        self._corrected = corrected
        self._frames = QUICK_FRAMES if quick else FRAMES
        self._console = console or Console(highlight=False)
        self._fact = ""
        self._classes: tuple[str, ...] = ()

    def run(self) -> dict[str, Any]:
        """Import, review, publish, approve, build, show; returns the result of the build recipe."""
        import labelkit

        began = time.monotonic()
        self.store.parent.mkdir(parents=True, exist_ok=True)
        with self._step("Frames and labels"):
            source = self._source()
            self._classes = source.classes
            self._fact = source.sentence
        with labelkit.open(self.store) as ws:
            capability = _capability(ws, source)
            with self._step("Import as prelabels"):
                runs = {clip.name: self._imported(ws, clip, source, capability) for clip in source.clips}
                kept, read = (sum(getattr(run.report, name) for run in runs.values()) for name in ("kept", "read"))
                self._fact = f"{kept} labels of {read} records, {len(runs)} run(s)"
            with self._step("Review by operations"):
                kinds: Counter[str] = Counter()
                drafts = [self._reviewed(ws, clip, runs[clip.name], kinds) for clip in source.clips]
                self._fact = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
            with self._step("Publish"):
                outcomes = [_published(ws, draft) for draft in drafts]
                self._fact = ", ".join(f"{code} ({count})" for code, count in Counter(outcome.code for outcome in outcomes).items())
            with self._step("Approve for datasets"):
                self._fact = f"{sum(_approve(ws, outcome) for outcome in outcomes)} revision(s) approved"
        with self._step("Build by the recipe") as status:
            built = self._built(capability, [outcome.pack.id for outcome in outcomes], status)
            result = dict(built.result or {})
            splits = ", ".join(f"{name} {count}" for name, count in result["splits"].items())
            self._fact = f"{result['outcome']}: {result['samples']} samples ({splits}), {result['annotations']} annotations"
        self._console.print(
            f"  [bold]Quality[/bold]  {result['quality']}: {', '.join(result['indicators']) or 'nothing to say'}", soft_wrap=True
        )
        self._console.print(f"\nDone in {time.monotonic() - began:.0f} s.\n")
        for name, value in self.places(built).items():
            self._console.print(f"  {name:<18} {value}", soft_wrap=True)
        return result

    @contextmanager
    def _step(self, title: str) -> Iterator[Status]:
        began = time.monotonic()
        with self._console.status(f"{title} …") as status:
            yield status
        self._console.print(
            f"[green]✓[/green] [bold]{title}[/bold]  {self._fact}  [dim]{time.monotonic() - began:.1f} s[/dim]", soft_wrap=True
        )

    def _source(self) -> Source:
        if self._data is None:
            return drawn(self.store.parent / "match", frames=self._frames)
        return found(self._data, self.store.parent / "labels", labels=self._labels, corrected=self._corrected)

    def _imported(self, ws: Workspace, clip: Clip, source: Source, capability: str) -> PrelabelRun:
        ws.media.add(clip.frames, name=clip.name, group_key=clip.name, camera_type="broadcast")
        return ws.prelabels.import_(
            "yolo", clip.labels, media=clip.name, capability=capability, classes=source.classes, model=source.model, model_version="1"
        )

    def _reviewed(self, ws: Workspace, clip: Clip, run: PrelabelRun, kinds: Counter[str]) -> Draft:
        draft = ws.review.open(clip.name, run.capability, run=run.id)
        if clip.corrected is None:
            operations = _tidied(draft)
        else:
            better = ws.prelabels.import_(
                "yolo", clip.corrected, media=clip.name, capability=run.capability, classes=self._classes, model="corrected"
            )
            operations = replayed(ws, draft, better)
        operations += [ReviewOp.accept(frame.index) for frame in draft.frames if frame.problem is None]
        kinds.update(operation.kind for operation in operations)
        return ws.review.apply(draft.id, base_version=draft.version, ops=operations)

    def _built(self, capability: str, packs: list[str], status: Status) -> recipes.RunOutcome:
        parameters = {
            "store": str(self.store),
            "capability": capability,
            "name": "demo",
            "label_pack_ids": packs,
            "ratios": self._ratios(len(packs)),
            "export_to": str(self.store.parent / "export"),
        }
        return recipes.run(
            "build_dataset",
            parameters,
            output=self.store.parent / "runs",
            progress=lambda cell: status.update(f"Build by the recipe: cell {cell.number} of {cell.total}"),
        )

    @staticmethod
    def _ratios(groups: int) -> dict[str, float]:
        """Return shares that this many groups can fill: a group is never cut."""
        names = ("train", "val", "test")[: min(groups, 3)]
        return {"train": 1.0} if len(names) == 1 else {name: 0.8 if name == "train" else round(0.2 / (len(names) - 1), 3) for name in names}

    def places(self, outcome: recipes.RunOutcome) -> dict[str, str]:
        """Return where everything is that the demo made, and how to go on."""
        result = outcome.result or {}
        return {
            "store": str(self.store),
            "dataset": f"demo ({result.get('dataset')})",
            "manifest_hash": str(result.get("manifest_hash")),
            "executed notebook": str(outcome.notebook),
            "COCO export": str(result.get("export")),
            "open in JupyterLab": f"{_this_command()} open {self.store}",
        }


def replayed(ws: Workspace, draft: Draft, better: PrelabelRun) -> list[ReviewOp]:
    """Return the operations that turn the draft's labels into those of another run."""
    diff = ws.review.diff(draft, better.pack, match="geometry")
    operations = [ReviewOp.delete(change.frame, change.before.id) for change in diff.removed if change.before]
    operations += [
        ReviewOp.add_box(change.frame, change.after.label, box.x, box.y, box.width, box.height)
        for change in diff.added
        if change.after and isinstance(box := change.after.geometry, Box)
    ]
    for change in diff.modified:
        if change.before and change.after and isinstance(box := change.after.geometry, Box):
            if "class" in change.fields:
                operations.append(ReviewOp.relabel(change.frame, change.before.id, change.after.label))
            if "geometry" in change.fields:
                operations.append(ReviewOp.resize(change.frame, change.before.id, box.x, box.y, box.width, box.height))
    return operations


def _tidied(draft: Draft) -> list[ReviewOp]:
    """Return what can be said without looking: the less sure of two nearly identical boxes is deleted."""
    operations = []
    for frame in draft.frames:
        kept: list[Box] = []
        for annotation in sorted(frame.annotations, key=lambda one: -(one.score or 0.0)):
            box = annotation.geometry
            if not isinstance(box, Box):
                continue
            if any(iou(box, other) >= NEARLY_IDENTICAL for other in kept):
                operations.append(ReviewOp.delete(frame.index, annotation.id))
            else:
                kept.append(box)
    return operations


def _this_command() -> str:
    """Return how this program was called: by its path where that lies below the present folder, as in a virtual environment there."""
    called = Path(sys.argv[0])
    below = called.is_absolute() and called.is_relative_to(Path.cwd()) and called.name == "labelkit"
    return str(called.relative_to(Path.cwd())) if below else "labelkit"


def _published(ws: Workspace, draft: Draft) -> PublishOutcome:
    return ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason=REASON)


def _capability(ws: Workspace, source: Source) -> str:
    """Return player_detection where its classes fit, else a capability with the classes of the labels."""
    if set(source.classes) <= set(PLAYER.classes):
        return PLAYER.name
    return ws.capabilities.add("object_detection", geometry="box", classes=sorted(set(source.classes))).name


def _approve(ws: Workspace, outcome: PublishOutcome) -> bool:
    """Approve the published revision for datasets unless it is already; say whether that changed something."""
    revision = outcome.revision
    if revision.eligibility is Eligibility.APPROVED:
        return False
    ws.review.set_eligibility(revision.id, "APPROVED", expected_version=revision.eligibility_version, reason=REASON)
    return True
