"""How refusals of the review come about: what there is, what happens meanwhile, and what the person does."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit import ReviewOp
from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation
from labelkit.store.objects import Objects
from tests.services.worlds import add_run, tables
from tests.store.disks import read_only
from tests.widgets.scenes import PLAYERS

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from playwright.sync_api import Page

    from labelkit import Workspace

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
