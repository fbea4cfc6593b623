/**
 * The head line of a widget, and redrawing a part of it without losing the reader's place.
 * @module
 */

import { h } from "./dom.js";

/** @typedef {import("./dom.js").Child} Child */

const FOCUSABLE = "button, input, select, summary, [tabindex]";

/**
 * A title with what it is about beside it, and what can be done at the right end.
 * @param {string} title @param {Child[]} about @param {Child[]} actions
 */
export function head(title, about, actions) {
  return h("header", { class: "lk-head" }, h("h2", {}, title), h("div", { class: "lk-about" }, ...about), h("div", { class: "lk-row lk-actions" }, ...actions));
}

/** A titled part of a widget. @param {string} title @param {...(Child | Child[])} children */
export function part(title, ...children) {
  return h("section", { class: "lk-stack", "aria-label": title }, h("h3", {}, title), ...children);
}

/** What a thing that can be focused is called. @param {HTMLElement} element */
function nameOf(element) {
  return element.dataset.spot ?? element.getAttribute("aria-label") ?? element.textContent;
}

/**
 * Replaces what an element shows. The focus stays on what has the same name; where that is gone it moves to a button in the same
 * cell of the table, then in the same row, else to the element itself, so that no key falls through to the notebook.
 * @param {HTMLElement} element @param {...(Child | Child[])} children
 */
export function redraw(element, ...children) {
  const active = element.ownerDocument.activeElement;
  const focused = element.contains(active) ? /** @type {HTMLElement} */ (active) : null;
  const name = focused && nameOf(focused);
  const row = focused?.closest("tr")?.rowIndex ?? -1;
  const cell = focused?.closest("td")?.cellIndex ?? -1;
  element.replaceChildren(...h("div", {}, ...children).childNodes);
  if (!focused) return;
  const all = /** @type {HTMLElement[]} */ ([...element.querySelectorAll(FOCUSABLE)]);
  const buttons = all.filter((one) => one.closest("tr")?.rowIndex === row && !one.matches(".lk-id"));
  const next = all.find((one) => nameOf(one) === name) ?? buttons.find((one) => one.closest("td")?.cellIndex === cell) ?? buttons[0] ?? element;
  if (next === element) {
    element.tabIndex = -1;
    element.setAttribute("data-lm-suppress-shortcuts", "");
  }
  next.focus();
}
