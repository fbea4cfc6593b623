"""Every outcome and refusal of the review happens for real: a person sees code, title, detail and hint, and the store stays as it was."""

from __future__ import annotations

import re
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit import LabelkitError
from labelkit.widgets import Approvals, FrameReview, ReviewQueue, RevisionHistory
from tests.browser.code_worlds import (
    QUIET,
    World,
    approved_for_datasets,
    as_published,
    audit_broken,
    both_edit,
    content_damaged,
    content_locked,
    deleted_by_another,
    deletes_the_first,
    deletes_the_second,
    demoted,
    disk_full,
    edited,
    first_ball,
    first_pack_claimed,
    imported_invalid,
    interrupted,
    looked_through,
    nothing,
    of_the_older_form,
    opens,
    overrides_without_a_reason,
    pack_revoked,
    publishes,
    resets,
    revised,
    revoked,
    saved_by_another,
    step,
    unfolds,
)
from tests.browser.showing import in_page
from tests.browser.twin import Twin
from tests.services.worlds import tables
from tests.store.disks import small_disk
from tests.widgets.scenes import PLAYERS, colleague, published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from labelkit import Workspace
    from labelkit.widgets.base import CommandWidget

pytestmark = pytest.mark.browser

BANNER, OUTCOME = ".lk-banner", ".lk-outcome"
APPROVE, REVOKE = "Approve for dataset: revision 1", "Revoke label pack"
REVIEWER = "reviewer"


@dataclass(frozen=True)
class Case:
    """A refusal and how it comes about: what is there, what happens meanwhile, what the person does, and where they are told.

    `role` is the person's, `tab` what they have open before anything happens, `disk` the size of a disk for the store alone;
    `words` are what is said where the widget says it in words of its own.
    """

    code: str
    does: Callable[[Page], None]
    given: Callable[[World], None] = as_published
    meanwhile: Callable[[World], None] = nothing
    where: str = BANNER
    role: str = "owner"
    tab: str | None = None
    disk: str | None = None
    words: tuple[str, ...] = ()


