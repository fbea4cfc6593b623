/**
 * Every gesture on the stage. Nothing here waits for the kernel; when a gesture ends, one operation is handed out.
 * @module
 */

import { between, clampBox, dragged, fromCorners, handleAt, kept, pushInside, px, tooSmall } from "../shared/geometry.js";
import { HANDLE_PX, radiusOf } from "../shared/shapes.js";
import { Layers, byArea } from "./layers.js";

/** @typedef {import("./layers.js").Annotation} Annotation */
/** @typedef {import("./layers.js").Place} Place */
/** @typedef {import("./layers.js").Gesture} Gesture */
/** @typedef {import("./layers.js").Tool} Tool */

const REACH_PX = 6;
const THRESHOLD_PX = 3;
const CURSORS = { n: "ns", s: "ns", e: "ew", w: "ew", ne: "nesw", sw: "nesw", nw: "nwse", se: "nwse" };

export class Stage extends Layers {
  /** @param {import("./layers.js").StageOptions} options */
  constructor(options) {
    super(options);
    /** @type {Gesture | null} */
    this.gesture = null;
    /** @type {string | null} */
    this.lastClicked = null;
    this.nudging = 0;
    for (const [event, handler] of /** @type {const} */ ([
      ["pointerdown", this.down],
      ["pointermove", this.move],
      ["pointerup", this.up],
      ["pointercancel", this.cancel],
      ["pointerleave", this.leave],
      ["wheel", this.wheel],
    ]))
      this.el.addEventListener(event, /** @type {any} */ (handler.bind(this)), { passive: false });
  }

  /** @param {string | null} id */
  select(id) {
    if (id === this.selectedId) return;
    this.finishNudge();
    this.lastClicked = null;
    super.select(id);
  }

  /** @param {Tool} tool */
  setTool(tool) {
    this.tool = tool;
    this.cursor();
    this.topDirty = true;
    this.plan();
  }

  /** @param {PointerEvent | WheelEvent} event @returns {Place} in px of the screen */
  at(event) {
    const box = this.el.getBoundingClientRect();
    return { x: event.clientX - box.left - this.el.clientLeft, y: event.clientY - box.top - this.el.clientTop };
  }

  /** @param {Place} screen @returns {Place} in px of the frame */
  toFrame(screen) {
    return { x: (screen.x - this.view.left) / this.view.scale, y: (screen.y - this.view.top) / this.view.scale };
  }

  /** The objects under a place of the frame, smallest first. @param {Place} place @returns {Annotation[]} */
  under(place) {
    const annotations = this.hidden ? [] : (this.options.frame().content?.annotations ?? []);
    const reach = 2 / this.view.scale;
    return byArea(annotations.filter((shape) => (shape.width === null ? Math.hypot(shape.x - place.x, shape.y - place.y) <= radiusOf(shape, this.view) / this.view.scale + reach : inside(shape, place, reach)))).reverse();
  }

  /** @param {Place} place */
  handleUnder(place) {
    const box = this.selected();
    return box && box.width !== null ? handleAt(/** @type {any} */ (box), place.x, place.y, (REACH_PX + HANDLE_PX / 4) / this.view.scale) : null;
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (this.gesture && this.gesture.kind !== "nudge") return;
    this.finishNudge();
    this.el.focus({ preventScroll: true });
    const screen = this.at(event);
    const start = this.toFrame(screen);
    const pan = event.button === 1 || (event.button === 0 && this.panning);
    if (!pan && (event.button !== 0 || !this.visible)) return;
    event.preventDefault();
    this.el.setPointerCapture(event.pointerId);
    /** @type {Gesture} */
    const gesture = { kind: "press", target: null, shape: null, start, screen, view: this.view, handle: null, draws: false };
    this.gesture = gesture;
    if (pan) gesture.kind = "pan";
    else if (this.editable) this.press(gesture, event.shiftKey);
    this.hoverId = null;
    this.topDirty = true;
    this.plan();
  }

  /** Decides what a drag from here will do. @param {Gesture} gesture @param {boolean} forceDraw */
  press(gesture, forceDraw) {
    const box = this.options.geometry === "box";
    const found = this.under(gesture.start);
    const present = this.selected();
    const handle = forceDraw ? null : this.handleUnder(gesture.start);
    if (handle && present) {
      Object.assign(gesture, { target: present, handle });
    } else if (this.tool === "point" && !found.length) {
      const all = this.options.frame().content?.annotations ?? [];
      gesture.kind = "place";
      gesture.target = this.options.single && all.length === 1 ? all[0] : null;
      this.select(gesture.target?.id ?? null);
      gesture.shape = { ...(gesture.target ?? this.fresh({ x: 0, y: 0 })), ...this.inFrame(gesture.start) };
      this.baseDirty = true;
    } else if (forceDraw || this.tool === "box" || !found.length) {
      gesture.draws = box;
    } else {
      const target = present && found.includes(present) ? present : found[0];
      gesture.target = target;
      this.select(target.id);
    }
  }

