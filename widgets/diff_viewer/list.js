/**
 * The rows that differ, any number of them: a listbox that fetches the pages in sight, wherever one scrolls or jumps to.
 * @module
 */

import { h } from "../shared/dom.js";
import { count, counted } from "../shared/format.js";
import { walking } from "../shared/keys.js";
import { windowed } from "../shared/windowed.js";

/** @typedef {{at: number, key: string, change: "added" | "removed" | "modified", labels: number[] | null, glimpses: [string, string | null, string | null][], more: number}} Row */

const ROW_PX = 48;
const HEIGHT_PX = 560;
const PAGE = 100;
const KEPT_ROWS = 4000;
const REST_MS = 40;
export const SIGNS = { added: "+", removed: "\u2212", modified: "~" };
export const TONES = { added: "lk-plus", removed: "lk-minus", modified: "lk-changed" };

/**
 * @param {{fetch: (offset: number) => Promise<{items: Row[], offset: number} | undefined>, chosen: (row: Row, clicked: boolean) => void}} options
 *   `chosen` is called when the reader goes to a row, or is led to one (not `clicked`)
 */
export function rowList({ fetch, chosen }) {
  const mark = `lk-diff-${Math.random().toString(36).slice(2, 8)}`;
  const body = h("div", { class: "lk-list-body", role: "presentation" });
  const element = h("div", { class: "lk-list lk-diff-list", role: "listbox", tabindex: "0", "aria-label": "Rows that differ" }, body);
  const win = windowed({ scroller: element, body, rowHeight: ROW_PX, height: HEIGHT_PX, make });
  /** @type {Map<number, Row>} */
  let rows = new Map();
  let total = 0;
  let place = -1;
  let turn = 0;
  /** @type {Promise<void> | null} */
  let reading = null;

  /** @param {number} index */
  function make(index) {
    const row = rows.get(index);
    const option = h("div", { role: "option", id: `${mark}-${index}`, class: "lk-list-row lk-diff-row", "aria-selected": String(index === place), "aria-setsize": total, "aria-posinset": index + 1, on: { click: () => go(index) } });
    if (row) option.append(...lines(row));
    else {
      option.setAttribute("aria-label", "Loading");
      void read();
    }
    return option;
  }

  /** @param {Row} row */
  function lines(row) {
    const what = row.glimpses.map(([name, before, after]) => h("span", {}, h("span", { class: "lk-diff-name" }, name), before !== null && ` ${before} \u2192 ${after}`));
    if (row.more) what.push(h("span", {}, `and ${row.more} more`));
    return [
      h("span", { class: "lk-list-main" }, h("span", { class: "lk-clip", title: row.key }, h("span", { class: `lk-diff-sign ${TONES[row.change]}`, "aria-hidden": "true" }, SIGNS[row.change]), h("span", { class: "lk-offscreen" }, `${row.change} `), row.key), row.labels && labels(row.labels)),
      h("span", { class: "lk-list-more lk-diff-what" }, what.length ? h("span", { class: "lk-clip" }, ...what) : h("span", { class: "lk-clip" }, row.labels ? "labels" : `${row.change} row`)),
    ];
  }

  /** @param {number[]} numbers */
  function labels(numbers) {
    const names = /** @type {const} */ (["added", "removed", "modified"]);
    const said = numbers.map((number, at) => (number ? counted(number, `label ${names[at]}`).replace(/(label) (\w+?)s?$/, (_, label, word) => `${label}${number === 1 ? "" : "s"} ${word}`) : "")).filter(Boolean);
    return h("span", { class: "lk-diff-labels", role: "img", "aria-label": said.join(", ") || "no label differs", title: said.join(", ") }, ...numbers.map((number, at) => h("span", { class: number ? TONES[names[at]] : "lk-diff-none" }, number ? `${SIGNS[names[at]]}${count(number)}` : "")));
  }

  /** Reads the pages of rows that are drawn and not known, one after the other; what is scrolled past quickly is not asked for. */
  function read() {
    reading ??= pages().finally(() => (reading = null));
    return reading;
  }

  async function pages() {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      const mine = turn;
      const missing = [...win.drawn.keys()].sort((a, b) => a - b).find((index) => !rows.has(index));
      if (missing === undefined) return;
      const found = await fetch(missing - (missing % PAGE));
      if (mine !== turn) continue;
      if (!found?.items.length) return;
      take(found);
      for (const [index, drawn] of win.drawn) {
        const row = rows.get(index);
        if (!row || drawn.childElementCount) continue;
        drawn.removeAttribute("aria-label");
        drawn.append(...lines(row));
      }
    }
  }

  /** @param {{items: Row[], offset: number}} page */
  function take({ items, offset }) {
    if (rows.size > KEPT_ROWS) rows = new Map([...rows].filter(([index]) => win.drawn.has(index)));
    items.forEach((row, at) => rows.set(offset + at, row));
  }

  /** @param {number} index */
  function mark_(index) {
    win.drawn.get(place)?.setAttribute("aria-selected", "false");
    place = index;
    if (index < 0) return element.removeAttribute("aria-activedescendant");
    win.reveal(index);
    win.drawn.get(index)?.setAttribute("aria-selected", "true");
    element.setAttribute("aria-activedescendant", `${mark}-${index}`);
  }

  /** Goes to a row, and tells which it is as soon as that is known. @param {number} index @param {boolean} [clicked] */
  async function go(index, clicked = true) {
    if (index < 0 || index >= total || index === place) return;
    mark_(index);
    const mine = turn;
    if (!rows.has(index)) await read();
    if (mine !== turn) return;
    const row = rows.get(index);
    if (row && index === place) chosen(row, clicked);
  }

  const page = () => Math.max(1, Math.floor(element.clientHeight / ROW_PX) - 1);

  return {
    element,
    walks: walking((by) => void go(Math.max(0, Math.min(total - 1, place + by))), page, () => total),
    /** Leads to the first row. */
    start: () => go(0, false),
    /** Shows the rows of another filter: their first page, how many there are, and where the one that is shown stands. @param {Row[]} items @param {number} all @param {number | null} shown */
    show(items, all, shown) {
      turn += 1;
      rows = new Map();
      total = all;
      place = -1;
      element.scrollTop = 0;
      take({ items, offset: 0 });
      win.resize(all);
      win.refresh();
      mark_(shown ?? -1);
    },
    /** Marks the row that another view chose. @param {number | null} index */
    follow(index) {
      if (index !== null && index !== place) mark_(index);
    },
    close() {
      turn += 1;
      win.close();
    },
  };
}
