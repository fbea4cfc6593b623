/**
 * What a build would decide: counts, groups and classes in each split, issues; and what a build came to.
 * @module
 */

import { badge, copy, button, h, shortId, table } from "../shared/dom.js";
import { count, counted } from "../shared/format.js";

/**
 * @typedef {{name: string, wanted: number, samples: number, groups: number, classes: number[]}} Split
 * @typedef {object} Plan
 * @property {boolean} ok
 * @property {"created" | "reused_in_progress" | "reused_success"} outcome
 * @property {string | null} dataset
 * @property {number} packs
 * @property {number} requested
 * @property {number} groups
 * @property {number} samples
 * @property {string[]} classes
 * @property {Split[]} splits
 * @property {{code: string, message: string, blocking: boolean}[]} issues
 * @property {{pack: string, reason: string, why: string}[]} excluded
 * @property {number} excluded_count
 * @property {number} kept_groups
 * @property {number} stability_cost
 * @property {string} never_searched
 * @property {string} reuse_fingerprint
 * @typedef {{outcome: "created" | "reused_in_progress" | "reused_success", id: string, name: string, version: number | null, status: string, samples: number | null, manifest_hash: string | null, included: number, excluded: number, quality: {badge: string, tone: "plain" | "good" | "warn" | "bad"}}} Result
 */

const WOULD = {
  created: "A build would create a new dataset version.",
  reused_in_progress: "An equal build is running; this one would join it.",
  reused_success: "An equal dataset exists; a build would return it.",
};

const CAME = {
  created: { title: "A new dataset version was created", tone: /** @type {const} */ ("good") },
  reused_in_progress: { title: "An equal build is already running", tone: /** @type {const} */ ("info") },
  reused_success: { title: "An equal dataset already exists", tone: /** @type {const} */ ("info") },
};

/** @param {import("../shared/dom.js").Child} value */
function number(value) {
  return h("div", { class: "lk-number" }, value);
}

/** @param {number} part @param {number} whole */
function share(part, whole) {
  return whole ? `${((100 * part) / whole).toFixed(1)}%` : "\u2013";
}

/** @param {Plan} plan */
function splits(plan) {
  const sum = (/** @type {(split: Split) => number} */ of) => plan.splits.reduce((total, split) => total + of(split), 0);
  /** @param {Split} split */
  const line = (split) => [
    h("span", { class: "lk-wrap" }, split.name),
    number(count(split.groups)),
    number(count(split.samples)),
    number(share(split.samples, plan.samples)),
    number(`${(100 * split.wanted).toFixed(0)}%`),
    ...split.classes.map((value) => number(count(value))),
  ];
  const bold = (/** @type {number} */ value) => number(h("strong", {}, count(value)));
  const total = [h("strong", {}, "All"), bold(sum((split) => split.groups)), bold(plan.samples), "", "", ...plan.classes.map((_, at) => bold(sum((split) => split.classes[at])))];
  return table(
    "Splits",
    ["Split", number("Groups"), number("Samples"), number("Share"), number("Wanted"), ...plan.classes.map((name) => number(h("span", { class: "lk-wrap" }, name)))],
    [...plan.splits.map(line), total],
    "No split.",
  );
}

/** @param {Plan} plan */
function issues(plan) {
  const lines = plan.issues.map((issue) => h("li", {}, badge(issue.blocking ? "blocks" : "notice", issue.blocking ? "bad" : "warn"), h("div", { class: "lk-stack lk-tight" }, h("code", { class: "lk-plain-code" }, issue.code), h("span", { class: "lk-wrap" }, issue.message))));
  const out = plan.excluded.map((one) => h("li", {}, badge("excluded", "plain"), h("div", { class: "lk-stack lk-tight" }, h("span", {}, shortId(one.pack), " ", h("code", { class: "lk-plain-code" }, one.reason)), h("span", { class: "lk-dim lk-wrap" }, one.why))));
  const more = plan.excluded_count - plan.excluded.length;
  if (!lines.length && !out.length) return h("p", { class: "lk-dim" }, "Nothing stands in the way.");
  return h("ul", { class: "lk-issues", tabindex: "0", "aria-label": "Issues" }, ...lines, ...out, more > 0 && h("li", { class: "lk-dim" }, `and ${count(more)} more excluded`));
}

/** @param {Plan | null} plan */
export function planView(plan) {
  if (!plan) return [h("p", { class: "lk-empty" }, "Select at least one label pack to see what a build would decide.")];
  const kept = plan.kept_groups > 0 && h("span", { class: "lk-dim" }, `${counted(plan.kept_groups, "group")} stay in the split of earlier versions${plan.stability_cost > 0 ? `, which costs ${(100 * plan.stability_cost).toFixed(1)} points of balance` : ""}.`);
  return [
    h("p", { class: "lk-would" }, badge(plan.ok ? "ready" : "blocked", plan.ok ? "good" : "bad"), plan.ok ? WOULD[plan.outcome] : "A build would be refused.", plan.ok && plan.dataset && shortId(plan.dataset)),
    h("p", {}, `${counted(plan.packs, "pack")}${plan.packs < plan.requested ? ` of ${count(plan.requested)}` : ""}, ${counted(plan.groups, "group")}, ${counted(plan.samples, "sample")}. `, kept),
    ...(plan.never_searched === "" ? [] : [h("p", { class: "lk-dim" }, plan.never_searched)]),
    h("div", { class: "lk-plan" }, h("div", { class: "lk-stack" }, h("h4", {}, "Splits"), splits(plan)), h("div", { class: "lk-stack" }, h("h4", {}, "Issues"), issues(plan))),
  ];
}

/** @param {Result} result */
export function resultView(result) {
  const { title, tone } = CAME[result.outcome];
  const open = `ws.datasets.get('${result.id}')`;
  return h(
    "div",
    { class: `lk-result lk-tone-${tone}`, role: "group", "aria-label": "Outcome" },
    h("div", { class: "lk-row" }, h("strong", {}, title), h("code", { class: "lk-code" }, result.outcome)),
    h(
      "div",
      { class: "lk-row lk-result-line" },
      h("span", { class: "lk-wrap" }, `${result.name}${result.version ? ` v${result.version}` : ""}`),
      shortId(result.id),
      badge(result.quality.badge, result.quality.tone),
      h("span", {}, `${result.samples === null ? "" : `${counted(result.samples, "sample")}, `}${counted(result.included, "pack")} in, ${count(result.excluded)} out`),
      button("Copy how to open it", () => copy(open), { title: open }),
    ),
  );
}
