/**
 * The objects of the frame as a list: the same labels as on the stage, for the keyboard and for screen readers. Only the rows in sight
 * are built, so that a thousand objects cost no more than ten.
 * @module
 */

import { fill, h } from "../shared/dom.js";

/** @typedef {import("./edits.js").Annotation} Annotation */
/** @typedef {import("./edits.js").Content} Content */
/** @typedef {import("../shared/shapes.js").Style} Style */

const ROW_PX = 28;
const SPARE_ROWS = 4;
/** @type {Record<string, string>} */
const SOURCES = { model: "model", human: "edited", imported: "imported", interpolated: "interpolated", propagated: "propagated" };

/**
 * A small picture of a class: its colour with its line style, or with its mark where it is for points.
 * @param {Style} style @param {boolean} point
 */
export function swatch(style, point) {
  const ns = "http://www.w3.org/2000/svg";
  /** @param {string} tag @param {Record<string, string | number>} attributes */
  const made = (tag, attributes) => {
    const element = document.createElementNS(ns, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    return element;
  };
  const svg = made("svg", { viewBox: "0 0 18 12", width: 18, height: 12, "aria-hidden": "true", class: "lk-swatch" });
  const corners = style.mark.map(([dx, dy]) => `${9 + dx * 3.5},${6 + dy * 3.5}`).join(" ");
  for (const line of [{ stroke: "rgb(0 0 0 / 60%)", "stroke-width": 4, "stroke-dasharray": "" }, { stroke: style.colour, "stroke-width": 2.2, "stroke-dasharray": point ? "" : style.dash.join(" ") }])
    svg.append(!point ? made("rect", { x: 2, y: 2, width: 14, height: 8, rx: 1, fill: "none", ...line }) : corners ? made("polygon", { points: corners, fill: "none", ...line }) : made("circle", { cx: 9, cy: 6, r: 3.5, fill: "none", ...line }));
  return svg;
}

/**
 * @param {{style: (label: string) => Style, select: (id: string | null) => void, remove: (id: string) => void}} options
 */
export function objectList({ style, select, remove }) {
  const rows = h("div", { class: "lk-objects-rows" });
  const el = h("div", { class: "lk-objects", tabindex: "0", role: "listbox", "aria-label": "Objects of this frame" }, rows);
  const empty = h("p", { class: "lk-objects-empty lk-dim" }, "No objects on this frame.");
  /** @type {Annotation[]} */
  let annotations = [];
  /** @type {string | null} */
  let selected = null;

  function render() {
    const first = Math.max(Math.floor(el.scrollTop / ROW_PX) - SPARE_ROWS, 0);
    const last = Math.min(first + Math.ceil((el.clientHeight || 200) / ROW_PX) + 2 * SPARE_ROWS, annotations.length);
    rows.style.height = `${annotations.length * ROW_PX}px`;
    const shown = [];
    for (let i = first; i < last; i += 1) shown.push(row(annotations[i], i));
    const at = annotations.findIndex((annotation) => annotation.id === selected);
    if (at >= 0 && (at < first || at >= last)) shown.push(row(annotations[at], at));
    fill(rows, ...(annotations.length ? shown : [empty]));
    el.setAttribute("role", annotations.length ? "listbox" : "group"); // a list must have something to choose
    if (at >= 0) el.setAttribute("aria-activedescendant", optionId(annotations[at].id));
    else el.removeAttribute("aria-activedescendant");
  }

  const prefix = `lk${Math.random().toString(36).slice(2, 8)}-`;
  /** @param {string} id */
  const optionId = (id) => prefix + id;

  /** @param {Annotation} annotation @param {number} i */
  function row(annotation, i) {
    const place = annotation.width === null ? `${Math.round(annotation.x)}, ${Math.round(annotation.y)}` : `${Math.round(annotation.width)} \u00d7 ${Math.round(Number(annotation.height))}`;
    const score = annotation.score === null ? (SOURCES[annotation.source] ?? annotation.source) : `${Math.round(annotation.score * 100)}%`;
    const chosen = annotation.id === selected;
    return h(
      "div",
      { class: "lk-object", role: "option", id: optionId(annotation.id), "aria-selected": chosen ? "true" : "false", "aria-setsize": annotations.length, "aria-posinset": i + 1, style: `top: ${i * ROW_PX}px`, on: { click: () => select(annotation.id) } },
      swatch(style(annotation.label), annotation.width === null),
      h("span", { class: "lk-object-name" }, annotation.label),
      h("span", { class: "lk-object-place lk-dim" }, place),
      h("span", { class: "lk-object-score lk-dim", title: annotation.score === null ? "Who put it there" : "The model's confidence" }, score),
    );
  }

  el.addEventListener("scroll", render);
  el.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = annotations.findIndex((annotation) => annotation.id === selected);
    /** @type {Record<string, number>} */
    const target = { ArrowDown: at + 1, ArrowUp: at < 0 ? annotations.length - 1 : at - 1, Home: 0, End: annotations.length - 1 };
    if (event.key === "Delete" && selected) remove(selected);
    else if (event.key in target && annotations.length) select(annotations[Math.min(Math.max(target[event.key], 0), annotations.length - 1)].id);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    el,
    /** @param {Content | undefined} content @param {string | null} id */
    show(content, id) {
      annotations = content?.annotations ?? [];
      const moved = id !== selected;
      selected = id;
      const at = annotations.findIndex((annotation) => annotation.id === id);
      if (moved && at >= 0) {
        if (at * ROW_PX < el.scrollTop) el.scrollTop = at * ROW_PX;
        else if ((at + 1) * ROW_PX > el.scrollTop + el.clientHeight) el.scrollTop = (at + 1) * ROW_PX - el.clientHeight;
      }
      render();
    },
  };
}
