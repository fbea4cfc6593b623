/**
 * Drawing boxes and points on a 2D context. Lines, marks and letters keep their size on the screen whatever the zoom, and every line has a
 * dark rim, so that it shows on grass, on shirts and in both themes.
 * @module
 */

import { between } from "./geometry.js";

/**
 * @typedef {import("./geometry.js").View} View
 * @typedef {{colour: string, dash: number[], mark: number[][]}} Style
 * @typedef {{x: number, y: number, width: number | null, height: number | null, size: number | null, label: string, score: number | null}} Drawable
 */

export const POINT_RADIUS_PX = 6;
export const HANDLE_PX = 7;
const RIM = "rgba(0, 0, 0, 0.55)";
const CAPTION_FONT = "500 11px system-ui, sans-serif";
const CAPTION_PX = 15;

/** The radius of a point's mark on the screen. @param {Drawable} shape @param {View} view */
export function radiusOf(shape, view) {
  return Math.max(((shape.size ?? 0) / 2) * view.scale, POINT_RADIUS_PX);
}

/**
 * Puts the outline of a shape into the context's path.
 * @param {CanvasRenderingContext2D} context @param {Drawable} shape @param {View} view @param {Style} style
 */
function outline(context, shape, view, style) {
  const x = shape.x * view.scale + view.left;
  const y = shape.y * view.scale + view.top;
  context.beginPath();
  if (shape.width !== null) return context.rect(x, y, shape.width * view.scale, Number(shape.height) * view.scale);
  const radius = radiusOf(shape, view);
  if (!style.mark.length) context.arc(x, y, radius, 0, 2 * Math.PI);
  style.mark.forEach(([dx, dy], i) => (i ? context.lineTo(x + dx * radius, y + dy * radius) : context.moveTo(x + dx * radius, y + dy * radius)));
  context.closePath();
  for (const [dx, dy] of [[-1, 0], [1, 0], [0, -1], [0, 1]]) {
    context.moveTo(x + dx * radius * 0.35, y + dy * radius * 0.35);
    context.lineTo(x + dx * radius * 0.75, y + dy * radius * 0.75);
  }
}

/**
 * Draws one shape.
 * @param {CanvasRenderingContext2D} context @param {Drawable} shape @param {View} view @param {Style} style
 * @param {boolean} [strong] for the one in hand
 */
export function draw(context, shape, view, style, strong = false) {
  outline(context, shape, view, style);
  context.setLineDash([]);
  context.strokeStyle = RIM;
  context.lineWidth = strong ? 5 : 3.5;
  context.stroke();
  if (strong) {
    context.globalAlpha = 0.14;
    context.fillStyle = style.colour;
    context.fill();
    context.globalAlpha = 1;
  }
  context.setLineDash(strong ? [] : style.dash);
  context.strokeStyle = style.colour;
  context.lineWidth = strong ? 2.5 : 1.75;
  context.stroke();
  context.setLineDash([]);
}

/**
 * Where a caption stands: over the corner of its shape, inside the screen.
 * @param {CanvasRenderingContext2D} context @param {string} text @param {Drawable} shape @param {View} view
 * @returns {{left: number, top: number, width: number, height: number}} px of the screen
 */
function captionBox(context, text, shape, view) {
  const point = shape.width === null ? radiusOf(shape, view) + 3 : 0;
  const y = shape.y * view.scale + view.top - (point ? CAPTION_PX / 2 : CAPTION_PX + 2);
  context.font = CAPTION_FONT;
  const width = context.measureText(text).width + 8;
  const screen = context.canvas.width / context.getTransform().a;
  return {
    left: between(shape.x * view.scale + view.left + point - 1, 0, screen - width),
    top: y < 0 ? shape.y * view.scale + view.top + 2 : y,
    width,
    height: CAPTION_PX,
  };
}

/**
 * Writes captions, the first ones first; one that would lie over another is left out.
 * @param {CanvasRenderingContext2D} context @param {{text: string, shape: Drawable, style: Style}[]} captions @param {View} view
 */
export function drawCaptions(context, captions, view) {
  /** @type {ReturnType<typeof captionBox>[]} */
  const taken = [];
  for (const { text, shape, style } of captions) {
    const box = captionBox(context, text, shape, view);
    if (taken.some((other) => box.left < other.left + other.width && other.left < box.left + box.width && box.top < other.top + other.height && other.top < box.top + box.height)) continue;
    taken.push(box);
    context.fillStyle = "rgba(0, 0, 0, 0.7)";
    context.fillRect(box.left, box.top, box.width, box.height);
    context.fillStyle = style.colour;
    context.textBaseline = "middle";
    context.fillText(text, box.left + 4, box.top + box.height / 2 + 0.5);
  }
}

/** Draws the grips of a box. @param {CanvasRenderingContext2D} context @param {Drawable} shape @param {View} view */
export function drawHandles(context, shape, view) {
  if (shape.width === null) return;
  const x = shape.x * view.scale + view.left;
  const y = shape.y * view.scale + view.top;
  const [width, height] = [shape.width * view.scale, Number(shape.height) * view.scale];
  const small = Math.min(width, height) < 4 * HANDLE_PX;
  context.fillStyle = "#ffffff";
  context.strokeStyle = "#000000";
  context.lineWidth = 1;
  for (const across of [0, 0.5, 1])
    for (const down of [0, 0.5, 1]) {
      const corner = across !== 0.5 && down !== 0.5;
      if (!corner && (small || across === down)) continue;
      const side = corner && !small ? HANDLE_PX : HANDLE_PX - 2;
      const out = small ? 2 : 0; // the grips of a small box stand outside it, so that it can be seen
      context.beginPath();
      context.rect(Math.round(x - out + (width + 2 * out) * across - side / 2) + 0.5, Math.round(y - out + (height + 2 * out) * down - side / 2) + 0.5, side, side);
      context.fill();
      context.stroke();
    }
}
