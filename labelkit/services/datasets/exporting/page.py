"""`dataset.to_page(path)`: gather what is known of a version and some of its samples, and write it as one HTML file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.core.actors import Action
from labelkit.core.datasets.builds import BuildStatus
from labelkit.core.datasets.samples import Sample, view_of
from labelkit.core.datasets.tables import split_table
from labelkit.core.geometry import Box
from labelkit.core.media import MediaKind
from labelkit.core.review.shapes import shapes_of, style_of
from labelkit.errors import FrameUnavailable, InvalidValue, LabelkitError, StorageWriteFailed
from labelkit.formats import dataset_page
from labelkit.formats.dataset_page import Page, PageSample
from labelkit.media import open_frames
from labelkit.media.thumbnails import thumbnail
from labelkit.services.datasets.exploring.facts import LINEAGE_HEAD
from labelkit.store.datasets import facets
from labelkit.store.media import Frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labelkit.core.review.annotations import Annotation, Capability
    from labelkit.core.versions import Tree
    from labelkit.media import FrameSource
    from labelkit.services.datasets.exploring.facts import DatasetFacts, Fact
    from labelkit.services.datasets.materializing.assets import SampleAssets
    from labelkit.store.acting import Gate

NOT_YET = "Stats not available yet"
CHECKS_HEAD = ("Severity", "Indicator", "Meaning", "Fired")
LISTED_PACKS = 1000


@dataclass(frozen=True)
class Shown:
    """The version that is shown: its facts, its content (None where it has none), what its labels are judged by, and its samples by key."""

    facts: DatasetFacts
    tree: Tree | None
    judged_by: Capability | None
    assets: SampleAssets
    sample: Callable[[str], Sample]


class Pictures:
    """Small pictures of samples of any media of a version; whoever makes the page may read the workspaces that they are from."""

    def __init__(self, gate: Gate, shown: Shown) -> None:
        self._gate = gate
        self._assets = shown.assets
        with gate.read() as (tx, actor):
            sources = tx.datasets.materials.sources(shown.facts.row.id)
        self._media = {(one.workspace, one.media): one for one in sources if actor.may(Action.READ, one.workspace_id)}
        self._open: dict[tuple[str, str], tuple[FrameSource, Frames]] = {}

    def of(self, sample: Sample, side_px: int) -> tuple[bytes | None, str]:
        """Return a JPEG at most `side_px` on a side, or None with the code of why there is none."""
        if (sample.workspace, sample.media) not in self._media:  # nor is a copy of it for whoever may not read it
            return None, "SAMPLE_OF_ANOTHER_WORKSPACE"
        try:
            return thumbnail(self._bytes(sample), side_px), ""
        except FrameUnavailable as refused:
            return self._materialized(sample, side_px) or (None, str(refused.facts["problem"]))
        except LabelkitError as refused:
            return self._materialized(sample, side_px) or (None, refused.code)

    def _bytes(self, sample: Sample) -> bytes:
        place = sample.workspace, sample.media
        if place not in self._open:
            media = self._media[place]
            frames = Frames(self._gate.database.objects.read_frame(media.frames_object))
            self._open[place] = open_frames(MediaKind(media.kind), media.root, frames.rows), frames
        source, frames = self._open[place]
        frame = frames[sample.frame_index]
        if frame.sha256 != sample.sha256:
            raise FrameUnavailable(index=frame.index, name=frame.name, problem="SAMPLE_ASSET_CHANGED")
        return source.bytes(frame)[0]

    def _materialized(self, sample: Sample, side_px: int) -> tuple[bytes, str] | None:
        try:
            data = self._assets.bytes(sample)
            return None if data is None else (thumbnail(data, side_px), "")
        except LabelkitError:
            return None


def write_page(gate: Gate, shown: Shown, path: str | Path, samples: int | Sequence[str], side_px: int) -> Path:
    """Write the page and return its path; a version without content has a page without samples."""
    count = shown.facts.row.sample_count
    if not isinstance(samples, (str, int)):
        chosen, which = [shown.sample(key) for key in samples], f"{len(samples):,} chosen samples."
    elif isinstance(samples, str) or samples < 0:
        raise InvalidValue(what="samples", reason=f"{samples!r} is no number of samples", fix="Give how many, or a list of sample keys.")
    elif shown.tree is None:
        chosen, which = [], f"{NOT_YET}."
    else:
        rows = facets.spread(gate.database.objects, shown.tree, min(samples, shown.tree.rows), shown.judged_by)
        chosen = [Sample.from_row(row) for row in rows.iter_rows(named=True)]
        which = "All samples." if len(chosen) == count else f"{len(chosen):,} of {count:,} samples, evenly spread."
    pictures = Pictures(gate, shown)
    made = [_sample(sample, *pictures.of(sample, side_px), shown) for sample in chosen]
    target = Path(path).expanduser()
    try:
        target.write_text(dataset_page.render(_page(shown.facts, made, which)), encoding="utf-8")
    except OSError as error:
        raise StorageWriteFailed(what=str(target), reason=error.strerror or str(error)) from error
    return target


def _page(facts: DatasetFacts, samples: Sequence[PageSample], which: str) -> Page:
    named, row, lineage = ("Fact", "Value"), facts.row, facts.lineage_rows
    frozen = ["frozen test set"] if facts.freezing_state.is_frozen else []
    policy = [f"quality policy {row.quality.policy_version}"] if row.quality.policy_version else []
    checks = [
        ("Hard fail" if check.severity == "hard_fail" else "Warning", check.code, check.message, "yes" if check.fired else "no")
        for check in row.quality.checks
    ]
    head, rows = split_table(row.split_samples, row.split_groups, row.class_counts)
    splits = ([*(name.capitalize() for name in head[:3]), *head[3:]], rows) if row.status is BuildStatus.SUCCESS else ((), ())
    more = f", the first {LISTED_PACKS:,} of {len(lineage):,}" if len(lineage) > LISTED_PACKS else ""
    return Page(
        title=facts.title,
        badges=[row.capability, str(row.status), *frozen, row.quality.badge, *policy],
        tables=[
            ("Splits", splits, NOT_YET),
            ("Quality", (CHECKS_HEAD, checks), "Not evaluated"),
            ("Sources", (named, _texts(facts.sources)), NOT_YET),
            ("Status, files and protection", (named, _texts([*facts.status, *facts.materialization, *facts.freezing])), ""),
            ("Provenance", (named, _texts(facts.provenance)), ""),
            (f"Lineage{more}", (LINEAGE_HEAD, lineage[:LISTED_PACKS]), "No pack was decided about."),
        ],
        samples=samples,
        which=which,
    )


def _texts(named: Sequence[Fact]) -> list[tuple[str, str]]:
    return [(name, "–" if value is None else value) for name, value in named]


def _sample(sample: Sample, picture: bytes | None, problem: str, shown: Shown) -> PageSample:
    capability = shown.judged_by
    fits = capability is not None and all(_fits(annotation, capability) for annotation in sample.annotations)
    overlay = None if fits else "CAPABILITY_UNKNOWN" if capability is None else "OVERLAY_GEOMETRY_MISMATCH"
    state = view_of(shown.facts.row.capability, asset_problem=problem or None, overlay_problem=overlay)
    drawn = () if capability is None or state.reason_code else shapes_of(sample.annotations, capability)
    counts = Counter(annotation.label for annotation in sample.annotations)
    return PageSample(
        key=sample.key,
        split=sample.split,
        group=sample.group,
        classes=sorted(counts),
        facts=[
            ("Split", sample.split),
            ("Group", sample.group),
            ("Camera", sample.camera_type),
            ("Frame", f"{sample.frame_index:,}"),
            ("Time", f"{sample.pts_ms / 1000:,.3f} s"),
            ("Size", f"{sample.width} x {sample.height} px"),
            ("Findings", ", ".join(sample.findings) or "none"),
        ],
        labels=[_label(annotation) for annotation in sample.annotations],
        size=(sample.width, sample.height),
        shapes=drawn,
        legend=[
            (f"{label} {number}", style_of(capability, label).colour) for label, number in sorted(counts.items()) if capability and drawn
        ],
        picture=picture,
        reason_code=state.reason_code,
        sentence=state.sentence,
    )


def _fits(annotation: Annotation, capability: Capability) -> bool:
    return isinstance(annotation.geometry, Box) is (capability.geometry == "box")


def _label(annotation: Annotation) -> tuple[str, ...]:
    place = annotation.geometry
    size = f"{place.width:.1f} × {place.height:.1f}" if isinstance(place, Box) else "–" if place.size is None else f"⌀ {place.size:.1f}"
    score = "–" if annotation.score is None else f"{annotation.score:.2f}"
    return (annotation.label, f"{place.x:.1f}", f"{place.y:.1f}", size, score)