  /** @param {Partial<Annotation> & Place} geometry @returns {Annotation} */
  fresh(geometry) {
    return { id: this.options.newId(), label: this.options.label(), width: null, height: null, size: null, score: null, source: "human", attributes: null, ...geometry };
  }

  /** @param {Place} place */
  inFrame(place) {
    return { x: px(between(place.x, 0, this.frameSize.width)), y: px(between(place.y, 0, this.frameSize.height)) };
  }

  /** @param {PointerEvent} event */
  move(event) {
    const screen = this.at(event);
    this.pointer = screen;
    const gesture = this.gesture;
    if (!gesture || gesture.kind === "nudge") {
      if (event.pointerType !== "touch") this.hover(screen);
      return;
    }
    const [dx, dy] = [screen.x - gesture.screen.x, screen.y - gesture.screen.y];
    if (gesture.kind === "pan") return this.setView(kept({ ...gesture.view, left: gesture.view.left + dx, top: gesture.view.top + dy }, this.frameSize, this.size));
    if (gesture.kind === "press") {
      if (Math.hypot(dx, dy) < THRESHOLD_PX) return;
      gesture.kind = gesture.handle ? "resize" : gesture.target ? "move" : gesture.draws ? "draw" : "press";
      if (gesture.kind === "draw") this.select(null);
      this.baseDirty = true;
    }
    this.follow(gesture, this.toFrame(screen));
    this.topDirty = true;
    this.plan();
  }

  /** Bends the shape of a gesture to a place of the frame. @param {Gesture} gesture @param {Place} place */
  follow(gesture, place) {
    const { target, start } = gesture;
    if (gesture.kind === "place") gesture.shape = { .../** @type {Annotation} */ (gesture.shape), ...this.inFrame(place) };
    else if (gesture.kind === "draw") gesture.shape = { ...(gesture.shape ?? this.fresh(start)), ...clampBox(fromCorners(start.x, start.y, place.x, place.y), this.frameSize) };
    else if (gesture.kind === "resize" && target && gesture.handle) gesture.shape = { ...target, ...clampBox(dragged(/** @type {any} */ (target), gesture.handle, place.x, place.y), this.frameSize) };
    else if (gesture.kind === "move" && target) gesture.shape = this.shifted(target, place.x - start.x, place.y - start.y);
  }

  /** @param {Annotation} target @param {number} dx @param {number} dy @returns {Annotation} */
  shifted(target, dx, dy) {
    if (target.width === null) return { ...target, ...this.inFrame({ x: target.x + dx, y: target.y + dy }) };
    return { ...target, ...pushInside({ x: target.x + dx, y: target.y + dy, width: target.width, height: Number(target.height) }, this.frameSize) };
  }

  /** @param {PointerEvent} event */
  up(event) {
    const gesture = this.gesture;
    if (!gesture || gesture.kind === "nudge") return;
    this.gesture = null;
    if (gesture.kind === "press") this.click(gesture);
    else this.commit(gesture);
    this.hover(this.at(event));
    this.repaint();
  }

  /** A press that did not move: selects, the next one below at a second click, nothing on free ground. @param {Gesture} gesture */
  click(gesture) {
    const found = this.under(gesture.start);
    if (gesture.handle) return;
    if (!found.length) return this.select(null);
    const at = found.findIndex((annotation) => annotation.id === this.selectedId);
    if (at < 0) this.select(found[0].id);
    else if (this.lastClicked === this.selectedId) this.select(found[(at + 1) % found.length].id);
    this.lastClicked = this.selectedId;
  }

  /** Hands out the one operation of a gesture. @param {Gesture} gesture */
  commit(gesture) {
    const { shape, target } = gesture;
    const frame = this.options.frame().index;
    if (!shape) return;
    const place = { x: shape.x, y: shape.y };
    const box = { ...place, width: Number(shape.width), height: Number(shape.height) };
    if (gesture.kind === "draw" && tooSmall(box)) return;
    if (gesture.kind === "draw") this.options.op({ kind: "add_box", frame, id: shape.id, label: shape.label, ...box });
    else if (gesture.kind === "place" && !target) this.options.op({ kind: "add_point", frame, id: shape.id, label: shape.label, ...place });
    else if (gesture.kind === "resize" && !tooSmall(box)) this.options.op({ kind: "resize", frame, id: shape.id, ...box });
    else if (target && (target.x !== shape.x || target.y !== shape.y)) this.options.op({ kind: "move", frame, id: shape.id, ...place });
    if (!target) this.select(shape.id);
    if (gesture.kind === "place") this.options.placed();
  }

