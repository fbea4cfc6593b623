/**
 * The fields of a row before and after: words that went and came, numbers with what they grew by, items of lists, JSON by its paths.
 * @module
 */

import { h } from "../shared/dom.js";
import { counted } from "../shared/format.js";

/**
 * @typedef {{path: string, change: string, form: "words" | "number" | "items" | "plain", before: string | null, after: string | null, delta: string | null, parts: [string, string][]}} Entry
 * @typedef {{name: string, change: string, entries: Entry[], more: number}} Field
 * @typedef {import("../shared/dom.js").Child} Child
 */

/** A value with a line through it where it went, below it where it came. @param {string} edit @param {Child[]} children */
function marked(edit, ...children) {
  if (edit === "same") return h("span", {}, ...children);
  return edit === "removed" ? h("del", { class: "lk-diff-del" }, ...children) : h("ins", { class: "lk-diff-ins" }, ...children);
}

/** The words of one side, or of both. @param {Entry} entry @param {"before" | "after" | "both"} side */
function words(entry, side) {
  const other = side === "before" ? "added" : side === "after" ? "removed" : "";
  const parts = entry.parts.filter(([edit]) => edit !== other);
  if (entry.form === "items") return h("span", { class: "lk-diff-items" }, ...parts.map(([edit, text]) => h("span", { class: "lk-diff-item" }, marked(edit, text))));
  return h("span", { class: "lk-diff-words" }, ...parts.map(([edit, text]) => marked(edit, text)));
}

/** @param {Entry} entry @param {"before" | "after"} side */
function one(entry, side) {
  const text = entry[side];
  if (text === null) return h("span", { class: "lk-diff-absent" }, "\u2013");
  if (entry.form === "words" || entry.form === "items") return words(entry, side);
  const value = h("span", { class: "lk-diff-words" }, marked(side === "before" ? "removed" : "added", text));
  return side === "after" && entry.delta ? h("span", {}, value, h("span", { class: "lk-diff-delta" }, entry.delta)) : value;
}

/** @param {Entry} entry */
function both(entry) {
  if (entry.form === "words" || entry.form === "items") return words(entry, "both");
  const sides = [entry.before !== null && marked("removed", entry.before), entry.before !== null && entry.after !== null && h("span", { class: "lk-diff-arrow" }, "\u2192"), entry.after !== null && marked("added", entry.after)];
  return h("span", { class: "lk-diff-words" }, ...sides, entry.delta && h("span", { class: "lk-diff-delta" }, entry.delta));
}

/** Breaks a long name after its signs only. @param {string} text */
function name(text) {
  return text.split(/(?<=[._\][])/).flatMap((part, at) => (at ? [h("wbr", {}), part] : [part]));
}

/** A value of a row that is on one side only: nothing in it needs a mark. @param {string | null} text */
function plain(text) {
  return text === null ? h("span", { class: "lk-diff-absent" }, "\u2013") : h("span", { class: "lk-diff-words" }, text);
}

/** @param {Entry} entry @param {boolean} together @param {boolean} whole */
function cells(entry, together, whole) {
  if (whole) return together ? [plain(entry.after ?? entry.before)] : [plain(entry.before), plain(entry.after)];
  return together ? [both(entry)] : [one(entry, "before"), one(entry, "after")];
}

/** @param {Field} field @param {boolean} together @param {boolean} whole */
function rowsOf(field, together, whole) {
  const titled = field.entries.some((entry) => entry.path); // the name then stands over the paths
  const rows = field.entries.map((entry, at) => {
    const words = titled ? [h("span", { class: "lk-offscreen" }, `${field.name} `), h("span", { class: "lk-diff-path" }, ...name(entry.path))] : [h("span", { class: "lk-diff-field" }, ...name(field.name))];
    return h("tr", { class: at || titled ? undefined : "lk-diff-first" }, h("th", { scope: "row" }, ...words), ...cells(entry, together, whole).map((cell) => h("td", {}, cell)));
  });
  if (titled) rows.unshift(h("tr", { class: "lk-diff-first" }, h("th", { scope: "rowgroup", colspan: together ? 2 : 3 }, h("span", { class: "lk-diff-field" }, ...name(field.name)))));
  if (field.more) rows.push(h("tr", {}, h("th", { scope: "row" }), h("td", { colspan: together ? 1 : 2, class: "lk-dim" }, `and ${counted(field.more, "more difference")}`)));
  return rows;
}

export function valueTable() {
  const place = h("div", { class: "lk-stack" });
  let open = true;
  /** @type {Field[]} */
  let fields = [];
  let together = false;
  let whole = false;

  /** @param {Field[]} changed */
  function changes(changed) {
    if (!changed.length) return null;
    const heads = together ? ["Field", "Before and after"] : ["Field", "Before", "After"];
    return h("table", { class: `lk-table lk-diff-table${together ? " lk-diff-together" : ""}`, "aria-label": "Fields that differ" }, h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))), ...changed.map((field) => h("tbody", {}, ...rowsOf(field, together, whole))));
  }

  /** @param {Field[]} same */
  function alike(same) {
    if (!same.length) return null;
    const rows = same.map((field) => h("tr", {}, h("th", { scope: "row" }, h("span", { class: "lk-diff-field" }, ...name(field.name))), h("td", {}, h("span", { class: "lk-diff-words" }, field.entries[0]?.after ?? ""))));
    const details = h("details", { open }, h("summary", { class: "lk-summary" }, `${counted(same.length, "field")} alike`), h("table", { class: "lk-table lk-diff-table lk-diff-together", "aria-label": "Fields that are alike" }, h("tbody", {}, ...rows)));
    details.addEventListener("toggle", () => (open = details.open));
    return details;
  }

  function draw() {
    place.replaceChildren(...[changes(fields.filter((field) => field.change !== "same")), alike(fields.filter((field) => field.change === "same"))].filter((part) => part !== null));
  }

  return {
    element: place,
    /** @param {boolean} on */
    arrange(on) {
      together = on;
      draw();
    },
    /** @param {Field[]} next @param {boolean} oneSided @param {boolean} brief  with those that are alike folded away, as beside a picture */
    show(next, oneSided, brief) {
      fields = next;
      whole = oneSided;
      open = !brief;
      draw();
    },
  };
}