SAME = ("Nothing to publish: revision 1 has the same content.",)
NO_REASON = ("A reason is required", "The override of the warnings was asked without one.", "Say why the warnings are acceptable")
BOTH = (
    "The draft was saved elsewhere meanwhile",
    "Frame 1 was changed by both sides.",
    "Choose below the picture, frame by frame or for all at once",
)
IN_REVIEW = {
    "nothing new": Case("NO_OP_ALREADY_PUBLISHED", publishes, where=OUTCOME, words=SAME),
    "a save comes between": Case("STALE_DRAFT_VERSION", publishes, looked_through, interrupted(saved_by_another), OUTCOME),
    "an older draft": Case("RESET_DRAFT_REQUIRED", publishes, of_the_older_form, where=OUTCOME),
    "an unknown class": Case("VALIDATION_HARD_FAIL", publishes, imported_invalid, where=OUTCOME),
    "warnings": Case("WARNINGS_REQUIRE_OVERRIDE", publishes, edited, where=OUTCOME),
    "an override without a reason": Case("REASON_REQUIRED", overrides_without_a_reason, edited, where=OUTCOME, words=NO_REASON),
    "warnings for who may not override": Case("OVERRIDE_FORBIDDEN", publishes, edited, where=OUTCOME, role=REVIEWER),
    "another first publish comes between": Case("PUBLISH_LOCK_CONFLICT", publishes, first_ball, interrupted(first_pack_claimed), OUTCOME),
    "the pack is revoked meanwhile": Case("LABEL_PACK_NOT_APPROVED", publishes, looked_through, interrupted(pack_revoked), OUTCOME),
    "no approved pack": Case("LABEL_PACK_NOT_APPROVED", publishes, revoked, where=OUTCOME),
    "a publish of damaged content": Case("STORAGE_READ_FAILED", publishes, looked_through, content_damaged, OUTCOME),
    "a publish onto a locked disk": Case("STORAGE_WRITE_FAILED", publishes, looked_through, content_locked, OUTCOME),
    "a publish onto a full disk": Case("STORAGE_WRITE_FAILED", publishes, looked_through, disk_full, OUTCOME, disk="24m"),
    "a publish without audit": Case("AUDIT_PERSIST_FAILED", publishes, looked_through, audit_broken, OUTCOME),
    "demoted before the publish": Case("PERMISSION_DENIED", publishes, looked_through, demoted("annotator"), OUTCOME, role=REVIEWER),
    "demoted in the middle of it": Case(
        "PERMISSION_DENIED", publishes, looked_through, interrupted(demoted("annotator")), OUTCOME, role=REVIEWER
    ),
    "both edit a frame": Case("DRAFT_VERSION_CONFLICT", deletes_the_second, meanwhile=both_edit, words=BOTH),
    "an edit onto a full disk": Case("STORAGE_WRITE_FAILED", deletes_the_first, meanwhile=disk_full, disk="24m"),
    "an edit without audit": Case("AUDIT_PERSIST_FAILED", deletes_the_first, meanwhile=audit_broken),
    "demoted before the save": Case("PERMISSION_DENIED", deletes_the_first, meanwhile=demoted("viewer"), role=REVIEWER),
    "an edit of what is gone": Case("UNKNOWN_ANNOTATION", deletes_the_first, meanwhile=deleted_by_another),
    "a reset without audit": Case("AUDIT_PERSIST_FAILED", resets, meanwhile=audit_broken),
    "the pack's step was taken": Case("ILLEGAL_STEP", step(REVOKE), tab="Label packs", meanwhile=pack_revoked),
    "a pack's step without right": Case(
        "PERMISSION_DENIED", step(REVOKE), tab="Label packs", meanwhile=demoted("annotator"), role=REVIEWER
    ),
    "eligibility was changed": Case(
        "ELIGIBILITY_VERSION_CONFLICT", step(APPROVE), tab="Revisions", meanwhile=approved_for_datasets
    ),
    "eligibility of a revoked pack": Case("REVISION_NOT_ELIGIBLE", step(APPROVE), tab="Revisions", meanwhile=pack_revoked),
}  # fmt: skip
IN_APPROVALS = {
    "the step was taken": Case("ILLEGAL_STEP", step(REVOKE), meanwhile=pack_revoked),
    "without right": Case("PERMISSION_DENIED", step(REVOKE), meanwhile=demoted("annotator"), role=REVIEWER),
    "without audit": Case("AUDIT_PERSIST_FAILED", step(REVOKE), meanwhile=audit_broken),
    "onto a full disk": Case("STORAGE_WRITE_FAILED", step(REVOKE), meanwhile=disk_full, disk="24m"),
    "eligibility was changed": Case("ELIGIBILITY_VERSION_CONFLICT", step(APPROVE), meanwhile=approved_for_datasets),
    "eligibility of a revoked pack": Case("REVISION_NOT_ELIGIBLE", step(APPROVE), meanwhile=pack_revoked),
}
IN_HISTORY = {
    "eligibility was changed": Case("ELIGIBILITY_VERSION_CONFLICT", step(APPROVE), meanwhile=approved_for_datasets),
    "eligibility of a revoked pack": Case("REVISION_NOT_ELIGIBLE", step(APPROVE), meanwhile=pack_revoked),
    "without right": Case("PERMISSION_DENIED", step(APPROVE), meanwhile=demoted("annotator"), role=REVIEWER),
    "without audit": Case("AUDIT_PERSIST_FAILED", step(APPROVE), meanwhile=audit_broken),
    "damaged content": Case("STORAGE_READ_FAILED", unfolds, revised, content_damaged),
}
IN_QUEUE = {"damaged content": Case("STORAGE_READ_FAILED", opens, meanwhile=content_damaged)}


@pytest.fixture
def ends() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def closed(ws: Workspace) -> None:
    """Close a workspace; an edit that could not be saved is what some of these tests are about."""
    with suppress(LabelkitError):
        ws.close()


