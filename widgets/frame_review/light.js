/**
 * Brightness and contrast of the picture in this view: by the canvas's filter, so that nothing is encoded anew and no label changes.
 * @module
 */

import { button, h } from "../shared/dom.js";
import { between } from "../shared/geometry.js";

const LEAST = 0.2;
const MOST = 3;
/** @typedef {"brightness" | "contrast"} What */

/**
 * @param {{stage: import("./stage.js").Stage, say: (text: string) => void, hint: (action: string) => string}} options
 */
export function lighting({ stage, say, hint }) {
  const fields = { brightness: field("brightness", "Brightness"), contrast: field("contrast", "Contrast") };
  const reset = button("Reset", () => set({ brightness: 1, contrast: 1 }));
  const panel = h("div", { class: "lk-light-panel", role: "group", "aria-label": "Brightness and contrast", hidden: true }, fields.brightness.el, fields.contrast.el, reset);
  const opener = button("Light", toggle, { title: `Brightness and contrast (${hint("light")})` });
  opener.append(h("kbd", { "aria-hidden": "true" }, hint("light")));
  opener.setAttribute("aria-expanded", "false");
  const el = h("div", { class: "lk-light" }, opener, panel);
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    toggle();
  });

  /** @param {What} what @param {string} title */
  function field(what, title) {
    const input = h("input", { type: "range", min: LEAST * 100, max: MOST * 100, step: 10, value: 100, "aria-label": title });
    const shown = h("output", { class: "lk-dim" }, "100%");
    input.addEventListener("input", () => set({ [what]: Number(input.value) / 100 }));
    return { input, shown, el: h("label", { class: "lk-row lk-light-field" }, h("span", {}, title), input, shown) };
  }

  /** @param {Partial<Record<What, number>>} values */
  function set(values) {
    for (const what of /** @type {What[]} */ (["brightness", "contrast"])) {
      stage[what] = between(Math.round((values[what] ?? stage[what]) * 10) / 10, LEAST, MOST);
      const percent = Math.round(stage[what] * 100);
      fields[what].input.value = String(percent);
      fields[what].shown.textContent = `${percent}%`;
    }
    opener.setAttribute("aria-pressed", String(stage.brightness !== 1 || stage.contrast !== 1));
    stage.repaint();
  }

  function toggle() {
    panel.hidden = !panel.hidden;
    opener.setAttribute("aria-expanded", String(!panel.hidden));
    if (panel.hidden) stage.el.focus();
    else fields.brightness.input.focus();
  }

  return {
    el,
    toggle,
    /** @param {What} what @param {number} by */
    change(what, by) {
      set({ [what]: stage[what] + by });
      say(`${what} ${Math.round(stage[what] * 100)}%`);
    },
  };
}
