/**
 * Every check of a dataset version's quality in the order of the policy: hard fails first, then by code, fired or not.
 * @module
 */

import { badge, button, h } from "./shared/dom.js";
import { count } from "./shared/format.js";
import { head, redraw } from "./shared/head.js";
import { checkTable } from "./shared/quality.js";
import { shell } from "./shared/shell.js";

/** @typedef {import("./shared/quality.js").Quality & {name: string, version: number | null, title: string, failure: string, reason: string}} State */

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = shell({ model, el }, { label: "Quality panel", className: "lk-quality" });
  const about = h("span", { class: "lk-dim" }, "\u2026");
  const mark = h("span", { class: "lk-row" });
  const body = h("div", { class: "lk-loading" }, "Loading\u2026");

  /** @param {State} state */
  function show(state) {
    const fired = state.checks.filter((check) => check.fired).length;
    mark.replaceChildren(badge(state.badge, state.tone));
    about.textContent = `${state.name}${state.version ? ` v${state.version}` : ""}`;
    about.title = state.title;
    body.className = "lk-stack";
    const words = state.checks.length ? `Policy ${state.policy_version}: ${count(fired)} of ${count(state.checks.length)} checks fired.` : "";
    redraw(
      body,
      state.failure && h("div", { class: "lk-banner lk-tone-bad" }, h("div", { class: "lk-banner-text" }, h("strong", {}, "The build failed"), h("code", { class: "lk-code" }, state.failure), h("p", {}, state.reason))),
      words && h("p", { class: "lk-dim" }, words),
      state.checks.length ? checkTable("Quality checks", state.checks) : h("p", { class: "lk-empty" }, `Not evaluated. ${state.note}`),
    );
  }

  const refresh = button("Refresh", () => view.ask("refresh"), { kind: "quiet" });
  view.root.append(head("Quality", [mark, about], [refresh, view.pythonButton()]), body);
  view.kernel.on("state", show);
  view.ask("ready").then((state) => state && show(state));
  return () => view.close();
}

export default { render };
