/**
 * The tabs below the stage: publish, the scope's label packs, its revisions.
 * @module
 */

import { button, fill, h } from "../shared/dom.js";
import { historyTable, packTable } from "../shared/revisions.js";
import { publishPanel } from "./publish.js";
import { tabs } from "./tabs.js";

/**
 * @param {{frame: import("../shared/shell.js").Shell, opening: import("./review.js").Opening, hint: string, goTo: (index: number, id: string | null) => void, finish: () => void}} options
 *   `finish` ends what is half done on the stage, before a publish
 */
export function publishing({ frame, opening, hint, goTo, finish }) {
  const panel = publishPanel({
    async send(args) {
      finish();
      const outcome = await frame.kernel.ask("publish", args, { patience: 30_000 });
      frame.say(`${outcome.code}, revision ${outcome.number}`);
      return outcome;
    },
    go: (finding) => goTo(finding.frame, finding.annotation),
    reset,
    mayPublish: opening.may.publish,
    mayOverride: opening.may.override,
    hint,
  });
  const packs = h("div", {});
  const revisions = h("div", {});
  const parts = tabs("Publishing", [
    { name: "publish", title: "Publish", panel: panel.el },
    { name: "packs", title: "Label packs", panel: packs },
    { name: "history", title: "Revisions", panel: revisions, open: () => void loadHistory() },
  ]);

  async function reset() {
    if (!(await frame.ask("reset", {}, { patience: 10_000 }))) return;
    const restore = button("Restore", async () => (await frame.ask("restore", {}, { patience: 10_000 })) && frame.show(null));
    frame.show({ code: "", title: "The draft is back to the labels it was seeded with", detail: "Your edits are kept aside.", hint: "" }, "good", [restore]);
  }

  /** @param {import("../shared/revisions.js").PackRow[]} rows */
  function showPacks(rows) {
    panel.packs(rows);
    parts.rename("packs", rows.length ? `Label packs (${rows.length})` : "Label packs");
    fill(packs, packTable(frame.root, rows, async (step, row, reason) => (await frame.ask("pack_step", { step, pack: row.id, reason })) && load()));
  }

  async function loadHistory() {
    if (!revisions.childNodes.length) fill(revisions, h("p", { class: "lk-empty" }, "Loading\u2026"));
    const rows = await frame.ask("history");
    if (!rows) return;
    parts.rename("history", rows.length ? `Revisions (${rows.length})` : "Revisions");
    const table = historyTable(frame.root, rows, async (state, row, reason) => {
      await frame.ask("eligibility", { revision: row.id, state, version: row.eligibility_version, reason });
      await loadHistory();
    });
    fill(revisions, table);
  }

  async function load() {
    const rows = await frame.ask("packs");
    if (rows) showPacks(rows);
    if (revisions.childNodes.length) await loadHistory();
  }

  showPacks(opening.packs);
  return {
    el: parts.el,
    load,
    publish() {
      parts.show("publish");
      return panel.publish();
    },
  };
}
