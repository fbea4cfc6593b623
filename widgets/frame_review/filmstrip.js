/**
 * Small pictures of the frames around the cursor with the marks of the timeline: one canvas, only what fits on it. A frame that is in the
 * cache is made small here; the others are asked for in batches once the cursor rests.
 * @module
 */

import { h } from "../shared/dom.js";
import { between } from "../shared/geometry.js";
import { drawBar, drawFlag, drawLeap, palette, slideByKeys } from "./marks.js";

const SIDE_PX = 96;
const PICTURE_PX = 54;
const EDGE_PX = 3;
const FOOT_PX = 18;
const HEIGHT = PICTURE_PX + 2 * EDGE_PX + FOOT_PX;
const TILE_PX = SIDE_PX + 2 * EDGE_PX;
const BATCH = 12;
const REST_MS = 200;
const KEPT = 400;

/**
 * @param {{kernel: import("../shared/commands.js").Channel, marks: ReturnType<typeof import("./marks.js").marks>, go: (index: number) => void}} options
 */
export function filmstrip({ kernel, marks, go }) {
  const { count } = marks;
  const canvas = h("canvas", { class: "lk-film-canvas", height: HEIGHT });
  const el = h("div", { class: "lk-film", tabindex: "0", role: "slider", "aria-label": "Filmstrip", "aria-valuemin": "1", "aria-valuemax": count }, canvas);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const colours = palette(el);
  /** @type {Map<number, ImageBitmap>} in the order of arrival */
  const pictures = new Map();
  /** @type {Set<number>} */
  const asked = new Set();
  /** Frames of which the kernel could make no small picture. @type {Set<number>} */
  const without = new Set();
  let cursor = 0;
  let waiting = 0;
  let rest = 0;
  let closed = false;

  /** The first frame in sight, how many there are, and how far one is from the next: as many as fit fill the strip. */
  function sight() {
    const most = Math.max(Math.floor((el.clientWidth + 2) / (TILE_PX + 2)), 1);
    const room = Math.min(most, count);
    return { first: between(cursor - Math.floor(room / 2), 0, count - room), room, step: most > 1 ? (el.clientWidth - TILE_PX) / (most - 1) : TILE_PX };
  }

  const plan = () => {
    if (!waiting && !el.hidden) waiting = requestAnimationFrame(paint);
  };
  const watch = new ResizeObserver(() => (plan(), later()));
  watch.observe(el);

  function paint() {
    waiting = 0;
    colours.forget();
    const width = el.clientWidth;
    if (!width || !count) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.textBaseline = "middle";
    const { first, room, step } = sight();
    for (let at = 0; at < room; at += 1) {
      const left = Math.round(at * step) + EDGE_PX;
      paintPicture(first + at, left);
      paintFoot(first + at, left);
      if (first + at !== cursor) continue;
      context.strokeStyle = colours.of("--lk-text");
      context.lineWidth = 2;
      context.strokeRect(left - 2, EDGE_PX - 2, SIDE_PX + 4, HEIGHT - 2 * EDGE_PX + 4);
    }
  }

  /** @param {number} index @param {number} left */
  function paintPicture(index, left) {
    const picture = pictures.get(index);
    const missing = marks.problem(index) !== null || without.has(index);
    context.fillStyle = picture ? "#1a1c1f" : colours.of(missing ? "--lk-bad-soft" : "--lk-bg-raised");
    context.fillRect(left, EDGE_PX, SIDE_PX, PICTURE_PX);
    if (picture) {
      const scale = Math.min(SIDE_PX / picture.width, PICTURE_PX / picture.height);
      context.drawImage(picture, left + (SIDE_PX - picture.width * scale) / 2, EDGE_PX + (PICTURE_PX - picture.height * scale) / 2, picture.width * scale, picture.height * scale);
      return;
    }
    context.strokeStyle = context.fillStyle = colours.of(missing ? "--lk-bad" : "--lk-dim");
    context.lineWidth = 1;
    context.setLineDash(missing ? [] : [3, 3]);
    context.strokeRect(left + 0.5, EDGE_PX + 0.5, SIDE_PX - 1, PICTURE_PX - 1);
    context.setLineDash([]);
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText(missing ? "no picture" : "\u2026", left + SIDE_PX / 2, EDGE_PX + PICTURE_PX / 2);
    context.textAlign = "left";
  }

  /** The frame's number and marks below its picture. @param {number} index @param {number} left */
  function paintFoot(index, left) {
    const facts = marks.of(index);
    const top = EDGE_PX + PICTURE_PX + 3;
    context.clearRect(left, EDGE_PX + PICTURE_PX, SIDE_PX, FOOT_PX);
    drawBar(context, colours, facts, { left: left + 2, top, width: 8, height: FOOT_PX - 5 });
    context.fillStyle = colours.of(index === cursor ? "--lk-text" : "--lk-dim");
    context.font = `${index === cursor ? "600 " : ""}11px system-ui, sans-serif`;
    context.fillText(String(index + 1), left + 15, top + (FOOT_PX - 5) / 2 + 0.5);
    let right = left + SIDE_PX - 7;
    if (facts.fast) drawLeap(context, colours, right, top + 4);
    if (facts.fast) right -= 14;
    if (facts.flagged) drawFlag(context, colours, right, top + 4);
  }

  /** @param {number} index @param {ImageBitmap} picture */
  function keep(index, picture) {
    if (closed) return picture.close();
    pictures.get(index)?.close();
    pictures.set(index, picture);
    without.delete(index);
    for (const [oldest, old] of pictures) {
      if (pictures.size <= KEPT) break;
      pictures.delete(oldest);
      asked.delete(oldest);
      old.close();
    }
    plan();
  }

  function later() {
    clearTimeout(rest);
    rest = window.setTimeout(ask, REST_MS);
  }

  async function ask() {
    const { first, room } = sight();
    const missing = Array.from({ length: room }, (_, at) => first + at).filter((index) => !pictures.has(index) && !asked.has(index) && marks.problem(index) === null);
    if (closed || el.hidden || !el.clientWidth || !missing.length || kernel.gone()) return;
    const batch = missing.slice(0, BATCH);
    for (const index of batch) asked.add(index);
    const answer = await kernel.ask("thumbnails", { indices: batch }, { patience: 60_000 }).catch(() => null);
    for (const index of batch) {
      if (!answer) asked.delete(index);
      else if (!answer.sent.includes(index)) without.add(index);
    }
    plan();
    if (answer) void ask();
  }

  kernel.on("thumbnails", (data, buffers) => {
    data.indices.forEach((/** @type {number} */ index, /** @type {number} */ at) => createImageBitmap(new Blob([/** @type {any} */ (buffers[at])], { type: data.mime })).then((picture) => keep(index, picture), () => undefined));
  });

  /** The frame under the pointer; undefined beside the last one. @param {PointerEvent} event */
  function under(event) {
    const { first, room, step } = sight();
    const at = Math.floor((event.clientX - el.getBoundingClientRect().left) / step);
    return at >= 0 && at < room ? first + at : undefined;
  }

  el.addEventListener("pointerdown", (event) => {
    const index = under(event);
    if (event.button === 0 && index !== undefined) go(index);
  });
  el.addEventListener("pointermove", (event) => {
    const index = under(event);
    el.title = index === undefined ? "" : marks.told(index);
  });
  slideByKeys(el, { count, cursor: () => cursor, page: () => sight().room, go });

  return {
    el,
    /** @param {number} index */
    show(index) {
      cursor = index;
      el.setAttribute("aria-valuenow", String(index + 1));
      this.refresh();
      later();
    },
    /** Paints anew after a fact or the theme changed. */
    refresh() {
      el.setAttribute("aria-valuetext", marks.told(cursor));
      plan();
    },
    /** Makes a small picture of one that the cache has. @param {number} index @param {ImageBitmap | null | undefined} bitmap */
    take(index, bitmap) {
      if (!bitmap || pictures.has(index)) return;
      const scale = Math.min(SIDE_PX / bitmap.width, SIDE_PX / bitmap.height, 1);
      createImageBitmap(bitmap, { resizeWidth: Math.max(Math.round(bitmap.width * scale), 1), resizeHeight: Math.max(Math.round(bitmap.height * scale), 1), resizeQuality: "medium" }).then((picture) => keep(index, picture), () => undefined);
    },
    /** @param {boolean} on */
    open(on) {
      if (el.hidden !== on) return;
      el.hidden = !on;
      plan();
      later();
    },
    close() {
      closed = true;
      watch.disconnect();
      clearTimeout(rest);
      cancelAnimationFrame(waiting);
      for (const picture of pictures.values()) picture.close();
      pictures.clear();
    },
  };
}
