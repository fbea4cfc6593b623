/**
 * One row before and after: its labels on their frame, and its fields.
 * @module
 */

import { badge, button, copy, h } from "../shared/dom.js";
import { counted } from "../shared/format.js";
import { framePair } from "./frames.js";
import { valueTable } from "./values.js";
import { SIGNS, TONES } from "./list.js";

/** @typedef {import("./list.js").Row & {place: number | null, fields: import("./values.js").Field[], frame: import("./frames.js").Frame | null}} Detail */

/** @type {Record<string, "good" | "bad" | "warn">} */
const BADGES = { added: "good", removed: "bad", modified: "warn" };
const LABELS_SHOWN = 12;

/** @param {{height: number}} options */
export function detailPane({ height }) {
  const title = h("div", { class: "lk-row lk-diff-title" });
  const side = button("Side by side", () => arrange(false));
  const one = button("Together", () => arrange(true));
  const modes = h("div", { class: "lk-row lk-diff-modes", role: "group", "aria-label": "Arrangement" }, side, one);
  const frames = framePair({ height });
  const labels = h("ul", { class: "lk-diff-changes", "aria-label": "Labels that differ" });
  const values = valueTable();
  const nothing = h("p", { class: "lk-empty" }, "Choose a row to see it before and after.");
  const filled = h("div", { class: "lk-stack lk-diff-filled", hidden: true }, h("div", { class: "lk-row lk-spread" }, title, modes), frames.element, labels, values.element);
  const element = h("section", { class: "lk-diff-detail", tabindex: "0", "aria-label": "Row before and after" }, nothing, filled);
  arrange(false);

  /** @param {boolean} together */
  function arrange(together) {
    side.setAttribute("aria-pressed", String(!together));
    one.setAttribute("aria-pressed", String(together));
    frames.arrange(together);
    values.arrange(together);
  }

  /** @param {string[]} label */
  function line([change, name, what, where]) {
    const kind = /** @type {keyof typeof SIGNS} */ (change);
    return h("li", {}, h("span", { class: `lk-diff-sign ${TONES[kind]}`, "aria-hidden": "true" }, SIGNS[kind]), h("strong", {}, name), h("span", {}, what), h("span", { class: "lk-dim" }, where));
  }

  return {
    element,
    flip: frames.flip,
    zoom: frames.zoom,
    /** @param {Detail} row @param {DataView | undefined} bytes */
    show(row, bytes) {
      nothing.hidden = true;
      filled.hidden = false;
      element.scrollTop = 0;
      title.replaceChildren(badge(row.change, BADGES[row.change]), h("button", { type: "button", class: "lk-id lk-diff-id", title: "Click to copy the key", on: { click: () => copy(row.key) } }, row.key));
      void frames.show(row.frame, bytes);
      const changed = row.frame?.changed ?? [];
      labels.hidden = !changed.length;
      labels.replaceChildren(...changed.slice(0, LABELS_SHOWN).map(line), ...(changed.length > LABELS_SHOWN ? [h("li", { class: "lk-dim" }, `and ${counted(changed.length - LABELS_SHOWN, "more label")}`)] : []));
      values.show(row.fields, row.change !== "modified" && row.fields.every((field) => field.change === row.change), row.frame !== null);
    },
    /** Says that no row is shown. */
    clear() {
      nothing.hidden = false;
      filled.hidden = true;
      void frames.show(null, undefined);
    },
    close: frames.close,
  };
}
