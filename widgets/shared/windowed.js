/**
 * Lists and tables of any length: only the rows in sight are in the page.
 * @module
 */

import { h } from "./dom.js";

/** @typedef {import("./dom.js").Child} Child */

const SPARE_ROWS = 6;
const LONGEST_PX = 8_000_000; // browsers cut an element off at some 33 million px of the device, whatever the zoom

/**
 * Keeps in `body` the rows that the scroller shows, a few to spare, and the one that has the focus. Every row has the same height.
 * @param {{scroller: HTMLElement, body: HTMLElement, rowHeight: number, height: number, make: (index: number) => HTMLElement, seen?: (last: number) => void}} options
 *   `scroller` is positioned, so that the body's place is told from it; `height` is the scroller's in px until it is laid out; `seen` is told the index after the last row that is drawn
 */
export function windowed({ scroller, body, rowHeight, height, make, seen }) {
  /** @type {Map<number, HTMLElement>} */
  const drawn = new Map();
  let count = 0;

  const room = () => (scroller.clientHeight || height) - body.offsetTop; // what the head covers is out of sight
  const squeezed = () => count * rowHeight > LONGEST_PX;

  /** How many px of rows one px of scrolling passes over: one, but where the list is longer than an element can be. */
  const pace = () => (squeezed() ? (count * rowHeight - room()) / (LONGEST_PX - room()) : 1);

  /** @param {HTMLElement} row @param {number} index */
  function put(row, index) {
    row.style.transform = `translateY(${index * rowHeight - scroller.scrollTop * (pace() - 1)}px)`;
  }

  /** @param {number} index */
  function add(index) {
    const row = make(index);
    row.style.height = `${rowHeight}px`;
    put(row, index);
    const after = [...drawn.keys()].filter((other) => other > index);
    body.insertBefore(row, after.length ? /** @type {HTMLElement} */ (drawn.get(Math.min(...after))) : null);
    drawn.set(index, row);
  }

  function draw() {
    const shown = scroller.clientHeight || height;
    const above = scroller.scrollTop * pace();
    const first = Math.max(0, Math.floor(above / rowHeight) - SPARE_ROWS);
    const last = Math.min(count, Math.ceil((above + shown) / rowHeight) + SPARE_ROWS);
    for (const [index, row] of drawn) {
      if (index >= first && index < last) continue;
      if (index < count && row.contains(row.ownerDocument.activeElement)) continue;
      row.remove();
      drawn.delete(index);
    }
    if (squeezed()) for (const [index, row] of drawn) put(row, index);
    for (let index = first; index < last; index += 1) if (!drawn.has(index)) add(index);
    seen?.(last);
  }

  scroller.addEventListener("scroll", draw, { passive: true });
  const watch = new ResizeObserver(draw);
  watch.observe(scroller);

  return {
    draw,
    drawn,
    /** Says how many rows there are; rows that are drawn stay as they are. @param {number} rows */
    resize(rows) {
      count = rows;
      body.style.height = `${Math.min(rows * rowHeight, LONGEST_PX)}px`;
      draw();
    },
    /** Draws every row in sight anew. */
    refresh() {
      for (const row of drawn.values()) row.remove();
      drawn.clear();
      draw();
    },
    /** Scrolls as little as needed to show a row, and draws it. @param {number} index */
    reveal(index) {
      const top = index * rowHeight;
      const above = scroller.scrollTop * pace();
      if (top < above) scroller.scrollTop = Math.floor(top / pace());
      else if (top + rowHeight > above + room()) scroller.scrollTop = Math.ceil((top + rowHeight - room()) / pace());
      draw();
    },
    close: () => watch.disconnect(),
  };
}

/**
 * A table of any length with a head that stays in sight. Where rows have a control (marked `data-row-control`) the table is one stop of
 * the Tab key, and the arrow keys go from row to row.
 * @template Row
 * @param {object} options
 * @param {string} options.label  what it lists, for screen readers
 * @param {{head: Child, width: string, number?: boolean}[]} options.columns  `width` as in grid-template-columns
 * @param {(row: Row, index: number) => Child[]} options.cells
 * @param {string} options.empty  the sentence shown when there are no rows
 * @param {number} [options.height]  px at most
 * @param {number} [options.rowHeight]  px
 * @param {(last: number) => void} [options.seen]  told the index after the last row that is drawn, to read on in time
 */
