"""Refusals of label files."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class UnknownFormat(LabelkitError):
    code = "UNKNOWN_FORMAT"
    status = 400
    title = "Unknown format"
    template = "There is no {direction} for {name!r}.{near}"
    advice = "Known: {known}."


class LabelsNotFound(LabelkitError):
    code = "LABELS_NOT_FOUND"
    status = 404
    title = "No labels there"
    template = "{source}: {reason}."
    advice = "Name {expected}."


class LabelsUnreadable(LabelkitError):
    code = "LABELS_UNREADABLE"
    status = 400
    title = "The labels cannot be read"
    template = "{source}: {reason}."
    advice = "{fix}"


class ExportTargetTaken(LabelkitError):
    code = "EXPORT_TARGET_TAKEN"
    status = 409
    title = "The folder holds something else"
    template = "{target} holds {count} file(s) that no earlier export wrote, such as {example}."
    advice = "Name a new folder; only an earlier export is replaced."


class ClassesUnknown(LabelkitError):
    code = "CLASSES_UNKNOWN"
    status = 400
    title = "The class names are not known"
    template = "{source} has class numbers only: {reason}."
    advice = "Pass classes=[...] in the order of the numbers, or put {places} beside the labels."


class NotAnExport(LabelkitError):
    code = "NOT_AN_EXPORT"
    status = 404
    title = "There is no export"
    template = "{folder} has no labelkit-export.json, which every export of labelkit has."
    advice = "Name the folder that was exported to; for a zip or tar file, unpack it first."


class ExportDamaged(LabelkitError):
    code = "EXPORT_DAMAGED"
    status = 409
    title = "The export is not as it was written"
    template = "{folder}: {what}."
    advice = "`labelkit verify` lists everything that differs. Export again; or delete labelkit-export.json to read the files as they are."
