/**
 * What was built: a list of any length with filters, one version in detail, and its samples in the same place.
 * @module
 */

import { badge, button, h, shortId } from "./shared/dom.js";
import { count, counted } from "./shared/format.js";
import { head } from "./shared/head.js";
import { shell } from "./shared/shell.js";
import { longTable } from "./shared/windowed.js";
import { detailPane, NOT_YET, quiet, TONES } from "./dataset_explorer/detail.js";

/**
 * @typedef {{id: string, name: string, display_name: string, version_id: string | null, capability: string, scope: string | null, status: string, failure: string | null, materialization: string, samples: number | null, quality: string, tone: "plain" | "good" | "warn" | "bad", included_packs: number, excluded_packs: number, manifest_hash: string | null, is_frozen: boolean, created_by: string, created_at: string, splits: Record<string, number>}} Item
 * @typedef {Record<string, string | null>} Filters
 * @typedef {{filters: Filters, items: Item[], next_cursor: string | null, selected: string | null}} List
 * @typedef {List & {workspace: string, choices: Record<string, string[]>, detail: import("./dataset_explorer/detail.js").Detail | null}} State
 */

const AHEAD_ROWS = 20;
const AGAIN_MS = 3000;
const FILTERS = { capability: "Capability", scope: "Scope", status: "Status" };

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = shell({ model, el }, { label: "Datasets", className: "lk-wide lk-explorer" });
  const about = h("span", { class: "lk-dim" }, "\u2026");
  const tally = h("span", { class: "lk-dim", "aria-live": "polite" });
  const filters = h("div", { class: "lk-row lk-fields", role: "group", "aria-label": "Filters" });
  const loading = h("p", { class: "lk-loading" }, "Loading\u2026");
  const nothing = h("div", { class: "lk-empty", hidden: true });
  const samples = button("View samples", () => view.ask("samples", { dataset: selected }), { kind: "primary" });
  const back = button("Back to the datasets", () => view.ask("leave"), { icon: "\u2190 Back to the datasets" });
  const refresh = button("Refresh", () => view.ask("reload"), { kind: "quiet" });
  const python = view.pythonButton();
  const detail = detailPane([samples]);
  const place = h("div", { class: "lk-explorer-samples", hidden: true });
  /** @type {Item[]} */
  let items = [];
  /** @type {Filters} */
  let given = {};
  /** @type {Record<string, string[]>} */
  let choices = {};
  /** @type {string | null} */
  let cursor = null;
  /** @type {string | null} */
  let selected = null;
  /** @type {any} */
  let hosted = null;
  let reading = false;
  let turn = 0;
  let timer = 0;

  const table = longTable({
    label: "Dataset versions",
    columns: [
      { head: "Name", width: "minmax(104px, 1.5fr)" },
      { head: "Version", width: "52px" },
      { head: "Id", width: "64px" },
      { head: "Capability", width: "minmax(116px, 1fr)" },
      { head: "Scope", width: "minmax(96px, 1.2fr)" },
      { head: "Status", width: "72px" },
      { head: "Files", width: "60px" },
      { head: "Quality", width: "108px" },
      { head: "Samples by split", width: "minmax(168px, 1.4fr)" },
      { head: h("span", { title: "Packs included" }, "Packs in"), width: "56px", number: true },
      { head: h("span", { title: "Packs left out" }, "Out"), width: "28px", number: true },
      { head: "Manifest", width: "76px" },
    ],
    cells: (/** @type {Item} */ row) => [
      name(row),
      row.version_id ?? h("span", { class: "lk-dim" }, "\u2013"),
      quiet(shortId(row.id, `\u2026${row.id.slice(-6)}`, "dataset version id")),
      text(row.capability),
      text(row.scope ?? "\u2013"),
      badge(row.status, TONES[row.status], row.failure ?? undefined),
      text(row.materialization),
      badge(row.quality, row.tone),
      splits(row),
      count(row.included_packs),
      count(row.excluded_packs),
      row.manifest_hash ? quiet(shortId(row.manifest_hash)) : h("span", { class: "lk-dim" }, "\u2013"),
    ],
    empty: "",
    height: 296,
    rowHeight: 36,
    seen: (last) => last > items.length - AHEAD_ROWS && void more(),
  });
  const lists = h("div", { class: "lk-stack lk-explorer-lists" }, filters, loading, table.element, nothing, detail.element);
  table.element.hidden = true;

  /** @param {string} value */
  function text(value) {
    return h("span", { title: value }, value);
  }

  /** @param {Item} row */
  function name(row) {
    const element = button(row.name, () => view.ask("select", { dataset: row.id }), { kind: "quiet", name: `${row.display_name}, show in detail`, title: `${row.display_name}, started ${row.created_at} UTC by ${row.created_by}`, class: "lk-explorer-name" });
    element.setAttribute("data-row-control", "");
    if (row.id === selected) element.setAttribute("aria-current", "true");
    return h("span", { class: "lk-explorer-named" }, element, row.is_frozen && badge("frozen", "info", "Frozen test set: never trained on"));
  }

  /** @param {Item} row */
  function splits(row) {
    if (row.samples === null) return h("span", { class: "lk-dim", title: NOT_YET }, row.status === "running" ? "being built" : "none");
    const words = Object.entries(row.splits).map(([split, number]) => `${split} ${count(number)}`);
    return text(words.join(" \u00b7 "));
  }

  /** @param {"capability" | "status"} which */
  function select(which) {
    const input = h("select", { class: "lk-input", "data-spot": which, on: { change: () => filter({ [which]: input.value || null }) } }, h("option", { value: "" }, "All"), ...(choices[which] ?? []).map((choice) => h("option", { value: choice }, choice)));
    input.value = given[which] ?? "";
    return h("label", { class: "lk-field" }, h("span", {}, FILTERS[which]), input);
  }

  function scope() {
    const list = `lk-scopes-${Math.random().toString(36).slice(2, 8)}`;
    const input = h("input", { type: "search", class: "lk-input lk-explorer-scope", list, placeholder: "workspace or workspace/media", "data-spot": "scope", value: given.scope ?? "", on: { change: () => filter({ scope: input.value.trim() || null }) } });
    return h("label", { class: "lk-field" }, h("span", {}, FILTERS.scope), input, h("datalist", { id: list }, ...(choices.scope ?? []).map((choice) => h("option", { value: choice }))));
  }

  /** @param {Filters} change */
  async function filter(change) {
    if ((await view.ask("filter", { filters: { ...given, ...change } })) === undefined) return showFilters();
    view.show(null);
  }

  function showFilters() {
    const active = /** @type {HTMLElement | null} */ (filters.contains(document.activeElement) ? document.activeElement : null)?.dataset.spot;
    filters.replaceChildren(select("capability"), scope(), select("status"), tally);
    if (active) /** @type {HTMLElement | null} */ (filters.querySelector(`[data-spot="${active}"]`))?.focus();
  }

  async function more() {
    if (reading || cursor === null) return;
    reading = true;
    const mine = cursor;
    const page = await view.ask("page", { cursor });
    reading = false;
    if (!page || mine !== cursor) return;
    cursor = page.next_cursor;
    items = [...items, ...page.items];
    table.extend(page.items);
    tell();
  }

  function tell() {
    const filtered = Object.values(given).some(Boolean);
    tally.textContent = cursor ? `${count(items.length)} and more` : `${counted(items.length, "build")}${filtered ? " with all of this" : ""}`;
  }

  /** @param {List} list */
  function showList(list) {
    const same = items.length > 0 && JSON.stringify(given) === JSON.stringify(list.filters);
    given = list.filters;
    items = list.items;
    cursor = list.next_cursor;
    selected = list.selected;
    loading.hidden = true;
    table.element.hidden = !items.length;
    nothing.hidden = items.length > 0;
    showFilters();
    tell();
    if (same) table.renew(items);
    else table.show(items);
    if (!items.length) nothing.replaceChildren(...empty());
    again();
  }

  function empty() {
    if (Object.values(given).some(Boolean)) return [h("p", {}, "No dataset has all of this."), button("Show all datasets", () => filter({ capability: null, scope: null, status: null }))];
    return [h("p", {}, "Nothing is built yet. Choose packs and build with labelkit.widgets.PreflightTable(ws, capability), or in Python with ws.datasets.build.")];
  }

  /** @param {import("./dataset_explorer/detail.js").Detail | null} now */
  function showDetail(now) {
    selected = now?.id ?? null;
    samples.disabled = !now?.ready;
    samples.title = now && !now.ready ? `${NOT_YET}: this version has no samples` : "";
    detail.show(now);
    table.refresh();
    again();
  }

  /** Asks again in a while, as long as something is being built. */
  function again() {
    clearTimeout(timer);
    if (!items.some((item) => item.status === "running") || !lists.isConnected || lists.hidden) return;
    timer = window.setTimeout(() => (document.hidden || view.kernel.gone() || view.kernel.open() ? again() : view.kernel.ask("reload").catch(() => undefined)), AGAIN_MS);
  }

  /** @param {State} state */
  function show(state) {
    about.textContent = state.workspace;
    choices = state.choices;
    showList(state);
    showDetail(state.detail);
  }

  /** Shows the samples in place of the lists, or the lists. */
  async function host() {
    const mine = (turn += 1);
    hosted?.remove();
    hosted = null;
    place.replaceChildren();
    const reference = model.get("samples");
    const opened = typeof reference === "string" && Boolean(reference);
    lists.hidden = refresh.hidden = python.hidden = opened; // the samples have a button for their own calls
    back.hidden = place.hidden = !opened;
    view.show(null);
    again();
    if (!opened) return;
    back.focus();
    if (!model.widget_manager) return;
    const child = await model.widget_manager.get_model(reference.replace("IPY_MODEL_", ""));
    const made = await model.widget_manager.create_view(child, {});
    if (mine !== turn) return made.remove();
    hosted = made;
    place.append(made.el);
    made.trigger("displayed");
  }

  view.root.append(head("Datasets", [about], [back, refresh, python]), lists, place);
  view.kernel.on("state", show);
  view.kernel.on("list", showList);
  view.kernel.on("detail", (now) => {
    showDetail(now);
    view.say(`${now.title}: ${now.status}, quality ${now.quality.badge}`);
  });
  model.on("change:samples", host);
  void host();
  view.ask("ready").then((state) => {
    if (state) show(state);
    else loading.textContent = "The datasets could not be read.";
  });
  return () => {
    turn += 1;
    clearTimeout(timer);
    hosted?.remove();
    table.close();
    detail.close();
    view.close();
  };
}

export default { render };
