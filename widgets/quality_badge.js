/**
 * The quality badge of a dataset version with its indicators: hard fails first, each number beside its threshold.
 * @module
 */

import { badge, button, h } from "./shared/dom.js";
import { counted } from "./shared/format.js";
import { head, redraw } from "./shared/head.js";
import { shell } from "./shared/shell.js";

/**
 * @typedef {{code: string, severity: string, value: string, threshold: string, message: string, fired: boolean}} Check
 * @typedef {{name: string, version: number | null, title: string, badge: string, tone: "plain" | "good" | "warn" | "bad", policy_version: string, note: string, checks: Check[]}} State
 */

/** @param {string} label @param {Check[]} checks */
function checkTable(label, checks) {
  const number = (/** @type {string} */ text) => h("div", { class: "lk-number" }, text);
  return h(
    "table",
    { class: "lk-table", "aria-label": label },
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

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = shell({ model, el }, { label: "Dataset quality", className: "lk-quality" });
  const mark = h("span", { class: "lk-row" }, badge("\u2026"));
  const about = h("span", { class: "lk-dim" });
  const body = h("div", { class: "lk-loading" }, "Loading\u2026");
  let open = false;

  /** @param {State} state */
  function show(state) {
    mark.replaceChildren(badge(state.badge, state.tone));
    about.textContent = `${state.name}${state.version ? ` v${state.version}` : ""}${state.policy_version ? ` \u00b7 quality policy ${state.policy_version}` : ""}`;
    about.title = state.title;
    body.className = "lk-stack";
    const fired = state.checks.filter((check) => check.fired);
    const passed = state.checks.filter((check) => !check.fired);
    if (!state.checks.length) return redraw(body, h("p", { class: "lk-empty" }, `Not evaluated. ${state.note}`));
    const more = h("details", { on: { toggle: () => (open = more.open) } }, h("summary", { class: "lk-summary" }, `${counted(passed.length, "check")} passed`), checkTable("Passed checks", passed));
    more.open = open;
    redraw(body, fired.length > 0 ? checkTable("Indicators", fired) : h("p", { class: "lk-dim" }, "No indicator fired."), passed.length > 0 && more);
  }

  const refresh = button("Refresh", () => view.ask("refresh"), { kind: "quiet" });
  view.root.append(head("Quality", [mark, about], [refresh, view.pythonButton()]), body);
  view.kernel.on("state", show);
  view.ask("ready").then((state) => state && show(state));
  return () => view.close();
}

export default { render };
