/**
 * The marks of a frame's facts, the same on the timeline and under the small pictures: how far it is, flags, a leap, no picture.
 * @module
 */

import { h } from "../shared/dom.js";
import { between } from "../shared/geometry.js";

/** @typedef {"untouched" | "seen" | "edited" | "accepted"} State */

/**
 * One list a fact, one entry a frame.
 * @typedef {{states: State[], flags: string[][], counts: number[], min_score: (number | null)[], problem: (string | null)[], risk?: number[]}} Overview
 * `risk` is there once the kernel has weighed the frames
 */

/**
 * What is marked of a frame, or of several that share a column.
 * @typedef {{state: State, flagged: boolean, broken: boolean, fast: boolean, risk: number}} Facts
 */

const THEME_LOADS_MS = 500;
/** The share of the bar's height: a state is told by height and colour. @type {Record<State, number>} */
const LEVEL = { untouched: 0.25, seen: 0.5, edited: 0.8, accepted: 1 };
/** @type {Record<State, string>} */
const COLOUR = { untouched: "--lk-line-strong", seen: "--lk-dim", edited: "--lk-accent", accepted: "--lk-good" };
/** The order in which frames of one column count: the least finished one is shown. */
const ORDER = /** @type {State[]} */ (Object.keys(LEVEL));

/**
 * @param {{overview: Overview, words: (flag: string) => string, fast: ReadonlyMap<number, unknown>}} options
 *   `words` names a flag; `fast` holds the frames to which a point moved faster than it can
 */
export function marks({ overview, words, fast }) {
  const count = overview.states.length;
  return {
    count,
    /** What is marked of the frames from `first` until before `last`. @param {number} first @param {number} [last] @returns {Facts} */
    of(first, last = first + 1) {
      /** @type {Facts} */
      const facts = { state: "accepted", flagged: false, broken: false, fast: false, risk: 0 };
      for (let index = first; index < last; index += 1) {
        if (ORDER.indexOf(overview.states[index]) < ORDER.indexOf(facts.state)) facts.state = overview.states[index];
        facts.flagged ||= overview.flags[index].length > 0;
        facts.broken ||= overview.problem[index] !== null;
        facts.fast ||= fast.has(index);
        facts.risk = Math.max(facts.risk, overview.risk?.[index] ?? 0);
      }
      return facts;
    },
    /** @param {number} index */
    problem: (index) => overview.problem[index],
    /** The same in words. @param {number} index */
    told(index) {
      const risk = overview.risk?.[index];
      return [
        `Frame ${index + 1} of ${count}: ${overview.states[index]}`,
        overview.problem[index] ? `no picture, ${overview.problem[index]}` : `${overview.counts[index]} object${overview.counts[index] === 1 ? "" : "s"}`,
        risk === undefined ? null : `risk ${Math.round(risk * 100)}%`,
        fast.has(index) ? "moved too fast" : null,
        ...overview.flags[index].map(words),
      ]
        .filter(Boolean)
        .join(", ");
    },
  };
}

/** The colours of the theme as a canvas understands them, looked up once a painting. @param {HTMLElement} el */
export function palette(el) {
  /** @type {Map<string, string>} */
  const found = new Map();
  const probe = h("span", { hidden: true });
  el.append(probe);
  return {
    forget: () => found.clear(),
    /** @param {string} name of a variable */
    of(name) {
      if (!found.has(name)) {
        probe.style.color = `var(${name})`;
        found.set(name, getComputedStyle(probe).color);
      }
      return /** @type {string} */ (found.get(name));
    },
  };
}

/**
 * A bar that stands the higher, the further its frame is, red at its foot where there is no picture.
 * @param {CanvasRenderingContext2D} context @param {ReturnType<typeof palette>} colours @param {Facts} facts
 * @param {{left: number, top: number, width: number, height: number}} place
 */
export function drawBar(context, colours, facts, { left, top, width, height }) {
  const tall = height * LEVEL[facts.state];
  context.fillStyle = colours.of(COLOUR[facts.state]);
  context.fillRect(left, top + height - tall, width, tall);
  if (!facts.broken) return;
  context.fillStyle = colours.of("--lk-bad");
  context.fillRect(left, top + height - 3, width, 3);
}

/** A pennant, 7 px wide and 6 px high. @param {CanvasRenderingContext2D} context @param {ReturnType<typeof palette>} colours @param {number} middle @param {number} top */
export function drawFlag(context, colours, middle, top) {
  context.fillStyle = colours.of("--lk-warn");
  context.beginPath();
  context.moveTo(middle - 3.5, top);
  context.lineTo(middle + 3.5, top);
  context.lineTo(middle, top + 6);
  context.fill();
}

/** A cross of 6 px with a rim for a point that moved too fast. @param {CanvasRenderingContext2D} context @param {ReturnType<typeof palette>} colours @param {number} middle @param {number} top */
export function drawLeap(context, colours, middle, top) {
  context.beginPath();
  for (const side of [-3, 3]) {
    context.moveTo(middle - side, top);
    context.lineTo(middle + side, top + 6);
  }
  for (const [colour, width] of /** @type {[string, number][]} */ ([["--lk-bg", 5], ["--lk-bad", 2]])) {
    context.strokeStyle = colours.of(colour);
    context.lineWidth = width;
    context.stroke();
  }
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

/**
 * Lets the arrow and paging keys of a slider over frames go to a frame.
 * @param {HTMLElement} el
 * @param {{count: number, cursor: () => number, page: () => number, go: (index: number) => void}} options  `page` is how far PageUp goes
 */
export function slideByKeys(el, { count, cursor, page, go }) {
  el.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const now = cursor();
    /** @type {Record<string, number>} */
    const target = { ArrowLeft: now - 1, ArrowRight: now + 1, ArrowDown: now - 1, ArrowUp: now + 1, PageUp: now - page(), PageDown: now + page(), Home: 0, End: count - 1 };
    if (!(event.key in target)) return;
    event.preventDefault();
    event.stopPropagation();
    go(between(target[event.key], 0, count - 1));
  });
}
