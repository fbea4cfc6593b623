/**
 * Numbers, times and counted words, the same in every widget.
 * @module
 */

import { h } from "./dom.js";

const NUMBERS = new Intl.NumberFormat("en");

/** A count with separators, a dash for nothing. @param {number | null | undefined} value */
export function count(value) {
  return value === null || value === undefined ? "\u2013" : NUMBERS.format(value);
}

/** A counted word, such as "1 pack" and "2 packs". @param {number} value @param {string} word */
export function counted(value, word) {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}

/** A moment as the reader's clock shows it, in digits that line up; the whole moment on hover. @param {string | null | undefined} iso */
export function moment(iso) {
  if (!iso) return h("span", { class: "lk-dim" }, "\u2013");
  const at = new Date(iso);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const text = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
  return h("time", { datetime: iso, title: iso, class: "lk-time" }, text);
}
