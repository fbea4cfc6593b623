/**
 * Brightness and contrast of the picture in this view: by the canvas's filter, so that nothing is encoded anew and no label changes.
 * @module
 */

import { button, h } from "../shared/dom.js";

/** @typedef {{brightness: number, contrast: number}} Light */

/**
 * @param {{now: () => Light, set: (light: Partial<Light>) => void, say: (text: string) => void, hint: (action: string) => string, leave: () => void}} options
 *   `leave` gives the focus back
 */
export function lighting({ now, set, say, hint, leave }) {
  const fields = { brightness: field("brightness", "Brightness"), contrast: field("contrast", "Contrast") };
  const reset = button("Reset light", () => set({ brightness: 1, contrast: 1 }));
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

  /** @param {keyof Light} what @param {string} title */
  function field(what, title) {
    const input = h("input", { type: "range", min: 20, max: 300, step: 10, value: 100, "aria-label": title });
    const shown = h("output", { class: "lk-dim" }, "100%");
    input.addEventListener("input", () => set({ [what]: Number(input.value) / 100 }));
    return { input, shown, el: h("label", { class: "lk-row lk-light-field" }, h("span", {}, title), input, shown) };
  }

  function toggle() {
    panel.hidden = !panel.hidden;
    opener.setAttribute("aria-expanded", String(!panel.hidden));
    if (panel.hidden) leave();
    else fields.brightness.input.focus();
  }

  return {
    el,
    toggle,
    /** @param {Light} light */
    show(light) {
      for (const what of /** @type {(keyof Light)[]} */ (["brightness", "contrast"])) {
        const percent = Math.round(light[what] * 100);
        fields[what].input.value = String(percent);
        fields[what].shown.textContent = `${percent}%`;
      }
      opener.setAttribute("aria-pressed", String(light.brightness !== 1 || light.contrast !== 1));
    },
    /** @param {keyof Light} what @param {number} by */
    change(what, by) {
      set({ [what]: now()[what] + by });
      say(`${what === "brightness" ? "Brightness" : "Contrast"} ${Math.round(now()[what] * 100)}%`);
    },
  };
}
