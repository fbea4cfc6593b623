/**
 * One dataset version in detail: how far it is, quality, splits, sources, files, provenance and lineage; placeholders where it has no content.
 * @module
 */

import { badge, h, shortId } from "../shared/dom.js";
import { count, counted } from "../shared/format.js";
import { part, redraw } from "../shared/head.js";
import { qualityParts } from "../shared/quality.js";
import { longTable } from "../shared/windowed.js";

/**
 * @typedef {[string, string | null][]} Facts
 * @typedef {{id: string, title: string, name: string, version: number | null, capability: string, status: string, progress: [number, number] | null, ready: boolean, is_frozen: boolean, failure: string, reason: string, provenance: Facts, job: Facts, sources: Facts, materialization: Facts, freezing: Facts, samples: number | null, annotations: number | null, splits: {head: string[], rows: (string | number)[][]} | null, stability: {kept: number, cost: number} | null, quality: import("../shared/quality.js").Quality, lineage: {head: string[], rows: string[][], count: number}}} Detail
 */

export const NOT_YET = "Stats not available yet";
/** @type {Record<string, "good" | "bad" | "info">} */
export const TONES = { success: "good", failed: "bad", running: "info" };
const IDS = new Set(["Dataset version id", "Build id", "Manifest hash", "Reuse fingerprint", "Build fingerprint"]);

/** @param {HTMLElement[]} actions  what can be done with the version, at the right end of its title */
export function detailPane(actions) {
  const fold = { open: false };
  const heading = h("div", { class: "lk-head" });
  const state = h("div", { class: "lk-stack" });
  const grid = h("div", { class: "lk-detail-grid" });
  const more = h("span", { class: "lk-dim" });
  const lineage = longTable({
    label: "Lineage",
    columns: [
      { head: "Decision", width: "minmax(112px, 1.2fr)" },
      { head: "Why", width: "minmax(160px, 2fr)" },
      { head: "Media", width: "minmax(112px, 1.2fr)" },
      { head: "Group", width: "minmax(64px, .8fr)" },
      { head: "Pack", width: "96px" },
      { head: "Revision", width: "minmax(80px, .8fr)" },
      { head: "Content", width: "80px" },
      { head: "Draft", width: "minmax(80px, .8fr)" },
      { head: "Proposed by", width: "minmax(104px, 1fr)" },
    ],
    cells: (/** @type {string[]} */ [pack, decision, why, media, group, revision, content, draft, model]) => [
      h("span", { title: decision, class: decision === "included" ? undefined : "lk-warned" }, decision),
      text(why),
      text(media),
      text(group),
      quiet(shortId(pack)),
      text(revision),
      content ? quiet(shortId(content)) : text(""),
      text(draft),
      text(model || (decision === "included" ? "people alone" : "")),
    ],
    empty: "No pack was decided about yet.",
    height: 264,
  });
  const element = h("section", { class: "lk-stack lk-detail", "aria-label": "Dataset detail", hidden: true }, heading, state, grid, part("Lineage", more, lineage.element));

  /** @param {Facts} facts */
  function list(facts) {
    return h("dl", { class: "lk-facts" }, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, IDS.has(name) && value ? shortId(value) : (value ?? "\u2013"))]));
  }

  /** @param {Detail} detail */
  function splits({ splits, samples, annotations, stability }) {
    if (!splits) return [h("p", { class: "lk-empty lk-not-yet" }, NOT_YET)];
    const number = (/** @type {string | number} */ value) => h("div", { class: "lk-number" }, typeof value === "number" ? count(value) : value);
    const head = h("tr", {}, ...splits.head.map((name, at) => h("th", { scope: "col" }, at ? number(name) : name)));
    const rows = splits.rows.map((row) => h("tr", {}, ...row.map((value, at) => h("td", {}, at ? number(value) : String(value)))));
    return [
      h("p", { class: "lk-dim" }, `${counted(samples ?? 0, "sample")}, ${counted(annotations ?? 0, "annotation")}`),
      h("div", { class: "lk-scroll", tabindex: "0", role: "group", "aria-label": "Splits" }, h("table", { class: "lk-table" }, h("thead", {}, head), h("tbody", {}, ...rows))),
      stability && h("p", { class: "lk-dim" }, `${counted(stability.kept, "group")} stayed where earlier versions put them; a free placement would come ${(100 * stability.cost).toFixed(1)} points closer.`),
    ];
  }

  /** @param {Detail} detail */
  function progress({ progress }) {
    const words = progress ? `${count(progress[0])} of ${counted(progress[1], "sample")}` : "The build has begun";
    return h("div", { class: "lk-banner lk-tone-info", role: "status" }, h("div", { class: "lk-banner-text lk-row" }, h("strong", {}, "Being built"), h("progress", { class: "lk-progress", "aria-label": "Samples built", value: progress?.[0], max: progress?.[1] ?? 1 }), h("span", { class: "lk-text" }, `${words}. ${NOT_YET}.`)));
  }

  return {
    element,
    /** Shows a version, or nothing. @param {Detail | null} detail */
    show(detail) {
      element.hidden = detail === null;
      if (!detail) return;
      const title = detail.version ? `${detail.name} v${detail.version}` : detail.name;
      redraw(heading, h("h3", {}, title), h("div", { class: "lk-about" }, badge(detail.status, TONES[detail.status]), detail.is_frozen && badge("frozen test set", "info"), badge(detail.quality.badge, detail.quality.tone), h("span", { class: "lk-dim" }, detail.capability), shortId(detail.id, undefined, "dataset version id")), h("div", { class: "lk-row lk-actions" }, ...actions));
      const failed = h("div", { class: "lk-banner lk-tone-bad" }, h("div", { class: "lk-banner-text" }, h("strong", {}, "The build failed"), h("code", { class: "lk-code" }, detail.failure), h("p", {}, detail.reason || "Nothing more is known.")));
      redraw(state, detail.status === "running" && progress(detail), detail.failure && failed);
      redraw(
        grid,
        part("Quality", h("p", { class: "lk-dim" }, detail.quality.policy_version ? `Policy ${detail.quality.policy_version}` : "No policy judged it"), ...qualityParts(detail.quality, fold).filter(Boolean)),
        part("Splits", ...splits(detail).filter(Boolean)),
        part("Provenance", list([...detail.job.filter(([name]) => name !== "Failure" && name !== "Reason"), ...detail.provenance])),
        h("div", { class: "lk-stack lk-detail-pair" }, part("Sources", list(detail.sources)), part("Files and protection", list([...detail.materialization, ...detail.freezing]))),
      );
      const { rows, count: all } = detail.lineage;
      const excluded = rows.filter((row) => row[1] !== "included").length;
      more.textContent = `${counted(all, "pack")}, ${count(excluded)} left out${rows.length < all ? `; the first ${count(rows.length)} are listed, dataset.lineage.to_polars() has all` : ""}`;
      lineage.show(rows);
    },
    close: lineage.close,
  };
}

/** @param {string} value */
function text(value) {
  return h("span", { title: value }, value || "\u2013");
}

/** Takes a copy button out of the order of the Tab key; a mouse still reaches it. @param {HTMLElement} element */
export function quiet(element) {
  element.tabIndex = -1;
  return element;
}
