/**
 * The tabs below the stage: publish, the scope's label packs, its revisions.
 * @module
 */

import { button, fill, h, table } from "../shared/dom.js";
import { moment } from "../shared/format.js";
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
  const shelf = h("div", {});
  const parts = tabs("Publishing", [
    { name: "publish", title: "Publish", panel: panel.el },
    { name: "packs", title: "Label packs", panel: packs },
    { name: "history", title: "Revisions", panel: revisions, open: () => void loadHistory() },
    { name: "shelf", title: "Shelf", panel: shelf, open: () => void loadShelf() },
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

  async function loadShelf() {
    /** @type {{id: string, index: number, side: string, actor: string, at: string, objects: number}[] | undefined} */
    const rows = await frame.ask("shelf");
    if (!rows) return;
    const back = (/** @type {string} */ shelved) => async () => {
      if (await frame.ask("unshelve", { shelved }, { patience: 10_000 })) await loadShelf();
    };
    const cells = rows.map((row) => [`Frame ${row.index + 1}`, row.side === "mine" ? "mine" : "theirs", `${row.objects}`, `${row.actor}, ${moment(row.at)}`, opening.may.edit && button("Put back", back(row.id), { name: `Put frame ${row.index + 1} back` })]);
    fill(shelf, table("Shelf", ["Frame", "Side not taken", "Objects", "Settled by", ""], cells, "Nothing on the shelf. In a conflict the side that is not taken stays here for 30 days."));
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
