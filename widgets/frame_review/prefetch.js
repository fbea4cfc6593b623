/**
 * Which frames to ask for: the one under the cursor at once, then a ring around it, further in the direction of travel.
 * @module
 */

const AHEAD = 8;
const BEHIND = 3;
const BATCH = 4;
const SHORT_MS = 2_000;
const LONG_MS = 60_000;

/**
 * @param {{ask: (indices: number[], patience: number) => Promise<unknown>, has: (index: number) => boolean, count: number, room: () => number}} options
 *   `room` is how many pictures the cache holds: asking for more would push out the ones just fetched
 */
export function prefetcher({ ask, has, count, room }) {
  /** @type {Set<number>} */
  const asked = new Set();
  let cursor = 0;
  let direction = 1;
  let busy = false;

  const missing = (/** @type {number} */ index) => index >= 0 && index < count && !has(index) && !asked.has(index);

  /**
   * Asks for frames. Each counts as asked for until its picture is there, because it is decoded after the answer.
   * @param {number[]} indices @param {number} patience @returns {Promise<boolean>} whether they will come
   */
  async function request(indices, patience) {
    for (const index of indices) asked.add(index);
    try {
      await ask(indices, patience);
      return true;
    } catch {
      for (const index of indices) asked.delete(index);
      return false;
    }
  }

  async function ring() {
    if (busy) return;
    busy = true;
    for (;;) {
      const wanted = [];
      const spare = Math.floor(room()) - 1;
      const behind = Math.min(BEHIND, Math.floor(spare / 4));
      for (let i = 1; i <= Math.min(AHEAD, Math.max(spare - behind, 1)); i += 1) wanted.push(cursor + i * direction);
      for (let i = 1; i <= behind; i += 1) wanted.push(cursor - i * direction);
      const batch = wanted.filter(missing).slice(0, BATCH);
      if (!batch.length || !(await request(batch, LONG_MS))) break; // what was refused is tried again with the next step
    }
    busy = false;
  }

  return {
    /** @param {number} index @param {number} way 1 or -1 */
    around(index, way) {
      cursor = index;
      direction = way;
      if (missing(index)) void request([index], SHORT_MS);
      void ring();
    },
    /** The picture of a frame is there, or why there is none. @param {number} index */
    arrived: (index) => asked.delete(index),
  };
}
