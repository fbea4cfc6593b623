/**
 * A frame with its labels before and after: side by side, or both on one picture; while a key is held, what was there before.
 * @module
 */

import { button, h } from "../shared/dom.js";
import { fit } from "../shared/geometry.js";
import { draw, drawCaptions } from "../shared/shapes.js";

/**
 * @typedef {{x: number, y: number, width: number | null, height: number | null, size: number | null}} Place
 * @typedef {{change: string, captions: [string, string], before: Place | null, after: Place | null}} Label
 * @typedef {import("../shared/shapes.js").Style} Style
 * @typedef {{media: string, index: number, width: number, height: number, mime: string, problem: string | null, sentence: string, labels: Label[], changed: string[][], alike: number, styles: Record<"before" | "after" | "alike", Style>}} Frame
 * @typedef {"before" | "after" | "both"} Side
 */

const CLOSE_MARGIN = 0.6;
const CLOSE_LEAST_PX = 48;
const ALIKE_OPACITY = 0.7;
const NAMES = { before: "Before", after: "After", both: "Before and after" };

/** @param {{height: number}} options  `height` is the pictures' at most, in px */
export function framePair({ height }) {
  const pictures = h("div", { class: "lk-diff-pictures" });
  const missing = h("p", { class: "lk-diff-missing lk-tone-warn", hidden: true });
  const legend = h("p", { class: "lk-dim lk-diff-legend" });
  const hold = h("button", { type: "button", class: "lk-button", title: "Hold to see what was there before (G)" }, "Hold: before", h("kbd", { "aria-hidden": "true" }, "G"));
  const close = button("Close-up", () => zoom(!near), { title: "Show the part of the frame that changed (Z)" });
  const element = h("section", { class: "lk-stack lk-diff-frame", "aria-label": "Labels on the frame", hidden: true }, pictures, missing, h("div", { class: "lk-row lk-spread" }, legend, h("div", { class: "lk-row" }, close, hold)));
  /** @type {Frame | null} */
  let frame = null;
  /** @type {ImageBitmap | null} */
  let bitmap = null;
  let together = false;
  let held = false;
  let near = false;
  let turn = 0;
  /** @type {{side: Side, figure: HTMLElement, canvas: HTMLCanvasElement, name: HTMLElement}[]} */
  let shown = [];
  const watch = new ResizeObserver(() => paint());
  watch.observe(pictures);
  for (const start of ["pointerdown", "keydown"]) hold.addEventListener(start, (event) => (!(event instanceof KeyboardEvent) || event.key === " " || event.key === "Enter") && flip(true));
  for (const end of ["pointerup", "pointerleave", "pointercancel", "keyup", "blur"]) hold.addEventListener(end, () => flip(false));
  close.setAttribute("aria-pressed", "false");

  function lay() {
    shown = /** @type {Side[]} */ (together ? ["both"] : ["before", "after"]).map((side) => {
      const canvas = h("canvas", { role: "img" });
      const name = h("figcaption", {}, NAMES[side]);
      return { side, canvas, name, figure: h("figure", {}, name, canvas) };
    });
    pictures.replaceChildren(...shown.map((one) => one.figure));
    pictures.classList.toggle("lk-diff-one", together);
    paint();
  }

  /** The part of the frame to show: all of it, or what changed with some room around it. @param {Frame} of */
  function part(of) {
    const changed = of.labels.filter((label) => label.change !== "same").flatMap((label) => [label.before, label.after]).filter((place) => place !== null);
    if (!near || !changed.length) return { x: 0, y: 0, width: of.width, height: of.height };
    const half = (/** @type {Place} */ place) => (place.width === null ? Math.max(place.size ?? 0, 12) / 2 : 0);
    const left = Math.min(...changed.map((place) => place.x - half(place)));
    const top = Math.min(...changed.map((place) => place.y - half(place)));
    const right = Math.max(...changed.map((place) => place.x + (place.width ?? half(place))));
    const bottom = Math.max(...changed.map((place) => place.y + (place.height ?? half(place))));
    const aspect = of.width / of.height;
    const wide = Math.min(of.width, Math.max((right - left) * (1 + CLOSE_MARGIN), (bottom - top) * (1 + CLOSE_MARGIN) * aspect, CLOSE_LEAST_PX * aspect));
    const high = wide / aspect;
    const at = (/** @type {number} */ middle, /** @type {number} */ long, /** @type {number} */ end) => Math.min(Math.max(middle - long / 2, 0), end - long);
    return { x: at((left + right) / 2, wide, of.width), y: at((top + bottom) / 2, high, of.height), width: wide, height: high };
  }

  function paint() {
    if (!frame || !shown.length) return;
    for (const one of shown) {
      const width = one.figure.clientWidth;
      if (!width) continue;
      const ratio = window.devicePixelRatio || 1;
      const aspect = frame.width / frame.height || 1;
      const high = Math.min(height * (together ? 1.4 : 1), width / aspect);
      const size = { width: Math.round(Math.min(width, high * aspect)), height: Math.round(high) };
      one.canvas.style.width = `${size.width}px`;
      one.canvas.style.height = `${size.height}px`;
      one.canvas.width = Math.round(size.width * ratio);
      one.canvas.height = Math.round(size.height * ratio);
      const side = held && one.side !== "before" ? "before" : one.side;
      one.name.textContent = NAMES[side];
      one.canvas.setAttribute("aria-label", `${NAMES[side]}: frame ${frame.index + 1} of ${frame.media}`);
      const context = /** @type {CanvasRenderingContext2D} */ (one.canvas.getContext("2d"));
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      const from = part(frame);
      const whole = fit(from, size);
      const view = { scale: whole.scale, left: whole.left - from.x * whole.scale, top: whole.top - from.y * whole.scale };
      context.fillStyle = "#101214";
      context.fillRect(0, 0, size.width, size.height);
      if (bitmap) context.drawImage(bitmap, view.left, view.top, frame.width * view.scale, frame.height * view.scale);
      labels(context, frame, side, view);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Frame} of @param {Side} side @param {import("../shared/geometry.js").View} view */
  function labels(context, of, side, view) {
    /** @param {Place} place @param {string} label */
    const drawable = (place, label) => ({ ...place, label, score: null });
    /** @type {{text: string, shape: import("../shared/shapes.js").Drawable, style: Style}[]} */
    const captions = [];
    context.save();
    context.globalAlpha = ALIKE_OPACITY;
    for (const one of of.labels) if (one.change === "same" && one.after) draw(context, drawable(one.after, ""), view, of.styles.alike);
    context.restore();
    for (const one of of.labels) {
      if (one.change === "same") continue;
      if (one.before && side !== "after") {
        draw(context, drawable(one.before, ""), view, of.styles.before);
        if (side === "before" || !one.after) captions.push({ text: one.captions[0], shape: drawable(one.before, ""), style: of.styles.before });
      }
      if (one.after && side !== "before") {
        draw(context, drawable(one.after, ""), view, of.styles.after);
        captions.push({ text: one.captions[1], shape: drawable(one.after, ""), style: of.styles.after });
      }
    }
    drawCaptions(context, captions, view);
  }

  /** @param {boolean} on */
  function flip(on) {
    if (held === on) return;
    held = on;
    hold.setAttribute("aria-pressed", String(on));
    paint();
  }

  /** @param {boolean} on */
  function zoom(on) {
    near = on;
    close.setAttribute("aria-pressed", String(on));
    paint();
  }

  /** @param {string} side @param {string} text */
  const sample = (side, text) => h("span", { class: `lk-diff-key lk-diff-key-${side}` }, text);

  return {
    element,
    flip,
    zoom: () => zoom(!near),
    /** @param {boolean} on  both sides on one picture */
    arrange(on) {
      together = on;
      lay();
    },
    /** Shows a frame with the bytes of its picture; null where the row has none. @param {Frame | null} next @param {DataView | undefined} bytes */
    async show(next, bytes) {
      const mine = (turn += 1);
      element.hidden = !next;
      if (!next) {
        frame = null;
        return;
      }
      /** @type {ImageBitmap | null} */
      let made = null;
      let problem = next.problem;
      if (bytes)
        try {
          made = await createImageBitmap(new Blob([/** @type {any} */ (bytes)], { type: next.mime }));
        } catch {
          problem = "FRAME_NOT_DECODABLE";
        }
      if (mine !== turn) return made?.close();
      bitmap?.close();
      bitmap = made;
      frame = next;
      missing.hidden = !problem;
      missing.replaceChildren(h("strong", {}, "No picture"), h("code", { class: "lk-code" }, problem ?? ""), ` ${next.sentence}`);
      legend.replaceChildren(sample("before", "before"), sample("after", "after"), sample("alike", `${next.alike} alike`));
      lay();
    },
    close() {
      turn += 1;
      watch.disconnect();
      bitmap?.close();
    },
  };
}
