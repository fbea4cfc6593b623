/**
 * Choosing label packs for a dataset: candidates with checkboxes, what a build would decide as the choice changes, and the build.
 * @module
 */

import { button, h } from "./shared/dom.js";
import { count } from "./shared/format.js";
import { head, part, redraw } from "./shared/head.js";
import { shell } from "./shared/shell.js";
import { candidates } from "./preflight_table/candidates.js";
import { planView, resultView } from "./preflight_table/plan.js";

/**
 * @typedef {{name: string, ratios: Record<string, number>, seed: number, min_annotations: number, include_reviewed_override: boolean, force: boolean}} Options
 * @typedef {{capability: string, options: Options, may_override: boolean, rows: import("./preflight_table/candidates.js").PackRow[], selected: string[], preflight: import("./preflight_table/plan.js").Plan | null, result: import("./preflight_table/plan.js").Result | null}} State
 */

const PAUSE_MS = 150;
const PLAN_PATIENCE_MS = 15_000;
const BUILD_PATIENCE_MS = 24 * 60 * 60 * 1000;

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = shell({ model, el }, { label: "Dataset build", className: "lk-wide lk-preflight" });
  const about = h("span", { class: "lk-dim" }, "\u2026");
  const fields = h("div", { class: "lk-row lk-fields" });
  const plan = h("div", { class: "lk-stack lk-plan-box" }, h("div", { class: "lk-loading" }, "Loading\u2026"));
  const outcome = h("div", { role: "status" });
  const progress = h("progress", { class: "lk-progress", max: 1, "aria-label": "Build", hidden: true });
  const build = button("Build dataset", run, { kind: "primary" });
  const packs = candidates({ changed: later, say: view.say });
  /** @type {{on: Set<string>, off: Set<string>, options: Record<string, any>}} */
  let unsent = { on: new Set(), off: new Set(), options: {} };
  let timer = 0;
  let turn = 0;

  /** @param {boolean} ready */
  function allow(ready) {
    build.setAttribute("aria-disabled", String(!ready));
  }

  /** @param {string[]} on @param {string[]} off */
  function later(on, off) {
    for (const id of on) if (!unsent.off.delete(id)) unsent.on.add(id);
    for (const id of off) if (!unsent.on.delete(id)) unsent.off.add(id);
    wait();
  }

  /** @param {Record<string, any>} options */
  function change(options) {
    Object.assign(unsent.options, options);
    wait();
  }

  function wait() {
    clearTimeout(timer);
    plan.setAttribute("aria-busy", "true");
    allow(false);
    timer = window.setTimeout(() => void send(), PAUSE_MS);
  }

  /** Sends what was ticked and changed and shows the plan that the last answer brings. */
  async function send() {
    clearTimeout(timer);
    const { on, off, options } = unsent;
    unsent = { on: new Set(), off: new Set(), options: {} };
    const mine = (turn += 1);
    /** @type {any} */
    let answer;
    if (on.size || off.size) answer = await view.ask("select", { on: [...on], off: [...off] }, { patience: PLAN_PATIENCE_MS });
    if (Object.keys(options).length) {
      answer = await view.ask("change", { options }, { patience: PLAN_PATIENCE_MS });
      // What was refused is still in its field: it is sent again with the next change, so that no build runs without it.
      if (answer === undefined) unsent.options = { ...options, ...unsent.options };
    }
    if (mine !== turn) return;
    plan.removeAttribute("aria-busy");
    if (answer === undefined) return;
    view.show(null);
    showPlan(answer);
  }

  /** @param {import("./preflight_table/plan.js").Plan | null} next */
  function showPlan(next) {
    redraw(plan, ...planView(next));
    plan.removeAttribute("aria-busy");
    allow(Boolean(next?.ok));
    if (next) view.say(`${count(next.packs)} packs, ${count(next.samples)} samples`);
  }

  async function run() {
    redraw(outcome);
    progress.hidden = false;
    progress.removeAttribute("value");
    view.show(null);
    await view.ask("build", {}, { patience: BUILD_PATIENCE_MS });
    progress.hidden = true;
  }

  /** @param {string} label @param {HTMLElement} input */
  function field(label, input) {
    input.dataset.spot = label;
    return h("label", { class: "lk-field" }, h("span", {}, label), input);
  }

  /** @param {string} label @param {number} value @param {(value: number) => void} set @param {Record<string, any>} limits */
  function numberField(label, value, set, limits) {
    const input = h("input", { type: "number", class: "lk-input lk-short", value, ...limits, on: { change: () => input.value !== "" && Number.isFinite(input.valueAsNumber) && set(input.valueAsNumber) } });
    return field(label, input);
  }

  /** @param {string} label @param {boolean} value @param {(value: boolean) => void} set @param {string} title */
  function check(label, value, set, title) {
    const input = h("input", { type: "checkbox", on: { change: () => set(input.checked) } });
    input.checked = value;
    input.dataset.spot = label;
    return h("label", { class: "lk-check", title }, input, label);
  }

  /** @param {State} state */
  function showFields({ options, may_override: mayOverride }) {
    const name = h("input", { type: "text", class: "lk-input", value: options.name, on: { change: () => change({ name: name.value }) } });
    const ratios = { ...options.ratios };
    redraw(
      fields,
      field("Dataset name", name),
      ...Object.entries(ratios).map(([split, ratio]) => numberField(`Share of ${split}`, ratio, (value) => change({ ratios: Object.assign(ratios, { [split]: value }) && { ...ratios } }), { min: 0, max: 1, step: 0.05 })),
      numberField("Seed", options.seed, (value) => change({ seed: value }), { step: 1 }),
      numberField("Least labels a frame", options.min_annotations, (value) => change({ min_annotations: value }), { min: 0, step: 1 }),
      h(
        "div",
        { class: "lk-stack lk-tight lk-checks" },
        mayOverride &&
          check("Include reviewed revisions", options.include_reviewed_override, (value) => change({ include_reviewed_override: value }), "For developers: takes revisions that are reviewed but not yet approved for datasets"),
        check("Build even if an equal one exists", options.force, (value) => change({ force: value }), "Makes a new version instead of returning the equal one"),
      ),
    );
  }

  /** @param {State} state */
  function show(state) {
    about.textContent = state.capability;
    showFields(state);
    packs.show(state.rows, state.selected);
    showPlan(state.preflight);
    redraw(outcome, state.result && resultView(state.result));
  }

  allow(false);
  const refresh = button("Refresh", () => view.ask("refresh", {}, { patience: PLAN_PATIENCE_MS }), { kind: "quiet" });
  view.root.append(
    head("Build a dataset", [about], [refresh, view.pythonButton()]),
    fields,
    part("Label packs", packs.element),
    part("What a build would decide", plan),
    h("div", { class: "lk-row lk-build" }, build, progress),
    outcome,
  );
  view.kernel.on("state", show);
  view.kernel.on("built", ({ result, preflight }) => {
    redraw(outcome, resultView(result));
    showPlan(preflight);
  });
  view.kernel.on("progress", ({ done, total }) => {
    progress.max = total || 1;
    progress.value = done;
  });
  view.ask("ready", {}, { patience: PLAN_PATIENCE_MS }).then((state) => state && show(state));
  return () => {
    clearTimeout(timer);
    packs.close();
    view.close();
  };
}

export default { render };
