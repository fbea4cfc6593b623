/**
 * One view of a review: which frame is shown, what is done to it, and how the parts follow.
 * @module
 */

import { badge, fill, h } from "../shared/dom.js";
import { frameCache } from "../shared/frame_cache.js";
import { between } from "../shared/geometry.js";
import { bindings } from "../shared/keys.js";
import { actionsOf, frameNumber } from "./actions.js";
import { ballHelp, ballSwitches } from "./ball.js";
import { conflictView } from "./conflict.js";
import { edits, newId } from "./edits.js";
import { filmstrip } from "./filmstrip.js";
import { hostCanvas } from "./hosted.js";
import { header, side, steps, toolbar } from "./layout.js";
import { lighting } from "./light.js";
import { objectList } from "./objects.js";
import { prefetcher } from "./prefetch.js";
import { presence } from "./presence.js";
import { publishing } from "./publishing.js";
import { saving } from "./saving.js";
import { seeking } from "./seeking.js";
import { Stage } from "./stage.js";
import { timeline, watchTheme } from "./timeline.js";

/**
 * What the kernel says when a view opens.
 * @typedef {object} Opening
 * @property {string} media
 * @property {{name: string, geometry: "box" | "point", single: boolean, max_speed: number | null, classes: {name: string, colour: string, dash: number[], mark: number[][]}[]}} capability
 * @property {{id: string, version: number, lineage: string}} draft
 * @property {number} frames
 * @property {number[] | null} times_ms  when each frame was taken, where points have a greatest speed
 * @property {number} cursor
 * @property {{name: string, title: string}[]} flags
 * @property {import("./timeline.js").Overview} overview
 * @property {import("../shared/keys.js").Key[]} keys
 * @property {import("./saving.js").SaveState} save
 * @property {{edit: boolean, publish: boolean, override: boolean}} may
 * @property {import("../shared/revisions.js").PackRow[]} packs
 */

/** @typedef {import("./edits.js").Op} Op */
/** @typedef {import("./edits.js").Annotation} Annotation */

const STATE_TONES = /** @type {const} */ ({ untouched: "plain", seen: "plain", edited: "info", accepted: "good" });
/** @type {{name: string, colour: string, dash: number[], mark: number[][]}} */
const UNKNOWN = { name: "", colour: "#ffffff", dash: [2, 4], mark: [] };
const GO_AFTER_MS = 80;

