"""One shard of a materialization: plain data in, files and a manifest at the target, a plain outcome out. It knows no store.

A shard can be run again at any time, by any process, also while another one runs it: what is there and whole stays, a file appears under
its name only when it is whole, and the manifest, which says what is there, is written last. Nothing is synced here: a later run looks at
each file that a manifest names, so what a power cut takes away is made again; who runs the shards syncs once, at the end.
"""

from __future__ import annotations

import errno
import json
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from labelkit.core.datasets.materialization import Failure, ShardOutcome, Verify
from labelkit.core.hashing import sha256_hex
from labelkit.core.media import FrameProblem
from labelkit.errors import FrameUnavailable, LabelkitError, LinkImpossible, StorageWriteFailed
from labelkit.media.originals import Originals, Source
from labelkit.media.targets import open_target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labelkit.media.targets import Found, Stamp, Target

FOLDER = ".labelkit"  # of a place: who made it, and the manifests of its shards
COLUMNS = ("key", "path", "size", "sha256", "stamp", "made", "frame_sha256", "box")
_UNLINKABLE = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP}

Rect = tuple[int, int, int, int]
NO_PIXELS: Rect = (0, 0, 0, 0)


class Wanted(NamedTuple):
    """A file that should be there: of which sample and source, which frame of it, and what to cut out (left, top, right, bottom in px)."""

    key: str
    path: str
    source: int
    name: str
    frame: int
    frame_sha256: str
    byte_count: int
    box: Rect | None = None


class Row(NamedTuple):
    """A file that is there, as the manifest says it: how it was made (`link`, `copy` or `png`), and from which frame bytes."""

    key: str
    path: str
    size: int
    sha256: str
    stamp: Stamp
    made: str
    frame_sha256: str
    box: Rect | None


@dataclass(frozen=True, slots=True)
class ShardTask:
    """Everything that one shard needs, as plain values: where to, how, and which files. `labelkit` is the version for the manifest."""

    number: int
    mode: str
    target: str
    options: Mapping[str, Any] = field(repr=False)
    verify: str
    copy_if_unlinkable: bool
    labelkit: str
    sources: Mapping[int, Source]
    wanted: Sequence[Wanted]

    @property
    def manifest(self) -> str:
        """Return the path of the manifest."""
        return manifest_of(self.number)


def manifest_of(shard: int) -> str:
    """Return the path of a shard's manifest.

    >>> manifest_of(7)
    '.labelkit/shard-000007.json'
    """
    return f"{FOLDER}/shard-{shard:06}.json"


def run_shard(task: ShardTask) -> ShardOutcome:
    """Make what is missing or damaged of a shard, and its manifest. Never raises what a source or the target does: the outcome says it."""
    return _Shard(task).run()


