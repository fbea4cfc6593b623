/**
 * The label packs that a build may take, with checkboxes: a table of any length, a filter, and select all of what the filter shows.
 * @module
 */

import { badge, button, h, shortId } from "../shared/dom.js";
import { count } from "../shared/format.js";
import { longTable } from "../shared/windowed.js";

/** @typedef {{pack_id: string, media: string, group_key: string, camera_type: string, revision_number: number | null, frames: number | null, annotations: number | null, reason: string | null, why: string, selectable: boolean, admitted: boolean}} PackRow */

/**
 * @param {{changed: (on: string[], off: string[]) => void, say: (text: string) => void}} options
 *   `changed` is told which packs were ticked and unticked, `say` what a screen reader should hear
 */
export function candidates({ changed, say }) {
  /** @type {PackRow[]} */
  let rows = [];
  /** @type {PackRow[]} */
  let shown = [];
  /** @type {Set<string>} */
  let ticked = new Set();
  let words = "";

  const filter = h("input", { type: "search", class: "lk-input lk-filter", placeholder: "Filter by media, group, camera, id or reason", "aria-label": "Filter packs", on: { input: () => { words = filter.value.trim().toLowerCase(); sift(); } } });
  const tally = h("span", { class: "lk-dim lk-tally", "aria-live": "polite" });
  const all = button("Select all", () => tick(shown.filter((row) => row.selectable && !ticked.has(row.pack_id)), []));
  const none = button("Select none", () => tick([], shown.filter((row) => ticked.has(row.pack_id))));

  const list = longTable({
    label: "Candidate label packs",
    columns: [
      { head: h("span", { class: "lk-offscreen" }, "Selected"), width: "16px" },
      { head: "Media", width: "minmax(112px, 2fr)" },
      { head: "Group", width: "minmax(80px, 1.4fr)" },
      { head: "Camera", width: "minmax(72px, 1fr)" },
      { head: "Pack", width: "104px" },
      { head: "Revision", width: "64px", number: true },
      { head: "Frames", width: "64px", number: true },
      { head: "Labels", width: "80px", number: true },
      { head: "In a build", width: "minmax(264px, 5fr)" },
    ],
    cells: (/** @type {PackRow} */ row) => [box(row), text(row.media), text(row.group_key), text(row.camera_type), shortId(row.pack_id), count(row.revision_number), count(row.frames), count(row.annotations), inclusion(row)],
    empty: "No label pack here.",
    height: 356,
  });

  /** @param {string} value */
  function text(value) {
    return h("span", { title: value }, value);
  }

  /** @param {PackRow} row */
  function inclusion(row) {
    if (!row.reason) return badge("included", "good", row.why);
    if (row.admitted) return badge("reviewed, by override", "warn", row.why);
    return h("span", { title: `${row.reason}: ${row.why}` }, h("code", { class: "lk-plain-code" }, row.reason), h("span", { class: "lk-dim" }, ` ${row.why}`));
  }

  /** @param {PackRow} row */
  function box(row) {
    const input = h("input", { type: "checkbox", "data-row-control": "", "aria-label": `Select ${row.media}, ${row.pack_id}`, title: row.selectable ? undefined : row.why });
    input.checked = ticked.has(row.pack_id);
    input.setAttribute("aria-disabled", String(!row.selectable && !input.checked));
    input.addEventListener("click", (event) => {
      if (row.selectable || ticked.has(row.pack_id)) return;
      event.preventDefault();
      say(`${row.media} cannot be selected: ${row.why}`);
    });
    input.addEventListener("change", () => (input.checked ? tick([row], []) : tick([], [row])));
    return h("label", { class: "lk-check" }, input);
  }

  /** @param {PackRow[]} on @param {PackRow[]} off */
  function tick(on, off) {
    if (!on.length && !off.length) return;
    for (const row of on) ticked.add(row.pack_id);
    for (const row of off) ticked.delete(row.pack_id);
    if (on.length + off.length > 1) list.refresh();
    summarize();
    changed(on.map((row) => row.pack_id), off.map((row) => row.pack_id));
  }

  function summarize() {
    tally.textContent = `${count(ticked.size)} of ${count(rows.length)} selected${words ? `, ${count(shown.length)} shown` : ""}`;
  }

  function sift() {
    shown = rows.filter((row) => !words || [row.media, row.group_key, row.camera_type, row.pack_id, row.reason ?? "included"].some((one) => one.toLowerCase().includes(words)));
    list.show(shown);
    summarize();
  }

  return {
    element: h("div", { class: "lk-stack" }, h("div", { class: "lk-row lk-spread" }, h("div", { class: "lk-row" }, filter, all, none), tally), list.element),
    /** @param {PackRow[]} next @param {string[]} selected */
    show(next, selected) {
      const same = next.length === rows.length && next.every((row, at) => JSON.stringify(row) === JSON.stringify(rows[at]));
      ticked = new Set(selected);
      rows = next;
      if (!same) return sift();
      list.refresh();
      summarize();
    },
    close: list.close,
  };
}
