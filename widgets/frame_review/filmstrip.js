/**
 * Small pictures of the frames around the cursor: one canvas, only what fits on it. A frame that is in the cache is made small here; the
 * others are asked for in batches once the cursor rests.
 * @module
 */

import { h } from "../shared/dom.js";
import { between } from "../shared/geometry.js";

const SIDE_PX = 96;
const HEIGHT = 58;
const STEP_PX = SIDE_PX + 4;
const BATCH = 12;
const REST_MS = 200;
const KEPT = 400;

/**
 * @param {{kernel: import("../shared/commands.js").Channel, count: number, go: (index: number) => void}} options
 */
export function filmstrip({ kernel, count, go }) {
  const canvas = h("canvas", { class: "lk-film-canvas", height: HEIGHT });
  const el = h("div", { class: "lk-film", tabindex: "0", role: "slider", "aria-label": "Filmstrip", "aria-valuemin": "1", "aria-valuemax": count, title: "Click a picture to go to its frame" }, canvas);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  /** @type {Map<number, ImageBitmap>} in the order of arrival */
  const pictures = new Map();
  /** @type {Set<number>} */
  const asked = new Set();
  let cursor = 0;
  let waiting = 0;
  let rest = 0;
  let closed = false;

  /** The first frame in sight and how many there are. */
  function sight() {
    const room = Math.min(Math.max(Math.floor(el.clientWidth / STEP_PX), 1), count);
    return { first: between(cursor - Math.floor(room / 2), 0, count - room), room };
  }

  const plan = () => {
    if (!waiting) waiting = requestAnimationFrame(paint);
  };
  const watch = new ResizeObserver(() => (plan(), later()));
  watch.observe(el);

  function paint() {
    waiting = 0;
    const width = el.clientWidth;
    if (!width || !count) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { first, room } = sight();
    const style = getComputedStyle(el);
    for (let at = 0; at < room; at += 1) {
      const index = first + at;
      const left = at * STEP_PX + 2;
      context.fillStyle = "#1a1c1f";
      context.fillRect(left, 2, SIDE_PX, HEIGHT - 4);
      const picture = pictures.get(index);
      if (picture) {
        const scale = Math.min(SIDE_PX / picture.width, (HEIGHT - 4) / picture.height);
        context.drawImage(picture, left + (SIDE_PX - picture.width * scale) / 2, 2 + (HEIGHT - 4 - picture.height * scale) / 2, picture.width * scale, picture.height * scale);
      }
      context.fillStyle = "rgba(0, 0, 0, 0.7)";
      const text = String(index + 1);
      context.font = "11px system-ui, sans-serif";
      context.fillRect(left, HEIGHT - 16, context.measureText(text).width + 8, 14);
      context.fillStyle = "#ffffff";
      context.textBaseline = "middle";
      context.fillText(text, left + 4, HEIGHT - 8.5);
      if (index !== cursor) continue;
      context.strokeStyle = style.borderTopColor;
      context.lineWidth = 3;
      context.strokeRect(left, 2, SIDE_PX, HEIGHT - 4);
    }
  }

  /** @param {number} index @param {ImageBitmap} picture */
  function keep(index, picture) {
    if (closed) return picture.close();
    pictures.get(index)?.close();
    pictures.set(index, picture);
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
    const missing = Array.from({ length: room }, (_, at) => first + at).filter((index) => !pictures.has(index) && !asked.has(index));
    if (closed || el.hidden || !el.clientWidth || !missing.length || kernel.gone()) return;
    const batch = missing.slice(0, BATCH);
    for (const index of batch) asked.add(index);
    const answer = await kernel.ask("thumbnails", { indices: batch }, { patience: 60_000 }).catch(() => null);
    if (!answer) for (const index of batch) asked.delete(index);
    else void ask();
  }

  kernel.on("thumbnails", (data, buffers) => {
    data.indices.forEach((/** @type {number} */ index, /** @type {number} */ at) => createImageBitmap(new Blob([/** @type {any} */ (buffers[at])], { type: data.mime })).then((picture) => keep(index, picture), () => undefined));
  });
  el.addEventListener("pointerdown", (event) => {
    const at = Math.floor((event.clientX - el.getBoundingClientRect().left - el.clientLeft) / STEP_PX);
    const { first, room } = sight();
    if (event.button === 0 && at >= 0 && at < room) go(first + at);
  });
  el.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    /** @type {Record<string, number>} */
    const target = { ArrowLeft: cursor - 1, ArrowRight: cursor + 1, PageUp: cursor - sight().room, PageDown: cursor + sight().room, Home: 0, End: count - 1 };
    if (!(event.key in target)) return;
    event.preventDefault();
    event.stopPropagation();
    go(between(target[event.key], 0, count - 1));
  });

  return {
    el,
    /** @param {number} index */
    show(index) {
      cursor = index;
      el.setAttribute("aria-valuenow", String(index + 1));
      el.setAttribute("aria-valuetext", `Frame ${index + 1} of ${count}`);
      plan();
      later();
    },
    /** Makes a small picture of one that the cache has. @param {number} index @param {ImageBitmap | null | undefined} bitmap */
    take(index, bitmap) {
      if (!bitmap || pictures.has(index)) return;
      const scale = Math.min(SIDE_PX / bitmap.width, SIDE_PX / bitmap.height, 1);
      createImageBitmap(bitmap, { resizeWidth: Math.max(Math.round(bitmap.width * scale), 1), resizeHeight: Math.max(Math.round(bitmap.height * scale), 1), resizeQuality: "medium" }).then((picture) => keep(index, picture), () => undefined);
    },
    toggle() {
      el.hidden = !el.hidden;
      if (!el.hidden) later();
      plan();
      return !el.hidden;
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
