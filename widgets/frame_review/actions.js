/**
 * What a person can do in the review, by name: keys, buttons and tests start the same actions.
 * @module
 */

import { dialog, h } from "../shared/dom.js";
import { showKeys } from "../shared/keys.js";
import { showChoices } from "./choices.js";
import { newId } from "./edits.js";
import { acceptNext, history, nextUntouched, step, worthALook } from "./moving.js";

/** The step of each arrow in px. */
const STEP_OF = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };
/** How far from another of its class a pasted object stands, in px. */
const PASTE_PX = 10;
/** On how many frames the kernel repeats an object at once. */
const MOST_FRAMES = 1_000;

/**
 * @param {import("./review.js").Review} review
 * @returns {Record<string, (event?: any) => void>} an action that is held gets the event of its beginning and of its end
 */
export function actionsOf(review) {
  const { stage, choices, opening } = review;
  const flag = (/** @type {number} */ i) => () => {
    const { name } = opening.flags[i];
    review.apply({ kind: review.content()?.flags.includes(name) ? "unflag" : "flag", frame: review.index, flag_name: name });
  };
  const choose = (/** @type {number} */ i) => () => {
    const label = opening.capability.classes[i].name;
    choices.set({ label });
    if (stage.selectedId) review.apply({ kind: "relabel", frame: review.index, id: stage.selectedId, label });
  };
  /** @type {Record<string, (event: any) => void>} */
  const actions = {
    next_frame: () => step(review, 1),
    previous_frame: () => step(review, -1),
    forward_10: () => step(review, 10),
    back_10: () => step(review, -10),
    worth_a_look: () => void worthALook(review),
    next_untouched: () => nextUntouched(review),
    accept_next: () => acceptNext(review),
    undo: () => void history(review, "undo"),
    redo: () => void history(review, "redo"),
    publish: () => void review.publishing.publish(),
    select_tool: () => choices.set({ tool: "select" }),
    next_object: () => cycle(review, 1),
    previous_object: () => cycle(review, -1),
    delete: () => stage.selectedId && review.apply({ kind: "delete", frame: review.index, id: stage.selectedId }),
    copy: () => copy(review),
    paste: () => paste(review),
    place: () => stage.place(),
    copy_previous: () => void review.useTool({ kind: "copy_previous", frame: review.index }),
    interpolate: () => stage.selectedId && void review.useTool({ kind: "interpolate", frame: review.index, id: stage.selectedId }),
    propagate: () => void propagate(review),
    hide: (event) => ((review.hiding = event.type === "keydown"), showChoices(review)),
    diff: (event) => review.hosted.emphasize(event.type === "keydown"),
    pan: (event) => ((stage.panning = event.type === "keydown"), stage.cursor()),
    zoom_in: () => stage.zoom(1.25),
    zoom_out: () => stage.zoom(0.8),
    zoom_fit: () => stage.zoomFit(),
    brighter: () => review.light.change("brightness", 0.1),
    darker: () => review.light.change("brightness", -0.1),
    more_contrast: () => review.light.change("contrast", 0.1),
    less_contrast: () => review.light.change("contrast", -0.1),
    filmstrip: () => choices.set({ film: !choices.now.film }),
    light: () => review.light.toggle(),
    help: () => void showKeys(review.frame.root, review.keys.bound),
    leave: () => leave(review),
    toggle_changes: () => choices.set({ changes: !choices.now.changes }),
    toggle_labels: () => choices.set({ labels: !choices.now.labels }),
    reset_view: () => (choices.reset(), review.tell("The view is as at first.")),
  };
  for (const name of ["next_frame", "previous_frame", "forward_10", "back_10"]) actions[`${name}_arrow`] = actions[name];
  if (opening.capability.geometry === "box") actions.box_tool = () => choices.set({ tool: "box" });
  else {
    actions.point_tool = () => choices.set({ tool: "point" });
    for (const option of /** @type {const} */ (["advance", "onion", "magnifier"])) actions[option] = () => switchHelp(review, option);
  }
  opening.flags.forEach((_, i) => (actions[`flag_${i + 1}`] = flag(i)));
  opening.capability.classes.slice(0, 9).forEach((_, i) => (actions[`class_${i + 1}`] = choose(i)));
  for (const [name, [dx, dy]] of Object.entries(STEP_OF)) {
    actions[`nudge_${name}`] = () => stage.nudge(dx, dy);
    actions[`nudge_10_${name}`] = () => stage.nudge(10 * dx, 10 * dy);
    actions[`grow_${name}`] = () => stage.nudge(dx, dy, true);
  }
  return actions;
}

