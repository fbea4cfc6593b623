/**
 * The samples of the present filters: a list of any length that reads on by pages, one page ahead of what is in sight.
 * @module
 */

import { h } from "../shared/dom.js";
import { count, counted } from "../shared/format.js";
import { walking } from "../shared/keys.js";
import { windowed } from "../shared/windowed.js";

/**
 * @typedef {{key: string, split: string, group: string, media: string, frame: number, labels: number}} Item
 * @typedef {{items: Item[], next_cursor: string | null}} Page
 */

const ROW_PX = 44;
const LEAST_PX = 280;
const AHEAD_ROWS = 20;

/**
 * @param {{fetch: (cursor: string) => Promise<Page | undefined>, chosen: (item: Item, page: string | null) => void}} options
 *   `fetch` reads the page after a cursor, `chosen` is told which sample to show and the cursor of the page that it is on
 */
export function sampleList({ fetch, chosen }) {
  /** @type {Item[]} */
  let items = [];
  /** @type {(string | null)[]} */
  let pages = [];
  /** @type {string | null} */
  let cursor = null;
  /** @type {{after: string, page: Promise<Page | undefined>} | null} */
  let ahead = null;
  /** @type {number | null} */
  let total = null;
  let at = -1;
  let reading = false;
  const mark = `lk-sample-${Math.random().toString(36).slice(2, 8)}`;

  const body = h("div", { class: "lk-list-body", role: "presentation" });
  const empty = h("p", { class: "lk-empty", hidden: true }, "No sample has all of this.");
  const element = h("div", { class: "lk-list", role: "listbox", tabindex: "0", "aria-label": "Samples" }, body);
  const where = h("div", { class: "lk-dim lk-where", "aria-live": "polite" });
  const win = windowed({ scroller: element, body, rowHeight: ROW_PX, height: LEAST_PX, make, seen: (last) => last > items.length - AHEAD_ROWS && void more() });

  /** @param {number} index */
  function make(index) {
    const item = items[index];
    return h(
      "div",
      { class: "lk-list-row", role: "option", id: `${mark}-${index}`, "aria-selected": String(index === at), "aria-setsize": cursor ? -1 : items.length, "aria-posinset": index + 1, title: item.key, on: { click: () => go(index) } },
      h("span", { class: "lk-list-main" }, h("span", { class: "lk-clip" }, item.media), h("span", { class: "lk-number" }, count(item.frame))),
      h("span", { class: "lk-list-more" }, h("span", { class: "lk-clip" }, `${item.split} \u00b7 ${item.group}`), h("span", { class: "lk-number" }, counted(item.labels, "label"))),
    );
  }

  function told() {
    const all = total ?? (cursor ? `${count(items.length)}+` : count(items.length));
    where.textContent = items.length ? `Sample ${count(at + 1)} of ${typeof all === "number" ? count(all) : all}` : "No sample";
  }

  function prefetch() {
    if (cursor !== null && ahead?.after !== cursor) ahead = { after: cursor, page: fetch(cursor) };
  }

  /** Appends the page that was read ahead, and reads the next one ahead. */
  async function more() {
    if (reading || cursor === null) return;
    reading = true;
    const mine = cursor;
    prefetch();
    const page = await ahead?.page;
    reading = false;
    if (mine !== cursor) return;
    ahead = null;
    if (!page) return;
    pages.push(...page.items.map(() => mine));
    items.push(...page.items);
    cursor = page.next_cursor;
    win.resize(items.length);
    told();
    prefetch();
  }

  /** @param {number} index */
  function choose(index) {
    const before = win.drawn.get(at);
    before?.setAttribute("aria-selected", "false");
    at = index;
    win.reveal(index);
    win.drawn.get(index)?.setAttribute("aria-selected", "true");
    element.setAttribute("aria-activedescendant", `${mark}-${index}`);
    told();
  }

  /** @param {number} index */
  function go(index) {
    if (index < 0 || index >= items.length || index === at) return;
    choose(index);
    chosen(items[index], pages[index]);
  }

  /** @param {number} by */
  async function step(by) {
    if (at + by >= items.length) await more();
    go(Math.max(0, Math.min(items.length - 1, at + by)));
  }

  const page = () => Math.max(1, Math.floor(element.clientHeight / ROW_PX) - 1);

  return {
    element: h("div", { class: "lk-stack lk-list-box" }, where, element, empty),
    step,
    walks: walking(step, page, () => items.length),
    /** Shows a new list and the sample that was chosen, else its first. @param {{items: Item[], next_cursor: string | null, total: number | null, selected: string | null}} list */
    show(list) {
      items = [...list.items];
      pages = items.map((_, index) => (index < 1 ? null : items[index - 1].key));
      cursor = list.next_cursor;
      total = list.total;
      ahead = null;
      at = -1;
      empty.hidden = items.length > 0;
      element.hidden = items.length === 0;
      element.scrollTop = 0;
      element.removeAttribute("aria-activedescendant");
      win.resize(items.length);
      win.refresh();
      told();
      prefetch();
      const index = items.findIndex((item) => item.key === list.selected);
      if (index >= 0) choose(index);
      if (index >= 0) chosen(items[index], pages[index]);
      else go(0);
    },
    /** Marks the sample that another view chose. @param {string} key */
    follow(key) {
      const index = items.findIndex((item) => item.key === key);
      if (index >= 0 && index !== at) choose(index);
    },
    next: () => items[at + 1]?.key ?? null,
    ends: () => ({ first: at <= 0, last: at >= items.length - 1 && cursor === null }),
    close: win.close,
  };
}
