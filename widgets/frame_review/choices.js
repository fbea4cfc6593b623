/**
 * How a person likes to see a review: kept in their browser for the next time, never in the notebook. Zoom is of the view alone.
 * @module
 */

const KEY = "labelkit.review";

/**
 * `labels`, `changes` and `film` say what is shown, `advance`, `onion` and `magnifier` how a point is followed; brightness and contrast
 * are factors. Tool and class are kept for each capability.
 * @typedef {{tool: import("./layers.js").Tool, label: string, labels: boolean, changes: boolean, film: boolean, advance: boolean, onion: boolean, magnifier: boolean, brightness: number, contrast: number}} Choices
 */

const LEAST_LIGHT = 0.2;
const MOST_LIGHT = 3;
const OF_CAPABILITY = ["tool", "label"];

/** A factor of light that can be chosen: tenths between the limits. @param {number} factor */
const light = (factor) => Math.round(Math.min(Math.max(factor, LEAST_LIGHT), MOST_LIGHT) * 10) / 10;

/**
 * @param {{user: string, capability: import("./review.js").Opening["capability"], changed: (values: Choices) => void}} options
 *   `changed` shows the values
 */
export function choices({ user, capability, changed }) {
  const labels = capability.classes.map((entry) => entry.name);
  const shape = capability.geometry;
  /** @type {Choices} */
  const first = { tool: shape === "point" ? "point" : "select", label: labels[0], labels: true, changes: true, film: true, advance: true, onion: true, magnifier: false, brightness: 1, contrast: 1 };
  /** @type {Record<string, (value: any) => boolean>} */
  const rules = { tool: (value) => value === "select" || value === shape, label: (value) => labels.includes(value) };
  /** Of what is given, only what can be chosen. @param {any} given @returns {Partial<Choices>} */
  const possible = (given) => Object.fromEntries(Object.entries(given ?? {}).filter(([name, value]) => (rules[name] ? rules[name](value) : name in first && typeof value === typeof (/** @type {any} */ (first)[name]))));
  const kept = read()[user] ?? {};
  let values = { ...first, ...possible(kept.view), ...possible(kept[capability.name]) };

  function write() {
    const everybody = read();
    const all = Object.entries(values);
    const own = Object.fromEntries(all.filter(([name]) => OF_CAPABILITY.includes(name)));
    const view = Object.fromEntries(all.filter(([name]) => !OF_CAPABILITY.includes(name)));
    everybody[user] = { ...everybody[user], view, [capability.name]: own };
    try {
      localStorage.setItem(KEY, JSON.stringify(everybody));
    } catch {
      // full, or forbidden to this page: the choices hold while the view is open
    }
  }

  return {
    /** @type {Choices} */
    get now() {
      return values;
    },
    /** Whether everything is as it was at the very first. */
    get untouched() {
      return JSON.stringify(values) === JSON.stringify(first);
    },
    /** Takes some choices, shows and keeps them. @param {Partial<Choices>} some */
    set(some) {
      const next = { ...values, ...possible(some) };
      next.brightness = light(next.brightness);
      next.contrast = light(next.contrast);
      if (JSON.stringify(next) === JSON.stringify(values)) return;
      values = next;
      write();
      changed(values);
    },
    reset() {
      this.set(first);
    },
  };
}

/** What the browser has kept, by person. @returns {Record<string, any>} */
function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return found && typeof found === "object" && !Array.isArray(found) ? found : {};
  } catch {
    return {}; // nothing readable there, or this page may not look
  }
}

/** Shows the choices on every part. @param {import("./review.js").Review} review */
export function showChoices(review) {
  const { stage, toolbar, opening, choices, film, hosted, header } = review;
  const now = choices.now;
  const labels = now.labels && !review.hiding;
  if (stage.tool !== now.tool) stage.setTool(now.tool);
  stage.light(now);
  stage.hidden = !labels;
  stage.repaint();
  hosted.show(now.changes && labels);
  film.open(now.film);
  review.light.show(now);
  review.switches.show(now);
  /** @type {[HTMLElement, boolean][]} */
  const pressed = [
    ...Object.entries(toolbar.tools).map(([name, element]) => /** @type {[HTMLElement, boolean]} */ ([element, name === now.tool])),
    ...toolbar.classes.map((element, i) => /** @type {[HTMLElement, boolean]} */ ([element, opening.capability.classes[i].name === now.label])),
    [toolbar.labels, labels],
    [toolbar.changes, now.changes],
    [toolbar.film, now.film],
  ];
  for (const [element, on] of pressed) element.setAttribute("aria-pressed", String(on));
  header.reset.setAttribute("aria-disabled", String(choices.untouched));
}
