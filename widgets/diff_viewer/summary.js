/**
 * What changed, in numbers: both sides, rows added, removed and modified, the fields that changed most, and each group's share.
 * @module
 */

import { badge, h, shortId } from "../shared/dom.js";
import { count, counted } from "../shared/format.js";
import { part } from "../shared/head.js";
import { SIGNS, TONES } from "./list.js";

/**
 * @typedef {{title: string, about: string, id: string}} Side
 * @typedef {{kind: string, sides: [Side, Side], unit: string, counts: number[], fields: [string, number][], more_fields: number, groups: [string, [string, number, number, number][]][], columns: string[], step: [string, string] | null, same: boolean}} Summary
 * @typedef {Record<string, string | null>} Filters
 */

const KINDS = /** @type {const} */ (["added", "removed", "modified"]);
/** @type {Record<string, "bad" | "info" | "good">} */
const STEPS = { major: "bad", minor: "info", patch: "good" };

/** @param {(change: Filters) => void} filter  called with what a click narrows the rows to; null lifts it */
export function summaryPane(filter) {
  const sides = h("dl", { class: "lk-diff-sides" });
  const counts = h("div", { class: "lk-diff-counts", role: "group", "aria-label": "Changes" });
  const notes = h("div", { class: "lk-diff-notes" });
  const breakdown = h("div", { class: "lk-diff-breakdown" });
  const element = h("div", { class: "lk-stack lk-diff-summary" }, h("div", { class: "lk-diff-top" }, sides, counts), notes, breakdown);
  /** @type {Summary | null} */
  let summary = null;
  /** @type {Filters} */
  let given = {};

  /** A figure that narrows the rows to what it counts, and widens them again. @param {string} which @param {string} value @param {import("../shared/dom.js").Child[]} children */
  function toggle(which, value, ...children) {
    const pressed = given[which] === value;
    return h("button", { type: "button", class: "lk-diff-toggle", "aria-pressed": String(pressed), "data-spot": `${which}:${value}`, on: { click: () => filter({ [which]: pressed ? null : value }) } }, ...children);
  }

  /** @param {Summary} now */
  function draw(now) {
    const focused = /** @type {HTMLElement | null} */ (element.contains(document.activeElement) ? document.activeElement : null)?.dataset.spot;
    sides.replaceChildren(...now.sides.flatMap((side, at) => [h("dt", {}, at ? "After" : "Before"), h("dd", {}, h("strong", {}, side.title), h("span", { class: "lk-dim" }, side.about), side.id !== side.title && shortId(side.id))]));
    counts.replaceChildren(
      ...KINDS.map((kind, at) => {
        const number = now.counts[at];
        const shown = [h("span", { class: `lk-diff-number ${number ? TONES[kind] : "lk-dim"}` }, `${SIGNS[kind]}${count(number)}`), h("span", { class: "lk-dim" }, kind)];
        return number ? toggle("change", kind, ...shown) : h("span", { class: "lk-diff-toggle" }, ...shown);
      }),
    );
    notes.hidden = !now.step && !now.columns.length;
    notes.replaceChildren(...(now.step ? [h("span", {}, badge(`${now.step[0]} version`, STEPS[now.step[0]], "By Croissant's reading of semantic versioning"), " ", now.step[1])] : []), ...now.columns.map((text) => h("span", { class: "lk-dim" }, now.kind === "versions" ? `Column ${text}` : text)));
    breakdown.hidden = !now.fields.length && !now.groups.length;
    breakdown.replaceChildren(...(now.fields.length ? [fields(now)] : []), ...now.groups.map((group) => byGroup(...group)));
    if (focused) /** @type {HTMLElement | null} */ (element.querySelector(`[data-spot="${CSS.escape(focused)}"]`))?.focus();
  }

  /** @param {Summary} now */
  function fields(now) {
    const most = Math.max(...now.fields.map(([, number]) => number));
    const rows = now.fields.map(([name, number]) => {
      const bar = h("span", { class: "lk-diff-bar", "aria-hidden": "true" });
      bar.style.setProperty("--share", `${(100 * number) / most}%`);
      return toggle("field", name, h("span", { class: "lk-clip", title: name }, name), bar, h("span", { class: "lk-number" }, count(number)));
    });
    return part("Fields that changed most", h("div", { class: "lk-diff-lines lk-diff-fields", tabindex: "-1" }, ...rows, now.more_fields > 0 && h("span", { class: "lk-dim" }, `and ${counted(now.more_fields, "more field")}`)));
  }

  /** @param {string} name @param {[string, number, number, number][]} rows */
  function byGroup(name, rows) {
    const which = name === "class" ? "label" : name;
    const lines = rows.map(([value, ...numbers]) =>
      toggle(which, value, h("span", { class: "lk-clip", title: value }, value), ...numbers.map((number, at) => h("span", { class: `lk-number ${number ? TONES[KINDS[at]] : "lk-diff-none"}` }, number ? `${SIGNS[KINDS[at]]}${count(number)}` : "\u00b7"))),
    );
    return part(`By ${name}`, h("div", { class: "lk-diff-lines lk-diff-groups" }, ...lines));
  }

  return {
    element,
    /** @param {Summary} now @param {Filters} filters */
    show(now, filters) {
      summary = now;
      given = filters;
      draw(now);
    },
    /** Marks what the rows are narrowed to. @param {Filters} filters */
    mark(filters) {
      given = filters;
      if (summary) draw(summary);
    },
  };
}
