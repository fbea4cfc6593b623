/**
 * Quality checks as tables: each number beside its threshold, what fired apart from what passed.
 * @module
 */

import { badge, h } from "./dom.js";
import { counted } from "./format.js";

/**
 * @typedef {{code: string, severity: string, value: string, threshold: string, message: string, fired: boolean}} Check
 * @typedef {{badge: string, tone: "plain" | "good" | "warn" | "bad", policy_version: string, note: string, checks: Check[]}} Quality
 */

/** @param {string} label @param {Check[]} checks */
export function checkTable(label, checks) {
  const number = (/** @type {string} */ text) => h("div", { class: "lk-number" }, text);
  return h(
    "table",
    { class: "lk-table lk-checks", "aria-label": label },
    h("colgroup", {}, ...["lk-col-severity", "", "lk-col-value", "lk-col-value"].map((name) => h("col", { class: name || undefined }))),
    h("thead", {}, h("tr", {}, ...["Severity", "Indicator", number("Value"), number("Wanted")].map((column) => h("th", { scope: "col" }, column)))),
    h(
      "tbody",
      {},
      ...checks.map((check) =>
        h(
          "tr",
          {},
          h("td", {}, check.fired ? badge(check.severity, check.severity === "Warning" ? "warn" : "bad") : badge("Passed", "good")),
          h("td", {}, h("code", { class: "lk-plain-code" }, check.code), h("div", { class: "lk-dim lk-wrap" }, check.message)),
          h("td", {}, number(check.value)),
          h("td", {}, number(check.threshold)),
        ),
      ),
    ),
  );
}

/**
 * What fired, and what passed behind a fold; words where nothing was evaluated.
 * @param {Quality} quality @param {{open: boolean}} fold  whether what passed is unfolded, kept from one drawing to the next
 */
export function qualityParts(quality, fold) {
  if (!quality.checks.length) return [h("p", { class: "lk-empty" }, `Not evaluated. ${quality.note}`)];
  const fired = quality.checks.filter((check) => check.fired);
  const passed = quality.checks.filter((check) => !check.fired);
  const more = h("details", { on: { toggle: () => (fold.open = more.open) } }, h("summary", { class: "lk-summary" }, `${counted(passed.length, "check")} passed`), checkTable("Passed checks", passed));
  more.open = fold.open;
  return [fired.length > 0 ? checkTable("Indicators", fired) : h("p", { class: "lk-dim" }, "No indicator fired."), passed.length > 0 && more];
}
