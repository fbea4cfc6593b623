/**
 * Every gesture on the stage, by mouse, pen and fingers. Nothing here waits for the kernel; when a gesture ends, one operation is handed out.
 * @module
 */

import { between, clampBox, dragged, fit, fromCorners, kept, tooSmall } from "../shared/geometry.js";
import { Holding } from "./holding.js";
import { pinch } from "./pinch.js";

/** @typedef {import("./layers.js").Annotation} Annotation */
/** @typedef {import("./layers.js").Place} Place */
/** @typedef {import("./layers.js").Gesture} Gesture */

const THRESHOLD_PX = 3;
/** A click so soon after one that placed a point and went on, and so near, is the second half of a double click. */
const ECHO_MS = 200;
const ECHO_PX = 4;
const CURSORS = { n: "ns", s: "ns", e: "ew", w: "ew", ne: "nesw", sw: "nesw", nw: "nwse", se: "nwse" };

export class Stage extends Holding {
  /** @param {import("./layers.js").StageOptions} options */
  constructor(options) {
    super(options);
    /** @type {Gesture | null} */
    this.gesture = null;
    /** @type {string | null} */
    this.lastClicked = null;
    this.fingers = pinch();
    /** Where and when a click last placed a point. @type {{screen: Place, time: number, index: number} | null} */
    this.placed = null;
    for (const [event, handler] of /** @type {const} */ ([
      ["pointerdown", this.down],
      ["pointermove", this.move],
      ["pointerup", this.up],
      ["pointercancel", this.lost],
      ["pointerleave", this.leave],
      ["contextmenu", this.menu],
      ["wheel", this.wheel],
    ]))
      this.el.addEventListener(event, /** @type {any} */ (handler.bind(this)), { passive: false });
  }

  /** @param {import("./layers.js").Tool} tool */
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

  /** @param {PointerEvent} event */
  down(event) {
    const screen = this.at(event);
    const touch = event.pointerType === "touch";
    if (event.pointerType === "pen" && this.fingers.count()) this.drop(); // a hand rests on the screen beside the pen
    const drawing = this.gesture !== null && this.gesture.kind !== "nudge";
    if (touch && drawing && !this.fingers.count()) return;
    if (touch && this.fingers.land(event.pointerId, screen, this.view)) return this.drop();
    if (drawing && this.gesture) return;
    this.coarse = touch;
    this.finishNudge();
    this.el.focus({ preventScroll: true });
    const start = this.toFrame(screen);
    const pan = event.button === 1 || (event.button === 0 && this.panning);
    if (!pan && (event.button !== 0 || !this.visible)) return;
    event.preventDefault();
    this.el.setPointerCapture(event.pointerId);
    if (!pan && this.echoes(screen, event.timeStamp)) return;
    /** @type {Gesture} */
    const gesture = { kind: "press", target: null, shape: null, start, screen, view: this.view, handle: null, draws: false, pointer: event.pointerId, before: this.selectedId };
    this.gesture = gesture;
    if (pan) gesture.kind = "pan";
    else if (this.editable) this.press(gesture, event.shiftKey);
    this.hoverId = null;
    this.topDirty = true;
    this.plan();
  }

  /** @param {Place} screen @param {number} time in ms */
  echoes(screen, time) {
    const last = this.placed;
    return last !== null && time - last.time < ECHO_MS && this.options.frame().index !== last.index && Math.hypot(screen.x - last.screen.x, screen.y - last.screen.y) < ECHO_PX;
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
      gesture.kind = "place";
      gesture.target = this.onlyOne();
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

  /** @param {PointerEvent} event */
  move(event) {
    const screen = this.at(event);
    if (event.pointerType === "touch") {
      const view = this.fingers.move(event.pointerId, screen, this.frameSize, this.size);
      if (view) return this.setView(view);
    }
    const gesture = this.gesture;
    if (!gesture || gesture.kind === "nudge") {
      this.coarse = event.pointerType === "touch";
      if (!this.coarse) this.hover(screen);
      return;
    }
    if (gesture.pointer !== event.pointerId) return;
    this.pointer = screen;
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

  /** @param {PointerEvent} event */
  up(event) {
    if (this.lift(event)) return;
    const gesture = this.gesture;
    if (!gesture || gesture.kind === "nudge" || gesture.pointer !== event.pointerId) return;
    this.gesture = null;
    if (gesture.kind === "press") this.click(gesture);
    else this.commit(gesture);
    if (gesture.kind === "place") this.goOn(gesture, event.timeStamp);
    if (event.pointerType === "touch") this.leave();
    else this.hover(this.at(event));
    this.repaint();
  }

  /** A finger leaves; says whether it was one of two. The last one of them leaves a whole frame centred. @param {PointerEvent} event */
  lift(event) {
    const pinched = this.fingers.lift(event.pointerId);
    if (pinched && !this.fingers.count() && this.view.scale === fit(this.frameSize, this.size).scale) this.zoomFit();
    return pinched;
  }

  /** The host took a pointer away. @param {PointerEvent} event */
  lost(event) {
    if (!this.lift(event) && this.gesture?.pointer === event.pointerId) this.drop();
  }

  /** Ends a gesture as if it had never begun. */
  drop() {
    const gesture = this.gesture;
    if (!this.cancel()) return;
    this.leave();
    if (gesture && gesture.kind !== "nudge") this.select(gesture.before);
  }

  /** A long press of a finger is no wish for a menu. @param {MouseEvent} event */
  menu(event) {
    if (this.fingers.count()) event.preventDefault();
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
  }

  /** @param {Gesture} gesture @param {number} time in ms */
  goOn(gesture, time) {
    const { index } = this.options.frame();
    this.placed = { screen: gesture.screen, time, index };
    this.options.placed();
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
    this.pointer = screen;
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
}
