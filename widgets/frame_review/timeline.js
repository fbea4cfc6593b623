/**
 * The strip of all frames: how far each is, its flags, and its risk. One canvas, whatever the number of frames.
 * @module
 */

import { h } from "../shared/dom.js";
import { between } from "../shared/geometry.js";

/**
 * One list a fact, one entry a frame.
 * @typedef {{states: string[], flags: string[][], counts: number[], min_score: (number | null)[], problem: (string | null)[], risk?: number[]}} Overview
 * `risk` is there once the kernel has weighed the frames
 */

const THEME_LOADS_MS = 500;
const HEIGHT = 48;
const FLAGS_PX = 8;
const BAR_PX = 24;
const WIDEST_PX = 28;
const RISK_TOP = FLAGS_PX + BAR_PX + 4;
const RISK_PX = HEIGHT - RISK_TOP;
const LEVEL = { untouched: 0.25, seen: 0.5, edited: 0.8, accepted: 1 };
/** @type {Record<string, string>} */
const COLOUR = { untouched: "--lk-line-strong", seen: "--lk-dim", edited: "--lk-accent", accepted: "--lk-good" };

/** The order in which frames of one column count: the least finished one is shown. */
const ORDER = ["untouched", "seen", "edited", "accepted"];

/**
 * @param {{overview: Overview, go: (index: number) => void, words: (flag: string) => string, fast: ReadonlyMap<number, number>}} options
 *   `fast` holds the frames to which a point moved faster than it can
 */
export function timeline({ overview, go, words, fast }) {
  const canvas = h("canvas", { class: "lk-timeline-canvas", height: HEIGHT });
  const el = h("div", { class: "lk-timeline", tabindex: "0", role: "slider", "aria-label": "Frames", "aria-valuemin": "1", "aria-valuemax": overview.states.length }, canvas);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const count = overview.states.length;
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
    paints.clear();
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
      const last = Math.max(Math.floor(((column + 1) * count) / columns), first + 1);
      const facts = summary(first, last);
      const left = column * wide;
      const tall = BAR_PX * /** @type {any} */ (LEVEL)[facts.state];
      context.fillStyle = themed(COLOUR[facts.state]);
      context.fillRect(left, FLAGS_PX + BAR_PX - tall, wide - gap, tall);
      if (facts.broken) {
        context.fillStyle = themed("--lk-bad");
        context.fillRect(left, FLAGS_PX + BAR_PX - 3, wide - gap, 3);
      }
      if (facts.flagged) {
        context.fillStyle = themed("--lk-warn");
        context.beginPath();
        const middle = left + (wide - gap) / 2;
        context.moveTo(middle - 3.5, 0);
        context.lineTo(middle + 3.5, 0);
        context.lineTo(middle, FLAGS_PX - 2);
        context.fill();
      }
      if (facts.fast) {
        const middle = left + (wide - gap) / 2;
        context.strokeStyle = themed("--lk-bad");
        context.lineWidth = 2;
        context.beginPath();
        for (const side of [-3, 3]) {
          context.moveTo(middle - side, FLAGS_PX + BAR_PX - 14);
          context.lineTo(middle + side, FLAGS_PX + BAR_PX - 8);
        }
        context.stroke();
      }
      if (facts.risk > 0) {
        context.globalAlpha = 0.25 + 0.75 * facts.risk;
        context.fillStyle = themed("--lk-bad");
        context.fillRect(left, RISK_TOP + RISK_PX * (1 - facts.risk), wide - gap, RISK_PX * facts.risk);
        context.globalAlpha = 1;
      }
    }
    const at = ((cursor + 0.5) * columns * wide) / count;
    const half = Math.max((wide - gap) / 2 + 1, 3);
    context.strokeStyle = themed("--lk-text");
    context.lineWidth = 2;
    context.strokeRect(between(at - gap / 2 - half, 1, width - 2 * half - 1), 1, 2 * half, HEIGHT - 2);
  }

  /** @type {Map<string, string>} */
  const paints = new Map();
  /** A colour of the theme as the canvas understands it, looked up once a painting. @param {string} name */
  function themed(name) {
    if (!paints.has(name)) {
      probe.style.color = `var(${name})`;
      paints.set(name, getComputedStyle(probe).color);
    }
    return /** @type {string} */ (paints.get(name));
  }
  const probe = h("span", { hidden: true });
  el.append(probe);

  /** @param {number} first @param {number} last */
  function summary(first, last) {
    const facts = { state: "accepted", flagged: false, broken: false, fast: false, risk: 0 };
    for (let index = first; index < last; index += 1) {
      if (ORDER.indexOf(overview.states[index]) < ORDER.indexOf(facts.state)) facts.state = overview.states[index];
      facts.flagged ||= overview.flags[index].length > 0;
      facts.broken ||= overview.problem[index] !== null;
      facts.fast ||= fast.has(index);
      facts.risk = Math.max(facts.risk, overview.risk?.[index] ?? 0);
    }
    return facts;
  }

  /** @param {number} index */
  function told(index) {
    const risk = overview.risk?.[index];
    return [
      `Frame ${index + 1} of ${count}: ${overview.states[index]}`,
      overview.problem[index] ?? `${overview.counts[index]} object${overview.counts[index] === 1 ? "" : "s"}`,
      risk === undefined ? null : `risk ${Math.round(risk * 100)}%`,
      fast.has(index) ? "moved too fast" : null,
      ...overview.flags[index].map(words),
    ]
      .filter(Boolean)
      .join(", ");
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
    el.title = told(index);
    if (scrubbing && index !== cursor) go(index);
  });
  for (const end of ["pointerup", "pointercancel"]) el.addEventListener(end, () => (scrubbing = false));
  el.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, number>} */
    const target = { ArrowLeft: cursor - 1, ArrowRight: cursor + 1, ArrowDown: cursor - 1, ArrowUp: cursor + 1, PageUp: cursor - 10, PageDown: cursor + 10, Home: 0, End: count - 1 };
    if (!(event.key in target)) return;
    event.preventDefault();
    event.stopPropagation();
    go(between(target[event.key], 0, count - 1));
  });

  return {
    el,
    /** Marks the frame that is shown. @param {number} index */
    show(index) {
      cursor = index;
      el.setAttribute("aria-valuenow", String(index + 1));
      el.setAttribute("aria-valuetext", told(index));
      plan();
    },
    /** Paints anew after a fact or the theme changed. */
    refresh() {
      el.setAttribute("aria-valuetext", told(cursor));
      plan();
    },
    close() {
      watch.disconnect();
      cancelAnimationFrame(waiting);
    },
  };
}

/** Calls back when the page changes its theme, and again once its colours are loaded. @param {() => void} changed */
export function watchTheme(changed) {
  const watch = new MutationObserver(() => {
    changed();
    setTimeout(changed, THEME_LOADS_MS);
  });
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  return watch;
}
