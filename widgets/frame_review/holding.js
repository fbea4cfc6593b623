/**
 * Objects in hand: how they are found under a place, bent inside the frame, and moved by keys. An operation goes out when the hand rests.
 * @module
 */

import { between, clampBox, handleAt, pushInside, px, tooSmall } from "../shared/geometry.js";
import { HANDLE_PX, radiusOf } from "../shared/shapes.js";
import { Layers, byArea } from "./layers.js";

/** @typedef {import("./layers.js").Annotation} Annotation */
/** @typedef {import("./layers.js").Place} Place */
/** @typedef {import("./layers.js").Gesture} Gesture */

/** How far beside an object or a grip a place may be, in px of the screen: by a fine pointer, and by a finger. */
const OBJECT_REACH_PX = { fine: 2, coarse: 10 };
const GRIP_REACH_PX = { fine: 6 + HANDLE_PX / 4, coarse: 16 };
const REST_MS = 300;

export class Holding extends Layers {
  /** @param {import("./layers.js").StageOptions} options */
  constructor(options) {
    super(options);
    /** @type {Gesture | null} */
    this.gesture = null;
    /** Whether a finger points. */
    this.coarse = false;
    /** @type {string | null} */
    this.lastClicked = null;
    this.nudging = 0;
  }

  /** @param {string | null} id */
  select(id) {
    if (id === this.selectedId) return;
    this.finishNudge();
    this.lastClicked = null;
    super.select(id);
  }

  /** @param {Place} screen @returns {Place} in px of the frame */
  toFrame(screen) {
    return { x: (screen.x - this.view.left) / this.view.scale, y: (screen.y - this.view.top) / this.view.scale };
  }

  /** The objects under a place of the frame, smallest first. @param {Place} place @returns {Annotation[]} */
  under(place) {
    const annotations = this.hidden ? [] : (this.options.frame().content?.annotations ?? []);
    const reach = OBJECT_REACH_PX[this.coarse ? "coarse" : "fine"] / this.view.scale;
    return byArea(annotations.filter((shape) => (shape.width === null ? Math.hypot(shape.x - place.x, shape.y - place.y) <= radiusOf(shape, this.view) / this.view.scale + reach : inside(shape, place, reach)))).reverse();
  }

  /** @param {Place} place */
  handleUnder(place) {
    const box = this.selected();
    return box && box.width !== null ? handleAt(/** @type {any} */ (box), place.x, place.y, GRIP_REACH_PX[this.coarse ? "coarse" : "fine"] / this.view.scale) : null;
  }

  /** @param {Partial<Annotation> & Place} geometry @returns {Annotation} */
  fresh(geometry) {
    return { id: this.options.newId(), label: this.options.label(), width: null, height: null, size: null, score: null, source: "human", attributes: null, ...geometry };
  }

  /** @param {Place} place */
  inFrame(place) {
    return { x: px(between(place.x, 0, this.frameSize.width)), y: px(between(place.y, 0, this.frameSize.height)) };
  }

  /** @param {Annotation} target @param {number} dx @param {number} dy @returns {Annotation} */
  shifted(target, dx, dy) {
    if (target.width === null) return { ...target, ...this.inFrame({ x: target.x + dx, y: target.y + dy }) };
    return { ...target, ...pushInside({ x: target.x + dx, y: target.y + dy, width: target.width, height: Number(target.height) }, this.frameSize) };
  }

  // --- by keyboard

  /** Moves, or with `grow` widens, the selected object; the operation goes out when the key rests. @param {number} dx @param {number} dy @param {boolean} [grow] */
  nudge(dx, dy, grow = false) {
    const target = this.selected();
    if (!target || !this.editable || (this.gesture && this.gesture.kind !== "nudge")) return;
    const nothing = { x: 0, y: 0 };
    const gesture = this.gesture ?? { kind: "nudge", target, shape: target, start: nothing, screen: nothing, view: this.view, handle: null, draws: false, pointer: null, before: this.selectedId };
    const shape = gesture.shape ?? target;
    if (grow && shape.width !== null) {
      const box = clampBox({ x: shape.x, y: shape.y, width: Math.max(shape.width + dx, 1), height: Math.max(Number(shape.height) + dy, 1) }, this.frameSize);
      gesture.shape = tooSmall(box) ? shape : { ...shape, ...box };
    } else if (grow) gesture.shape = { ...shape, size: px(Math.max((shape.size ?? 8) + dx - dy, 1)) };
    else gesture.shape = this.shifted(shape, dx, dy);
    this.gesture = gesture;
    this.repaint();
    clearTimeout(this.nudging);
    this.nudging = window.setTimeout(() => this.finishNudge(), REST_MS);
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

  /** The only object of a frame that has room for one, which then moves in place of another being made. */
  onlyOne() {
    const all = this.options.frame().content?.annotations ?? [];
    return this.options.single && all.length === 1 ? all[0] : null;
  }

  /** Puts a new object, or the only one there can be, into the middle of the view, for those who draw without a mouse. */
  place() {
    if (!this.editable) return;
    const middle = this.inFrame(this.toFrame({ x: this.size.width / 2, y: this.size.height / 2 }));
    const frame = this.options.frame().index;
    const [id, label] = [this.onlyOne()?.id ?? this.options.newId(), this.options.label()];
    if (this.options.geometry === "point") this.options.op(this.onlyOne() ? { kind: "move", frame, id, ...middle } : { kind: "add_point", frame, id, label, ...middle });
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
