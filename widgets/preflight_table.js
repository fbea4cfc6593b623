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
 * @typedef {{name: string, split_strategy: string, split_column: string | null, ratios: Record<string, number>, seed: number, min_annotations: number, include_reviewed_override: boolean, force: boolean}} Options
 * @typedef {{done: number, total: number | null}} Progress
 * @typedef {{capability: string, options: Options, strategies: string[], columns: string[], running: Progress | null, may_override: boolean, rows: import("./preflight_table/candidates.js").PackRow[], selected: string[], preflight: import("./preflight_table/plan.js").Plan | null, result: import("./preflight_table/plan.js").Result | null}} State
 */

const PAUSE_MS = 150;
const PLAN_PATIENCE_MS = 15_000;
/** @type {Record<string, [string, string]>} */
const STRATEGIES = {
  group_stable: ["Groups stay where they are", "A group that an earlier version placed never moves; new ones are balanced around them"],
  group_ratio: ["Best balance for this version", "Every group is placed anew, as close to the shares as can be"],
  predefined: ["As the media came", "A fact of each media names its split"],
};

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = shell({ model, el }, { label: "Dataset build", className: "lk-wide lk-preflight" });
  const about = h("span", { class: "lk-dim" }, "\u2026");
  const fields = h("div", { class: "lk-row lk-fields" });
  const plan = h("div", { class: "lk-stack lk-plan-box" }, h("div", { class: "lk-loading" }, "Loading\u2026"));
  const outcome = h("div", { role: "status" });
  const progress = h("progress", { class: "lk-progress", max: 1, "aria-label": "Build", hidden: true });
  const far = h("span", { class: "lk-dim lk-far" });
  const stop = button("Cancel", () => view.ask("cancel", {}, { patience: PLAN_PATIENCE_MS }));
  const build = button("Build dataset", run, { kind: "primary" });
  let ready = false;
  let running = false;
  const packs = candidates({ changed: later, say: view.say });
  /** @type {{on: Set<string>, off: Set<string>, options: Record<string, any>}} */
  let unsent = { on: new Set(), off: new Set(), options: {} };
  let timer = 0;
  let turn = 0;

  /** @param {boolean} may */
  function allow(may) {
    ready = may;
    build.setAttribute("aria-disabled", String(!ready || running));
  }

  /** Shows how far a build is; null once none is under way. @param {Progress | null} now */
  function follow(now) {
    running = now !== null;
    progress.hidden = stop.hidden = !running;
    far.textContent = now?.total ? `${count(now.done)} of ${count(now.total)} samples` : running ? "Begun" : "";
    if (now?.total) {
      progress.max = now.total;
      progress.value = now.done;
    } else progress.removeAttribute("value");
    allow(ready);
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
    view.show(null);
    follow({ done: 0, total: null });
    if (!(await view.ask("build", {}, { patience: PLAN_PATIENCE_MS }))) follow(null);
  }

  /** @param {string} label @param {[string, string, string][]} choices value, text and title @param {string} value @param {(value: string) => void} set */
  function choiceField(label, choices, value, set) {
    const input = h("select", { class: "lk-input", "aria-label": label, on: { change: () => set(input.value) } }, ...choices.map(([one, text, title]) => h("option", { value: one, title, selected: one === value }, text)));
    return field(label, input);
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
  function showFields({ options, strategies, columns, may_override: mayOverride }) {
    const predefined = options.split_strategy === "predefined";
    const name = h("input", { type: "text", class: "lk-input", value: options.name, on: { change: () => change({ name: name.value }) } });
    const ratios = { ...options.ratios };
    redraw(
      fields,
      field("Dataset name", name),
      choiceField("Split", strategies.map((one) => [one, ...STRATEGIES[one]]), options.split_strategy, (value) => change({ split_strategy: value })),
      ...(predefined
        ? [choiceField("Column of the split", columns.map((one) => [one, one.replaceAll("_", " "), ""]), options.split_column ?? columns[0], (value) => change({ split_column: value }))]
        : Object.entries(ratios).map(([split, ratio]) => numberField(`Share of ${split}`, ratio, (value) => change({ ratios: Object.assign(ratios, { [split]: value }) && { ...ratios } }), { min: 0, max: 1, step: 0.05 }))),
      ...(predefined ? [] : [numberField("Seed", options.seed, (value) => change({ seed: value }), { step: 1 })]),
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
    follow(state.running);
    redraw(outcome, state.result && resultView(state.result));
  }

  allow(false);
  stop.hidden = true;
  const refresh = button("Refresh", () => view.ask("refresh", {}, { patience: PLAN_PATIENCE_MS }), { kind: "quiet" });
  view.root.append(
    head("Build a dataset", [about], [refresh, view.pythonButton()]),
    fields,
    part("Label packs", packs.element),
    part("What a build would decide", plan),
    h("div", { class: "lk-row lk-build" }, build, progress, far, stop),
    outcome,
  );
  view.kernel.on("state", show);
  view.kernel.on("ended", ({ result, preflight }) => {
    follow(null);
    redraw(outcome, result && resultView(result));
    showPlan(preflight);
  });
  view.kernel.on("progress", follow);
  view.ask("ready", {}, { patience: PLAN_PATIENCE_MS }).then((state) => state && show(state));
  return () => {
    clearTimeout(timer);
    packs.close();
    view.close();
  };
}

export default { render };