@pytest.fixture
def build(tmp_path: Path, ends: ExitStack) -> Callable[[Case], World]:
    """Return what makes the store of a case, on a disk of its own where it needs one."""

    def make(case: Case) -> World:
        folder = tmp_path if case.disk is None else ends.enter_context(small_disk(tmp_path / "disk", case.disk))
        boss = published(folder)
        ws = colleague(boss, f"rita, {case.role}", case.role)
        for one in (boss, ws):
            ends.callback(closed, one)
        world = World(ws, boss, ends)
        case.given(world)
        return world

    return make


def plays(case: Case, world: World, page: Page) -> None:
    """Let it happen, do it, and mark what must stay."""
    case.meanwhile(world)
    world.mark()
    case.does(page)


def told(place: Locator, case: Case, refusal: LabelkitError | None) -> None:
    """Expect code, title, detail and hint where the person looks; to people frames count from 1."""
    words = case.words
    if not words:
        assert refusal is not None
        counted = re.sub(r"\b([Ff]rame) (\d+)", lambda found: f"{found[1]} {int(found[2]) + 1}", refusal.detail)
        words = (refusal.title, counted, refusal.hint)
    for part in (case.code, *words):
        expect(place).to_contain_text(part)


@pytest.mark.parametrize("name", IN_REVIEW)
def test_in_a_review(name: str, build: Callable[[Case], World], page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    case = IN_REVIEW[name]
    world = build(case)
    twin = Twin.show(page, FrameReview(world.ws, world.media, world.capability), monkeypatch)
    twin.bridge.until(lambda: twin.bridge.asks("go"))
    twin.review.live.save()
    if case.tab is not None:
        page.get_by_role("tab", name=case.tab).click()
        page.get_by_role("tabpanel", name=case.tab).get_by_role("table").wait_for()
    # when
    plays(case, world, page)
    place = page.locator(case.where)
    if case.where == BANNER:
        twin.bridge.until(lambda: twin.review.errors or twin.review.live.status_error)
        twin.bridge.deliver()
    # then
    told(place, case, twin.review.errors[-1] if twin.review.errors else twin.review.live.status_error)
    assert tables(world.ws, but=QUIET) == world.before
    assert twin.problems == []
    twin.review.close()


def test_a_publish_that_succeeds_says_so_and_makes_the_revision(
    build: Callable[[Case], World], page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    world = build(Case("PUBLISH_SUCCESS", publishes, looked_through))
    twin = Twin.show(page, FrameReview(world.ws, world.media, world.capability), monkeypatch)
    # when
    publishes(page)
    # then
    expect(page.locator(OUTCOME)).to_contain_text("PUBLISH_SUCCESS")
    expect(page.locator(OUTCOME)).to_contain_text("Revision 2 is published")
    assert [one.number for one in world.ws.review.history(world.media, PLAYERS)] == [2, 1]
    twin.review.close()


@pytest.mark.parametrize(
    ("kind", "cases", "name"),
    [
        *((Approvals, IN_APPROVALS, name) for name in IN_APPROVALS),
        *((RevisionHistory, IN_HISTORY, name) for name in IN_HISTORY),
        *((ReviewQueue, IN_QUEUE, name) for name in IN_QUEUE),
    ],
)
def test_in_a_list(
    kind: type[CommandWidget],
    cases: dict[str, Case],
    name: str,
    build: Callable[[Case], World],
    page: Page,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given
    case = cases[name]
    world = build(case)
    widget = kind(world.ws) if kind is ReviewQueue else kind(world.ws, world.media, world.capability)
    with in_page(page, widget, monkeypatch) as bridge:
        # when
        plays(case, world, page)
        # then
        expect(bridge.root.locator(BANNER)).to_be_visible()
        told(bridge.root.locator(BANNER), case, widget.errors[-1])
        assert tables(world.ws, but=QUIET) == world.before
