"""Every outcome and refusal of the review happens for real: a person sees code, title, detail and hint, and the store stays as it was."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit import LabelkitError, ReviewOp
from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation
from labelkit.store.objects import Objects
from labelkit.widgets import Approvals, FrameReview, ReviewQueue, RevisionHistory
from tests.browser.showing import in_page
from tests.browser.twin import Twin
from tests.services.worlds import add_run, tables
from tests.store.disks import read_only, small_disk
from tests.widgets.scenes import PLAYERS, colleague, published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl
    from playwright.sync_api import Locator, Page

    from labelkit import Workspace
    from labelkit.widgets.base import CommandWidget

pytestmark = pytest.mark.browser

BALLS = "ball_detection"
QUIET = ("audit", "draft_presence", "draft_places")  # who looks where is noted whatever becomes of an edit


@dataclass
class World:
    """A store with one published revision of clip-1.

    `ws` is whose widget is shown, `boss` the owner's own session on the same store, `ends` what is undone in the end.
    """

    ws: Workspace
    boss: Workspace
    ends: ExitStack
    media: str = "clip-1"
    capability: str = PLAYERS
    before: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)

    def mark(self) -> None:
        """From here on the store must stay as it is."""
        self.before = tables(self.ws, but=QUIET)

    @property
    def objects(self) -> Objects:
        return self.ws._database.objects


class Interrupted(Objects):
    """The store's objects, with something that happens just before one is written: after a publish was prepared, before it is done."""

    def __init__(self, objects: Objects, happens: Callable[[], object]) -> None:
        super().__init__(objects.root)
        self._happens = [happens]

    def put_frame(self, df: pl.DataFrame) -> str:
        if self._happens:
            self._happens.pop()()
        return super().put_frame(df)


# --- what there is before the widget is shown


def as_published(_: World) -> None:
    """Leave the draft as it was published."""


def edited(world: World) -> None:
    """Edit the draft once: it differs from what is published, and the other frames were never looked at."""
    draft = world.ws.review.open(world.media, world.capability)
    world.ws.review.apply(draft.id, base_version=draft.version, ops=[ReviewOp.delete(0, draft.frames[0].annotations[-1].id)])


def looked_through(world: World) -> None:
    """Edit the draft and accept every frame: nothing to warn of."""
    edited(world)
    draft = world.ws.review.open(world.media, world.capability)
    world.ws.review.apply(draft.id, base_version=draft.version, ops=[ReviewOp.accept(index) for index in range(3)])


def imported_invalid(world: World) -> None:
    """Take a capability whose draft comes from a model with a class that it does not have."""
    world.capability = "kits"
    world.ws.capabilities.add("kits", geometry="box", classes=["home"])
    media = world.ws.media.get(world.media)
    run = add_run(world.ws, {0: [Annotation("", "away", Box(10, 10, 20, 40))]}, media, "kits")
    world.ws.review.open(media, "kits", run=run)


def first_ball(world: World) -> None:
    """Take the ball, which was never published here, with nothing to warn of."""
    world.capability = BALLS
    draft = world.ws.review.open(world.media, BALLS)
    ops = [ReviewOp.add_point(0, "ball", 40, 40), *map(ReviewOp.accept, range(3))]
    world.ws.review.apply(draft.id, base_version=draft.version, ops=ops)


def of_the_older_form(world: World) -> None:
    """Take the ball, in a draft that was saved before points had a size."""
    first_ball(world)
    draft = world.ws.review.open(world.media, BALLS)
    with world.ws._database.transaction() as tx:
        tx.execute("UPDATE drafts SET payload_schema = 1 WHERE id = $id", id=draft.id)


def revoked(world: World) -> None:
    """Revoke the scope's pack."""
    looked_through(world)
    world.boss.review.revoke_pack(pack(world).id, reason="of another match")


def revised(world: World) -> None:
    """Publish a second revision, so that there is something to compare."""
    looked_through(world)
    draft = world.ws.review.open(world.media, world.capability)
    world.ws.review.publish(draft.id, expected_version=draft.version)


# --- what happens while it is shown


def nothing(_: World) -> None:
    """Let nothing happen."""


def pack(world: World) -> object:
    return world.ws.review.packs(world.media, world.capability)[0]


