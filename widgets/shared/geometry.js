/**
 * Boxes, points and the view, with the same rules as `labelkit/core/geometry.py`: coordinates are px of the frame, rounded to a
 * ten-thousandth, so that the kernel agrees to the last bit.
 * @module
 */

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 * @typedef {{x: number, y: number}} Place
 * @typedef {{width: number, height: number}} Size
 * @typedef {{scale: number, left: number, top: number}} View  screen = frame * scale + (left, top), in px
 * @typedef {"n" | "ne" | "e" | "se" | "s" | "sw" | "w" | "nw"} Handle
 */

export const MIN_BOX_SIDE_PX = 1;
const MAX_SCALE = 40;

/** @param {number} value @param {number} least @param {number} most */
export function between(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

/** A coordinate rounded to a ten-thousandth of a px, by its exact value as Python rounds. @param {number} value */
export function px(value) {
  return Number(value.toFixed(4)) + 0;
}

/** The box between two opposite corners in any order. @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 @returns {Box} */
export function fromCorners(x0, y0, x1, y1) {
  const [left, top, right, bottom] = [px(Math.min(x0, x1)), px(Math.min(y0, y1)), px(Math.max(x0, x1)), px(Math.max(y0, y1))];
  return { x: left, y: top, width: px(right - left), height: px(bottom - top) };
}

/** The part of a box inside the frame. @param {Box} box @param {Size} size @returns {Box} */
export function clampBox(box, size) {
  return fromCorners(between(box.x, 0, size.width), between(box.y, 0, size.height), between(box.x + box.width, 0, size.width), between(box.y + box.height, 0, size.height));
}

/** A box pushed into the frame with its size kept. @param {Box} box @param {Size} size @returns {Box} */
export function pushInside(box, size) {
  const width = Math.min(box.width, size.width);
  const height = Math.min(box.height, size.height);
  return { x: px(between(box.x, 0, size.width - width)), y: px(between(box.y, 0, size.height - height)), width: px(width), height: px(height) };
}

/** @param {Box} box */
export function tooSmall(box) {
  return box.width < MIN_BOX_SIDE_PX || box.height < MIN_BOX_SIDE_PX;
}

/**
 * The edge or corner of a box near a place, corners first. Inside a small box the reach shrinks, so that it can still be moved.
 * @param {Box} box @param {number} x @param {number} y @param {number} reach @returns {Handle | null}
 */
export function handleAt(box, x, y, reach) {
  const { x: left, y: top } = box;
  const [right, bottom] = [left + box.width, top + box.height];
  if (x < left - reach || x > right + reach || y < top - reach || y > bottom + reach) return null;
  /** @param {number} at @param {number} near @param {number} far */
  const side = (at, near, far) => {
    const inner = Math.min(reach, (far - near) / 4);
    if (at - near >= -reach && at - near <= inner) return -1;
    return far - at >= -reach && far - at <= inner ? 1 : 0;
  };
  const vertical = side(y, top, bottom);
  const horizontal = side(x, left, right);
  const name = (vertical < 0 ? "n" : vertical > 0 ? "s" : "") + (horizontal < 0 ? "w" : horizontal > 0 ? "e" : "");
  return /** @type {Handle} */ (name) || null;
}

/**
 * The box with that edge or corner at a place; past the opposite side it turns over.
 * @param {Box} box @param {Handle} handle @param {number} x @param {number} y @returns {Box}
 */
export function dragged(box, handle, x, y) {
  let [left, top, right, bottom] = [box.x, box.y, box.x + box.width, box.y + box.height];
  if (handle.includes("w")) left = x;
  if (handle.includes("e")) right = x;
  if (handle.includes("n")) top = y;
  if (handle.includes("s")) bottom = y;
  return fromCorners(left, top, right, bottom);
}

/** The view of a whole frame, centred in a screen. @param {Size} frame @param {Size} screen @returns {View} */
export function fit(frame, screen) {
  if (!(frame.width > 0 && frame.height > 0)) return { scale: 1, left: 0, top: 0 };
  const scale = Math.min(screen.width / frame.width, screen.height / frame.height);
  return { scale, left: (screen.width - frame.width * scale) / 2, top: (screen.height - frame.height * scale) / 2 };
}

/**
 * A view zoomed by a factor, with the place under (x, y) of the screen kept there.
 * @param {View} view @param {number} factor @param {number} x @param {number} y @param {Size} frame @param {Size} screen @returns {View}
 */
export function zoomed(view, factor, x, y, frame, screen) {
  const whole = fit(frame, screen);
  const scale = between(view.scale * factor, whole.scale, Math.max(MAX_SCALE, whole.scale));
  if (scale === whole.scale) return whole;
  const real = scale / view.scale;
  return kept({ scale, left: x - (x - view.left) * real, top: y - (y - view.top) * real }, frame, screen);
}

/**
 * A view moved so that the middle of the screen always shows some of the frame.
 * @param {View} view @param {Size} frame @param {Size} screen @returns {View}
 */
export function kept(view, frame, screen) {
  /** @param {number} at @param {number} long @param {number} room */
  const hold = (at, long, room) => between(at, room / 2 - long, room / 2);
  return { scale: view.scale, left: hold(view.left, frame.width * view.scale, screen.width), top: hold(view.top, frame.height * view.scale, screen.height) };
}