export class Review {
  /**
   * @param {import("../shared/shell.js").Shell} frame @param {import("../shared/commands.js").Model} model @param {Opening} opening
   */
  constructor(frame, model, opening) {
    this.frame = frame;
    this.opening = opening;
    this.overview = opening.overview;
    this.index = opening.cursor;
    this.direction = 1;
    this.labelAt = 0;
    this.showChanges = true;
    /** @type {Annotation | null} */
    this.copied = null;
    this.going = 0;
    /** @type {Record<string, typeof UNKNOWN>} */
    this.styles = Object.fromEntries(opening.capability.classes.map((entry) => [entry.name, entry]));
    const style = (/** @type {string} */ label) => this.styles[label] ?? UNKNOWN;
    this.cache = frameCache({ ready: (index) => this.pictureCame(index) });
    this.conflict = conflictView({ frame, style, picture: (index) => this.cache.get(index), facts: (index) => this.edits.facts(index), go: (index) => this.go(index) });
    this.edits = edits({
      send: (op) => frame.kernel.ask("op", { op }),
      changed: (index) => this.frameChanged(index),
      answered: (answer) => this.saving.show(answer.save),
      refused: (error) => (frame.show(error.report), this.saving.show()),
    });
    this.prefetch = prefetcher({ ask: (indices, patience) => frame.kernel.ask("frames", { indices }, { patience }), has: (index) => this.cache.has(index) && this.edits.shown(index) !== undefined, count: opening.frames });
    this.ball = ballHelp({ times: opening.times_ms, maxSpeed: opening.capability.max_speed, count: opening.frames, shown: this.edits.shown, width: () => this.stage.frameSize.width, changed: () => this.helpChanged() });
    const points = opening.capability.geometry === "point";
    this.stage = new Stage({
      height: model.get("height"),
      geometry: opening.capability.geometry,
      style,
      newId,
      frame: () => ({ index: this.index, content: this.edits.shown(this.index), facts: this.edits.facts(this.index), picture: this.cache.get(this.index) }),
      label: () => opening.capability.classes[this.labelAt].name,
      op: (op) => this.apply(op),
      selected: () => this.selectionChanged(),
      moved: () => this.viewMoved(),
      single: opening.capability.single,
      placed: () => this.ball.on.advance && this.index < opening.frames - 1 && this.step(1),
      below: (context, view) => points && this.ball.drawOnion(context, view, this.index),
      above: (context) => points && this.ball.drawGlass(context, this.stage),
    });
    this.hosted = hostCanvas({ model, stage: this.stage, frame: () => this.index, paint: (painting) => void frame.kernel.ask("paint", { painting }, { patience: 30_000 }).catch(() => undefined) });
    this.actions = actionsOf(this);
    this.keys = bindings(opening.keys, this.actions, () => this.stage.selectedId !== null);
    this.objects = objectList({ style, select: (id) => this.stage.select(id), remove: (id) => this.apply({ kind: "delete", frame: this.index, id }) });
    this.timeline = timeline({ overview: this.overview, go: (index) => this.go(index), words: (flag) => opening.flags.find((entry) => entry.name === flag)?.title ?? flag, fast: this.ball.fast });
    this.film = filmstrip({ kernel: frame.kernel, count: opening.frames, go: (index) => this.go(index) });
    this.seeking = seeking({ kernel: frame.kernel, overview: this.overview, changed: () => (this.timeline.refresh(), this.frameParts()) });
    this.presence = presence({ kernel: frame.kernel, say: (text) => frame.say(text) });
    this.light = lighting({ stage: this.stage, say: (text) => this.tell(text), hint: this.keys.hint });
    this.switches = ballSwitches((option) => this.switchHelp(option), this.keys.hint);
    this.header = header(opening, this.actions, this.keys.hint, this.presence.el, frame.pythonButton());
    this.toolbar = toolbar(opening, this.actions, this.keys.hint, [points && this.switches.el, this.light.el]);
    this.side = side(opening, this.actions, this.objects.el);
    this.steps = steps(this.actions, this.keys.hint);
    this.saving = saving({ frame, chip: this.header.save, undo: this.header.undo, redo: this.header.redo, pending: this.edits.pending });
    this.publishing = publishing({ frame, opening, hint: this.keys.hint("publish"), goTo: (index, id) => this.goTo(index, id), finish: () => this.stage.finishNudge() });
    this.build();
    this.listen();
    this.saving.show(opening.save);
    if (opening.save.status === "stale") void this.conflict.load();
    this.chooseTool(opening.capability.geometry === "point" ? "point" : "select");
    this.chooseClass(0);
    this.toolbar.labels.setAttribute("aria-pressed", "true");
    this.toolbar.changes.setAttribute("aria-pressed", "true");
    this.toolbar.film.setAttribute("aria-pressed", "true");
    this.switches.show(this.ball.on);
    this.show();
  }

  build() {
    const { frame } = this;
    const main = h("div", { class: "lk-main" }, this.stage.el, this.side.el, frame.banner);
    fill(frame.root, this.header.el, this.toolbar.el, main, this.conflict.el, this.film.el, this.timeline.el, this.steps.status, this.steps.el, this.publishing.el, ...[...frame.root.children].filter((child) => child.matches("[role=status]")));
    frameNumber(this);
    this.stage.locked = !this.opening.may.edit;
    if (!this.opening.may.edit) frame.show({ code: "", title: "You may look, not edit", detail: "Your role in this workspace does not allow changes.", hint: "Ask an owner for the role of annotator." }, "warn");
  }

  listen() {
    const { kernel, root } = this.frame;
    kernel.on("frame", (data, buffers) => {
      this.prefetch.arrived(data.index);
      this.edits.take(data.content, { width: data.width, height: data.height, problem: data.problem });
      if (data.problem) this.cache.refuse(data.index, data.problem);
      else void this.cache.put(data.index, data.mime, buffers[0]);
    });
    kernel.on("truth", (data) => this.edits.take(data.frame));
    kernel.on("painted", (data) => this.hosted.done(data));
    kernel.on("save", (data) => this.saving.show(data));
    kernel.on("overview", (data) => this.allNew(data));
    kernel.on("published", () => void this.publishing.load());
    kernel.on("gone", () => this.lock(true));
    kernel.on("back", () => (this.lock(!this.opening.may.edit), this.comeBack()));
    root.addEventListener("keyup", (event) => this.keys.release(event));
    this.onBlur = () => this.keys.release();
    window.addEventListener("blur", this.onBlur);
    this.stage.el.addEventListener("blur", this.onBlur);
    this.themes = watchTheme(() => this.timeline.refresh());
  }

