/**
 * What the stage shows: three canvases over each other at the device's own px, the view into the frame, and the painting.
 *
 * At the bottom lies the frame with the labels nobody is dragging, above it what Python paints, on top the selected object, the gesture
 * under way and the crosshair. So a drag repaints the top only, however many labels there are.
 * @module
 */

import { h } from "../shared/dom.js";
import { fit, kept, zoomed } from "../shared/geometry.js";
import { draw, drawCaptions, drawHandles } from "../shared/shapes.js";

/** @typedef {import("./edits.js").Annotation} Annotation */
/** @typedef {import("./edits.js").Content} Content */
/** @typedef {import("./edits.js").FrameFacts} FrameFacts */
/** @typedef {import("./edits.js").Op} Op */
/** @typedef {import("../shared/geometry.js").View} View */
/** @typedef {import("../shared/geometry.js").Place} Place */
/** @typedef {import("../shared/shapes.js").Style} Style */
/** @typedef {"select" | "box" | "point"} Tool */

/**
 * A gesture under way, in px of the frame.
 * @typedef {object} Gesture
 * @property {"press" | "move" | "resize" | "draw" | "place" | "pan" | "nudge"} kind  `press` has not moved yet
 * @property {Annotation | null} target  what it changes
 * @property {Annotation | null} shape  as it is now
 * @property {Place} start
 * @property {Place} screen  where it began, in px of the screen
 * @property {View} view  the view when it began
 * @property {import("../shared/geometry.js").Handle | null} handle
 * @property {boolean} draws  whether a drag from here draws
 * @property {number | null} pointer  whose gesture it is, null for the keyboard
 * @property {string | null} before  what was selected when it began
 */

/**
 * @typedef {object} StageOptions
 * @property {number} height  px
 * @property {"box" | "point"} geometry
 * @property {(label: string) => Style} style
 * @property {() => {index: number, content: Content | undefined, facts: FrameFacts | undefined, picture: import("../shared/frame_cache.js").Picture | undefined}} frame
 * @property {() => string} label  the class of what is drawn next
 * @property {() => string} newId
 * @property {(op: Op) => void} op
 * @property {(id: string | null) => void} selected
 * @property {(view: View, ratio: number) => void} moved  the view or size is new
 * @property {boolean} single  whether a frame has at most one object: then a click moves it
 * @property {() => void} placed  a click has placed or moved a point
 * @property {(context: CanvasRenderingContext2D, view: View) => void} below  draws over the picture, under the labels
 * @property {(context: CanvasRenderingContext2D) => void} above  draws over everything, and anew with every move of the pointer
 */

const CROWD = 60;

