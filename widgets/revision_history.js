/**
 * The revisions of one scope, newest first; a row opens to what changed by class and by frame, and to its full provenance.
 * @module
 */

import { button, h, shortId, table } from "./shared/dom.js";
import { count, counted } from "./shared/format.js";
import { head, redraw } from "./shared/head.js";
import { historyTable } from "./shared/revisions.js";
import { shell } from "./shared/shell.js";
import { longTable } from "./shared/windowed.js";

/** @typedef {import("./shared/revisions.js").RevisionRow} RevisionRow */
/** @typedef {{media: string, capability: string, revisions: RevisionRow[]}} State */
/** @typedef {{frame: number, added: number, removed: number, modified: number, flags: string}} FrameRow */
/** @typedef {{id: string, by_class: [string, number, number, number][], class_changed: number, geometry_changed: number, matched_by: string, content_object: string, validation: string, default_sizes: number, frames: FrameRow[] | null, note: string}} Details */

const FIRST_SHOWN = 50;
const NUMBERS = ["Added", "Removed", "Modified"];

/** @param {Details} details */
function classes(details) {
  return table(
    "Changes by class",
    ["Class", ...NUMBERS.map(numberHead)],
    details.by_class.map(([name, ...counts]) => [h("span", { class: "lk-wrap" }, name), ...counts.map((value) => h("div", { class: "lk-number" }, count(value)))]),
    "No label differs from the revision before.",
  );
}

/** @param {string} text */
function numberHead(text) {
  return h("div", { class: "lk-number" }, text);
}

/** @param {Details} details */
function frames(details) {
  if (!details.frames) return h("p", { class: "lk-dim" }, details.note);
  const list = longTable({
    label: "Changes by frame",
    columns: [{ head: "Frame", width: "64px", number: true }, ...NUMBERS.map((name) => ({ head: name, width: "76px", number: true })), { head: "Flags now", width: "minmax(120px, 1fr)" }],
    cells: (/** @type {FrameRow} */ row) => [count(row.frame + 1), count(row.added), count(row.removed), count(row.modified), h("span", { title: row.flags }, row.flags || "\u2013")],
    empty: "No frame differs.",
    height: 228,
  });
  list.show(details.frames);
  return list.element;
}

/** @param {RevisionRow} row @param {Details} details */
function facts(row, details) {
  /** @type {[string, import("./shared/dom.js").Child][]} */
  const lines = [
    ["Revision", shortId(row.id)],
    ["Content", shortId(row.content_hash)],
    ["Stored as", shortId(details.content_object)],
    ["Validation", details.validation],
    ["Compared by", details.matched_by],
    ["Classes changed", count(details.class_changed)],
    ["Moved or resized", count(details.geometry_changed)],
    ["Default sizes", count(details.default_sizes)],
    ["Reason", h("span", { class: "lk-wrap" }, row.reason ?? "\u2013")],
  ];
  return h("dl", { class: "lk-facts" }, ...lines.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = shell({ model, el }, { label: "Revision history", className: "lk-wide" });
  const about = h("span", { class: "lk-dim" }, "\u2026");
  const list = h("div", { class: "lk-loading" }, "Loading\u2026");
  /** @type {RevisionRow[]} */
  let rows = [];
  /** @type {Details | null} */
  let open = null;
  let limit = FIRST_SHOWN;

  /** @param {"APPROVED" | "REVOKED"} wanted @param {RevisionRow} row @param {string | null} reason */
  async function act(wanted, row, reason) {
    const answer = await view.ask("set_eligibility", { revision: row.id, state: wanted, expected_version: row.eligibility_version, reason });
    if (!answer) return;
    view.show(null);
    view.say(`Revision ${row.number} is ${wanted.toLowerCase()}`);
  }

  /** @param {RevisionRow} row */
  async function toggle(row) {
    const details = await view.ask("select", { revision: open?.id === row.id ? null : row.id });
    if (details === undefined) return;
    open = details;
    draw();
  }

  /** @param {RevisionRow} row @param {number} at @param {HTMLTableRowElement} line */
  function unfold(row, at, line) {
    const opened = open?.id === row.id;
    const id = `${view.root.id}-${at}`;
    const fold = button(`Details of revision ${row.number}`, () => toggle(row), { kind: "quiet", icon: opened ? "\u25be" : "\u25b8", class: "lk-fold" });
    fold.setAttribute("aria-expanded", String(opened));
    line.cells[0].firstElementChild?.prepend(fold);
    if (!opened || !open) return;
    fold.setAttribute("aria-controls", id);
    const changes = h("div", { class: "lk-stack" }, h("h3", {}, "By class"), classes(open));
    const perFrame = h("div", { class: "lk-stack" }, h("h3", {}, `By frame (${counted(row.diff.frames, "frame")})`), frames(open));
    const made = h("div", { class: "lk-stack" }, h("h3", {}, "Provenance"), facts(row, open));
    line.after(h("tr", { class: "lk-more", id }, h("td", { colspan: line.cells.length }, h("div", { class: "lk-panes" }, changes, perFrame, made))));
  }

  function draw() {
    const shown = rows.slice(0, limit);
    const lines = historyTable(view.root, shown, act);
    const found = /** @type {HTMLTableRowElement[]} */ ([...lines.querySelectorAll("tbody > tr")]);
    found.forEach((line, at) => unfold(shown[at], at, line));
    const more = rows.length - shown.length;
    redraw(list, lines, more > 0 && button(`Show ${count(Math.min(more, FIRST_SHOWN))} more of ${count(more)}`, () => {
      limit += FIRST_SHOWN;
      draw();
    }));
  }

  /** @param {State} state */
  function show(state) {
    about.textContent = `${state.media} \u00b7 ${state.capability}`;
    list.className = "lk-stack";
    rows = state.revisions;
    draw();
  }

  const refresh = button("Refresh", () => view.ask("reload"), { kind: "quiet" });
  view.root.append(head("Revision history", [about], [refresh, view.pythonButton()]), list);
  view.kernel.on("state", show);
  view.ask("ready").then((state) => {
    if (!state) return;
    open = state.open;
    show(state);
  });
  return () => view.close();
}

export default { render };
