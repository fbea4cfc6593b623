/**
 * Looking through a dataset: filters and the list at the left; the frame with its labels, what is known of it and its labels at the right.
 * @module
 */

import { badge, button, copy, h, shortId } from "./shared/dom.js";
import { counted } from "./shared/format.js";
import { head, redraw } from "./shared/head.js";
import { bindings, keysButton, showKeys } from "./shared/keys.js";
import { shell } from "./shared/shell.js";
import { longTable } from "./shared/windowed.js";
import { sampleList } from "./sample_viewer/list.js";
import { picture } from "./sample_viewer/picture.js";

/**
 * @typedef {Record<string, string | null>} Filters
 * @typedef {{items: import("./sample_viewer/list.js").Item[], next_cursor: string | null, total: number | null, selected: string | null, filters: Filters}} List
 * @typedef {List & {title: string, name: string, version: number | null, capability: string, choices: Record<string, string[]>, keys: import("./shared/keys.js").Key[]}} State
 * @typedef {{label: string, x: string, y: string, size: string, score: string, source: string}} Label
 * @typedef {import("./sample_viewer/picture.js").Seen & {facts: [string, string][], labels: Label[], classes: Record<string, number>}} Detail
 */

const FILTERS = { split: "Split", label: "Class", camera_type: "Camera", group: "Group", finding: "Finding" };
const ANY = { ANY: "Any finding" };
const LONG_FACTS = new Set(["Frame sha256", "Label digest"]);

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = shell({ model, el }, { label: "Samples", className: "lk-wide lk-samples", key: (event) => keys.press(event) });
  const height = Number(model.get("height")) || 440;
  const about = h("span", { class: "lk-dim" }, "\u2026");
  const filters = h("div", { class: "lk-filters", role: "group", "aria-label": "Filters" });
  const facts = h("div", { class: "lk-stack" });
  const title = h("div", { class: "lk-row lk-sample-title" });
  const stage = picture({ model, height, resized: () => shown && present(shown), renew: (key, refused) => view.kernel.ask("renew", { key, refused }).catch(() => undefined) });
  const list = sampleList({ fetch: (cursor) => view.ask("page", { cursor }), chosen: (item, page) => present({ key: item.key, page }) });
  const previous = button("\u2190 Previous", () => list.step(-1), { title: "Previous sample (left arrow)" });
  const actions = { ...list.walks, next_sample: () => list.step(1), previous_sample: () => list.step(-1), help: () => void showKeys(view.root, keys.bound) };
  let keys = bindings([], actions, focused);
  const next = button("Next \u2192", () => list.step(1), { title: "Next sample (right arrow)" });
  const labels = longTable({
    label: "Labels of the sample",
    columns: [{ head: "Class", width: "minmax(80px, 1fr)" }, ...["X", "Y", "Size, px", "Score"].map((name) => ({ head: name, width: name === "Size, px" ? "104px" : "52px", number: true })), { head: "Source", width: "72px" }],
    cells: (/** @type {Label} */ one) => [h("span", { title: one.label }, one.label), one.x, one.y, one.size, one.score, one.source],
    empty: "This sample has no label.",
    height: 232,
  });
  /** @type {{key: string, page: string | null} | null} */
  let shown = null;
  /** @type {{key: string, page: string | null} | null} */
  let wanted = null;
  let asking = false;

  function focused() {
    return list.element.matches(":focus-within");
  }

  /** Asks for a sample; while one is on its way only the last one asked for waits. @param {{key: string, page: string | null}} target */
  async function present(target) {
    shown = wanted = target;
    steps();
    if (asking) return;
    asking = true;
    stage.wait();
    while (wanted) {
      const now = wanted;
      wanted = null;
      const done = await view.ask("show", { key: now.key, page: now.page, ...(await stage.target()) });
      if (done === undefined) stage.rest();
    }
    asking = false;
    const after = list.next();
    if (after) view.kernel.ask("prefetch", { key: after }).catch(() => undefined);
  }

  function steps() {
    const { first, last } = list.ends();
    previous.setAttribute("aria-disabled", String(first));
    next.setAttribute("aria-disabled", String(last));
  }

  /** @param {Detail} detail */
  function show(detail) {
    if (wanted && wanted.key !== detail.key) return;
    shown = { key: detail.key, page: shown?.key === detail.key ? shown.page : null };
    list.follow(detail.key);
    steps();
    const classes = Object.entries(detail.classes).map(([name, number]) => `${name} ${number}`);
    stage.show(detail, detail.has_picture ? `Frame ${detail.key} with ${counted(detail.labels.length, "label")}` : `${detail.title}: ${detail.reason_code}`);
    redraw(title, h("button", { type: "button", class: "lk-id lk-wrap", title: "Click to copy the key", on: { click: () => copy(detail.key) } }, detail.key), badge(detail.facts[0][1], "info", "Split"), ...classes.map((text) => badge(text)));
    redraw(facts, h("dl", { class: "lk-facts" }, ...detail.facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, LONG_FACTS.has(name) ? shortId(value) : value)])));
    labels.show(detail.labels);
    view.say(`${detail.key}. ${detail.title ? `${detail.title}: ${detail.reason_code}` : classes.join(", ") || "no labels"}`);
  }

  /** @param {string} name @param {string[]} choices @param {string | null} value */
  function select(name, choices, value) {
    const input = h("select", { class: "lk-input", "data-spot": name, on: { change: () => filter({ [name]: input.value || null }) } }, h("option", { value: "" }, "All"), ...choices.map((choice) => h("option", { value: choice }, /** @type {Record<string, string>} */ (ANY)[choice] ?? choice)));
    input.value = value ?? "";
    return h("label", { class: "lk-field" }, h("span", {}, /** @type {Record<string, string>} */ (FILTERS)[name]), input);
  }

  /** @type {Filters} */
  let given = {};
  /** @type {Record<string, string[]>} */
  let choices = {};

  /** @param {Filters} change */
  async function filter(change) {
    if ((await view.ask("filter", { filters: { ...given, ...change } })) === undefined) return showFilters();
    view.show(null);
  }

  function showFilters() {
    redraw(filters, ...Object.keys(FILTERS).map((name) => select(name, choices[name] ?? [], given[name] ?? null)));
  }

  /** @param {List} state */
  function showList(state) {
    given = state.filters;
    showFilters();
    list.show(state);
    if (!state.items.length) {
      stage.nothing("No sample to show.");
      redraw(title);
      redraw(facts);
      labels.show([]);
    }
    steps();
  }

  view.root.append(
    head("Samples", [about], [view.pythonButton(), keysButton(actions.help)]),
    h(
      "div",
      { class: "lk-samples-grid" },
      h("div", { class: "lk-stack lk-rail" }, filters, list.element, h("div", { class: "lk-row lk-steps" }, previous, next)),
      h("div", { class: "lk-stack" }, title, stage.element, h("div", { class: "lk-samples-below" }, facts, labels.element)),
    ),
  );
  stage.nothing("Loading\u2026");
  view.kernel.on("list", showList);
  view.kernel.on("still", (_, [bytes]) => stage.still(bytes));
  view.kernel.on("shown", show);
  view.ask("ready").then((/** @type {State | undefined} */ state) => {
    if (!state) return stage.nothing("There are no samples to show.");
    about.textContent = `${state.name}${state.version ? ` v${state.version}` : ""} \u00b7 ${state.capability}`;
    about.title = state.title;
    choices = state.choices;
    keys = bindings(state.keys, actions, focused);
    showList(state);
  });
  return () => {
    list.close();
    labels.close();
    stage.close();
    view.close();
  };
}

export default { render };