  close() {
    window.removeEventListener("blur", /** @type {() => void} */ (this.onBlur));
    clearTimeout(this.going);
    this.themes?.disconnect();
    this.stage.close();
    this.hosted.close();
    this.presence.close();
    this.film.close();
    this.timeline.close();
    this.cache.close();
    this.frame.close();
  }

  /** Says something in the status line, and to a screen reader. @param {string} text @param {"" | "warn"} [tone] */
  tell(text, tone = "") {
    this.steps.said.textContent = text;
    this.steps.said.title = text;
    this.steps.said.dataset.tone = tone;
    if (text) this.frame.say(text);
  }

  // --- what the person does

  /** Shows an edit at once and sends it. @param {Op} op */
  apply(op) {
    if (this.frame.kernel.gone() || !this.opening.may.edit) return this.frame.say("This view is read-only.");
    if (this.edits.apply(op)) this.saving.show();
  }

  /** Has the kernel run a tool that edits several frames; they come back as they are then. @param {Op} op */
  async useTool(op) {
    if (this.stage.locked) return this.frame.say("This view is read-only.");
    this.stage.finishNudge();
    const answer = await this.frame.ask("op", { op });
    if (!answer) return;
    this.saving.show(answer.save);
    this.edits.take(answer.frame);
    this.frame.say(answer.frames ? `${answer.frames} frame${answer.frames === 1 ? "" : "s"} changed` : "Nothing to change");
  }

  /** @param {import("./ball.js").Option} option */
  switchHelp(option) {
    this.ball.toggle(option);
    this.tell(`${{ advance: "Going on after a click", onion: "Trail", magnifier: "Magnifier" }[option]}: ${this.ball.on[option] ? "on" : "off"}`);
  }

  helpChanged() {
    this.switches.show(this.ball.on);
    this.stage.repaint();
  }

  /** @param {boolean} locked */
  lock(locked) {
    this.stage.cancel();
    this.stage.locked = locked;
    this.stage.refresh();
  }

  content() {
    return this.edits.shown(this.index);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const presses = event.key === "Enter" || event.key === " ";
    if (presses && target !== this.stage.el && !event.ctrlKey && !event.metaKey) return false;
    if (target.closest("dialog")) return false;
    return this.keys.press(event);
  }

  /** @param {import("./stage.js").Tool} tool */
  chooseTool(tool) {
    this.stage.setTool(tool);
    for (const [name, element] of Object.entries(this.toolbar.tools)) element.setAttribute("aria-pressed", String(name === tool));
  }

  /** @param {number} at */
  chooseClass(at) {
    this.labelAt = at;
    this.toolbar.classes.forEach((element, i) => element.setAttribute("aria-pressed", String(i === at)));
  }

  /** @param {boolean} hidden */
  hide(hidden) {
    this.stage.hidden = hidden;
    this.stage.repaint();
    this.hosted.show(this.showChanges && !hidden);
    this.toolbar.labels.setAttribute("aria-pressed", String(!hidden));
  }

  toggleChanges() {
    this.showChanges = !this.showChanges;
    this.toolbar.changes.setAttribute("aria-pressed", String(this.showChanges));
    this.hosted.show(this.showChanges);
  }

  /** Steps out by one level: the drawing, then the object, then the stage. */
  leave() {
    this.stage.finishNudge();
    if (this.stage.cancel()) return;
    if (this.stage.selectedId) return this.stage.select(null);
    /** @type {HTMLElement | null} */ (document.activeElement)?.blur();
  }

  // --- from frame to frame

  /** @param {number} by */
  step(by) {
    const target = between(this.index + by, 0, this.opening.frames - 1);
    if (target === this.index) return this.frame.say(by > 0 ? "This is the last frame." : "This is the first frame.");
    this.go(target);
  }

  /** @param {number} index */
  go(index) {
    if (index === this.index || (this.stage.gesture && this.stage.gesture.kind !== "nudge")) return;
    this.stage.select(null);
    this.stage.finishNudge();
    this.direction = index > this.index ? 1 : -1;
    this.index = index;
    this.show();
  }

  /** Goes to a frame and selects an object there. @param {number} index @param {string | null} id */
  goTo(index, id) {
    this.go(index);
    if (id) this.stage.select(id);
    this.stage.el.focus();
  }

  acceptNext() {
    if (this.content()?.state !== "accepted") this.apply({ kind: "accept", frame: this.index });
    this.step(1);
  }

