/**
 * The quality badge of a dataset version with its indicators: hard fails first, each number beside its threshold.
 * @module
 */

import { badge, button, h } from "./shared/dom.js";
import { head, redraw } from "./shared/head.js";
import { qualityParts } from "./shared/quality.js";
import { shell } from "./shared/shell.js";

/** @typedef {import("./shared/quality.js").Quality & {name: string, version: number | null, title: string}} State */

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = shell({ model, el }, { label: "Dataset quality", className: "lk-quality" });
  const mark = h("span", { class: "lk-row" }, badge("\u2026"));
  const about = h("span", { class: "lk-dim" });
  const body = h("div", { class: "lk-loading" }, "Loading\u2026");
  const fold = { open: false };

  /** @param {State} state */
  function show(state) {
    mark.replaceChildren(badge(state.badge, state.tone));
    about.textContent = `${state.name}${state.version ? ` v${state.version}` : ""}${state.policy_version ? ` \u00b7 quality policy ${state.policy_version}` : ""}`;
    about.title = state.title;
    body.className = "lk-stack";
    redraw(body, ...qualityParts(state, fold));
  }

  const refresh = button("Refresh", () => view.ask("refresh"), { kind: "quiet" });
  view.root.append(head("Quality", [mark, about], [refresh, view.pythonButton()]), body);
  view.kernel.on("state", show);
  view.ask("ready").then((state) => state && show(state));
  return () => view.close();
}

export default { render };
