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

/**
 * A moment as the reader's clock shows it, in digits that line up; the moment in UTC on hover.
 * @param {string | null | undefined} utc  such as 2026-07-01 14:03:59
 */
export function moment(utc) {
  if (!utc) return h("span", { class: "lk-dim" }, "\u2013");
  const at = new Date(`${utc.replace(" ", "T")}Z`);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const text = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
  return h("time", { datetime: at.toISOString(), title: `${utc} UTC`, class: "lk-time" }, text);
}
