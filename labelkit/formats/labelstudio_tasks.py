"""Label Studio tasks: whose answer is taken, and of what picture it is."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeGuard
from urllib.parse import parse_qs, unquote, urlsplit

from labelkit.formats.labels.names import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, Any]
Prefer = Literal["annotations", "predictions"]
_SHOWN = re.compile(r"\.(jpe?g|png|bmp|webp|gif|tiff?|mp4|mov|avi|mkv|webm)$", re.IGNORECASE)
_ANSWERS = ("annotations", "completions", "predictions")
_SIDES = ("original_width", "original_height")


class Answer(NamedTuple):
    """One person's or model's work on a task: its results, the score of the whole, and why it is not taken (None where it is)."""

    results: list[Json]
    score: object
    refused: str | None


class _Work(NamedTuple):
    kind: str
    said: Json

    @property
    def name(self) -> str:
        return f"{self.kind} {self.said.get('id', '')}".strip()

    @property
    def cancelled(self) -> bool:
        return bool(self.said.get("was_cancelled") or self.said.get("skipped"))

    def rank(self, prefer: Prefer) -> tuple[bool, bool, str, int]:
        """Return what is compared: the kind that is preferred, then ground truth, then the latest."""
        stamp, number = self.said.get("updated_at") or self.said.get("created_at"), self.said.get("id")
        preferred = prefer.startswith(self.kind)
        return (
            preferred,
            bool(self.said.get("ground_truth")),
            stamp if isinstance(stamp, str) else "",
            number if isinstance(number, int) else -1,
        )


def records_of_tasks(records: Iterable[object]) -> Iterator[list[tuple[int, object]]]:
    """Yield the records of each task with their place in the file from 1: JSON-MIN has one a person, one after another with one id."""

    def task(numbered: tuple[int, object]) -> object:
        number, record = numbered
        flat = isinstance(record, dict) and not any(name in record for name in _ANSWERS)
        identity = record.get("id") if flat and isinstance(record, dict) else None
        return ("id", identity) if isinstance(identity, int | str) else ("number", number)

    for _, group in groupby(enumerate(records, 1), task):
        yield list(group)


def is_task(record: object) -> TypeGuard[Json]:
    """Say whether a record is a task, with data or with answers that have results, or a JSON-MIN record of a picture."""
    if not isinstance(record, dict):
        return False
    listed = [works for works in (record.get(name) for name in _ANSWERS) if isinstance(works, list)]
    if any(not (isinstance(said, dict) and isinstance(said.get("result"), list)) for works in listed for said in works):
        return False
    return isinstance(record.get("data"), dict) or (not listed and picture(record, None) is not None)


def answers(task: list[Json], prefer: Prefer) -> Iterator[tuple[Json, Answer]]:
    """Yield each record of a task (see `is_task`) with each of its answers; one alone is taken, none where all were cancelled."""
    works = [(record, work) for record in task for work in _works(record)]
    live = [work for _, work in works if not work.cancelled]
    best = max(live, key=lambda work: work.rank(prefer), default=None)
    for record, work in works:
        refused = None
        if work is not best:
            why = "was cancelled" if work.cancelled else "is not the one taken"
            refused = f"{work.name} {why}" + (f": that is {best.name}" if best else "")
        yield record, Answer([one for one in work.said["result"] if isinstance(one, dict)], work.said.get("score"), refused)


def _works(record: Json) -> Iterator[_Work]:
    listed = {"annotation": record.get("annotations", record.get("completions")), "prediction": record.get("predictions")}
    for kind, works in listed.items():
        for said in works if isinstance(works, list) else ():
            yield _Work(kind, said)
    if not any(isinstance(works, list) for works in listed.values()):
        said = {"id": record.get("annotation_id", ""), "updated_at": record.get("updated_at"), "result": list(_flat_results(record))}
        yield _Work("annotation", said)


def _flat_results(record: Json) -> Iterator[Json]:
    """Yield the results of a JSON-MIN record as if they were of a full one: there they stand under the name of their control."""
    for name, values in record.items():
        for value in values if isinstance(values, list) else ():
            if isinstance(value, dict) and any(key in value for key in ("x", "points", "rle", "sequence")):
                yield {"from_name": name, "value": value, **{side: value.get(side) for side in _SIDES}}


def picture(record: Json, control: object) -> str | None:
    """Return the path of the picture that a result is of: the data under the name of its control, else the one picture of the task."""
    data = record.get("data", record)
    texts = {name: text for name, text in data.items() if isinstance(text, str)} if isinstance(data, dict) else {}
    shown = [text for text in texts.values() if _SHOWN.search(_path(text))]
    own = texts.get(control) if isinstance(control, str) else None
    found = own or texts.get("image") or texts.get("video") or (shown[0] if len(shown) == 1 else None)
    return text_of(_path(found)) or None if found else None


def is_own(record: Json) -> bool:
    """Say whether an export of labelkit made the task: then its regions' ids are those of annotations."""
    data = record.get("data")
    return isinstance(data, dict) and isinstance(data.get("sample_key"), str)


def _path(text: str) -> str:
    """Return the path in an address: below a server, a bucket, or the folder of local files."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    local = parse_qs(parts.query).get("d") if "local-files" in parts.path else None
    if local:
        return local[0].lstrip("/")
    return unquote(parts.path).lstrip("/") if parts.netloc or text.startswith("/") else text
