/**
 * The parts of the review and where they stand. Building only: what they do is handed in.
 * @module
 */

import { badge, button, h } from "../shared/dom.js";
import { keysButton, readable } from "../shared/keys.js";
import { origin } from "../shared/revisions.js";
import { swatch } from "./objects.js";

/** @typedef {import("./review.js").Opening} Opening */
/** @typedef {Record<string, (event?: any) => void>} Actions */

/**
 * A button that shows its key. @param {string} label @param {() => unknown} action @param {string} key @param {Parameters<typeof button>[2]} [options]
 */
export function keyed(label, action, key, options = {}) {
  const element = button(label, action, { ...options, title: options?.title ?? (key ? `${label} (${readable(key)})` : label) });
  if (key) element.append(h("kbd", { "aria-hidden": "true" }, readable(key)));
  return element;
}

/**
 * @param {Opening} opening @param {Actions} actions @param {(action: string) => string} hint @param {HTMLElement} here @param {HTMLElement} python
 *   `here` says who else is there
 */
export function header(opening, actions, hint, here, python) {
  const save = badge("Saved", "good");
  save.classList.add("lk-save");
  const undo = button("Undo", () => actions.undo(), { title: `Undo (${hint("undo")})`, disabled: true });
  const reset = button("Reset the view", () => actions.reset_view(), { kind: "quiet", icon: "\u21ba", title: "Reset the view: light, what is shown, tool and class as at first" });
  const redo = button("Redo", () => actions.redo(), { title: `Redo (${hint("redo")})`, disabled: true });
  const el = h(
    "header",
    { class: "lk-row lk-spread lk-head" },
    h(
      "div",
      { class: "lk-row" },
      h("h2", { title: opening.media }, opening.media),
      badge(opening.capability.name, "info"),
      h("span", { class: "lk-dim" }, "from ", origin(opening.draft.lineage)),
    ),
    h("div", { class: "lk-row" }, here, save, undo, redo, python, reset, keysButton(() => actions.help())),
  );
  return { el, save, undo, redo, reset };
}

/**
 * @param {Opening} opening @param {Actions} actions @param {(action: string) => string} hint @param {(HTMLElement | false)[]} more  groups of other parts
 */
export function toolbar(opening, actions, hint, more) {
  const box = opening.capability.geometry === "box";
  const tools = {
    select: keyed("Select", () => actions.select_tool(), hint("select_tool")),
    [box ? "box" : "point"]: box ? keyed("Box", () => actions.box_tool(), hint("box_tool")) : keyed("Point", () => actions.point_tool(), hint("point_tool")),
  };
  const classes = opening.capability.classes.map((entry, i) => {
    const element = button(entry.name, () => actions[`class_${i + 1}`](), { title: `${entry.name} (${i + 1})`, class: "lk-class" });
    element.prepend(swatch(entry, !box));
    if (i < 9) element.append(h("kbd", { "aria-hidden": "true" }, i + 1));
    return element;
  });
  const changes = keyed("Changes", () => actions.toggle_changes(), hint("diff"), { title: `Show what changed against the model's labels (hold ${hint("diff")} for a glance)` });
  const labels = keyed("Labels", () => actions.toggle_labels(), hint("hide"), { title: `Show the labels (hold ${hint("hide")} to hide them)` });
  const film = keyed("Film", () => actions.filmstrip(), hint("filmstrip"), { title: `Show small pictures of the frames around (${hint("filmstrip")})` });
  const scale = h("button", { type: "button", class: "lk-button lk-quiet lk-scale", title: `Fit the frame into the view (${hint("zoom_fit")})`, on: { click: () => actions.zoom_fit() } }, "100%");
  const el = h(
    "div",
    { class: "lk-row lk-toolbar", role: "toolbar", "aria-label": "Tools" },
    h("div", { class: "lk-group", role: "group", "aria-label": "Tool" }, ...Object.values(tools)),
    h("div", { class: "lk-group", role: "group", "aria-label": "Class" }, ...classes),
    h("span", { class: "lk-spring" }),
    ...more.filter((part) => part !== false),
    h("div", { class: "lk-group", role: "group", "aria-label": "Shown" }, labels, changes, film),
    h(
      "div",
      { class: "lk-group lk-zoom", role: "group", "aria-label": "Zoom" },
      button("Zoom out", () => actions.zoom_out(), { icon: "\u2212", title: "Zoom out (-)" }),
      scale,
      button("Zoom in", () => actions.zoom_in(), { icon: "+", title: "Zoom in (+)" }),
    ),
  );
  return { el, tools, classes, changes, labels, film, scale };
}

/**
 * The column beside the stage: which frame, its state and flags, its objects.
 * @param {Opening} opening @param {Actions} actions @param {HTMLElement} objects
 */
export function side(opening, actions, objects) {
  const number = h("input", { class: "lk-input lk-frame-number", type: "text", inputmode: "numeric", "aria-label": "Go to frame" });
  const state = h("span", { class: "lk-state" });
  const flags = opening.flags.map((flag, i) => {
    const element = button(flag.title, () => actions[`flag_${i + 1}`](), { class: "lk-flag", title: `${flag.title} (Shift+${i + 1})` });
    element.append(h("kbd", { "aria-hidden": "true" }, `\u21e7${i + 1}`));
    return element;
  });
  const objectCount = h("span", { class: "lk-dim" });
  const el = h(
    "aside",
    { class: "lk-side", "aria-label": "Frame" },
    h("div", { class: "lk-row lk-spread" }, h("label", { class: "lk-row lk-tight" }, h("strong", {}, "Frame"), number, h("span", { class: "lk-dim lk-nowrap" }, `of ${opening.frames}`)), state),
    h("div", { class: "lk-flags", role: "group", "aria-label": "Flags of this frame" }, ...flags),
    h("div", { class: "lk-row lk-spread" }, h("h3", {}, "Objects"), objectCount),
    objects,
  );
  return { el, number, state, flags, objectCount };
}

/**
 * The rows below the timeline: what there is to say, and the steps from frame to frame.
 * @param {Actions} actions @param {(action: string) => string} hint
 */
export function steps(actions, hint) {
  const said = h("span", { class: "lk-said" });
  const coverage = h("span", { class: "lk-dim lk-coverage" });
  const progress = h("span", { class: "lk-dim lk-progress" });
  const status = h("div", { class: "lk-row lk-spread lk-status" }, said, h("span", { class: "lk-row" }, coverage, progress));
  const el = h(
    "div",
    { class: "lk-row lk-steps" },
    keyed("Previous", () => actions.previous_frame(), hint("previous_frame")),
    keyed("Next", () => actions.next_frame(), hint("next_frame")),
    keyed("Accept and go on", () => actions.accept_next(), hint("accept_next"), { kind: "primary" }),
    keyed("Next untouched", () => actions.next_untouched(), hint("next_untouched"), { kind: "quiet" }),
    keyed("Worth a look", () => actions.worth_a_look(), hint("worth_a_look"), { kind: "quiet", title: `The riskiest frame that nobody has seen (${hint("worth_a_look")})` }),
  );
  return { el, status, said, coverage, progress };
}
