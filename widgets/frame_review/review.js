/**
 * One view of a review: its parts, the frame under its cursor, and what is done to the labels.
 * @module
 */

import { fill, h } from "../shared/dom.js";
import { frameCache } from "../shared/frame_cache.js";
import { bindings } from "../shared/keys.js";
import { actionsOf } from "./actions.js";
import { ballHelp, ballSwitches } from "./ball.js";
import { choices, showChoices } from "./choices.js";
import { conflictView } from "./conflict.js";
import { counted } from "./counting.js";
import { edits, newId } from "./edits.js";
import { filmstrip } from "./filmstrip.js";
import { factsChanged, frameChanged, frameParts, pictureCame, selectionChanged, viewMoved } from "./following.js";
import { hostCanvas } from "./hosted.js";
import { header, side, steps, toolbar } from "./layout.js";
import { lighting } from "./light.js";
import { frameCame, listen } from "./listening.js";
import { marks } from "./marks.js";
import { frameNumber, go, goTo, onItsWay, show, step } from "./moving.js";
import { objectList } from "./objects.js";
import { prefetcher } from "./prefetch.js";
import { presence } from "./presence.js";
import { publishing } from "./publishing.js";
import { saving } from "./saving.js";
import { seeking } from "./seeking.js";
import { Stage } from "./stage.js";
import { timeline } from "./timeline.js";

/**
 * What the kernel says when a view opens.
 * @typedef {object} Opening
 * @property {string} user
 * @property {string} media
 * @property {{name: string, geometry: "box" | "point", single: boolean, max_speed: number | null, classes: {name: string, colour: string, dash: number[], mark: number[][]}[]}} capability
 * @property {{id: string, version: number, lineage: string}} draft
 * @property {number} frames
 * @property {number} cursor
 * @property {{name: string, title: string}[]} flags
 * @property {import("./marks.js").Overview} overview
 * @property {import("./ball.js").Leap[]} leaps
 * @property {import("../shared/keys.js").Key[]} keys
 * @property {import("./saving.js").SaveState} save
 * @property {{edit: boolean, publish: boolean, override: boolean}} may
 * @property {import("../shared/revisions.js").PackRow[]} packs
 */

/** @typedef {import("./edits.js").Op} Op */
/** @typedef {import("./edits.js").Annotation} Annotation */

/** @type {{name: string, colour: string, dash: number[], mark: number[][]}} */
const UNKNOWN = { name: "", colour: "#ffffff", dash: [2, 4], mark: [] };
const MEMORY = 256 * 2 ** 20;

export class Review {
  /**
   * @param {import("../shared/shell.js").Shell} frame @param {import("../shared/commands.js").Model} model @param {Opening} opening
   * @param {import("./listening.js").FrameEvent[]} early  frames that came before the review was there
   */
  constructor(frame, model, opening, early) {
    const { capability } = opening;
    const { kernel } = frame;
    this.frame = frame;
    this.opening = opening;
    this.overview = opening.overview;
    this.points = capability.geometry === "point";
    this.index = opening.cursor;
    this.direction = 1;
    this.going = 0;
    this.hiding = false;
    /** @type {Annotation | null} */
    this.copied = null;
    const styles = Object.fromEntries(capability.classes.map((entry) => [entry.name, entry]));
    const style = (/** @type {string} */ label) => styles[label] ?? UNKNOWN;
    const goes = (/** @type {number} */ index) => go(this, index);
    const tells = (/** @type {string} */ text) => this.tell(text);

    this.choices = choices({ user: opening.user, capability, changed: () => showChoices(this) });
    this.cache = frameCache({ limit: MEMORY, ready: (index) => pictureCame(this, index) });
    this.edits = edits({
      here: () => this.index,
      send: (op) => kernel.ask("op", { op }),
      changed: (index) => frameChanged(this, index),
      answered: (answer) => this.saving.show(answer.save),
      refused: (error) => (this.refused(error.report), this.saving.show()),
    });
    this.prefetch = prefetcher({
      ask: (indices, patience) =>
        kernel.ask("frames", { indices }, { patience }).catch((error) => {
          if (!kernel.gone()) this.refused(error.report);
          throw error;
        }),
      has: (index) => this.cache.has(index) && this.edits.shown(index) !== undefined,
      count: opening.frames,
      room: () => MEMORY / (4 * this.stage.frameSize.width * this.stage.frameSize.height),
    });
    this.ball = ballHelp({ on: () => this.choices.now, maxSpeed: capability.max_speed, shown: this.edits.shown });
    this.ball.judge(opening.leaps);
    this.stage = new Stage({
      height: model.get("height"),
      geometry: capability.geometry,
      style,
      newId,
      frame: () => ({ index: this.index, content: this.content(), facts: this.edits.facts(this.index), picture: this.cache.get(this.index) }),
      label: () => this.choices.now.label,
      op: (op) => this.apply(op),
      selected: () => selectionChanged(this),
      moved: () => viewMoved(this),
      single: capability.single,
      placed: () => this.choices.now.advance && this.index < opening.frames - 1 && step(this, 1),
      below: (context, view) => this.points && this.ball.drawOnion(context, view, this.index),
      above: (context) => this.points && this.ball.drawGlass(context, this.stage),
    });
    this.hosted = hostCanvas({ model, stage: this.stage, frame: () => this.index, paint: (painting) => void kernel.ask("paint", { painting }, { patience: 30_000 }).catch(() => undefined) });
    this.actions = actionsOf(this);
    this.keys = bindings(opening.keys, this.actions, () => this.stage.selectedId !== null);
    const { hint } = this.keys;

    const marked = marks({ overview: this.overview, words: (flag) => opening.flags.find((entry) => entry.name === flag)?.title ?? flag, fast: this.ball.fast });
    this.timeline = timeline({ marks: marked, go: goes });
    this.film = filmstrip({ kernel, marks: marked, go: goes });
    this.conflict = conflictView({ frame, style, picture: this.cache.peek, facts: this.edits.facts, go: goes });
    this.objects = objectList({ style, select: (id) => this.stage.select(id), remove: (id) => this.apply({ kind: "delete", frame: this.index, id }) });
    this.seeking = seeking({ kernel, overview: this.overview, changed: () => (factsChanged(this), frameParts(this)) });
    this.presence = presence({ kernel, say: (text) => frame.say(text), busy: () => this.stage.gesture !== null });
    this.light = lighting({ now: () => this.choices.now, set: (some) => this.choices.set(some), say: tells, hint, leave: () => this.stage.el.focus() });
    this.switches = ballSwitches((option) => this.actions[option](), hint);
    this.header = header(opening, this.actions, hint, this.presence.el, frame.pythonButton());
    this.toolbar = toolbar(opening, this.actions, hint, [this.points && this.switches.el, this.light.el]);
    this.side = side(opening, this.actions, this.objects.el);
    this.steps = steps(this.actions, hint);
    this.saving = saving({ frame, chip: this.header.save, undo: this.header.undo, redo: this.header.redo, pending: this.edits.pending });
    this.publishing = publishing({ frame, opening, hint: hint("publish"), goTo: (index, id) => goTo(this, index, id), finish: () => this.stage.finishNudge() });
    this.build();
    this.deafen = listen(this);
    this.saving.show(opening.save);
    if (opening.save.status === "stale") void this.conflict.load();
    showChoices(this);
    for (const event of early) frameCame(this, event);
    show(this);
    if (!this.choices.now.labels) this.tell("The labels are hidden: the button Labels shows them.");
  }

