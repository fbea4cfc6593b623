"""PreflightTable: choose label packs, see at once what a build would decide, build, and see what it came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelkit.core.actors import Action
from labelkit.core.datasets.builds import SPLIT_COLUMNS, BuildRequest
from labelkit.core.datasets.eligibility import ExclusionReason
from labelkit.core.datasets.splits import SplitStrategy
from labelkit.core.review.packs import ReviewStatus, ValidationStatus
from labelkit.errors import InvalidValue, NotFound
from labelkit.widgets import news, static
from labelkit.widgets.base import CommandWidget, command
from labelkit.widgets.preflight_rows import preflight_row, result_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from labelkit.core.datasets.preflight import Preflight
    from labelkit.services.datasets import BuildJob, BuildResult
    from labelkit.widgets.base import Json
    from labelkit.workspace import Workspace

SHOWN_PACKS = 200
LISTED_IDS = 200
CHANGEABLE = ("name", "split_strategy", "split_column", "ratios", "seed", "min_annotations", "include_reviewed_override", "force")


class PreflightTable(CommandWidget):
    """The candidates of a capability with checkboxes, what a build of the ticked ones would decide, and the button that builds.

    `label_pack_ids` None ticks what a build would include by default. `.selected` are the ticked packs, `.value` is the request,
    `.preflight` what a build would decide now, `.job` the build that was begun last, which goes on while other cells run, and `.result`
    what the last build that ended came to.
    """

    _browser = "preflight_table"
    _styles = ("shared/lists.css", "preflight_table.css")

    def __init__(  # noqa: PLR0913 - one argument a field of the request
        self,
        ws: Workspace,
        capability: str,
        *,
        name: str | None = None,
        description: str | None = None,
        label_pack_ids: Iterable[str] | None = None,
        split_strategy: str = "group_stable",
        split_column: str | None = None,
        ratios: Mapping[str, float] | None = None,
        seed: int = 0,
        min_annotations: int = 0,
        join_near_duplicates: bool | None = None,
        include_reviewed_override: bool = False,
        force: bool = False,
        enforce_quality: bool | None = None,
    ) -> None:
        self._ws = ws
        self.capability = ws.capabilities.get(capability).name
        self._options: dict[str, object] = {
            "capability": self.capability,
            "name": name if name is not None else self.capability,
            "description": description,
            "split_strategy": split_strategy,
            "split_column": split_column,
            "seed": seed,
            "min_annotations": min_annotations,
            "join_near_duplicates": join_near_duplicates,
            "include_reviewed_override": include_reviewed_override,
            "force": force,
            "enforce_quality": enforce_quality,
        } | ({} if ratios is None else {"ratios": dict(ratios)})
        self._check({**self._options, "label_pack_ids": []})
        self.candidates: pl.DataFrame = ws.datasets.candidates(self.capability)
        self._selected: set[str] = set(self._default() if label_pack_ids is None else self._known(label_pack_ids))
        self.job: BuildJob | None = None
        self.result: BuildResult | None = None
        super().__init__(key=(ws.path, ws.id, self.capability, name))
        news.listen(self, ws, self.refresh)

    # --- in Python

    @property
    def selected(self) -> list[str]:
        """Return the ids of the ticked packs, sorted. Assigning ticks exactly those; raises `NOT_FOUND` for one that is no candidate."""
        return sorted(self._selected)

    @selected.setter
    def selected(self, pack_ids: Iterable[str]) -> None:
        self._selected = set(self._known(pack_ids))
        self.tell("state", self.state())

    @property
    def value(self) -> BuildRequest:
        """Return the request for the ticked packs."""
        return self._check({**self._options, "label_pack_ids": self.selected})

    @property
    def preflight(self) -> Preflight | None:
        """Return what a build would decide now; None where no pack is ticked."""
        return self._ws.datasets.preflight(self.value) if self._selected else None

    def reload(self) -> None:
        """Read the candidates anew; ticked packs that are no candidates any more are let go."""
        self.candidates = self._ws.datasets.candidates(self.capability)
        self._selected &= set(self.candidates["pack_id"])

    def state(self) -> Json:
        """Return what a view shows: options, candidates, ticks, what a build would decide, and the last result."""
        request = self._check({**self._options, "label_pack_ids": []})
        return {
            "capability": self.capability,
            "options": request.model_dump(mode="json", include=set(CHANGEABLE)),
            "strategies": [str(one) for one in SplitStrategy],
            "columns": list(SPLIT_COLUMNS),
            "may_override": self._ws.actor.may(Action.INCLUDE_REVIEWED, self._ws.id),
            "rows": self._rows(request.include_reviewed_override),
            "selected": self.selected,
            "preflight": self._preflight_row(),
            "running": self._running_row(),
            "result": None if self.result is None else result_row(self.result),
        }

    # --- from the browser

    @command("ready")
    def ready(self) -> Json:
        """Return everything that a view shows."""
        return self.state()

    @command("refresh")
    def refresh(self) -> Json:
        """Read the candidates anew and send everything to every view."""
        self.reload()
        self.tell("state", self.state())
        return {}

    @command("select")
    def select(self, on: list[str], off: list[str]) -> Json | None:
        """Tick and untick packs and return what a build would decide now."""
        self._selected = (self._selected | set(self._known(on))) - set(off)
        return self._preflight_row()

    @command("change")
    def change(self, options: dict[str, object]) -> Json | None:
        """Change options of the request and return what a build would decide now; options that do not fit change nothing."""
        refused = sorted(options.keys() - set(CHANGEABLE))
        if refused:
            raise InvalidValue(what="options", reason=f"{', '.join(refused)} cannot be changed here", fix=f"Use {', '.join(CHANGEABLE)}.")
        self._check({**self._options, **options, "label_pack_ids": []})
        self._options |= options
        if {"include_reviewed_override", "split_strategy"} & options.keys():  # other packs can be ticked, other fields are asked for
            self.tell("state", self.state())
        return self._preflight_row()

    @command("build")
    def build(self) -> Json:
        """Begin to build the ticked packs, or go on with the build under way; every view sees the progress and what it came to."""
        if self.job is None or not self.job.running:
            request = self.value
            self.python = f"ws.datasets.build({self._call(request)})"
            self.job = self._ws.datasets.start(request, join=True, progress=self._moved, then=self._ended)
        return {"build": self.job.build_id}

    @command("cancel")
    def cancel(self) -> Json:
        """Stop the build under way at its next step."""
        if self.job is not None:
            self.job.cancel()
        return {}

    # --- without a browser

    def describe(self) -> str:
        """Return the dataset's name, how many packs are ticked, and what a build would come to."""
        plan = self.preflight
        would = "nothing is ticked" if plan is None else f"a build would be {plan.outcome if plan.ok else 'refused'}"
        ticked = f"{len(self._selected)} of {self.candidates.height} packs ticked"
        return f"Build of {self._options['name']} ({self.capability}): {ticked}; {would}"

    def to_html(self) -> str:
        """Return ticked packs, splits, issues and the last result as plain tables."""
        plan = self.preflight
        parts: list[str] = []
        if plan is not None:
            classes = list(plan.class_counts)
            head = ("Split", "Samples", "Groups", *classes)
            rows = [(s, n, plan.split_groups[s], *(plan.class_counts[c][s] for c in classes)) for s, n in plan.split_samples.items()]
            issues = [(issue.code, issue.message) for issue in plan.issues]
            parts += [static.table(head, rows), static.table(("Issue", "Meaning"), issues, "No issues.")]
        columns = ("media", "group_key", "pack_id", "revision_number", "frames", "annotations", "reason")
        shown = self.candidates.filter(self.candidates["pack_id"].is_in(self.selected)).select(columns).head(SHOWN_PACKS)
        parts.append(static.table(("Media", "Group", "Pack", "Revision", "Frames", "Labels", "Excluded by"), shown.iter_rows()))
        if self.result is not None:
            parts.append(f"Last build: {self.result.outcome}, {self.result.dataset.title}")
        return static.card(self.describe(), *parts)

    # --- inside

    def _default(self) -> list[str]:
        return self.candidates.filter(self.candidates["included"])["pack_id"].to_list()

    def _known(self, pack_ids: Iterable[str]) -> list[str]:
        wanted, known = list(pack_ids), set(self.candidates["pack_id"])
        for one in wanted:
            if one not in known:
                raise NotFound.among("label pack", one, known, f"ws.datasets.candidates({self.capability!r})")
        return wanted

    def _check(self, fields: Mapping[str, object]) -> BuildRequest:
        foreign = {"ratios", "seed"} if fields["split_strategy"] == SplitStrategy.PREDEFINED else {"split_column"}
        return BuildRequest.model_validate({name: value for name, value in fields.items() if name not in foreign})

    def _rows(self, override: bool) -> list[Json]:  # noqa: FBT001 - read once above
        columns = ("pack_id", "workspace", "media", "group_key", "camera_type", "revision_number", "frames", "annotations", "reason", "why")
        own = self._ws.name
        rows: list[Json] = []
        for row in self.candidates.iter_rows(named=True):
            admissible = (
                override
                and row["reason"] == ExclusionReason.NOT_APPROVED
                and row["review_status"] == ReviewStatus.APPROVED
                and row["validation_status"] == ValidationStatus.PASSED
            )
            shown = {name: row[name] for name in columns}
            media = row["media"] if row["workspace"] == own else f"{row['workspace']}/{row['media']}"
            rows.append({**shown, "media": media, "selectable": row["included"] or admissible, "admitted": admissible})
        return rows

    def _running_row(self) -> Json | None:
        job = self.job
        return {"build": job.build_id, "done": job.done, "total": job.total} if job is not None and job.running else None

    def _moved(self, done: int, total: int) -> None:
        self.tell("progress", {"done": done, "total": total})

    def _ended(self, job: BuildJob) -> None:
        """Show what a build came to, from the thread that carried it out."""
        result = None
        with self.guarded():
            result = self.result = job.result()
        with self.guarded():
            row = None if result is None else result_row(result)
            self.tell("ended", {"result": row, "preflight": self._preflight_row()})
            news.tell_others(self, self._ws)

    def _preflight_row(self) -> Json | None:
        plan = self.preflight
        return None if plan is None else preflight_row(plan)

    def _call(self, request: BuildRequest) -> str:
        fields = request.model_dump(exclude_defaults=True)
        if len(self._selected) > LISTED_IDS and self._selected == set(self._default()):
            ids = f"ws.datasets.candidates({self.capability!r}).filter(pl.col('included'))['pack_id'].to_list()"
        else:
            ids = repr(self.selected)
        given = [f"{name}={ids if name == 'label_pack_ids' else repr(value)}" for name, value in fields.items()]
        return f"labelkit.BuildRequest({', '.join(given)})"
