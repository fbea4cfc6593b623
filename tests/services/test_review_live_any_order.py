"""Three sessions on one draft in any order: nothing that anybody added is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import labelkit
from labelkit import LabelkitError, ReviewOp
from tests.services.sessions import added, names, session
from tests.services.worlds import PLAYERS, add_media

if TYPE_CHECKING:
    from collections.abc import Callable

FRAMES = st.integers(0, 2)
WHO = st.integers(0, 2)


class Sessions(RuleBasedStateMachine):
    """Three sessions edit one draft in any order; whatever was added is in the draft, in a session, or on the shelf."""

    @initialize()
    def open(self) -> None:
        self.ws = labelkit.open(":memory:", user="ana")
        self.draft = self.ws.review.open(add_media(self.ws, count=3), PLAYERS)
        self.sessions = [session(self.ws, self.draft) for _ in range(3)]
        self.added: set[str] = set()

    @rule(who=WHO, frame=FRAMES)
    def edit(self, who: int, frame: int) -> None:
        name = f"n{len(self.added)}"
        self.sessions[who].apply(added(frame, name))
        self.added.add(name)

    @rule(who=WHO, frame=FRAMES)
    def look(self, who: int, frame: int) -> None:
        self.sessions[who].go(frame)

    @rule(who=WHO, frame=FRAMES)
    def accept(self, who: int, frame: int) -> None:
        self.sessions[who].apply(ReviewOp.accept(frame))

    @rule(who=WHO)
    def save(self, who: int) -> None:
        self._settled(who, self.sessions[who].save)
        if self.sessions[who].conflict is None:
            self._settled(who, self.sessions[who].reload)  # what others saved comes with a save of one's own, or with a look

    @rule(who=WHO, mine=st.sampled_from(["keep", "theirs"]))
    def settle(self, who: int, mine: str) -> None:
        if self.sessions[who].conflict is not None:
            self._settled(who, lambda: self.sessions[who].reload(mine))

    def _settled(self, who: int, call: Callable[[], object]) -> None:
        try:
            call()
        except LabelkitError as refusal:
            if refusal.code != "DRAFT_VERSION_CONFLICT":
                raise
        live = self.sessions[who]
        assert live.status == ("saved" if live.conflict is None else "stale")
        if live.conflict is None and live.version == self.ws.review.get(self.draft.id).version:  # then it has what the draft has
            now = self.ws.review.get(self.draft.id)
            assert [names(live, index) for index in range(3)] == [names(now, index) for index in range(3)]

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "ws"):
            return
        now = self.ws.review.get(self.draft.id)
        found = {name for index in range(3) for name in names(now, index)}
        found |= {name for live in self.sessions for index in range(3) for name in names(live, index)}
        found |= {annotation.id for shelved in self.ws.review.shelf(self.draft.id) for annotation in shelved.content.annotations}
        assert self.added <= found

    def teardown(self) -> None:
        if hasattr(self, "ws"):
            for who, live in enumerate(self.sessions):
                while live.conflict is not None:
                    self._settled(who, lambda live=live: live.reload("keep"))
            self.ws.close()


Sessions.TestCase.settings = settings(max_examples=6, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
test_nothing_of_any_side_is_lost = Sessions.TestCase