/** Asks on how many frames to repeat the selected object, and has it done. @param {import("./review.js").Review} review */
async function propagate(review) {
  const id = review.stage.selectedId;
  const left = Math.min(review.opening.frames - 1 - review.index, MOST_FRAMES);
  if (!id || !left) return review.tell("This is the last frame: there is none to repeat it on.");
  const input = h("input", { class: "lk-input", type: "number", min: 1, max: left, value: Math.min(5, left), "aria-label": "Frames" });
  const count = await dialog(review.frame.root, {
    title: "Repeat the selected object",
    action: "Repeat",
    body: [h("label", { class: "lk-field" }, `On how many of the next frames (at most ${left})`, input)],
    read: () => (input.checkValidity() && input.value ? Number(input.value) : null),
  });
  if (count !== null) await review.useTool({ kind: "propagate", frame: review.index, id, count });
}

/** @param {import("./review.js").Review} review */
function copy(review) {
  review.stage.finishNudge();
  review.copied = review.stage.selected() ?? null;
  if (review.copied) review.tell(`Copied: ${review.copied.label}`);
}

/**
 * Puts the copied object where it was copied; where one of its class stands there already, a little further down. A frame with room for
 * one point only gets that one moved.
 * @param {import("./review.js").Review} review
 */
function paste(review) {
  const { copied, stage, index: frame } = review;
  const here = review.content()?.annotations ?? [];
  if (!copied) return review.tell("Nothing was copied yet.");
  if (!stage.editable) return;
  stage.finishNudge();
  if (review.points && review.opening.capability.single && here.length === 1) {
    stage.select(here[0].id);
    return review.apply({ kind: "move", frame, id: here[0].id, x: copied.x, y: copied.y });
  }
  const taken = (/** @type {import("./edits.js").Annotation} */ shape) => here.some((other) => other.label === shape.label && other.x === shape.x && other.y === shape.y);
  let shape = stage.shifted(copied, 0, 0);
  for (let [tries, by] = [2 * here.length, PASTE_PX]; tries > 0 && taken(shape); tries -= 1) {
    const next = stage.shifted(shape, by, by);
    if (next.x === shape.x && next.y === shape.y) by = -PASTE_PX; // the corner of the frame
    shape = next;
  }
  const id = newId();
  const { label, x, y, width, height, size } = shape;
  const place = { frame, id, label, x, y };
  if (width === null) review.apply({ kind: "add_point", ...place, ...(size === null ? {} : { size }) });
  else review.apply({ kind: "add_box", ...place, width, height: Number(height) });
  stage.select(id);
}

/** Steps out by one level: the drawing, then the object, then the stage. @param {import("./review.js").Review} review */
function leave({ stage }) {
  stage.finishNudge();
  if (stage.cancel()) return;
  if (stage.selectedId) return stage.select(null);
  /** @type {HTMLElement | null} */ (document.activeElement)?.blur();
}

/** @param {import("./review.js").Review} review @param {import("./ball.js").Option} option */
function switchHelp(review, option) {
  const on = !review.choices.now[option];
  review.choices.set({ [option]: on });
  review.tell(`${{ advance: "Going on after a click", onion: "Trail", magnifier: "Magnifier" }[option]}: ${on ? "on" : "off"}`);
}

/** @param {import("./review.js").Review} review @param {number} step */
function cycle(review, step) {
  const { stage } = review;
  const all = review.content()?.annotations ?? [];
  if (!all.length) return;
  const at = all.findIndex((annotation) => annotation.id === stage.selectedId);
  stage.select(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length].id);
}