def interrupted(happens: Callable[[World], object]) -> Callable[[World], None]:
    """Return what lets that happen in the middle of the next publish; from then on nothing may change."""

    def arrange(world: World) -> None:
        def now() -> None:
            happens(world)
            world.mark()

        world.ws._database.objects = Interrupted(world.objects, now)

    return arrange


def saved_by_another(world: World) -> None:
    draft = world.boss.review.open(world.media, world.capability)
    world.boss.review.apply(draft.id, base_version=draft.version, ops=[ReviewOp.flag(2, "bad_frame")])


def first_pack_claimed(world: World) -> None:
    """Let another first publish claim the scope."""
    draft = world.ws.review.open(world.media, world.capability)
    with world.ws._database.transaction() as tx:
        tx.insert("first_packs", [{"scope_key": draft.scope.key, "pack_id": "pck_of_another"}])


def pack_revoked(world: World) -> None:
    world.boss.review.revoke_pack(pack(world).id, reason="wrong half")


def approved_for_datasets(world: World) -> None:
    latest = world.boss.review.history(world.media, world.capability)[0]
    world.boss.review.set_eligibility(latest.id, "APPROVED", expected_version=latest.eligibility_version)


def demoted(role: str) -> Callable[[World], None]:
    return lambda world: world.boss.set_role(world.ws.user, role)


def content_damaged(world: World) -> None:
    """Write over the content that the draft, or the newest revision, is made of."""
    draft = world.ws.review.open(world.media, world.capability)
    for digest in {draft.head.base_object, *(one.content_object for one in world.ws.review.history(world.media, world.capability))}:
        Path(world.objects.path(digest)).write_bytes(b"PAR1 no more")


def content_locked(world: World) -> None:
    """Make the objects' folder one that nobody can write."""
    world.ends.enter_context(read_only(world.objects.root))


def disk_full(world: World) -> None:
    """Fill the disk of the store to the last byte."""
    file = os.open(Path(world.ws.path).parent / "filling", os.O_CREAT | os.O_WRONLY)
    with suppress(OSError):
        while os.write(file, bytes(4096)):
            pass
    os.close(file)
    assert shutil.disk_usage(Path(world.ws.path).parent).free == 0


def audit_broken(world: World) -> None:
    """Let the audit table take no row."""
    with world.ws._database.transaction() as tx:
        tx.execute("ALTER TABLE audit RENAME COLUMN facts TO away")

    def mend() -> None:
        with world.ws._database.transaction() as tx:
            tx.execute("ALTER TABLE audit RENAME COLUMN away TO facts")

    world.ends.callback(mend)


def both_edit(world: World) -> None:
    """A colleague saves an edit of the frame that is shown here."""
    draft = world.boss.review.open(world.media, world.capability)
    ops = [ReviewOp.delete(0, draft.frames[0].annotations[0].id)]
    world.boss.review.apply(draft.id, base_version=draft.version, ops=ops)


def deleted_by_another(world: World) -> None:
    """A colleague deletes a box, which this session knows and this page does not."""
    both_edit(world)
    world.ws.review.live(world.media, world.capability).catch_up()


# --- what the person does


def publishes(page: Page) -> None:
    page.get_by_role("application").focus()
    page.keyboard.press("Control+Enter")


def overrides_without_a_reason(page: Page) -> None:
    publishes(page)
    page.get_by_role("checkbox", name="Override the warnings").check()
    page.get_by_role("button", name="Publish all the same").click()


def deletes_the_second(page: Page) -> None:
    page.get_by_role("application").focus()
    for key in ("]", "]", "Delete"):
        page.keyboard.press(key)


def deletes_the_first(page: Page) -> None:
    page.get_by_role("application").focus()
    for key in ("]", "Delete"):
        page.keyboard.press(key)


def resets(page: Page) -> None:
    page.get_by_role("button", name="Reset draft").first.click()


def step(name: str) -> Callable[[Page], None]:
    """Return what presses a step's button and gives a reason."""
    action = name.split(":", maxsplit=1)[0].removesuffix(" label pack")

    def press(page: Page) -> None:
        page.get_by_role("button", name=name).first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("because")
        dialog.get_by_role("button", name=action).click()

    return press


def unfolds(page: Page) -> None:
    page.get_by_role("button", name="Details of revision 2").click()


def opens(page: Page) -> None:
    page.get_by_role("button", name="Continue clip-1, player_detection").click()


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
BOTH = ("The draft was saved elsewhere meanwhile", "Frame 1 was changed by both sides.", "Choose for all here, or frame by frame")
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
