/**
 * What differs between two versions: in numbers, row by row with filters, and one row before and after.
 * @module
 */

import { button, h } from "./shared/dom.js";
import { count, counted } from "./shared/format.js";
import { head } from "./shared/head.js";
import { bindings, keysButton, showKeys } from "./shared/keys.js";
import { shell } from "./shared/shell.js";
import { detailPane } from "./diff_viewer/detail.js";
import { rowList } from "./diff_viewer/list.js";
import { summaryPane } from "./diff_viewer/summary.js";

/**
 * @typedef {Record<string, string | null>} Filters
 * @typedef {{filters: Filters, items: import("./diff_viewer/list.js").Row[], total: number, every: number, selected: number | null, place: number | null}} List
 * @typedef {import("./shared/commands.js").Report} Report
 * @typedef {List & {refused: Report | null, sides: string[], summary: import("./diff_viewer/summary.js").Summary, choices: Record<string, string[]>, keys: import("./shared/keys.js").Key[]}} State
 */

/** @type {Record<string, string>} */
const NAMES = { change: "Change", field: "Field", label: "Class", split: "Split", type: "Type", status: "Status", tier: "Tier" };
const TYPED_MS = 250;

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = shell({ model, el }, { label: "Difference", className: "lk-wide lk-difference", key: (event) => !work.hidden && keys.press(event), silent: comparing });
  const about = h("span", { class: "lk-dim" });
  const loading = h("p", { class: "lk-loading", role: "status" }, "Comparing\u2026");
  const failed = h("div", { class: "lk-stack lk-diff-failed", hidden: true });
  const same = h("div", { class: "lk-empty lk-diff-same", hidden: true }, h("strong", {}, "The same rows"), h("span", {}, "Nothing was added, removed or changed between these two."));
  const filters = h("div", { class: "lk-row lk-diff-filters", role: "group", "aria-label": "Filters" });
  const tally = h("span", { class: "lk-dim lk-diff-tally", "aria-live": "polite" });
  const none = h("div", { class: "lk-empty lk-diff-none-left", hidden: true }, h("p", {}, "No row has all of this."), button("Show all rows", () => narrow(Object.fromEntries(Object.keys(given).map((name) => [name, null])))));
  const search = h("input", { type: "search", class: "lk-input", placeholder: "in key or values", "aria-keyshortcuts": "/", on: { input: typed, keydown: left } });
  const all = button("Show all", () => narrow(Object.fromEntries(Object.keys(given).map((name) => [name, null]))), { kind: "quiet" });
  const summary = summaryPane(narrow);
  const list = rowList({ fetch: page, chosen: (row, clicked) => present(row.at, clicked) });
  const detail = detailPane({ height: Number(model.get("height")) || 320 });
  const hint = h("p", { class: "lk-dim lk-diff-hint" }, h("kbd", {}, "\u2191"), h("kbd", {}, "\u2193"), " rows ", h("kbd", {}, "/"), " search ", h("kbd", {}, "G"), " hold: before ", h("kbd", {}, "Z"), " close-up ", h("kbd", {}, "?"), " all");
  const rail = h("div", { class: "lk-stack lk-diff-rail" }, tally, list.element, none, hint);
  const work = h("div", { class: "lk-stack", hidden: true }, filters, h("div", { class: "lk-diff-grid" }, rail, detail.element));
  const refresh = button("Refresh", () => view.ask("reload"), { kind: "quiet", title: "Compare again" });
  /** @type {Filters} */
  let given = {};
  /** @type {Record<string, string[]>} */
  let choices = {};
  let timer = 0;
  let unit = "row";
  let asking = false;
  /** @type {{at: number, clicked: boolean} | null} */
  let wanted = null;

  const focused = () => list.element.matches(":focus-within");
  const actions = { ...list.walks, search: () => search.focus(), before: (/** @type {KeyboardEvent} */ event) => detail.flip(event.type === "keydown"), close_up: detail.zoom, help: () => void showKeys(view.root, keys.bound) };
  let keys = bindings([], actions, focused);
  const help = keysButton(actions.help);
  view.root.addEventListener("keyup", (event) => keys.release(event));
  view.root.addEventListener("focusout", () => keys.release());

  /** @param {string[]} commands @returns {Report} */
  function comparing(commands) {
    const first = commands.includes("ready") || commands.includes("reload");
    return { code: "", title: first ? "Still comparing" : "No answer from the kernel", detail: first ? "Many rows differ, or the kernel is busy with another cell." : `Still waiting for: ${[...new Set(commands)].join(", ")}.`, hint: "This goes on by itself." };
  }

  /** @param {number} offset */
  function page(offset) {
    return view.ask("page", { offset, filters: given });
  }

  /** Asks for a row; while one is on its way only the last one asked for waits. @param {number} at @param {boolean} clicked */
  async function present(at, clicked) {
    wanted = { at, clicked };
    if (asking) return;
    asking = true;
    while (wanted !== null) {
      const now = wanted;
      wanted = null;
      detail.element.setAttribute("aria-busy", "true");
      await view.ask("show", now);
    }
    detail.element.removeAttribute("aria-busy");
    asking = false;
  }

  /** @param {Filters} change */
  async function narrow(change) {
    clearTimeout(timer);
    if ("text" in change) search.value = change.text ?? "";
    const next = { ...given, ...change };
    if ((await view.ask("filter", { filters: next })) === undefined) return drawFilters();
    view.show(null);
  }

  function typed() {
    clearTimeout(timer);
    timer = window.setTimeout(() => narrow({ text: search.value.trim() || null }), TYPED_MS);
  }

  /** Enter and the arrow down lead from the field to the rows. @param {KeyboardEvent} event */
  function left(event) {
    if (event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    list.element.focus();
  }

  /** @param {string} name */
  function select(name) {
    const input = h("select", { class: "lk-input", "data-spot": name, on: { change: () => narrow({ [name]: input.value || null }) } }, h("option", { value: "" }, "All"), ...choices[name].map((choice) => h("option", { value: choice }, choice)));
    input.value = given[name] ?? "";
    return h("label", { class: "lk-field" }, h("span", {}, NAMES[name] ?? name), input);
  }

  const field = h("label", { class: "lk-field lk-diff-search" }, h("span", {}, "Search"), search);

  function drawFilters() {
    const active = /** @type {HTMLElement | null} */ (document.activeElement);
    const spot = active !== search && filters.contains(active) ? active?.dataset.spot : undefined;
    const wantedFilters = Object.keys(choices).filter((name) => choices[name].length > 1 || given[name]);
    for (const child of [...filters.children]) if (child !== field && child !== all) child.remove();
    filters.prepend(...wantedFilters.map(select)); // the field stays where it is, and with it the focus and what is typed
    if (!field.isConnected) filters.append(field, all);
    if (document.activeElement !== search) search.value = given.text ?? "";
    all.disabled = !Object.values(given).some(Boolean);
    if (spot) /** @type {HTMLElement | null} */ (filters.querySelector(`[data-spot="${spot}"]`))?.focus();
  }

  /** @param {List} now */
  function showList(now) {
    given = now.filters;
    drawFilters();
    summary.mark(given);
    list.show(now.items, now.total, now.place);
    list.element.hidden = hint.hidden = !now.total;
    if (!now.total) detail.clear();
    else if (now.place === null) void list.start();
    none.hidden = now.total > 0;
    const { total, every } = now;
    tally.textContent = total === every ? `${counted(every, unit)} differ${every === 1 ? "s" : ""}` : `${count(total)} of ${counted(every, unit)}`;
  }

  /** @param {State} state */
  function show(state) {
    loading.hidden = true;
    failed.hidden = !state.refused;
    work.hidden = help.hidden = summary.element.hidden = same.hidden = true;
    if (state.refused) return refused(state.refused, state.sides);
    unit = state.summary.kind === "revisions" ? "frame" : "row";
    about.textContent = unit === "frame" ? "labels of two revisions" : "two versions";
    choices = state.choices;
    given = state.filters;
    summary.element.hidden = false;
    summary.show(state.summary, given);
    same.hidden = !state.summary.same;
    work.hidden = help.hidden = state.summary.same || !state.every;
    keys.release();
    keys = bindings(state.keys, actions, focused);
    if (work.hidden) return;
    showList(state);
    if (state.selected !== null) void view.ask("shown");
  }

  /** @param {Report} report @param {string[]} sides */
  function refused(report, sides) {
    about.textContent = sides.join(" \u2192 ");
    failed.replaceChildren(h("div", { role: "alert" }, h("p", {}, h("strong", {}, report.title), h("code", { class: "lk-code" }, report.code)), h("p", {}, report.detail), h("p", { class: "lk-dim" }, report.hint)), h("div", { class: "lk-row" }, button("Compare again", () => view.ask("reload"))));
  }

  view.root.append(head("Difference", [about], [refresh, view.pythonButton(), help]), loading, failed, summary.element, same, work);
  summary.element.hidden = help.hidden = true;
  view.kernel.on("state", show);
  view.kernel.on("list", showList);
  view.kernel.on("row", (/** @type {import("./diff_viewer/detail.js").Detail} */ row, [bytes]) => {
    if (wanted !== null && wanted.at !== row.at) return;
    list.follow(row.place);
    detail.show(row, bytes);
    view.say(`${row.key}, ${row.change}`);
  });
  view.ask("ready").then((/** @type {State | undefined} */ state) => {
    if (state) show(state);
    else loading.textContent = "The difference could not be read.";
  });
  return () => {
    clearTimeout(timer);
    list.close();
    detail.close();
    view.close();
  };
}

export default { render };
