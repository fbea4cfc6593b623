"""Refusals of golden examples."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class ExampleTypeInvalid(LabelkitError):
    code = "EXAMPLE_TYPE_INVALID"
    status = 400
    title = "This is no example type"
    template = "The type {name!r} cannot be registered: {reason}."
    advice = "Give input, expected_output and labels each as a pydantic model or as a JSON Schema (draft 2020-12)."


class ExampleTypeConflict(LabelkitError):
    code = "EXAMPLE_TYPE_CONFLICT"
    status = 409
    title = "Somebody else registered the type first"
    template = "The type has another version by now: {reason}."
    advice = "Look at it with ws.golden.types.get(name), then register again if it is still needed."


class ExampleVersionConflict(LabelkitError):
    code = "EXAMPLE_VERSION_CONFLICT"
    status = 409
    title = "Somebody else changed the example first"
    template = "{count:,} examples are not at the version that this rests on: {examples}. Nothing was changed."
    advice = "Read them again with ws.golden.get(id), look at ws.golden.history(id), and decide anew."


class ExampleStatusConflict(LabelkitError):
    code = "EXAMPLE_STATUS_CONFLICT"
    status = 409
    title = "Not possible in this status"
    template = "{count:,} examples cannot be moved by {step}: {examples}. Nothing was changed."
    advice = "ws.golden.get(id) shows the status; reopen what was judged already, with a reason, or leave these ids out."
