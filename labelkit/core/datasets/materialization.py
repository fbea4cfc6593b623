"""Materialization: what can be made of a dataset's frames, how far it is, how it may be checked, and what came of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING

from labelkit.core.states import Machine
from labelkit.errors import InvalidValue, MaterializationNotSupported

if TYPE_CHECKING:
    from labelkit.core.geometry import Box

MOST_SAMPLES = 1024  # a shard: what a killed worker costs
SHOWN_FAILURES = 5


class Mode(StrEnum):
    """Which files are made: hard links to the frames, copies of them, or one picture a box."""

    LINK = "link"
    COPY = "copy"
    CROPS = "crops"

    @property
    def shard_samples(self) -> int:
        """Return how many samples a shard has unless told: the slower the work, the fewer."""
        return {Mode.LINK: 1024, Mode.COPY: 512, Mode.CROPS: 256}[self]


NONE = "none"
MODES = (NONE, *Mode)


class Verify(StrEnum):
    """Which files are read to compare their sha256; the others are looked at by size and time of change, as rsync and git do.

    `new`: every file that a call makes, and of those made earlier the ones whose size or time changed. `all`: every file.
    `changed`: also of the frames that are linked only those that changed since they were added as media.
    """

    NEW = "new"
    ALL = "all"
    CHANGED = "changed"


class MaterializationStatus(StrEnum):
    """How far a dataset's files are: never asked for, being made, some missing, or all there."""

    NONE = "none"
    PENDING = "pending"
    PARTIAL = "partial"
    COMPLETE = "complete"


class MaterializationStep(StrEnum):
    """A run starts, ends with everything there, or ends with something missing (failed, cancelled, or its process gone)."""

    START = "start"
    FINISH = "finish"
    STOP = "stop"