  // --- what is shown

  /** Shows the frame under the cursor, asks for what is missing around it, and tells the kernel once the cursor rests. */
  show() {
    this.stage.refresh();
    this.prefetch.around(this.index, this.direction);
    this.tell("");
    this.warn();
    this.frameParts();
    this.timeline.show(this.index);
    this.film.show(this.index);
    this.hosted.place();
    clearTimeout(this.going);
    this.going = window.setTimeout(() => this.arrive(), GO_AFTER_MS);
  }

  /** Says where a point moved too fast; takes it back once it no longer does. */
  warn() {
    const warning = this.ball.warning(this.index);
    if (warning) this.tell(warning, "warn");
    else if (this.steps.said.dataset.tone === "warn") this.tell("");
  }

  async arrive() {
    const index = this.index;
    const answer = await this.frame.kernel.ask("go", { index, painting: this.hosted.wanted() }, { patience: 30_000 }).catch((error) => void this.frame.show(error.report));
    if (answer?.frame) this.edits.take(answer.frame);
  }

  /** @param {number} index */
  frameChanged(index) {
    const content = this.edits.shown(index);
    if (!content) return;
    const scores = content.annotations.map((annotation) => annotation.score).filter((score) => score !== null);
    this.overview.states[index] = content.state;
    this.overview.flags[index] = content.flags;
    this.overview.counts[index] = content.annotations.length;
    this.overview.min_score[index] = scores.length ? Math.min(...scores) : null;
    if (this.opening.capability.geometry === "point") this.pointsChanged(index);
    this.timeline?.refresh();
    if (index !== this.index) return;
    this.stage.refresh();
    this.frameParts();
  }

  /** @param {number} index */
  pictureCame(index) {
    if (index === this.index) this.stage.refresh();
    this.film.take(index, this.cache.peek(index)?.bitmap);
    this.conflict.arrived(index);
  }

  /** @param {number} index */
  pointsChanged(index) {
    this.ball.follow(index);
    if (Math.abs(index - this.index) > 3) return;
    this.stage.repaint();
    this.warn();
  }

  frameParts() {
    const content = this.content();
    if (document.activeElement !== this.side.number) this.side.number.value = String(this.index + 1);
    const state = content?.state ?? /** @type {keyof typeof STATE_TONES} */ (this.overview.states[this.index]);
    fill(this.side.state, badge(state, STATE_TONES[state]));
    const flags = content?.flags ?? this.overview.flags[this.index];
    this.side.flags.forEach((element, i) => element.setAttribute("aria-pressed", String(flags.includes(this.opening.flags[i].name))));
    const count = content?.annotations.length ?? this.overview.counts[this.index];
    this.side.objectCount.textContent = String(count);
    this.objects.show(content, this.stage.selectedId);
    const accepted = this.overview.states.filter((one) => one === "accepted").length;
    const worked = this.overview.states.filter((one) => one === "edited").length;
    this.steps.coverage.textContent = this.seeking.coverage();
    this.steps.progress.textContent = `${accepted} accepted, ${worked} edited of ${this.opening.frames}`;
    this.stage.el.setAttribute("aria-label", `Frame ${this.index + 1} of ${this.opening.frames}, ${count} objects, ${state}. Press ? for the keys.`);
  }

  selectionChanged() {
    const chosen = this.stage.selected();
    this.objects.show(this.content(), this.stage.selectedId);
    if (!chosen) return;
    const at = this.opening.capability.classes.findIndex((entry) => entry.name === chosen.label);
    if (at >= 0) this.chooseClass(at);
    this.frame.say(`${chosen.label} selected`);
  }

  viewMoved() {
    if (!this.toolbar) return;
    this.toolbar.scale.textContent = `${Math.round(this.stage.view.scale * 100)}%`;
    this.hosted.moved();
  }

  /** Takes up what others did. @param {{overview: Opening["overview"], save: Opening["save"]}} data */
  allNew(data) {
    for (const name of /** @type {const} */ (["states", "flags", "counts", "min_score", "problem"])) this.overview[name].splice(0, Infinity, .../** @type {any[]} */ (data.overview[name]));
    this.saving.show(data.save);
    this.timeline.refresh();
    this.frameParts();
  }

  /** Goes on after the connection was lost. */
  async comeBack() {
    const data = await this.frame.ask("overview");
    if (!data) return;
    this.edits.forget();
    this.allNew(data);
    this.show();
  }
}