export class Layers {
  /** @param {StageOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {View} */
    this.view = { scale: 1, left: 0, top: 0 };
    this.size = { width: 0, height: options.height };
    this.ratio = 1;
    /** @type {Tool} */
    this.tool = "select";
    /** @type {string | null} */
    this.selectedId = null;
    this.hidden = false;
    this.panning = false;
    this.visible = this.editable = true;
    this.locked = false;
    this.brightness = 1;
    this.contrast = 1;
    /** @type {Gesture | null} */
    this.gesture = null;
    /** @type {Place | null} */
    this.pointer = null;
    /** @type {string | null} */
    this.hoverId = null;
    this.fitted = true;
    this.base = h("canvas", { class: "lk-layer", "aria-hidden": "true" });
    this.hosted = h("div", { class: "lk-layer lk-hosted", "aria-hidden": "true" });
    this.top = h("canvas", { class: "lk-layer", "aria-hidden": "true" });
    this.placeholder = h("div", { class: "lk-placeholder", hidden: true });
    this.el = h("div", { class: "lk-stage", tabindex: "0", role: "application", style: `height: min(${options.height}px, 75cqi)` }, this.base, this.hosted, this.top, this.placeholder);
    this.baseContext = /** @type {CanvasRenderingContext2D} */ (this.base.getContext("2d", { alpha: false }));
    this.topContext = /** @type {CanvasRenderingContext2D} */ (this.top.getContext("2d"));
    this.baseDirty = this.topDirty = false;
    this.waiting = 0;
    this.frameSize = { width: 0, height: 0 };
    this.watch = new ResizeObserver(() => this.measure());
    this.watch.observe(this.el);
  }

  close() {
    this.watch.disconnect();
    cancelAnimationFrame(this.waiting);
  }

  // --- what is shown

  /** Fits the backing stores to the box on the screen, at the device's own px. */
  measure() {
    const box = this.el.getBoundingClientRect();
    const width = this.el.clientWidth;
    const height = this.el.clientHeight;
    if (!width || !height || !box.width) return;
    const ratio = window.devicePixelRatio || 1;
    if (width === this.size.width && height === this.size.height && ratio === this.ratio && this.base.width) return;
    this.size = { width, height };
    this.ratio = ratio;
    for (const canvas of [this.base, this.top]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.setView(this.fitted ? fit(this.frameSize, this.size) : kept(this.view, this.frameSize, this.size), this.fitted);
  }

  /** Shows another frame, or the same one after its picture or labels changed. */
  refresh() {
    const { content, facts, picture } = this.options.frame();
    const size = facts && facts.width > 0 ? facts : picture?.bitmap;
    if (size && (size.width !== this.frameSize.width || size.height !== this.frameSize.height)) {
      this.frameSize = { width: size.width, height: size.height };
      this.setView(fit(this.frameSize, this.size), true);
    }
    if (this.selectedId && content && !content.annotations.some((annotation) => annotation.id === this.selectedId)) this.select(null);
    const problem = facts?.problem ?? picture?.problem ?? null;
    this.editable = Boolean(content) && !problem && !this.locked;
    this.visible = Boolean(content) && !problem;
    this.el.classList.toggle("lk-loading", !problem && !picture);
    this.placeholder.hidden = !problem && Boolean(picture);
    if (problem) this.placeholder.replaceChildren(h("strong", {}, "This frame has no picture"), h("code", {}, problem), h("span", {}, "Labels cannot be drawn here; flags can be set."));
    else this.placeholder.replaceChildren(h("span", {}, "Loading the frame\u2026"));
    this.repaint();
  }

  repaint() {
    this.baseDirty = this.topDirty = true;
    this.plan();
  }

  plan() {
    if (!this.waiting) this.waiting = requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.waiting = 0;
    if (this.baseDirty) this.paintBase();
    if (this.topDirty) this.paintTop();
    this.baseDirty = this.topDirty = false;
  }

  paintBase() {
    const { content, picture } = this.options.frame();
    const context = this.baseContext;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = "#1a1c1f";
    context.fillRect(0, 0, this.size.width, this.size.height);
    if (picture?.bitmap) {
      const { scale, left, top } = this.view;
      context.imageSmoothingEnabled = scale * this.ratio < 4;
      context.filter = this.filter();
      context.drawImage(picture.bitmap, left, top, this.frameSize.width * scale, this.frameSize.height * scale);
      context.filter = "none";
    }
    if (!content || !this.visible || this.hidden) return;
    this.options.below(context, this.view);
    const moving = this.gesture?.target?.id ?? this.selectedId;
    const still = byArea(content.annotations.filter((annotation) => annotation.id !== moving));
    for (const annotation of still) draw(context, annotation, this.view, this.options.style(annotation.label));
    if (still.length <= CROWD) drawCaptions(context, still.sort((a, b) => (a.score ?? 2) - (b.score ?? 2)).map((shape) => this.caption(shape)), this.view);
  }

  /** Sets the light of the picture; the caller repaints. @param {import("./light.js").Light} light */
  light({ brightness, contrast }) {
    this.brightness = brightness;
    this.contrast = contrast;
  }

  /** The filter of the picture for this view's brightness and contrast. */
  filter() {
    return this.brightness === 1 && this.contrast === 1 ? "none" : `brightness(${this.brightness}) contrast(${this.contrast})`;
  }

  paintTop() {
    const context = this.topContext;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.size.width, this.size.height);
    if (!this.visible || this.hidden) return;
    const active = this.gesture?.shape ?? this.selected();
    const hovered = this.gesture || this.hoverId === this.selectedId ? undefined : this.annotation(this.hoverId);
    for (const shape of [hovered, active]) {
      if (!shape) continue;
      draw(context, shape, this.view, this.options.style(shape.label), true);
      drawCaptions(context, [this.caption(shape)], this.view);
    }
    if (active) {
      if (this.editable && (!this.gesture || this.gesture.kind === "press" || this.gesture.kind === "nudge")) drawHandles(context, active, this.view);
    }
    if (this.pointer && this.tool !== "select" && !this.panning && (!this.gesture || this.gesture.kind === "draw")) this.crosshair(context, this.pointer);
    this.options.above(context);
  }

  /** @param {CanvasRenderingContext2D} context @param {Place} at */
  crosshair(context, at) {
    context.strokeStyle = "rgba(255, 255, 255, 0.7)";
    context.lineWidth = 1;
    context.setLineDash([4, 4]);
    context.beginPath();
    context.moveTo(0, Math.round(at.y) + 0.5);
    context.lineTo(this.size.width, Math.round(at.y) + 0.5);
    context.moveTo(Math.round(at.x) + 0.5, 0);
    context.lineTo(Math.round(at.x) + 0.5, this.size.height);
    context.stroke();
    context.setLineDash([]);
  }

  /** What is written at a shape. @param {Annotation} shape */
  caption(shape) {
    const score = shape.score === null ? "" : ` ${Math.round(shape.score * 100)}%`;
    return { text: shape.label + score, shape, style: this.options.style(shape.label) };
  }

  // --- the view

  /** @param {View} view @param {boolean} [fitted] */
  setView(view, fitted = false) {
    this.view = view;
    this.fitted = fitted;
    this.repaint();
    this.options.moved(view, this.ratio);
  }

  /** Zooms around a place of the screen, else around the middle. @param {number} factor @param {Place} [at] */
  zoom(factor, at = { x: this.size.width / 2, y: this.size.height / 2 }) {
    const view = zoomed(this.view, factor, at.x, at.y, this.frameSize, this.size);
    this.setView(view, view.scale === fit(this.frameSize, this.size).scale);
  }

  zoomFit() {
    this.setView(fit(this.frameSize, this.size), true);
  }

  // --- the selection

  /** @param {string | null} id */
  annotation(id) {
    return id ? this.options.frame().content?.annotations.find((annotation) => annotation.id === id) : undefined;
  }

  selected() {
    return this.annotation(this.selectedId);
  }

  /** @param {string | null} id */
  select(id) {
    if (id === this.selectedId) return;
    this.selectedId = id;
    this.repaint();
    this.options.selected(id);
  }
}

/** Large ones first, so that small ones are drawn over them. @param {Annotation[]} annotations */
export function byArea(annotations) {
  return [...annotations].sort((a, b) => (b.width ?? 0) * (b.height ?? 0) - (a.width ?? 0) * (a.height ?? 0));
}