export function longTable({ label, columns, cells, empty, height = 320, rowHeight = 32, seen }) {
  /** @type {Row[]} */
  let rows = [];
  let active = 0;
  const template = columns.map((column) => column.width).join(" ");
  const headRow = h("div", { role: "row", class: "lk-long-row", "aria-rowindex": 1 }, ...columns.map((column) => h("div", { role: "columnheader", class: column.number ? "lk-number" : undefined }, column.head)));
  headRow.style.gridTemplateColumns = template;
  const body = h("div", { role: "rowgroup", class: "lk-long-body" });
  const nothing = h("p", { class: "lk-empty", hidden: true }, empty);
  const table = h("div", { role: "table", class: "lk-long-table", "aria-label": label }, h("div", { role: "rowgroup", class: "lk-long-head" }, headRow), body);
  const element = h("div", { class: "lk-long", tabindex: "0", role: "group", "aria-label": label, on: { keydown: pressed, focusin: entered } }, table, nothing);
  element.style.maxHeight = `${height}px`;
  const win = windowed({ scroller: element, body, rowHeight, height, make, seen });

  /** @param {HTMLElement} row */
  const control = (row) => /** @type {HTMLElement | null} */ (row.querySelector("[data-row-control]"));

  /** @param {number} index */
  function make(index) {
    const row = h("div", { role: "row", class: "lk-long-row", "aria-rowindex": index + 2 }, ...cells(rows[index], index).map((cell, at) => h("div", { role: "cell", class: columns[at].number ? "lk-number" : undefined }, cell)));
    row.style.gridTemplateColumns = template;
    row.dataset.index = String(index);
    const own = control(row);
    if (own) {
      own.tabIndex = index === active ? 0 : -1;
      element.removeAttribute("tabindex");
    }
    return row;
  }

  /** @param {number} index */
  function activate(index) {
    const before = win.drawn.get(active);
    if (before) /** @type {HTMLElement} */ (control(before) ?? before).tabIndex = -1;
    active = index;
    win.reveal(index);
    const own = control(/** @type {HTMLElement} */ (win.drawn.get(index)));
    if (own) own.tabIndex = 0;
    own?.focus({ preventScroll: true });
  }

  /** @param {FocusEvent} event */
  function entered(event) {
    const row = /** @type {HTMLElement} */ (event.target).closest("[data-index]");
    const index = Number(/** @type {HTMLElement | null} */ (row)?.dataset.index ?? active);
    if (row && index !== active && /** @type {HTMLElement} */ (event.target).matches("[data-row-control]")) activate(index);
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    if (!(/** @type {HTMLElement} */ (event.target).matches("[data-row-control]")) || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(element.clientHeight / rowHeight) - 2);
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -rows.length, End: rows.length };
    if (!(event.key in steps)) return;
    event.preventDefault();
    activate(Math.max(0, Math.min(rows.length - 1, active + steps[event.key])));
  }

  return {
    element,
    /** Shows other rows, from the top. @param {Row[]} next */
    show(next) {
      rows = next;
      active = 0;
      element.scrollTop = 0;
      table.setAttribute("aria-rowcount", String(rows.length + 1));
      nothing.hidden = rows.length > 0;
      body.hidden = rows.length === 0;
      win.resize(rows.length);
      win.refresh();
    },
    /** Appends rows that were read on; the place stays. @param {Row[]} more */
    extend(more) {
      rows = [...rows, ...more];
      table.setAttribute("aria-rowcount", String(rows.length + 1));
      win.resize(rows.length);
    },
    /** Shows newer rows in the place of those that are there; place and focus stay. @param {Row[]} next */
    renew(next) {
      const place = element.scrollTop;
      const focused = body.contains(body.ownerDocument.activeElement);
      const kept = Math.min(active, Math.max(0, next.length - 1));
      this.show(next);
      active = kept;
      element.scrollTop = place;
      win.refresh();
      if (focused && next.length) activate(active);
    },
    /** Draws the rows in sight anew; the focus stays in its row. */
    refresh() {
      const inside = body.contains(body.ownerDocument.activeElement);
      win.refresh();
      if (inside) activate(active);
    },
    close: win.close,
  };
}
