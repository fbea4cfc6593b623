"""The form of every refusal, and the catalogue of all of them."""

from __future__ import annotations

from typing import ClassVar


class LabelkitError(Exception):
    """A refusal: `code`, `title`, `detail`, `hint`, the HTTP `status` where one is defined, and the `facts` it was built from."""

    code: ClassVar[str] = "LABELKIT_ERROR"
    status: ClassVar[int | None] = None
    title: ClassVar[str] = "labelkit refused"
    template: ClassVar[str] = "{reason}"
    advice: ClassVar[str] = "Read the detail; nothing was changed."

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        self.detail = self.template.format(**facts)
        self.hint = self.advice.format(**facts)
        super().__init__(f"{self.code}: {self.title}. {self.detail} Hint: {self.hint}")

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling, so that a refusal crosses process pools."""
        return (_rebuild, (type(self), self.facts))

    def as_dict(self) -> dict[str, object]:
        """Return code, title, detail, hint and status as plain JSON values."""
        return {"code": self.code, "title": self.title, "detail": self.detail, "hint": self.hint, "status": self.status}


def _rebuild(kind: type[LabelkitError], facts: dict[str, object]) -> LabelkitError:
    return kind(**facts)


def catalogue() -> list[type[LabelkitError]]:
    """Return every refusal class below `LabelkitError`, by code: the source of the README's table."""
    found: dict[str, type[LabelkitError]] = {}
    waiting = list(LabelkitError.__subclasses__())
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return [found[code] for code in sorted(found)]
