/**
 * The review queue: scopes and runs in two lists, and the review that is open in their place.
 * @module
 */

import { badge, button, h } from "./shared/dom.js";
import { count, counted, moment } from "./shared/format.js";
import { head } from "./shared/head.js";
import { origin } from "./shared/revisions.js";
import { shell } from "./shared/shell.js";
import { longTable } from "./shared/windowed.js";

/**
 * @typedef {{media: string, capability: string, group_key: string, camera_type: string, run_id: string | null, draft_id: string | null, lineage: string | null, present: string, revision: number | null, eligibility: string | null, frame_count: number, seen: number, edited: number, accepted: number, flagged: number, run_count: number, updated_by: string | null}} ScopeRow
 * @typedef {{run_id: string, media: string, capability: string, model: string, model_version: string, status: string, annotation_count: number, frame_count: number, refused: number, lineage: string, created_at: string, created_by: string}} RunRow
 * @typedef {{workspace: string, user: string, scopes: ScopeRow[], runs: RunRow[], open: [string, string] | null, next: [string, string] | null}} State
 */

/** @type {Record<string, "good" | "bad" | "info">} */
const TONES = { APPROVED: "good", REVOKED: "bad", REVIEWED: "info" };

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = shell({ model, el }, { label: "Review queue", className: "lk-queue", key: pressed });
  const about = h("span", { class: "lk-dim" }, "\u2026");
  const filter = h("input", { type: "search", class: "lk-input lk-queue-filter", placeholder: "Filter by media, group, camera, model, person", "aria-label": "Filter the queue", on: { input: sift } });
  const tally = h("span", { class: "lk-dim", "aria-live": "polite" });
  const next = button("Next to review", openNext, { kind: "primary", title: "Open the scope with most left to do that nobody else has open (N)" });
  const back = button("Back to the queue", () => view.ask("leave"), { icon: "\u2190 Back to the queue" });
  const onward = button("Next scope", openNext, { title: "Save this one and open the scope with most left to do that nobody else has open" });
  const refresh = button("Refresh", () => view.ask("reload"), { kind: "quiet" });
  const python = view.pythonButton();
  const place = h("div", { class: "lk-queue-review" });
  /** @type {State | null} */
  let state = null;
  let tab = "scopes";
  /** @type {any} */
  let hosted = null;
  let turn = 0;

  const scopes = longTable({
    label: "Scopes",
    columns: [
      { head: "Media", width: "minmax(112px, 2fr)" },
      { head: "Capability", width: "minmax(112px, 1.4fr)" },
      { head: "Looked at", width: "minmax(160px, 2.4fr)" },
      { head: "Edited", width: "56px", number: true },
      { head: "Accepted", width: "64px", number: true },
      { head: "Flagged", width: "56px", number: true },
      { head: "Draft from", width: "112px" },
      { head: "Revision", width: "136px" },
      { head: "Open by", width: "minmax(64px, 1fr)" },
      { head: h("span", { class: "lk-offscreen" }, "Action"), width: "84px", number: true },
    ],
    cells: (/** @type {ScopeRow} */ row) => [text(row.media, `${row.media} \u00b7 group ${row.group_key} \u00b7 ${row.camera_type}`), text(row.capability), progress(row), count(row.edited), count(row.accepted), count(row.flagged), origin(row.lineage), revision(row), text(row.present || "\u2013"), action(row.draft_id ? "Continue" : "Review", row.media, row.capability, row.draft_id ? null : row.run_id)],
    empty: "Nothing to review yet. Whoever prepares the clips adds them with `labelkit import`, or in Python with ws.media.add and ws.prelabels.import_; then press Refresh.",
    height: 420,
    rowHeight: 36,
  });
  const runs = longTable({
    label: "Prelabel runs",
    columns: [
      { head: "Imported", width: "128px" },
      { head: "Media", width: "minmax(96px, 1.6fr)" },
      { head: "Capability", width: "minmax(112px, 1.4fr)" },
      { head: "Model", width: "minmax(96px, 1.6fr)" },
      { head: "Lineage", width: "120px" },
      { head: "Labels", width: "72px", number: true },
      { head: "Refused", width: "64px", number: true },
      { head: "Status", width: "104px" },
      { head: "By", width: "minmax(64px, 1fr)" },
      { head: h("span", { class: "lk-offscreen" }, "Action"), width: "84px", number: true },
    ],
    cells: (/** @type {RunRow} */ row) => [moment(row.created_at), text(row.media), text(row.capability), text(`${row.model} ${row.model_version}`.trim()), origin(row.lineage), count(row.annotation_count), count(row.refused), badge(row.status, row.status === "completed" ? "good" : "plain"), text(row.created_by), action("Review", row.media, row.capability, row.run_id)],
    empty: "No prelabel run yet.",
    height: 420,
    rowHeight: 36,
  });
  const tabs = [tabButton("scopes", "Review series"), tabButton("runs", "Prelabel runs")];
  const lists = h("div", { class: "lk-stack" }, h("div", { class: "lk-row lk-spread" }, h("div", { class: "lk-row" }, h("div", { class: "lk-queue-tabs", role: "group", "aria-label": "List" }, ...tabs), filter, tally), next), scopes.element, runs.element);

  /** @param {string} name @param {string} label */
  function tabButton(name, label) {
    const element = button(label, () => {
      tab = name;
      sift();
    });
    element.dataset.tab = name;
    return element;
  }

  /** @param {string} value @param {string} [title] */
  function text(value, title) {
    return h("span", { title: title ?? value }, value);
  }

  /** @param {ScopeRow} row */
  function progress(row) {
    const share = (/** @type {number} */ part) => `${row.frame_count ? (100 * part) / row.frame_count : 0}%`;
    const seen = h("span", { class: "lk-queue-seen" });
    const done = h("span", { class: "lk-queue-done" });
    seen.style.width = share(row.seen);
    done.style.width = share(row.accepted + row.edited);
    const words = `${count(row.seen)} of ${count(row.frame_count)}`;
    return h("span", { class: "lk-queue-progress", title: `${words} looked at, ${count(row.edited)} edited, ${count(row.accepted)} accepted` }, h("span", { class: "lk-queue-bar", "aria-hidden": "true" }, seen, done), h("span", { class: "lk-queue-count" }, words));
  }

  /** @param {ScopeRow} row */
  function revision(row) {
    if (row.revision === null) return h("span", { class: "lk-dim" }, "not published");
    return h("span", { class: "lk-row" }, count(row.revision), badge((row.eligibility ?? "").toLowerCase(), TONES[row.eligibility ?? ""] ?? "plain"));
  }

  /** @param {string} label @param {string} media @param {string} capability @param {string | null} run */
  function action(label, media, capability, run) {
    const element = button(label, () => open(media, capability, run), { name: `${label} ${media}, ${capability}` });
    element.setAttribute("data-row-control", "");
    return element;
  }

  /** @param {string} media @param {string} capability @param {string | null} run */
  async function open(media, capability, run) {
    await view.ask("open", { media, capability, run });
  }

  async function openNext() {
    const answer = await view.ask("next");
    if (answer && !answer.open) view.show({ code: "", title: "Nothing else to review", detail: "Every other scope was looked at to its end, or somebody else has it open.", hint: "" }, "good");
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    if (event.key.toLowerCase() !== "n" || event.ctrlKey || event.metaKey || event.altKey || hosted || place.contains(/** @type {Node} */ (event.target))) return false;
    void openNext();
    return true;
  }

  function sift() {
    if (!state) return;
    const words = filter.value.trim().toLowerCase();
    const fits = (/** @type {(string | null)[]} */ ...values) => !words || values.some((value) => value?.toLowerCase().includes(words));
    const shownScopes = state.scopes.filter((row) => fits(row.media, row.capability, row.group_key, row.camera_type, row.present, row.updated_by));
    const shownRuns = state.runs.filter((row) => fits(row.media, row.capability, row.model, row.created_by, row.lineage, row.status));
    scopes.show(shownScopes);
    runs.show(shownRuns);
    scopes.element.hidden = tab !== "scopes";
    runs.element.hidden = tab !== "runs";
    for (const one of tabs) one.setAttribute("aria-pressed", String(one.dataset.tab === tab));
    const [shown, all] = tab === "scopes" ? [shownScopes.length, state.scopes.length] : [shownRuns.length, state.runs.length];
    const things = tab === "scopes" ? "scope" : "run";
    tally.textContent = words ? `${count(shown)} of ${counted(all, things)}` : counted(all, things);
  }

  /** @param {State} now */
  function show(now) {
    state = now;
    title();
    next.disabled = !now.next;
    sift();
  }

  /** Says whose queue it is and, beside the lists, how much is left. */
  function title() {
    if (!state) return;
    const left = state.scopes.reduce((sum, row) => sum + row.frame_count - row.seen, 0);
    const work = !state.scopes.length ? "" : left ? ` \u00b7 ${counted(left, "frame")} to look at` : " \u00b7 everything was looked at";
    about.textContent = `${state.workspace} \u00b7 ${state.user}${model.get("review") ? "" : work}`;
  }

  /** Shows the open review in place of the lists, or the lists. */
  async function host() {
    const mine = (turn += 1);
    hosted?.remove();
    hosted = null;
    place.replaceChildren();
    const reference = model.get("review");
    const opened = typeof reference === "string" && Boolean(reference);
    lists.hidden = refresh.hidden = python.hidden = opened; // the review has a button for its own calls
    back.hidden = onward.hidden = place.hidden = !opened;
    view.show(null);
    title();
    if (!opened || !model.widget_manager) return;
    const child = await model.widget_manager.get_model(reference.replace("IPY_MODEL_", ""));
    const made = await model.widget_manager.create_view(child, {});
    if (mine !== turn) return made.remove();
    hosted = made;
    place.append(made.el);
    made.trigger("displayed");
  }

  view.root.append(head("Review queue", [about], [back, onward, refresh, python]), lists, place);
  view.kernel.on("state", show);
  model.on("change:review", host);
  void host();
  view.ask("ready").then((now) => now && show(now));
  return () => {
    turn += 1;
    hosted?.remove();
    scopes.close();
    runs.close();
    view.close();
  };
}

export default { render };