  build() {
    const { frame } = this;
    const main = h("div", { class: "lk-main" }, this.stage.el, this.side.el, frame.banner);
    fill(frame.root, this.header.el, this.toolbar.el, main, this.conflict.el, this.film.el, this.timeline.el, this.steps.status, this.steps.el, this.publishing.el, ...[...frame.root.children].filter((child) => child.matches("[role=status]")));
    frameNumber(this);
    this.stage.locked = !this.opening.may.edit;
    if (!this.opening.may.edit) frame.show({ code: "", title: "You may look, not edit", detail: "Your role in this workspace does not allow changes.", hint: "Ask an owner for the role of annotator." }, "warn");
  }

  close() {
    this.deafen();
    clearTimeout(this.going);
    this.stage.close();
    this.hosted.close();
    this.presence.close();
    this.film.close();
    this.timeline.close();
    this.cache.close();
    this.frame.close();
  }

  /** Says something in the status line, and to a screen reader. @param {string} text @param {"" | "warn" | "wait"} [tone] */
  tell(text, tone = "") {
    this.steps.said.textContent = text;
    this.steps.said.title = text;
    this.steps.said.dataset.tone = tone;
    if (text) this.frame.say(text);
  }

  /** What is shown of the frame under the cursor; undefined until it has come. */
  content() {
    return this.edits.shown(this.index);
  }

  /** Shows an edit at once and sends it. @param {Op} op */
  apply(op) {
    if (this.frame.kernel.gone() || !this.opening.may.edit) return this.tell("This view is read-only.");
    if (!this.edits.shown(op.frame)) return onItsWay(this);
    if (this.edits.apply(op)) this.saving.show();
  }

  /** Has the kernel run a tool that edits several frames; they come back as they are then. @param {Op} op */
  async useTool(op) {
    if (this.stage.locked) return this.tell("This view is read-only.");
    this.stage.finishNudge();
    const answer = await this.frame.kernel.ask("op", { op }).catch((error) => void this.refused(error.report));
    if (!answer) return;
    this.saving.show(answer.save);
    this.edits.take(answer.frame);
    this.tell(answer.frames ? `${answer.frames} frame${answer.frames === 1 ? "" : "s"} changed` : "Nothing to change");
  }

  /** Says why an edit was refused: what is not possible here in a sentence, whatever else in the banner. @param {import("../shared/commands.js").Report} report */
  refused(report) {
    if (report.code === "INVALID_OPERATION") this.tell(counted(report.detail), "warn");
    else this.frame.show(report);
  }

  /** Uses a key if it is one of the review's, and says whether it did. @param {KeyboardEvent} event */
  press(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const presses = event.key === "Enter" || event.key === " ";
    if (presses && target !== this.stage.el && !event.ctrlKey && !event.metaKey) return false;
    return this.keys.press(event);
  }
}
