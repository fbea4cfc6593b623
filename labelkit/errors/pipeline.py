"""Refusals of the pipeline from production decisions: sources that cannot be read, mappings and filters that do not fit."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class SourceNotFound(LabelkitError):
    code = "SOURCE_NOT_FOUND"
    status = 404
    title = "There is no such source"
    template = "{source}: {reason}."
    advice = "Check the name; a path, a glob, a URL of fsspec, duckdb:///file.duckdb or unity://catalog.schema.table is a source."


class SourceUnreadable(LabelkitError):
    code = "SOURCE_UNREADABLE"
    status = 400
    title = "The source cannot be read"
    template = "{source}: {reason}."
    advice = "{fix}"


class SourceNotSupported(LabelkitError):
    code = "SOURCE_NOT_SUPPORTED"
    status = 400
    title = "Sources of this kind are not read"
    template = "{source}: {reason}."
    advice = "{fix}"


class SourceUnreachable(LabelkitError):
    code = "SOURCE_UNREACHABLE"
    status = 503
    title = "The source cannot be reached"
    template = "{source}: {reason}."
    advice = "Check address and network and try again; nothing was changed."


class SourceAccessDenied(LabelkitError):
    code = "SOURCE_ACCESS_DENIED"
    status = 403
    title = "The source does not let you in"
    template = "{source}: {reason}."
    advice = "{fix}"


class SourceQueryRefused(LabelkitError):
    code = "SOURCE_QUERY_REFUSED"
    status = 400
    title = "The query is not taken"
    template = "{source}: {reason}."
    advice = "A query is one SELECT over the tables of the file; it writes nothing and reads nothing else."


class MappingInvalid(LabelkitError):
    code = "MAPPING_INVALID"
    status = 400
    title = "The mapping does not fit"
    template = "{what}: {reason}."
    advice = "{fix}"


class FilterInvalid(LabelkitError):
    code = "FILTER_INVALID"
    status = 400
    title = "A filter does not fit"
    template = "{what}: {reason}."
    advice = "{fix}"
