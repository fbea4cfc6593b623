/**
 * Tabs by the pattern of the ARIA guide: one of them takes the focus, arrows move between them.
 * @module
 */

import { h } from "../shared/dom.js";

/**
 * @param {string} label
 * @param {{name: string, title: string, panel: HTMLElement, open?: () => void}[]} parts
 */
export function tabs(label, parts) {
  const prefix = `lk${Math.random().toString(36).slice(2, 8)}`;
  const heads = parts.map((part, i) =>
    h("button", { type: "button", class: "lk-tab", role: "tab", id: `${prefix}-t${i}`, "aria-controls": `${prefix}-p${i}`, on: { click: () => show(part.name) } }, part.title),
  );
  const bodies = parts.map((part, i) => h("div", { class: "lk-tab-panel", role: "tabpanel", id: `${prefix}-p${i}`, "aria-labelledby": `${prefix}-t${i}` }, part.panel));
  const list = h("div", { class: "lk-tabs", role: "tablist", "aria-label": label }, ...heads);
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const at = heads.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const next = (at + step + parts.length) % parts.length;
    show(parts[next].name);
    heads[next].focus();
  });

  /** @param {string} name */
  function show(name) {
    parts.forEach((part, i) => {
      const chosen = part.name === name;
      heads[i].setAttribute("aria-selected", String(chosen));
      heads[i].tabIndex = chosen ? 0 : -1;
      bodies[i].hidden = !chosen;
      if (chosen) part.open?.();
    });
  }

  show(parts[0].name);
  return {
    el: h("div", { class: "lk-tabbed" }, list, ...bodies),
    show,
    /** @param {string} name @param {string} title */
    rename(name, title) {
      heads[parts.findIndex((part) => part.name === name)].textContent = title;
    },
  };
}
