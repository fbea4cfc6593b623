/**
 * The publish panel: which pack, the outcome, what validation found with a way to each frame, and the override with its reason.
 * @module
 */

import { badge, button, compact, fill, h, shortId } from "../shared/dom.js";
import { counted } from "./counting.js";

/** @typedef {import("../shared/revisions.js").PackRow} PackRow */
/** @typedef {import("../shared/commands.js").Report} Report */
/** @typedef {{code: string, frame: number, message: string, annotation: string | null, hard: boolean}} Finding */

const SHOWN = 50;
const OVERRIDABLE = "WARNINGS_REQUIRE_OVERRIDE";
/** @type {Report} */
const NO_REASON = { code: "REASON_REQUIRED", title: "A reason is required", detail: "The override of the warnings was asked without one.", hint: "Say why the warnings are acceptable; it is kept in the audit trail." };

/**
 * @param {{send: (args: {pack: string | null, override_warnings: boolean, reason: string | null}) => Promise<any>, go: (finding: Finding) => void, reset: () => Promise<unknown>, mayPublish: boolean, mayOverride: boolean, hint: string}} options
 *   `send` publishes: resolves with the outcome, rejects with a refusal
 */
export function publishPanel({ send, go, reset, mayPublish, mayOverride, hint }) {
  const pack = h("select", { class: "lk-input", "aria-label": "Label pack to publish into" });
  const first = h("span", { class: "lk-dim", hidden: true }, "The first publish creates the label pack.");
  const none = h("span", { class: "lk-row" });
  const action = button("Publish", publish, { kind: "primary", title: mayPublish ? `Publish the draft (${hint})` : "Publishing needs a reviewer", disabled: !mayPublish });
  const outcome = h("div", { class: "lk-outcome", role: "status" });
  const findings = h("div", { class: "lk-findings", hidden: true });
  const tick = h("input", { type: "checkbox" });
  const reason = h("input", { class: "lk-input lk-grow", type: "text", placeholder: "Why the warnings are acceptable", "aria-label": "Reason for the override" });
  const override = h("div", { class: "lk-override", hidden: true }, h("label", { class: "lk-check" }, tick, "Override the warnings"), reason, button("Publish all the same", publish, { kind: "plain" }));
  const el = h(
    "div",
    { class: "lk-publish" },
    h("div", { class: "lk-row" }, h("label", { class: "lk-row" }, h("span", { class: "lk-dim" }, "Label pack"), pack), first, action, none, h("span", { class: "lk-spring" }), button("Reset draft\u2026", reset, { kind: "quiet", title: "Back to the labels it was seeded with; can be restored" })),
    outcome,
    findings,
    override,
  );

  async function publish() {
    const overriding = !override.hidden && tick.checked;
    if (overriding && !reason.value.trim()) {
      tell(NO_REASON, "bad");
      reason.focus();
      return;
    }
    fill(outcome, h("span", { class: "lk-dim" }, "Publishing\u2026"));
    try {
      succeeded(await send({ pack: pack.value || null, override_warnings: overriding, reason: overriding ? reason.value.trim() : null }));
    } catch (error) {
      refused(/** @type {import("../shared/commands.js").Refusal} */ (error).report);
    }
  }

  /** @param {any} result */
  function succeeded(result) {
    const done = result.code === "PUBLISH_SUCCESS";
    const text = done ? `Revision ${result.number} is published: ${result.annotations} labels on ${result.frames} frames.` : `Nothing to publish: revision ${result.number} has the same content.`;
    fill(outcome, badge(result.code, done ? "good" : "info"), h("span", {}, text));
    list([]);
    override.hidden = true;
    tick.checked = false;
    reason.value = "";
  }

  /** Says what became of a publish: code, title, detail and hint. @param {Report} report @param {"warn" | "bad"} tone @param {...(HTMLElement | false)} actions */
  function tell(report, tone, ...actions) {
    const detail = h("span", { class: "lk-dim" }, counted(report.detail), report.hint && ` ${report.hint}`);
    fill(outcome, badge(report.code, tone), h("strong", {}, report.title), ...actions, detail);
  }

  /** @param {Report} report */
  function refused(report) {
    const warnings = report.code === OVERRIDABLE;
    tell(report, warnings ? "warn" : "bad", report.code === "RESET_DRAFT_REQUIRED" && button("Reset draft", reset, { kind: "danger" }));
    list(/** @type {Finding[]} */ (report.facts?.findings ?? []));
    override.hidden = !(warnings && mayOverride);
  }

  /** @param {Finding[]} found */
  function list(found) {
    findings.hidden = found.length === 0;
    fill(
      findings,
      h(
        "ul",
        { class: "lk-finding-list", "aria-label": "Findings" },
        ...found.slice(0, SHOWN).map((finding) =>
          h("li", { class: "lk-row" }, badge(finding.code.toLowerCase().replaceAll("_", " "), finding.hard ? "bad" : "warn"), h("span", { class: "lk-grow" }, counted(finding.message)), button("Go to frame", () => go(finding), { kind: "quiet", name: `Go to frame ${finding.frame + 1}` })),
        ),
      ),
      found.length > SHOWN && h("p", { class: "lk-dim" }, `and ${found.length - SHOWN} more`),
    );
  }

  return {
    el,
    publish,
    /** Offers the packs that can be published into. @param {PackRow[]} rows */
    packs(rows) {
      const open = rows.filter((row) => row.publishable);
      const chosen = pack.value;
      fill(pack, ...open.map((row) => h("option", { value: row.id, title: row.id }, `${compact(row.id)} (${row.review_status})`)));
      if (open.some((row) => row.id === chosen)) pack.value = chosen;
      /** @type {HTMLElement} */ (pack.parentElement).hidden = open.length === 0;
      first.hidden = rows.length > 0;
      fill(none, ...(rows.length && !open.length ? [badge("no approved pack", "warn"), "Approve a label pack first: see Label packs.", shortId(rows[0].id)] : []));
    },
  };
}
