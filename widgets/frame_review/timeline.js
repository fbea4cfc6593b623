/**
 * The strip of all frames: how far each is, its flags, and its risk. One canvas, whatever the number of frames.
 * @module
 */

import { h } from "../shared/dom.js";
import { between } from "../shared/geometry.js";
import { drawBar, drawFlag, drawLeap, palette, slideByKeys } from "./marks.js";

const HEIGHT = 48;
const FLAGS_PX = 8;
const BAR_PX = 24;
const WIDEST_PX = 28;
const RISK_TOP = FLAGS_PX + BAR_PX + 4;
const RISK_PX = HEIGHT - RISK_TOP;
const LEAP_TOP = FLAGS_PX + BAR_PX - 14;

/**
 * @param {{marks: ReturnType<typeof import("./marks.js").marks>, go: (index: number) => void}} options
 */
export function timeline({ marks, go }) {
  const { count } = marks;
  const canvas = h("canvas", { class: "lk-timeline-canvas", height: HEIGHT });
  const el = h("div", { class: "lk-timeline", tabindex: "0", role: "slider", "aria-label": "Frames", "aria-valuemin": "1", "aria-valuemax": count }, canvas);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const colours = palette(el);
  let cursor = 0;
  let waiting = 0;
  let scrubbing = false;

  const plan = () => {
    if (!waiting) waiting = requestAnimationFrame(paint);
  };
  const watch = new ResizeObserver(plan);
  watch.observe(el);

  function paint() {
    waiting = 0;
    colours.forget();
    const width = el.clientWidth;
    if (!width || !count) return;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, HEIGHT);
    const columns = Math.min(count, Math.floor(width));
    const wide = Math.min(width / columns, WIDEST_PX);
    const gap = wide >= 4 ? 1 : 0;
    for (let column = 0; column < columns; column += 1) {
      const first = Math.floor((column * count) / columns);
      const facts = marks.of(first, Math.max(Math.floor(((column + 1) * count) / columns), first + 1));
      const left = column * wide;
      const middle = left + (wide - gap) / 2;
      drawBar(context, colours, facts, { left, top: FLAGS_PX, width: wide - gap, height: BAR_PX });
      if (facts.flagged) drawFlag(context, colours, middle, 0);
      if (facts.fast) drawLeap(context, colours, middle, LEAP_TOP);
      if (facts.risk <= 0) continue;
      context.globalAlpha = 0.25 + 0.75 * facts.risk;
      context.fillStyle = colours.of("--lk-bad");
      context.fillRect(left, RISK_TOP + RISK_PX * (1 - facts.risk), wide - gap, RISK_PX * facts.risk);
      context.globalAlpha = 1;
    }
    const at = ((cursor + 0.5) * columns * wide) / count;
    const half = Math.max((wide - gap) / 2 + 1, 3);
    context.strokeStyle = colours.of("--lk-text");
    context.lineWidth = 2;
    context.strokeRect(between(at - gap / 2 - half, 1, width - 2 * half - 1), 1, 2 * half, HEIGHT - 2);
  }

  /** @param {PointerEvent} event */
  const under = (event) => between(Math.floor(((event.clientX - el.getBoundingClientRect().left) / Math.min(el.clientWidth, count * WIDEST_PX)) * count), 0, count - 1);

  el.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    scrubbing = true;
    el.setPointerCapture(event.pointerId);
    go(under(event));
  });
  el.addEventListener("pointermove", (event) => {
    const index = under(event);
    el.title = marks.told(index);
    if (scrubbing && index !== cursor) go(index);
  });
  for (const end of ["pointerup", "pointercancel"]) el.addEventListener(end, () => (scrubbing = false));
  slideByKeys(el, { count, cursor: () => cursor, page: () => 10, go });

  return {
    el,
    /** Marks the frame that is shown. @param {number} index */
    show(index) {
      cursor = index;
      el.setAttribute("aria-valuenow", String(index + 1));
      this.refresh();
    },
    /** Paints anew after a fact or the theme changed. */
    refresh() {
      el.setAttribute("aria-valuetext", marks.told(cursor));
      plan();
    },
    close() {
      watch.disconnect();
      cancelAnimationFrame(waiting);
    },
  };
}