_STARTED = {MaterializationStep.START: MaterializationStatus.PENDING}
MATERIALIZATION = Machine(
    "materialization",
    {
        MaterializationStatus.NONE: _STARTED,
        MaterializationStatus.PENDING: {
            **_STARTED,
            MaterializationStep.FINISH: MaterializationStatus.COMPLETE,
            MaterializationStep.STOP: MaterializationStatus.PARTIAL,
        },
        MaterializationStatus.PARTIAL: _STARTED,
        MaterializationStatus.COMPLETE: _STARTED,
    },
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a file of a shard could not be made: the sample's key (empty where the whole shard failed), a code and a sentence."""

    shard: int
    key: str
    code: str
    reason: str

    def __str__(self) -> str:
        return f"shard {self.shard}{f', {self.key}' if self.key else ''}: {self.code}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ShardOutcome:
    """What came of one shard: files made now, files that were there, files that are absent, bytes of all; done without a failure.

    `written` are the made files that are no links, and `folders` where files were made: what is not durable yet.
    """

    shard: int
    made: int
    kept: int
    absent: int
    byte_count: int
    failures: tuple[Failure, ...] = ()
    written: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Say whether every file of the shard is there, with its manifest."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a run is; `shards` and `files` are what is to be done, the other numbers what is."""

    shards: int
    files: int
    done: int = 0
    failed: int = 0
    made: int = 0
    kept: int = 0
    absent: int = 0
    byte_count: int = 0
    seconds: float = 0.0

    @property
    def missing(self) -> int:
        """Return the number of shards that were not tried."""
        return self.shards - self.done - self.failed

    def with_outcome(self, outcome: ShardOutcome, seconds: float) -> Tally:
        """Return the tally with one more shard."""
        return Tally(
            self.shards,
            self.files,
            self.done + outcome.done,
            self.failed + (not outcome.done),
            self.made + outcome.made,
            self.kept + outcome.kept,
            self.absent + outcome.absent,
            self.byte_count + outcome.byte_count,
            seconds,
        )

    def __str__(self) -> str:
        width = 24
        full = width * (self.done + self.failed) // max(self.shards, 1)
        bar = "█" * full + "░" * (width - full)
        failed = f", {self.failed} failed" if self.failed else ""
        counts = f"{self.done + self.failed}/{self.shards} shards{failed}, {self.made + self.kept:,} files, {size_text(self.byte_count)}"
        return f"{bar} {counts}, {self.seconds:.1f} s"

    def _repr_html_(self) -> str:
        words = str(self).partition(" ")[2]
        return f'<progress value="{self.done + self.failed}" max="{max(self.shards, 1)}"></progress> <small>{escape(words)}</small>'


@dataclass(frozen=True, slots=True)
class MaterializationReport:
    """What a run came to: `made` files now, `kept` ones that were there and whole, `absent` ones; each failure by shard and sample."""

    id: str
    dataset: str
    mode: Mode
    target: str
    status: MaterializationStatus
    tally: Tally
    failures: tuple[Failure, ...]
    cancelled: bool = False

    @property
    def made(self) -> int:
        """Return the number of files that this run made."""
        return self.tally.made

    @property
    def kept(self) -> int:
        """Return the number of files that were there already."""
        return self.tally.kept

    @property
    def absent(self) -> int:
        """Return the number of files that should be there and are not."""
        return self.tally.files - self.tally.made - self.tally.kept

    def __repr__(self) -> str:
        return "\n".join([f"<Materialization of {self.dataset}: {self._sentence}>", *(f"  {line}" for line in self._lines)])

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{escape(line)}</li>" for line in self._lines)
        return f"<p><b>{escape(self.dataset)}</b> {escape(self._sentence)}</p>{f'<ul>{lines}</ul>' if lines else ''}"

    @property
    def _sentence(self) -> str:
        tally = self.tally
        counts = f"{tally.made:,} files made, {tally.kept:,} kept, {self.absent:,} absent ({size_text(tally.byte_count)})"
        shards = f"{tally.done} of {tally.shards} shards" + (f", {tally.failed} failed" if tally.failed else "")
        return (
            f"{self.mode}, {self.status}{', cancelled' if self.cancelled else ''}; {counts}; {shards}; {tally.seconds:.1f} s; {self.target}"
        )

    @property
    def _lines(self) -> list[str]:
        more = len(self.failures) - SHOWN_FAILURES
        return [*map(str, self.failures[:SHOWN_FAILURES]), *([f"and {more} more"] if more > 0 else [])]


def mode_of(name: str) -> Mode:
    """Return the mode of that name. Raises `MATERIALIZATION_NOT_SUPPORTED`."""
    if name not in list(Mode):
        raise MaterializationNotSupported(materialization=name, known=", ".join(Mode))
    return Mode(name)


def verify_of(name: str) -> Verify:
    """Return the way of checking of that name. Raises `INVALID_VALUE`."""
    if name not in list(Verify):
        raise InvalidValue(what="verify", reason=f"there is no {name!r}", fix=f"Use one of {', '.join(Verify)}.")
    return Verify(name)


def shard_size(asked: int | None, kept: int | None, mode: Mode) -> int:
    """Return the samples a shard: those of the earlier run that is continued, else as asked, else by mode. Raises `INVALID_VALUE`."""
    if asked is not None and not 1 <= asked <= MOST_SAMPLES:
        raise InvalidValue(
            what="shard_samples", reason=f"{asked} is not from 1 to {MOST_SAMPLES}", fix="Leave it out, or give 256 to 1024."
        )
    return kept or asked or mode.shard_samples


def missing_assets(tally: Tally, gone: int) -> int:
    """Return what quality counts as promised and absent: `gone` files of finished shards, and all files where there is none at all.

    What a failed shard could not make was reported, and the same call makes it later: the count of failed shards speaks for it.
    """
    return gone if tally.made + tally.kept else tally.files


def pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Return the whole pixels that a box touches inside its frame, as left, top, right, bottom; None where it touches none.

    >>> from labelkit.core.geometry import Box
    >>> pixels(Box(1.5, -2.0, 3.0, 4.25), 100, 50)
    (1, 0, 5, 3)
    """
    ends = (box.x, box.y, box.x + box.width, box.y + box.height)
    if not all(map(math.isfinite, ends)):
        return None
    left, top = max(math.floor(ends[0]), 0), max(math.floor(ends[1]), 0)
    right, bottom = min(math.ceil(ends[2]), width), min(math.ceil(ends[3]), height)
    return (left, top, right, bottom) if left < right and top < bottom else None


def size_text(byte_count: float) -> str:
    """Return a size as people read it.

    >>> size_text(999), size_text(1_500_000)
    ('999 B', '1.5 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if byte_count < 1000:
            return f"{byte_count:.0f} B" if unit == "B" else f"{byte_count:.1f} {unit}"
        byte_count /= 1000
    return f"{byte_count:.1f} TB"


def status_after(tally: Tally) -> MaterializationStatus:
    """Return how far the files are when a run has ended."""
    step = MaterializationStep.FINISH if tally.done == tally.shards and not tally.absent else MaterializationStep.STOP
    return MATERIALIZATION.move(MaterializationStatus.PENDING, step)


def without_secrets(url: str) -> str:
    """Return an address as it may be kept and shown: without a user and password before the host.

    >>> without_secrets("s3://key:secret@bucket/x")
    's3://bucket/x'
    """
    protocol, sign, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{protocol}{sign}{host.rpartition('@')[2]}{slash}{path}" if sign else url