class _Shard:
    def __init__(self, task: ShardTask) -> None:
        self._task = task
        self._trusting = task.verify == Verify.CHANGED
        self._rows: dict[str, Row] = {}
        self._failures: list[Failure] = []
        self._broken: set[str] = set()
        self._made: list[str] = []
        self._waiting: list[tuple[Row, bytes]] = []
        self._bytes = 0

    def run(self) -> ShardOutcome:
        with ExitStack() as stack:
            return self._run(stack)

    def _run(self, stack: ExitStack) -> ShardOutcome:
        task, kept = self._task, 0
        try:
            self._target: Target = stack.enter_context(closing(open_target(task.target, task.options)))
            before = self._manifest()
            todo = self._not_there(before)
            kept = len(self._rows)
            self._originals = stack.enter_context(Originals(task.sources, todo))
            self._linked = {one for one in task.sources if task.mode == "link" and self._originals.is_file(one)}
            for wanted in todo:
                self._make(wanted)
            self._flush()
            self._confirm()
            if before != self._rows:
                self._target.put([(task.manifest, self._text())])
        except LabelkitError as error:
            self._failures.append(Failure(task.number, "", error.code, error.detail))
        except OSError as error:
            self._failures.append(Failure(task.number, "", StorageWriteFailed.code, error.strerror or str(error)))
        there = self._rows.values()
        made = [self._rows[path] for path in self._made if path in self._rows]
        return ShardOutcome(
            task.number,
            made=len(there) - kept,
            kept=kept,
            absent=len(task.wanted) - len(there),
            byte_count=sum(row.size for row in there),
            failures=tuple(self._failures),
            written=tuple(row.path for row in made if row.made != "link"),
            folders=tuple({row.path.rpartition("/")[0] for row in made}),
        )

    # --- what is there

    def _manifest(self) -> dict[str, Row]:
        """Return what the manifest of an earlier run says; nothing where it is missing or damaged."""
        data = self._target.read(self._task.manifest)
        try:
            kept = json.loads(data or b"null")
            if kept["columns"] != list(COLUMNS):
                return {}
            rows = [Row._make([*row[:7], None if row[7] is None else tuple(row[7])]) for row in kept["rows"]]
        except (ValueError, KeyError, TypeError):
            return {}
        return {row.path: row for row in rows}

    def _not_there(self, before: Mapping[str, Row]) -> list[Wanted]:
        """Put the files that are there and whole into the rows and return the others."""
        known = [(wanted, row) for wanted in self._task.wanted if (row := before.get(wanted.path)) and _fits(wanted, row)]
        found = self._target.look([wanted.path for wanted, _ in known]) if known else {}
        for wanted, row in known:
            seen = found.get(wanted.path)
            if seen is not None and (now := self._checked(row, seen)) is not None:
                self._rows[wanted.path] = now
        return [wanted for wanted in self._task.wanted if wanted.path not in self._rows]

    def _checked(self, row: Row, seen: Found) -> Row | None:
        """Return the row of a file that is as it was made, None where it is not; read only where its size or time do not say so."""
        if seen[0] != row.size:
            return None
        if seen[1] == row.stamp and self._task.verify != Verify.ALL:
            return row
        data = self._target.read(row.path)
        return None if data is None or sha256_hex(data) != row.sha256 else row._replace(stamp=seen[1])

    # --- what is made

    def _make(self, wanted: Wanted) -> None:
        if wanted.key in self._broken:
            return
        if wanted.box == NO_PIXELS:
            self._fail(wanted.key, "INVALID_GEOMETRY", f"the box of {wanted.path} has no pixel inside its frame")
            return
        try:
            if wanted.source in self._linked:
                self._link(wanted)
            elif wanted.box is None and self._originals.is_file(wanted.source):
                self._put(wanted, self._originals.read(wanted), "copy", wanted.frame_sha256)
            else:
                data = self._originals.png(wanted)
                self._put(wanted, data, "png", sha256_hex(data))
        except FrameUnavailable as error:
            self._broken.add(wanted.key)
            self._fail(wanted.key, str(error.facts["problem"]), error.detail)
        except LinkImpossible as error:
            self._fail(wanted.key, error.code, error.detail)

    def _fail(self, key: str, code: str, reason: str) -> None:
        self._failures.append(Failure(self._task.number, key, code, reason))

    def _link(self, wanted: Wanted) -> None:
        """Link to the file whose bytes were compared, or, where asked, copy it."""
        place, seen = self._originals.compared(wanted, trusting=self._trusting)
        try:
            self._target.link(place, wanted.path)
        except OSError as error:
            if error.errno not in _UNLINKABLE:
                raise
            if not self._task.copy_if_unlinkable:
                raise LinkImpossible(target=self._task.target, source=wanted.name, reason=error.strerror or str(error)) from error
            self._put(wanted, self._originals.read(wanted), "copy", wanted.frame_sha256)
            return
        if not self._trusting and self._target.look([wanted.path]).get(wanted.path) != seen:
            raise FrameUnavailable(index=wanted.frame, name=wanted.name, problem=FrameProblem.CHANGED.value)  # after it was read
        self._add(Row(wanted.key, wanted.path, seen[0], wanted.frame_sha256, seen[1], "link", wanted.frame_sha256, None))

    def _put(self, wanted: Wanted, data: bytes, made: str, digest: str) -> None:
        row = Row(wanted.key, wanted.path, len(data), digest, "", made, wanted.frame_sha256, wanted.box)
        self._waiting.append((row, data))
        self._bytes += len(data)
        if self._bytes >= self._target.batch_bytes:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        if waiting:
            known = self._target.put([(row.path, data) for row, data in waiting])
            for row, _ in waiting:
                self._add(row._replace(stamp=known[row.path][1]) if row.path in known else row)

    def _add(self, row: Row) -> None:
        self._rows[row.path] = row
        self._made.append(row.path)

    def _confirm(self) -> None:
        """Take out of the rows what is not there as it was written, where writing did not say so itself."""
        unseen = [path for path in self._made if self._rows[path].stamp == ""]
        found = self._target.look(unseen) if unseen else {}
        for path in unseen:
            row, seen = self._rows[path], found.get(path)
            if seen is None or seen[0] != row.size:
                del self._rows[path]
                self._fail(row.key, StorageWriteFailed.code, f"{path} is not there after it was written")
            else:
                self._rows[path] = row._replace(stamp=seen[1])

    def _text(self) -> bytes:
        """Return the manifest: a row a file, in the order of the samples, one line each."""
        head = {"labelkit": self._task.labelkit, "mode": self._task.mode, "shard": self._task.number, "columns": COLUMNS}
        rows = [self._rows[wanted.path] for wanted in self._task.wanted if wanted.path in self._rows]
        lines = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        return f'{json.dumps(head)[:-1]}, "rows": {lines}}}\n'.encode()


def _fits(wanted: Wanted, row: Row) -> bool:
    return row.frame_sha256 == wanted.frame_sha256 and row.box == wanted.box and row.key == wanted.key
