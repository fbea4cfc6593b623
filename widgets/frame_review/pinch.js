/**
 * Two fingers: their distance zooms, their middle moves the view. While any of them is down, none draws.
 * @module
 */

import { kept, zoomed } from "../shared/geometry.js";

/** @typedef {import("../shared/geometry.js").Place} Place */
/** @typedef {import("../shared/geometry.js").View} View */
/** @typedef {import("../shared/geometry.js").Size} Size */

export function pinch() {
  /** @type {Map<number, Place>} */
  const down = new Map();
  /** @type {{view: View, middle: Place, spread: number} | null} */
  let began = null;
  /** @type {View | null} */
  let last = null;

  /** Where the first two fingers are. */
  function pair() {
    const [a, b] = [...down.values()];
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, spread: Math.max(Math.hypot(a.x - b.x, a.y - b.y), 1) };
  }

  return {
    count: () => down.size,
    /** A finger lands; says whether it is not alone. @param {number} id @param {Place} screen @param {View} view */
    land(id, screen, view) {
      down.set(id, screen);
      if (down.size === 2) began = { view: (last = view), ...pair() };
      return began !== null;
    },
    /** The view that the fingers ask for; null where one finger is alone. @param {number} id @param {Place} screen @param {Size} frame @param {Size} size */
    move(id, screen, frame, size) {
      if (down.has(id)) down.set(id, screen);
      if (!began || down.size < 2) return last;
      const { middle, spread } = pair();
      const near = zoomed(began.view, spread / began.spread, began.middle.x, began.middle.y, frame, size);
      return (last = kept({ scale: near.scale, left: near.left + middle.x - began.middle.x, top: near.top + middle.y - began.middle.y }, frame, size));
    },
    /** A finger leaves; says whether it was one of two. @param {number} id */
    lift(id) {
      const pinched = began !== null && down.has(id);
      down.delete(id);
      if (!down.size) began = last = null;
      return pinched;
    },
  };
}