  /** Ends a gesture without an operation, and says whether there was one. */
  cancel() {
    if (!this.gesture) return false;
    clearTimeout(this.nudging);
    this.gesture = null;
    this.repaint();
    return true;
  }

  leave() {
    this.pointer = null;
    this.hoverId = null;
    this.topDirty = true;
    this.plan();
  }

  /** @param {Place} screen */
  hover(screen) {
    const place = this.toFrame(screen);
    const found = this.editable && !this.panning ? this.under(place) : [];
    const hit = found.some((annotation) => annotation.id === this.selectedId) ? null : (found[0]?.id ?? null);
    this.hoverId = this.tool === "box" ? null : hit;
    this.cursor(place, found.length > 0);
    this.topDirty = true;
    this.plan();
  }

  /** @param {Place} [place] @param {boolean} [over] */
  cursor(place, over = false) {
    const handle = place && this.editable ? this.handleUnder(place) : null;
    const drawing = this.tool !== "select" && !(over && this.tool === "point");
    this.top.style.cursor = this.panning ? "grab" : !this.editable ? "default" : handle ? `${CURSORS[handle]}-resize` : drawing ? "crosshair" : over ? "move" : "default";
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (!event.ctrlKey && document.activeElement !== this.el) return;
    event.preventDefault();
    const steps = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    this.zoom(Math.exp(-between(steps, -120, 120) * 0.0025), this.at(event));
  }

  // --- by keyboard

  /** Moves, or with `grow` widens, the selected object; the operation goes out when the key rests. @param {number} dx @param {number} dy @param {boolean} [grow] */
  nudge(dx, dy, grow = false) {
    const target = this.selected();
    if (!target || !this.editable || (this.gesture && this.gesture.kind !== "nudge")) return;
    const nothing = { x: 0, y: 0 };
    const gesture = this.gesture ?? { kind: "nudge", target, shape: target, start: nothing, screen: nothing, view: this.view, handle: null, draws: false };
    const shape = gesture.shape ?? target;
    if (grow && shape.width !== null) {
      const box = clampBox({ x: shape.x, y: shape.y, width: Math.max(shape.width + dx, 1), height: Math.max(Number(shape.height) + dy, 1) }, this.frameSize);
      gesture.shape = tooSmall(box) ? shape : { ...shape, ...box };
    } else if (grow) gesture.shape = { ...shape, size: px(Math.max((shape.size ?? 8) + dx - dy, 1)) };
    else gesture.shape = this.shifted(shape, dx, dy);
    this.gesture = gesture;
    this.repaint();
    clearTimeout(this.nudging);
    this.nudging = window.setTimeout(() => this.finishNudge(), 300);
  }

  /** Hands out the operation of a nudge that is under way. */
  finishNudge() {
    const gesture = this.gesture;
    if (gesture?.kind !== "nudge" || !gesture.shape || !gesture.target) return;
    clearTimeout(this.nudging);
    this.gesture = null;
    const { shape, target } = gesture;
    const frame = this.options.frame().index;
    const place = { x: shape.x, y: shape.y };
    if (shape.size !== target.size) this.options.op({ kind: "resize", frame, id: shape.id, size: Number(shape.size) });
    else if (shape.width !== target.width || shape.height !== target.height) this.options.op({ kind: "resize", frame, id: shape.id, ...place, width: Number(shape.width), height: Number(shape.height) });
    else if (target.x !== shape.x || target.y !== shape.y) this.options.op({ kind: "move", frame, id: shape.id, ...place });
    this.repaint();
  }

  /** Puts a new object into the middle of the view, for those who draw without a mouse. */
  place() {
    if (!this.editable) return;
    const middle = this.inFrame(this.toFrame({ x: this.size.width / 2, y: this.size.height / 2 }));
    const frame = this.options.frame().index;
    const [id, label] = [this.options.newId(), this.options.label()];
    if (this.options.geometry === "point") this.options.op({ kind: "add_point", frame, id, label, ...middle });
    else {
      const side = (Math.min(this.size.width, this.size.height) / this.view.scale) * 0.2;
      this.options.op({ kind: "add_box", frame, id, label, ...clampBox({ x: middle.x - side / 2, y: middle.y - side / 2, width: side, height: side }, this.frameSize) });
    }
    this.select(id);
  }
}

/** @param {Annotation} box @param {Place} place @param {number} reach */
function inside(box, place, reach) {
  return place.x >= box.x - reach && place.x <= box.x + Number(box.width) + reach && place.y >= box.y - reach && place.y <= box.y + Number(box.height) + reach;
}
