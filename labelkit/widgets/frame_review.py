"""FrameReview: the review of a scope in the notebook. The browser shows and edits at once; here edits are applied, saved and answered."""

from __future__ import annotations

from dataclasses import asdict, fields
from io import BytesIO
from threading import RLock
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import traitlets
from ipywidgets import Widget, widget_serialization

from labelkit.core.actors import Action
from labelkit.core.review import keys as keyboard
from labelkit.core.review.annotations import FrameFlag
from labelkit.core.review.operations import OpKind, ReviewOp
from labelkit.core.review.shapes import View, ghosts, shapes_of, style_of
from labelkit.widgets import news, rows, static
from labelkit.widgets.base import Json, command, report
from labelkit.widgets.painter import Painter
from labelkit.widgets.review_sides import Sides, content_json
from labelkit.widgets.review_sight import Sight

if TYPE_CHECKING:
    from labelkit.core.review.annotations import FrameContent
    from labelkit.services.review import Draft
    from labelkit.workspace import Workspace

STAGE_HEIGHT_PX = 440
Painting = dict[str, Any]  # as the browser sends it: index, view, width, height, ratio
GHOSTS = 0
THUMBNAIL_PX = 480


class FrameReview(Sight, Sides):
    """The review of one media and capability: frames, labels, flags, autosave, publish, history.

    `run` names the prelabel run that seeds a new draft; `height` is the stage's in px; `keys` is a preset: `labelkit` or `cvat`.
    `.value` is the draft as it is saved, `.frame` the frame under the cursor as edited so far, `.python` the last thing clicked as a
    call. A cell run again closes the widget before it and goes on with the same session: same place, same edits, same undo.
    """

    _browser = "frame_review"
    _styles = ("frame_review.css",)

    canvas = traitlets.Instance(Widget).tag(sync=True, **widget_serialization)
    height = traitlets.Int(STAGE_HEIGHT_PX).tag(sync=True)

    def __init__(
        self,
        ws: Workspace,
        media: str,
        capability: str,
        *,
        run: str | None = None,
        height: int = STAGE_HEIGHT_PX,
        keys: str = "labelkit",
    ) -> None:
        self._keys = keyboard.preset(keys)
        self.ws = ws
        self.live = ws.review.live(media, capability, run)
        self.media = self.live.media
        self.capability = self.live.capability
        self.lineage = str(ws.review.get(self.live.draft_id).lineage)
        self._known_version = self.live.version
        self._told: dict[int, FrameContent] = {}
        self._told_packs: list[tuple[str, int]] = []
        self._telling = RLock()
        self._painting: Painting | None = None
        self._painter = Painter(640, 360, layers=2)
        super().__init__(key=(ws.path, self.live.scope.key), canvas=self._painter.canvas, height=height)
        saved = WeakMethod(self._saved)  # the session outlives the widget

        def tell(_status: str) -> None:
            alive = saved()
            if alive is not None:
                alive()

        self._stop_hearing = self.live.on_change(tell)
        news.listen(self, ws, self._heard)

    # --- in Python

    @property
    def value(self) -> Draft:
        """Return the draft as it is saved now."""
        self.live.save()
        return self.ws.review.get(self.live.draft_id)

    @property
    def frame(self) -> FrameContent:
        """Return the frame under the cursor, as edited so far."""
        return self.live.frame(self.live.cursor)

    def describe(self) -> str:
        """Return one line: what is reviewed and how far it is."""
        states = self.live.overview()["states"]
        done = sum(state == "accepted" for state in states)
        scope = f"{self.media.name} · {self.capability.name}"
        return f"<FrameReview {scope}: {len(states)} frames, {done} accepted, draft version {self.live.version}>"

    def to_html(self) -> str:
        """Return the frame under the cursor with its labels, the progress and the revisions, for places without a kernel."""
        states = self.live.overview()["states"]
        counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        where = f"Frame {self.live.cursor + 1} of {self.live.frame_count}"
        return static.card(
            f"Review of {self.media.name} · {self.capability.name}",
            self._thumbnail(),
            f"{where}. {counts}. Draft version {self.live.version}, from {self.lineage}.",
            rows.history_html(self._history()),
        )

    def close(self) -> None:
        """Take the widget out of the page; the session and its edits stay in the kernel."""
        if self.comm is not None:
            self._painter.close()
            self._stop_hearing()
        super().close()

    # --- what a view asks

    @command("ready")
    def ready(self) -> Json:
        """Return everything that a new view shows first, after the frame under the cursor; the risk of each frame follows."""
        self.frames([self.live.cursor])
        self.weigh_soon()
        may = self.ws.actor
        return {
            "user": may.user,
            "media": self.media.name,
            "capability": {
                "name": self.capability.name,
                "geometry": self.capability.geometry,
                "single": self.capability.single,
                "max_speed": self.capability.max_speed,
                "classes": [{"name": label, **asdict(style_of(self.capability, label))} for label in self.capability.classes],
            },
            "draft": {"id": self.live.draft_id, "version": self.live.version, "lineage": self.lineage},
            "frames": self.live.frame_count,
            "cursor": self.live.cursor,
            "flags": [{"name": flag.value, "title": flag.value.replace("_", " ").capitalize()} for flag in FrameFlag],
            "overview": self.live.overview(),
            "leaps": self.leaps(),
            "keys": keyboard.as_json(self._keys),
            "save": self._save_state(),
            "may": {
                "edit": self.live.may_edit,
                "publish": may.may(Action.PUBLISH, self.ws.id),
                "override": may.may(Action.OVERRIDE_WARNINGS, self.ws.id),
            },
            "packs": self.packs(),
        }

    @command("frames")
    def frames(self, indices: list[int]) -> Json:
        """Send frames, each as an event with its labels and its stored bytes."""
        for index in indices:
            width, height, problem = self.live.size(index)
            with self._telling:
                content = self._told[index] = self.live.frame(index)
            data = {"index": index, "width": width, "height": height, "problem": problem, "content": content_json(content)}
            if problem is None:
                try:
                    picture, mime = self.ws.media.frame_bytes(self.media, index)
                except Exception as error:  # noqa: BLE001 - the frame is shown as broken, the reason is kept
                    self.errors.append(error)
                    self.tell("frame", {**data, "problem": report(error)["code"]})
                    continue
                self.tell("frame", {**data, "mime": mime}, [picture])
            else:
                self.tell("frame", data)
        return {}

    @command("go")
    def go(self, index: int, painting: Painting | None) -> Json:
        """Remember the place, mark the frame as seen if this person's looking counts, and paint it."""
        self.live.go(index)
        if painting is not None:
            self.paint(painting)
        return {"frame": content_json(self.live.frame(index))}

    @command("op")
    def op(self, op: Json) -> Json:
        """Apply one operation and return its frame, for undo and redo the first that changed; every view is told what changed."""
        edit = ReviewOp.from_json(op)
        changed = self.live.run([edit])
        across = edit.kind in (OpKind.UNDO, OpKind.REDO)
        if len(changed) > 1:
            self._all_new()
        else:
            self._follow()
            self.tell_leaps()
        shown = self.live.frame(edit.frame) if not across else next(iter(changed), None)
        if not across:
            self._wrote(f"ws.review.apply({self.live.draft_id!r}, base_version={self.live.version}, ops=[{_call(edit)}])")
        return {"frame": None if shown is None else content_json(shown), "frames": len(changed), "save": self._save_state()}

    @command("paint")
    def paint(self, painting: Painting) -> Json:
        """Paint what the review changed against the model's labels, from now on whenever it changes; the views are told what is painted.

        `painting` names the frame, the view of it on the screen, and the canvas's size in px of the device (`ratio` to one of the screen).
        """
        self._painting = painting
        index, ratio, seen = painting["index"], painting["ratio"], painting["view"]
        changed = ghosts(self.live.prelabels(index), self.live.frame(index).annotations, self.capability)
        self._painter.resize(painting["width"], painting["height"], ratio)
        self._painter.repaint(GHOSTS, changed, View(seen["scale"] * ratio, seen["left"] * ratio, seen["top"] * ratio), ratio)
        self.tell("painted", painting)
        return {"shapes": len(changed)}

    @command("overview")
    def overview(self) -> Json:
        """Return the timeline's facts and the save state."""
        return {"overview": self.live.overview(), "save": self._save_state()}

    @command("reload")
    def reload(self, mine: str) -> Json:
        """Settle a conflict, or try a failed save again."""
        self.live.reload(mine=mine)
        return self._all_new()

    @command("reset")
    def reset(self) -> Json:
        """Put the draft back to what it was seeded with."""
        self.live.save()
        self.ws.review.reset(self.live.draft_id)
        self.live.reload(mine="theirs")
        self._wrote(f"ws.review.reset({self.live.draft_id!r})")
        return self._all_new()

    @command("restore")
    def restore(self) -> Json:
        """Take a reset back."""
        self.ws.review.restore(self.live.draft_id)
        self.live.reload(mine="theirs")
        self._wrote(f"ws.review.restore({self.live.draft_id!r})")
        return self._all_new()

    @command("publish")
    def publish(self, pack: str | None, override_warnings: bool, reason: str | None) -> Json:  # noqa: FBT001 - the command's arguments
        """Publish the draft as it is now and return the outcome."""
        self._wrote(
            f"ws.review.publish({self.live.draft_id!r}, expected_version={self.live.version}, pack={pack!r}, "
            f"override_warnings={override_warnings}, reason={reason!r})"
        )
        outcome = self.live.publish(pack, override_warnings=override_warnings, reason=reason)
        self.tell("published")
        news.tell_others(self, self.ws)
        return {
            "code": str(outcome.code),
            "number": outcome.revision.number,
            "annotations": outcome.revision.annotation_count,
            "frames": outcome.revision.frame_count,
            "revision": outcome.revision.id,
            "pack": outcome.pack.id,
        }

    @command("packs")
    def packs(self) -> list[rows.Row]:
        """Return the scope's label packs, newest first."""
        found = self.ws.review.packs(self.media, self.capability.name)
        self._told_packs = [(pack.id, pack.version) for pack in found]
        return [rows.pack_row(pack) for pack in found]

    @command("pack_step")
    def pack_step(self, step: str, pack: str, reason: str) -> Json:
        """Approve, reject or revoke a label pack."""
        review = self.ws.review
        steps = {"approve": review.approve_pack, "reject": review.reject_pack, "revoke": review.revoke_pack}
        self._wrote(f"ws.review.{step}_pack({pack!r}, reason={reason!r})")
        row = rows.pack_row(steps[step](pack, reason=reason))
        news.tell_others(self, self.ws)
        return row

    @command("history")
    def history(self) -> list[rows.Row]:
        """Return the scope's revisions, newest first."""
        return self._history()

    @command("eligibility")
    def eligibility(self, revision: str, state: str, version: int, reason: str | None) -> Json:
        """Approve or revoke a revision for datasets."""
        self._wrote(f"ws.review.set_eligibility({revision!r}, {state!r}, expected_version={version}, reason={reason!r})")
        self.ws.review.set_eligibility(revision, state, expected_version=version, reason=reason)
        news.tell_others(self, self.ws)
        return {}

    @command("others")
    def others(self) -> Json:
        """Give a sign of life; return who else has the draft open. What they saved or approved meanwhile is told to the views."""
        before = self.live.version
        here = super().others()
        if self.live.version != before:
            self._known_version = self.live.version
            self._all_new()
        if [(pack.id, pack.version) for pack in self.ws.review.packs(self.media, self.capability.name)] != self._told_packs:
            self._heard()
        return here

    # --- inside

    def _heard(self) -> None:
        """Have the views read packs and revisions anew."""
        self.tell("published")

    def _save_state(self) -> dict[str, object]:
        error = self.live.status_error
        return {
            "status": self.live.status,
            "version": self.live.version,
            "error": None if error is None else report(error),
            "can_undo": self.live.can_undo,
            "can_redo": self.live.can_redo,
        }

    def _saved(self) -> None:
        """Tell the views the save state, and whatever else is new: with a save, frames of others may have come in."""
        if self.comm is None:
            return
        with self.guarded():
            jumped = self.live.version > self._known_version + 1
            self._known_version = self.live.version
            self.tell("save", self._save_state())
            if jumped:
                self._all_new()
            else:
                self._follow()
            if self.live.status == "saved":
                self.weigh_soon()

    def _follow(self) -> None:
        """Tell the views every frame that is no longer what they were told, whoever changed it."""
        with self._telling:
            for index, told in list(self._told.items()):
                now = self.live.frame(index)
                if now is not told and now != told:
                    self._told[index] = now
                    self.tell("truth", {"frame": content_json(now)})
                    if self._painting is not None and self._painting["index"] == index:
                        self.paint(self._painting)

    def _all_new(self) -> Json:
        self._follow()
        data = self.overview()
        self.tell("overview", data)
        self.tell_leaps()
        return data

    def _history(self) -> list[rows.Row]:
        packs = {pack.id: pack for pack in self.ws.review.packs(self.media, self.capability.name)}
        return [rows.revision_row(revision, packs) for revision in self.ws.review.history(self.media, self.capability.name)]

    def _wrote(self, call: str) -> None:
        self.python = call

    def _thumbnail(self) -> static.Html:
        from PIL import Image, ImageDraw, ImageOps

        index = self.live.cursor
        _, _, problem = self.live.size(index)
        if problem is not None:
            return static.Html(f"<p>This frame has no picture ({problem}).</p>")
        data, _ = self.ws.media.frame_bytes(self.media, index)
        with Image.open(BytesIO(data)) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        view = View.fit(picture.width, picture.height, THUMBNAIL_PX, THUMBNAIL_PX)
        picture = picture.resize((round(picture.width * view.scale), round(picture.height * view.scale)))
        pen = ImageDraw.Draw(picture)
        for shape in shapes_of(self.live.frame(index).annotations, self.capability):
            x, y = shape.x * view.scale, shape.y * view.scale
            reach = max(shape.radius * view.scale, 4)
            corners = (x, y, x + shape.width * view.scale, y + shape.height * view.scale)
            if shape.kind == "box":
                pen.rectangle(corners, outline=shape.style.colour, width=2)
            else:
                pen.ellipse((x - reach, y - reach, x + reach, y + reach), outline=shape.style.colour, width=2)
        out = BytesIO()
        picture.save(out, "JPEG", quality=80)
        return static.image(out.getvalue(), "image/jpeg", f"Frame {index + 1} with its labels", width=THUMBNAIL_PX)


def _call(op: ReviewOp) -> str:
    """Return an operation as the Python call that makes it."""
    given = {field.name: getattr(op, field.name) for field in fields(op) if field.name not in ("kind", "source", "target")}
    words = {"flag" if name == "flag_name" else name: value for name, value in given.items() if value is not None}
    return f"ReviewOp.{op.kind}({', '.join(f'{name}={value!r}' for name, value in words.items())})"
