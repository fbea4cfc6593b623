"""Several people edit one draft in a random order, and a plain model of what each of them was shown says what must hold.

A `Story` is one order of steps, made from a seed. After each step every frame of every side is compared with what it was:

* What is in the draft is only replaced by somebody who had it on the screen, or by the same labels, or is on the shelf.
* What a person did and has not saved stays on that person's screen until it is in the draft, is put on the shelf by that person's
  choice, or the kernel is killed.
* A step of one person changes nobody else's screen.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Protocol

from labelkit import LabelkitError, ReviewOp
from labelkit.core.review.annotations import FrameContent, FrameFlag, FrameState
from labelkit.core.review.operations import OpKind
from labelkit.errors import StorageWriteFailed
from labelkit.services.review import LiveReview

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.services.review import Review

FRAMES = 4
STEPS = 24
USERS = ("ana", "ben", "cyd")
RANK = list(FrameState)
FLAGS = (FrameFlag.BAD_FRAME, FrameFlag.NEEDS_HUMAN_REVIEW)
CONFLICT = "DRAFT_VERSION_CONFLICT"


class World(Protocol):
    """A store with one draft of `FRAMES` frames."""

    draft: str
    geometry: str

    def cases(self, user: str) -> Review:
        """Return the use cases for a user."""

    def stored(self) -> tuple[list[FrameContent], int]:
        """Return the frames of the draft as they are in the store, and its version."""


class Cases:
    """The use cases of one writer, with what happens after a save is committed and before its answer is there."""

    def __init__(self, cases: Review) -> None:
        self._cases = cases
        self.then: Callable[[], object] | None = None

    def merge(self, *args: object, **options: object) -> object:
        done = self._cases.merge(*args, **options)
        if self.then is not None:
            then, self.then = self.then, None
            then()
        return done

    def __getattr__(self, name: str) -> object:
        return getattr(self._cases, name)


@dataclass
class Writer:
    """One person: a session, and frame by frame what the model knows of this person."""

    user: str
    cases: Cases
    live: LiveReview
    known: list[list[FrameContent]] = field(default_factory=list)  # what was in the draft and on the screen, since it had no edits
    mine: dict[int, FrameContent] = field(default_factory=dict)  # edits that are not in the draft yet
    made: list[FrameContent] = field(default_factory=list)  # what frames were after an edit of this person's
    shown: dict[int, FrameContent] = field(default_factory=dict)  # theirs, beside mine, while a choice waits
    _base: tuple[object, list[FrameContent]] | None = None

    def screen(self) -> list[FrameContent]:
        """What this person sees, without making the session load anything."""
        content, changed = self.live.snapshot()
        if self._base is None or self._base[0] is not content:
            self._base = content, [content.frame(index) for index in range(FRAMES)]
        return [changed.get(index, frame) for index, frame in enumerate(self._base[1])]


class Story:
    """One random order of steps of two or three people; `run` raises an AssertionError where anything is lost."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.told: list[str] = []
        self._count = 0
        self._noted: set[int] = set()  # frames edited in this step
        self.stored, self.version = world.stored()
        self.before_reset: list[FrameContent] | None = None
        self.writers = [self._arrived(user) for user in USERS[: 2 + seed % 2]]

    # --- steps

    def run(self) -> list[str]:
        """Play the story to its end; returns what happened, a line a step, the same for the same seed on every store."""
        for _ in range(STEPS):
            self.step(self.random.choice(self.writers))
        self.settle()
        return self.told

    def step(self, who: Writer) -> None:
        """One step of one person, and everything that must hold after it."""
        name = self.random.choices(list(STEP_WEIGHTS), list(STEP_WEIGHTS.values()))[0]
        self.check(who, name, getattr(self, f"_{name}"))

    def check(self, who: Writer, name: str, step: Callable[[Writer], str]) -> None:
        """Take a step and compare every side with what it was before."""
        others = {one.user: one.screen() for one in self.writers if one is not who}
        self.told.append(f"{who.user} {name}")
        self._noted.clear()
        said = step(who)
        self.told[-1] += f" {said}"
        self._written(who, anything=name in ("reset", "restore"))
        self._look(who, name)
        for one in self.writers:
            assert one is who or one.screen() == others[one.user], f"{one.user}'s screen changed"

    def _written(self, who: Writer, *, anything: bool = False) -> None:
        """Take in what is in the draft now, which `who` has written, knowingly."""
        stored, version = self.world.stored()
        for index, (was, now) in enumerate(zip(self.stored, stored, strict=True)):
            assert was == now or anything or self._may_replace(who, index, was, now), f"{was} was replaced by {now} unseen"
        assert version - self.version in (0, 1), "one save, one version"
        self.stored, self.version = stored, version

    def _may_replace(self, who: Writer, index: int, was: FrameContent, now: FrameContent) -> bool:
        shown = [one for one in (who.shown.get(index), who.mine.get(index)) if one is not None]
        seen = [*who.known[index], *shown, self.seeds[index]]
        if was in seen or self._shelved(was):
            return True
        if same(was, now):
            return RANK.index(now.state) >= RANK.index(was.state)  # an acceptance of these labels stays
        return any(same(was, one) for one in seen)  # only the state was unseen, and that was of other labels

    def _look(self, who: Writer, name: str) -> None:
        """Bring the model to where the acting person is now, and find out what of theirs is gone."""
        conflict = who.live.conflict
        asked = {} if conflict is None else {theirs.index: theirs for _, theirs in conflict.both}
        assert not asked or who.live.status in ("stale", "failed")
        for index, now in enumerate(who.screen()):
            mine, clean = who.mine.get(index), index not in asked and index not in self._noted
            if mine is not None and index not in self._noted and name not in ("kill", "drop"):
                assert self._kept(who, index, mine, now), f"{mine} of frame {index} is gone from the screen: {now}"
                clean |= not same(mine, now)  # theirs was taken
            if (clean and now == self.stored[index]) or index not in who.mine or (mine is not None and not same(mine, now)):
                who.mine.pop(index, None)
                # Before the next look an edit is still weighed against what it was made on, even where others came to the same by chance.
                who.known[index] = [now] if who.live.version == self.version else [*(k for k in who.known[index] if k != now), now]
            elif same(now, self.stored[index]):
                who.known[index].append(self.stored[index])
        who.shown = asked
        if who.live.status == "saved":
            left = [frame for frame in who.mine.values() if not self._untouched(who, frame)]
            assert not left, f"it says saved, and {left} are not"
            if who.live.version == self.version:
                assert who.screen() == self.stored
            who.mine.clear()
            who.known = [[frame] for frame in who.screen()]

    def _kept(self, who: Writer, index: int, mine: FrameContent, now: FrameContent) -> bool:
        replaceable = self._untouched(who, mine) or self._shelved(mine)
        if replaceable and now == who.shown.get(index):
            return True  # theirs was chosen
        if same(mine, now):
            return RANK.index(now.state) >= min(RANK.index(mine.state), RANK.index(self.stored[index].state))
        return replaceable and now == self.stored[index]

    def _untouched(self, who: Writer, mine: FrameContent) -> bool:
        """Say whether a person looked at a frame or accepted it, and changed none of its labels."""
        return any(same(mine, one) for one in who.known[mine.index])

    def _shelved(self, content: FrameContent) -> bool:
        on = self.writers[0].cases.shelf(self.world.draft)
        return any(one.content.index == content.index and same(one.content, content) for one in on)

    def settle(self) -> None:
        """Let everybody choose, save and look until nothing waits; then all sides and the store are equal."""
        for _ in range(8):
            for who in self.writers:
                self.check(who, "choose" if who.live.conflict else "save", self._choose if who.live.conflict else self._save)
            if all(who.live.status == "saved" for who in self.writers):
                break
        for who in self.writers:
            self.check(who, "look", self._look_at)
        self.check(self.writers[0], "kill", self._kill)
        for who in self.writers:
            assert (who.live.status, who.live.conflict, who.live.version) == ("saved", None, self.version)
            assert [who.live.frame(index) for index in range(FRAMES)] == who.screen() == self.stored
        self.told.append(f"all have {self.stored}")

    # --- what a person can do

    def _edit(self, who: Writer) -> str:
        before, op = who.screen(), self._operation(who)
        try:
            who.live.run([op])
        except LabelkitError as refused:
            assert who.screen() == before
            return f"{op.kind} {refused.code}"
        if op.kind is OpKind.UNDO:
            for was, now in zip(before, who.screen(), strict=True):
                assert was == now or any(same(was, one) for one in who.made), f"undo took back {was}, which others made"
        self._note(who, before)
        return f"{op.kind} {op.frame}"

    def _note(self, who: Writer, before: list[FrameContent]) -> None:
        for was, now in zip(before, who.screen(), strict=True):
            if was != now:
                if now.index not in who.mine:
                    who.known[now.index] = [was]
                self._noted.add(now.index)
                who.made.append(now)
                who.mine[now.index] = now

    def _operation(self, who: Writer) -> ReviewOp:
        random, index = self.random, self.random.randrange(FRAMES)
        labels = who.screen()[index].annotations
        self._count += 1
        new, some = f"n{self._count}", random.choice(labels).id if labels else "none"
        x, y, box = random.randrange(150), random.randrange(50), self.world.geometry == "box"
        make: list[tuple[int, Callable[[], ReviewOp]]] = [
            (4, lambda: ReviewOp.add_box(index, "ball", x, y, 30, 40, id=new) if box else ReviewOp.add_point(index, "ball", x, y, id=new)),
            (3, lambda: ReviewOp.move(index, some, x, y)),
            (1, lambda: ReviewOp.resize(index, some, x, y, 20, 20) if box else ReviewOp.resize(index, some, size=1 + x)),
            (1, lambda: ReviewOp.relabel(index, some, random.choice(who.live.capability.classes))),
            (2, lambda: ReviewOp.delete(index, some)),
            (1, lambda: ReviewOp.flag(index, random.choice(FLAGS))),
            (1, lambda: ReviewOp.unflag(index, random.choice(FLAGS))),
            (3, lambda: ReviewOp.accept(index)),
            (2, lambda: ReviewOp.see(index)),
            (1, lambda: replace(ReviewOp.propagate(index, some, 1 + x % 3), target=new)),
            (1, lambda: replace(ReviewOp.interpolate(index, some), target=new)),
            (1, lambda: replace(ReviewOp.copy_previous(index), target=new)),
            (3, ReviewOp.undo),
            (2, ReviewOp.redo),
        ]
        return random.choices([one for _, one in make], [weight for weight, _ in make])[0]()

    def _save(self, who: Writer) -> str:
        return self._tried(who.live.save)

    def _look_at(self, who: Writer) -> str:
        return self._tried(self.random.choice((who.live.catch_up, who.live.others)))

    def _late(self, who: Writer) -> str:
        """Save, and edit after the commit and before the answer."""
        self._edit(who)

        def meanwhile() -> None:
            self._written(who)
            for index, frame in list(who.mine.items()):
                if frame == self.stored[index]:
                    who.known[index] = [who.mine.pop(index)]
            self._edit(who)

        who.cases.then = meanwhile
        said = self._tried(who.live.save)
        who.cases.then = None
        return said

    def _lost(self, who: Writer) -> str:
        """Save, and never hear that it was committed."""

        def fail() -> None:
            raise StorageWriteFailed(what="the store", reason="its answer was lost")

        who.cases.then = fail
        said = self._tried(who.live.save)
        if who.live.status == "failed":
            self._noted.update(who.mine)  # nobody has told this person that it is saved
        who.cases.then = None
        return said

    def _choose(self, who: Writer) -> str:
        """Settle everything that waits, or one frame of it."""
        waiting = [mine.index for mine, _ in who.live.conflict.both] if who.live.conflict else []
        side = self.random.choice(("mine", "theirs"))
        if waiting and self.random.random() < 0.4:
            return self._tried(lambda: who.live.settle(self.random.choice(waiting), side))
        if not waiting:
            side = "mine"
        return self._tried(lambda: who.live.reload("keep" if side == "mine" else side))

    def _drop(self, who: Writer) -> str:
        """Go back to what is in the draft, as nobody is asked about anything."""
        if who.live.conflict is not None:
            return "nothing"
        said = self._tried(lambda: who.live.reload("theirs"))
        who.mine.clear()
        assert who.screen() == self.world.stored()[0]
        return said

    def _reset(self, who: Writer) -> str:
        who.cases.reset(self.world.draft)
        self.before_reset = self.stored
        return ""

    def _restore(self, who: Writer) -> str:
        said = self._tried(lambda: who.cases.restore(self.world.draft), "INVALID_VALUE")
        if self.before_reset is not None:
            replaced, now = self.stored, self.world.stored()[0]
            assert now == self.before_reset
            for was, frame in zip(replaced, now, strict=True):
                assert same(was, frame) or self._shelved(was) or was in self.seeds, f"{was} was lost by a restore"
        self.before_reset = None
        return said

    def _script(self, who: Writer) -> str:
        """Edit by a call, as a script does that knows the version of this person's session."""
        op = self._operation(who)
        return self._called(who, lambda version: who.cases.apply(self.world.draft, base_version=version, ops=[op]))

    def _unshelve(self, who: Writer) -> str:
        shelf = who.cases.shelf(self.world.draft)
        if not shelf:
            return "nothing"
        one = self.random.choice(shelf)
        return self._called(who, lambda version: who.cases.unshelve(self.world.draft, one.id, base_version=version))

    def _called(self, who: Writer, call: Callable[[int], object]) -> str:
        """A call with the present version replaces what it has read itself; one with an older version is refused."""
        known = who.live.version
        said = self._tried(lambda: call(known), None)
        if known == self.version:
            self.stored, self.version = self.world.stored()
        return said

    def _kill(self, who: Writer) -> str:
        """The kernel dies: what was not saved is gone, and the next session has what is in the draft."""
        who.__dict__.update(self._arrived(who.user).__dict__)
        assert who.screen() == self.stored
        return ""

    def _close(self, who: Writer) -> str:
        """Leave in good order: everything is saved, or the refusal says that it is not; then come again if nothing waits."""
        said = self._tried(who.live.close)
        if who.live.conflict is None:
            stored = self.world.stored()[0]
            for index, frame in who.mine.items():
                assert same(frame, stored[index]) or self._untouched(who, frame), f"{frame} was lost by closing"
            fresh = self._arrived(who.user)
            who.live, who.cases, who._base = fresh.live, fresh.cases, None
        else:
            who.live._closed = False
        return said

    # --- inside

    @property
    def seeds(self) -> list[FrameContent]:
        return self._seeds

    def _arrived(self, user: str) -> Writer:
        review = self.world.cases(user)
        draft = review.get(self.world.draft)
        if not hasattr(self, "_seeds"):
            self._seeds = list(self.stored)
        cases = Cases(review)
        live = LiveReview(cases, review._desk, draft.media, draft.capability, draft.id, autosave=False)
        who = Writer(user, cases, live)
        who.known = [[frame] for frame in who.screen()]
        return who

    def _tried(self, call: Callable[[], object], *more: str | None) -> str:
        try:
            call()
        except LabelkitError as refused:
            if None in more or refused.code in (CONFLICT, "STORAGE_WRITE_FAILED", *more):
                return refused.code
            raise
        return "done"


STEP_WEIGHTS = {
    "edit": 44,
    "save": 16,
    "look_at": 6,
    "late": 5,
    "lost": 2,
    "choose": 10,
    "drop": 1,
    "reset": 1,
    "restore": 1,
    "script": 4,
    "unshelve": 1,
    "kill": 3,
    "close": 1,
}


def same(a: FrameContent, b: FrameContent) -> bool:
    """Say whether two frames have the same labels and flags, whatever their states."""
    return (a.annotations, a.flags) == (b.annotations, b.flags)
