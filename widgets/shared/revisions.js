/**
 * The tables of label packs and of published revisions, with the steps that each row allows. Rows are those of `labelkit/widgets/rows.py`.
 * @module
 */

import { askReason, badge, button, compact, h, shortId, table } from "./dom.js";
import { count, counted, moment } from "./format.js";

/**
 * @typedef {{id: string, review_status: string, validation_status: string, publishable: boolean, steps: string[], reason: string | null, updated_at: string, updated_by: string}} PackRow
 * @typedef {{id: string, number: number, created_at: string, content_hash: string, frames: number, annotations: number, diff: {added: number, removed: number, modified: number, flags: number, frames: number, by_class: Record<string, number[]>}, actor: string, lineage: string, pack_id: string, draft_id: string, draft_version: number, validation: string, warnings: string[], reason: string | null, eligibility: string, eligibility_version: number, eligibility_reason: string | null, eligibility_by: string | null, steps: string[], pack_approved: boolean}} RevisionRow
 */

/** @type {Record<string, "plain" | "good" | "warn" | "bad" | "info">} */
const TONES = { approved: "good", passed: "good", pending: "warn", rejected: "bad", revoked: "bad", failed: "bad", APPROVED: "good", REVIEWED: "info", REVOKED: "bad" };
/** @type {Record<string, string>} */
const WORDS = { approve: "Approve", reject: "Reject", revoke: "Revoke" };

/** What a lineage without a pack means. @type {Record<string, string>} */
const ORIGINS = { manual: "begun by hand, from no prelabels", legacy_unknown: "an older record, made before this was kept" };

/**
 * Where content came from, in the same words in every view and as Python's `Lineage.compact` says it: whole on hover, copied by a click.
 * @param {string | null} lineage  null where there is nothing yet
 */
export function origin(lineage) {
  if (!lineage) return h("span", { class: "lk-dim" }, "\u2013");
  const short = lineage.startsWith("pack:") ? `pack:\u2026${lineage.slice(-6)}` : lineage;
  return shortId(lineage, short, ORIGINS[lineage]);
}

/** A state as a badge. @param {string} state */
export function state(state) {
  return badge(state.toLowerCase(), TONES[state] ?? "plain");
}

/**
 * The packs of a scope. Every step asks for a reason.
 * @param {HTMLElement} root @param {PackRow[]} rows
 * @param {(step: string, pack: PackRow, reason: string) => Promise<unknown>} act
 */
export function packTable(root, rows, act) {
  /** @param {PackRow} row @param {string} step */
  const go = async (row, step) => {
    const kind = step === "approve" ? /** @type {const} */ ("primary") : /** @type {const} */ ("danger");
    const reason = await askReason(root, { title: `${WORDS[step]} label pack ${compact(row.id)}`, action: WORDS[step], kind, detail: PACK_DETAIL[step] });
    if (reason) await act(step, row, reason);
  };
  return table(
    "Label packs",
    ["Pack", "Review", "Validation", "Reason", "Last change", h("span", { class: "lk-offscreen" }, "Steps")],
    rows.map((row) => [
      shortId(row.id),
      state(row.review_status),
      state(row.validation_status),
      row.reason ?? h("span", { class: "lk-dim" }, "none"),
      h("span", { class: "lk-dim" }, moment(row.updated_at), `, ${row.updated_by}`),
      h("div", { class: "lk-row lk-end" }, ...row.steps.map((step) => button(WORDS[step], () => go(row, step), { kind: step === "approve" ? "plain" : "danger", name: `${WORDS[step]} label pack ${row.id}` }))),
    ]),
    "No label pack yet: the first publish creates one.",
  );
}

/** @type {Record<string, string>} */
const PACK_DETAIL = {
  approve: "Revisions can then be published into it, and datasets built from it.",
  reject: "It will not be offered for publishing or building.",
  revoke: "Its revisions are left out of every later build. What is already built does not change.",
};

/** The difference to the revision before, with counts per class on hover. @param {RevisionRow} row */
function difference(row) {
  const { added, removed, modified, flags, frames, by_class: classes } = row.diff;
  const title = Object.entries(classes).map(([name, [a, r, m]]) => `${name}: +${a} \u2212${r} ~${m}`).join("\n");
  return h(
    "div",
    { class: "lk-stack lk-tight", title },
    h("span", { class: "lk-diff" }, h("span", { class: "lk-plus" }, `+${count(added)}`), h("span", { class: "lk-minus" }, `\u2212${count(removed)}`), h("span", { class: "lk-changed" }, `~${count(modified)}`)),
    h("span", { class: "lk-dim" }, `on ${counted(frames, "frame")}${flags ? `, flags on ${flags}` : ""}`),
  );
}

/** @param {RevisionRow} row */
function provenance(row) {
  return h(
    "div",
    { class: "lk-stack lk-tight lk-provenance" },
    h("span", {}, moment(row.created_at), ` by ${row.actor}`),
    h("span", { class: "lk-dim" }, "from ", origin(row.lineage), ", draft ", shortId(row.draft_id), ` v${row.draft_version}`),
    h("span", { class: "lk-dim" }, "pack ", shortId(row.pack_id), ", content ", shortId(row.content_hash)),
    row.warnings.length > 0 && h("span", { class: "lk-dim" }, `warnings overridden: ${row.warnings.map((code) => code.toLowerCase().replaceAll("_", " ")).join(", ")}${row.reason ? ` (${row.reason})` : ""}`),
  );
}

/**
 * The revisions of a scope, newest first, with approve and revoke for datasets.
 * @param {HTMLElement} root @param {RevisionRow[]} rows
 * @param {(state: "APPROVED" | "REVOKED", row: RevisionRow, reason: string | null) => Promise<unknown>} act
 */
export function historyTable(root, rows, act) {
  /** @param {RevisionRow} row @param {string} step */
  const go = async (row, step) => {
    const approve = step === "approve";
    const reason = await askReason(root, {
      title: approve ? `Approve revision ${row.number} for datasets` : `Revoke revision ${row.number}`,
      action: approve ? "Approve for dataset" : "Revoke",
      kind: approve ? "primary" : "danger",
      required: !approve || row.eligibility === "REVOKED",
      detail: approve ? "Later builds may use it." : "Later builds leave it out. What is already built does not change.",
    });
    if (reason !== null) await act(approve ? "APPROVED" : "REVOKED", row, reason || null);
  };
  return table(
    "Revision history",
    ["Revision", h("div", { class: "lk-number" }, "Labels"), "Difference", "Provenance", "Dataset eligibility"],
    rows.map((row) => [
      h("strong", {}, row.number),
      h("div", { class: "lk-stack lk-tight lk-number" }, h("span", {}, count(row.annotations)), h("span", { class: "lk-dim" }, counted(row.frames, "frame"))),
      difference(row),
      provenance(row),
      h(
        "div",
        { class: "lk-stack" },
        h("div", { class: "lk-row" }, state(row.eligibility), ...row.steps.map((step) => button(step === "approve" ? "Approve for dataset" : "Revoke", () => go(row, step), { kind: step === "approve" ? "plain" : "danger", name: `${step === "approve" ? "Approve for dataset" : "Revoke"}: revision ${row.number}` }))),
        row.eligibility_reason && h("span", { class: "lk-dim" }, `${row.eligibility_by ?? ""}: ${row.eligibility_reason}`),
        !row.pack_approved && row.eligibility !== "APPROVED" && h("span", { class: "lk-dim" }, "Its label pack is not approved."),
      ),
    ]),
    "Nothing is published yet.",
  );
}
