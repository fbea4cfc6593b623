/**
 * What a person can do in the review, by name: keys, buttons and tests start the same actions.
 * @module
 */

import { dialog, h } from "../shared/dom.js";
import { between } from "../shared/geometry.js";
import { showKeys } from "../shared/keys.js";
import { newId } from "./edits.js";

/** The step of each arrow in px. */
const STEP_OF = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };

/**
 * @param {import("./review.js").Review} review
 * @returns {Record<string, (event?: any) => void>} an action that is held gets the event of its beginning and of its end
 */
export function actionsOf(review) {
  const { stage } = review;
  const flag = (/** @type {number} */ i) => () => {
    const name = review.opening.flags[i].name;
    review.apply({ kind: review.content()?.flags.includes(name) ? "unflag" : "flag", frame: review.index, flag_name: name });
  };
  const choose = (/** @type {number} */ i) => () => {
    if (i >= review.opening.capability.classes.length) return;
    review.chooseClass(i);
    if (stage.selectedId) review.apply({ kind: "relabel", frame: review.index, id: stage.selectedId, label: review.opening.capability.classes[i].name });
  };
  /** @type {Record<string, (event: any) => void>} */
  const actions = {
    next_frame: () => review.step(1),
    previous_frame: () => review.step(-1),
    forward_10: () => review.step(10),
    back_10: () => review.step(-10),
    worth_a_look: () => void worthALook(review),
    next_untouched: () => nextUntouched(review),
    accept_next: () => review.acceptNext(),
    undo: () => void history(review, "undo"),
    redo: () => void history(review, "redo"),
    publish: () => void review.publishing.publish(),
    select_tool: () => review.chooseTool("select"),
    next_object: () => cycle(review, 1),
    previous_object: () => cycle(review, -1),
    delete: () => stage.selectedId && review.apply({ kind: "delete", frame: review.index, id: stage.selectedId }),
    copy: () => (review.copied = stage.selected() ?? null),
    paste: () => paste(review),
    place: () => stage.place(),
    copy_previous: () => void review.useTool({ kind: "copy_previous", frame: review.index }),
    interpolate: () => stage.selectedId && void review.useTool({ kind: "interpolate", frame: review.index, id: stage.selectedId }),
    propagate: () => void propagate(review),
    hide: (event) => review.hide(event.type === "keydown"),
    diff: (event) => review.hosted.emphasize(event.type === "keydown"),
    pan: (event) => ((stage.panning = event.type === "keydown"), stage.cursor()),
    zoom_in: () => stage.zoom(1.25),
    zoom_out: () => stage.zoom(0.8),
    zoom_fit: () => stage.zoomFit(),
    brighter: () => review.light.change("brightness", 0.1),
    darker: () => review.light.change("brightness", -0.1),
    more_contrast: () => review.light.change("contrast", 0.1),
    less_contrast: () => review.light.change("contrast", -0.1),
    filmstrip: () => review.toolbar.film.setAttribute("aria-pressed", String(review.film.toggle())),
    light: () => review.light.toggle(),
    help: () => void showKeys(review.frame.root, review.keys.bound),
    leave: () => review.leave(),
    toggle_changes: () => review.toggleChanges(),
    toggle_labels: () => review.hide(!stage.hidden),
  };
  for (const name of ["next_frame", "previous_frame", "forward_10", "back_10"]) actions[`${name}_arrow`] = actions[name];
  if (review.opening.capability.geometry === "box") actions.box_tool = () => review.chooseTool("box");
  else {
    actions.point_tool = () => review.chooseTool("point");
    for (const option of /** @type {const} */ (["advance", "onion", "magnifier"])) actions[option] = () => review.switchHelp(option);
  }
  review.opening.flags.forEach((_, i) => (actions[`flag_${i + 1}`] = flag(i)));
  review.opening.capability.classes.slice(0, 9).forEach((_, i) => (actions[`class_${i + 1}`] = choose(i)));
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
  const left = review.opening.frames - 1 - review.index;
  if (!id || !left) return review.frame.say("This is the last frame.");
  const input = h("input", { class: "lk-input", type: "number", min: 1, max: left, value: Math.min(5, left), "aria-label": "Frames" });
  const count = await dialog(review.frame.root, {
    title: "Repeat the selected object",
    action: "Repeat",
    body: [h("label", { class: "lk-field" }, "On how many of the next frames", input)],
    read: () => (input.checkValidity() && input.value ? Number(input.value) : null),
  });
  if (count !== null) await review.useTool({ kind: "propagate", frame: review.index, id, count });
}

/** Goes to the riskiest frame that nobody has seen and says why. @param {import("./review.js").Review} review */
async function worthALook(review) {
  const found = await review.seeking.riskiest(review.index).catch((error) => review.frame.show(error.report));
  if (found === undefined) return;
  if (!found) return review.tell("Every frame was seen.");
  review.go(found.index);
  review.tell(found.why);
}

/** @param {import("./review.js").Review} review */
function nextUntouched(review) {
  const found = review.seeking.untouched(review.index);
  if (found === undefined) review.tell("No frame is untouched.");
  else review.go(found);
}

/** @param {import("./review.js").Review} review */
function paste(review) {
  if (!review.copied || !review.stage.editable) return;
  const { label, x, y, width, height, size } = review.copied;
  const id = newId();
  const place = { frame: review.index, id, label, x, y };
  if (width === null) review.apply({ kind: "add_point", ...place, ...(size === null ? {} : { size }) });
  else review.apply({ kind: "add_box", ...place, width, height: Number(height) });
  review.stage.select(id);
}

/** Takes the last step back, or does it again, and goes to the frame that it changed. @param {import("./review.js").Review} review @param {"undo" | "redo"} kind */
async function history(review, kind) {
  review.stage.finishNudge();
  const answer = await review.frame.ask("op", { op: { kind } });
  if (!answer) return;
  review.saving.show(answer.save);
  if (!answer.frame) return review.tell(`Nothing to ${kind}.`);
  review.edits.take(answer.frame);
  if (answer.frame.index !== review.index) review.go(answer.frame.index);
  review.tell(`${kind === "undo" ? "Undone" : "Redone"} on frame ${answer.frame.index + 1}`);
}

/** @param {import("./review.js").Review} review @param {number} step */
function cycle(review, step) {
  const { stage } = review;
  const all = review.content()?.annotations ?? [];
  if (!all.length) return;
  const at = all.findIndex((annotation) => annotation.id === stage.selectedId);
  stage.select(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length].id);
}

/** Lets the field with the frame's number go to a frame. @param {import("./review.js").Review} review */
export function frameNumber(review) {
  const { number } = review.side;
  number.addEventListener("keydown", (event) => {
    if (event.key === "Enter") review.go(between(Math.round(Number(number.value)) - 1 || 0, 0, review.opening.frames - 1));
    else if (event.key !== "Escape") return;
    event.preventDefault();
    review.stage.el.focus();
  });
  number.addEventListener("blur", () => (number.value = String(review.index + 1)));
}
