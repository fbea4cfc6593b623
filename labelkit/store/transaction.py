"""One unit of work: SQL, the audit trail, and a gateway for each system, all committed together or not at all."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

import duckdb

from labelkit.store.statements import Statements

if TYPE_CHECKING:
    from labelkit.store.audit import AuditRows
    from labelkit.store.datasets.freezing import FreezingRows
    from labelkit.store.datasets.rows import DatasetRows
    from labelkit.store.exports import ExportRows
    from labelkit.store.golden.examples import GoldenRows
    from labelkit.store.golden.extractions import ExtractionRows
    from labelkit.store.media import MediaRows
    from labelkit.store.review.rows import ReviewRows
    from labelkit.store.runs import RunRows
    from labelkit.store.versions.commits import CommitRows
    from labelkit.store.workspaces import WorkspaceRows


class Transaction(Statements):
    """What `Database.transaction()` and `Database.reading()` give: statements, and gateways that load when first used."""

    def begin(self) -> None:
        """Start the transaction; one that does not write may not."""
        self.execute("BEGIN TRANSACTION" if self.writes else "BEGIN TRANSACTION READ ONLY")

    def commit(self) -> None:
        """Make everything durable, or raise the refusal of the statement that failed; the driver would commit nothing and say nothing."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """Undo everything."""
        with suppress(duckdb.Error):  # a failed COMMIT has ended the transaction already
            self._cursor.execute("ROLLBACK")

    @cached_property
    def audit(self) -> AuditRows:
        """Return the audit trail."""
        from labelkit.store.audit import AuditRows

        return AuditRows(self)

    @cached_property
    def workspaces(self) -> WorkspaceRows:
        """Return workspaces, members and users."""
        from labelkit.store.workspaces import WorkspaceRows

        return WorkspaceRows(self)

    @cached_property
    def media(self) -> MediaRows:
        """Return media and their frames."""
        from labelkit.store.media import MediaRows

        return MediaRows(self)

    @cached_property
    def review(self) -> ReviewRows:
        """Return prelabel runs, drafts, packs and revisions."""
        from labelkit.store.review.rows import ReviewRows

        return ReviewRows(self)

    @cached_property
    def datasets(self) -> DatasetRows:
        """Return builds, datasets and their versions."""
        from labelkit.store.datasets.rows import DatasetRows

        return DatasetRows(self)

    @cached_property
    def freezing(self) -> FreezingRows:
        """Return frozen test sets, trainings under way and the holdout ledger."""
        from labelkit.store.datasets.freezing import FreezingRows

        return FreezingRows(self)

    @cached_property
    def runs(self) -> RunRows:
        """Return runs of recipes."""
        from labelkit.store.runs import RunRows

        return RunRows(self)

    @cached_property
    def versions(self) -> CommitRows:
        """Return histories, commits, branches and tags."""
        from labelkit.store.versions.commits import CommitRows

        return CommitRows(self)

    @cached_property
    def exports(self) -> ExportRows:
        """Return the records of exports."""
        from labelkit.store.exports import ExportRows

        return ExportRows(self)

    @cached_property
    def golden(self) -> GoldenRows:
        """Return golden examples and their types."""
        from labelkit.store.golden.examples import GoldenRows

        return GoldenRows(self)

    @cached_property
    def extractions(self) -> ExtractionRows:
        """Return extractions of examples from production decisions."""
        from labelkit.store.golden.extractions import ExtractionRows

        return ExtractionRows(self)
