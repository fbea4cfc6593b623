"""What a dataset version says of itself at a glance: names, digests, counts, how good it is, and how it prints."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from labelkit.core.datasets.builds import BuildStatus
from labelkit.core.datasets.tables import indented, split_table, table_html, table_text

if TYPE_CHECKING:
    from datetime import datetime

    from labelkit.core.datasets.builds import BuildRequest
    from labelkit.core.datasets.quality import Evaluation
    from labelkit.core.datasets.splits import Stability
    from labelkit.store.datasets.rows import BuildRow

NOT_YET = "Stats not available yet"


class Described:
    """The row of a dataset version as properties, and as text and HTML; nothing is read for any of it."""

    _row: BuildRow

    @property
    def id(self) -> str:
        """Return the id of this version, known before it is built."""
        return self._row.version_id

    @property
    def name(self) -> str:
        """Return the name that all versions of the dataset share."""
        return self._row.name

    @property
    def version(self) -> int | None:
        """Return the number of this version, from 1; None until it is built."""
        return self._row.number

    @property
    def title(self) -> str:
        """Return name, version and id."""
        return f"{self.name} v{self.version} ({self.id})" if self.version else f"{self.name} ({self.id})"

    @property
    def status(self) -> BuildStatus:
        """Return `running`, `success` or `failed`, as it was when this value was asked for."""
        return self._row.status

    @property
    def failure(self) -> str | None:
        """Return the code that the build failed by."""
        return self._row.failure

    @property
    def reason(self) -> str | None:
        """Return what the build failed by, as a sentence."""
        return self._row.reason

    @property
    def progress(self) -> tuple[int, int] | None:
        """Return the samples done and all samples of a running build, as its last sign of life said; None where nobody knows."""
        row = self._row
        return (row.samples_done or 0, row.samples_total) if row.status is BuildStatus.RUNNING and row.samples_total else None

    @property
    def build_id(self) -> str:
        """Return the id of the build that makes or made this version."""
        return self._row.id

    @property
    def capability(self) -> str:
        """Return what is labelled."""
        return self._row.capability

    @property
    def request(self) -> BuildRequest:
        """Return what the build was asked for: description, ratios, seed and options."""
        return self._row.asked

    @property
    def created_at(self) -> datetime:
        """Return when the build was started."""
        return self._row.created_at

    @property
    def created_by(self) -> str:
        """Return who asked for the build."""
        return self._row.created_by

    @property
    def manifest_hash(self) -> str | None:
        """Return the digest of all samples: equal inputs have it equal in every store; None until it is built."""
        return self._row.manifest_hash

    @property
    def reuse_fingerprint(self) -> str:
        """Return the digest of what decides the content."""
        return self._row.reuse_fingerprint

    @property
    def build_fingerprint(self) -> str:
        """Return the digest of that with the request, who asked, and library versions."""
        return self._row.build_fingerprint

    @property
    def quality(self) -> Evaluation:
        """Return the evaluation: badge, indicators, and every check with value and threshold. A build that failed by it keeps it."""
        return self._row.quality

    @property
    def sample_count(self) -> int | None:
        """Return the number of samples; None until it is built."""
        return self._row.sample_count

    @property
    def annotation_count(self) -> int | None:
        """Return the number of annotations; None until it is built."""
        return self._row.annotation_count

    @property
    def split_counts(self) -> dict[str, int]:
        """Return the number of samples a split, largest share first; empty until it is built."""
        return self._row.split_samples

    @property
    def group_counts(self) -> dict[str, int]:
        """Return the number of groups a split; empty until it is built."""
        return self._row.split_groups

    @property
    def class_counts(self) -> dict[str, dict[str, int]]:
        """Return the number of annotations by class and split; empty until it is built."""
        return self._row.class_counts

    @property
    def stability(self) -> Stability | None:
        """Return what it cost that groups of earlier versions stayed in their split; None until it is built."""
        return self._row.stability

    # --- looks

    def __repr__(self) -> str:
        lines = [f"<Dataset {self.title}, {self.capability}: {self.status}{f' ({self.failure})' if self.failure else ''}>"]
        lines += [f"  {line}" for line in self._sentences()]
        return "\n".join([*lines, *indented(table_text(*split_table(self.split_counts, self.group_counts, self.class_counts)))])

    def _repr_html_(self) -> str:
        table = table_html(*split_table(self.split_counts, self.group_counts, self.class_counts))
        sentences = "".join(f"<div>{escape(line)}</div>" for line in self._sentences())
        return f"<p><b>{escape(self.title)}</b> <small>{escape(self.capability)}, {escape(self.status)}</small></p>{sentences}{table}"

    def _sentences(self) -> list[str]:
        counts = NOT_YET if self.sample_count is None else f"{self.sample_count} samples, {self.annotation_count} annotations"
        if self.progress is not None:
            counts = f"{NOT_YET}: {self.progress[0]:,} of {self.progress[1]:,} samples are done"
        manifest = f"manifest {self.manifest_hash[:12]}…" if self.manifest_hash else "no manifest"
        frozen = ["frozen test set: never trained on"] if self._row.is_frozen else []
        return [f"{counts}, {manifest}", f"quality: {self.quality.badge}", *frozen]
