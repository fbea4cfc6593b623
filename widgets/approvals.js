/**
 * The packs and revisions of one scope, and the steps that approve, reject and revoke them.
 * @module
 */

import { button, h } from "./shared/dom.js";
import { head, part, redraw } from "./shared/head.js";
import { historyTable, packTable } from "./shared/revisions.js";
import { shell } from "./shared/shell.js";

/** @typedef {{media: string, capability: string, packs: import("./shared/revisions.js").PackRow[], revisions: import("./shared/revisions.js").RevisionRow[]}} State */

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = shell({ model, el }, { label: "Approvals", className: "lk-wide" });
  const about = h("span", { class: "lk-dim" }, "\u2026");
  const packs = h("div", { class: "lk-loading" }, "Loading\u2026");
  const revisions = h("div", { class: "lk-loading" }, "Loading\u2026");

  /** Asks for a step; the kernel sends the present rows to every view whether it agrees or not. @param {string} command @param {Record<string, any>} args @param {string} done */
  async function act(command, args, done) {
    const answer = await view.ask(command, args);
    if (!answer) return;
    view.show(null);
    view.say(done);
  }

  /** @param {State} state */
  function show(state) {
    about.textContent = `${state.media} \u00b7 ${state.capability}`;
    packs.className = revisions.className = "";
    redraw(packs, packTable(view.root, state.packs, (step, pack, reason) => act("step", { pack: pack.id, step, reason }, `Done: ${step} label pack`)));
    redraw(
      revisions,
      historyTable(view.root, state.revisions, (wanted, row, reason) =>
        act("set_eligibility", { revision: row.id, state: wanted, expected_version: row.eligibility_version, reason }, `Revision ${row.number} is ${wanted.toLowerCase()}`),
      ),
    );
  }

  const refresh = button("Refresh", () => view.ask("reload"), { kind: "quiet" });
  view.root.append(head("Approvals", [about], [refresh, view.pythonButton()]), part("Label packs", packs), part("Revisions", revisions));
  view.kernel.on("state", show);
  view.ask("ready").then((state) => state && show(state));
  return () => view.close();
}

export default { render };
