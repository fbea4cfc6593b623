/**
 * From frame to frame: by steps, by number, to where a look is worth most.
 * @module
 */

import { between } from "../shared/geometry.js";
import { frameParts, warn } from "./following.js";

/** @typedef {import("./review.js").Review} Review */

const GO_AFTER_MS = 80;

/** @param {Review} review @param {number} by */
export function step(review, by) {
  const target = between(review.index + by, 0, review.opening.frames - 1);
  if (target === review.index) return review.tell(by > 0 ? "This is the last frame." : "This is the first frame.");
  go(review, target);
}

/** Goes to a frame, unless a gesture is under way. @param {Review} review @param {number} index */
export function go(review, index) {
  const { stage } = review;
  if (index === review.index || (stage.gesture && stage.gesture.kind !== "nudge")) return;
  stage.select(null);
  stage.finishNudge();
  review.direction = index > review.index ? 1 : -1;
  review.index = index;
  show(review);
}

/** Goes to a frame and selects an object there. @param {Review} review @param {number} index @param {string | null} id */
export function goTo(review, index, id) {
  go(review, index);
  if (id) review.stage.select(id);
  review.stage.el.focus();
}

/** Says why nothing happens: a frame that has not come yet is waited for, because nobody judges what they have not seen. @param {Review} review */
export const onItsWay = (review) => review.tell("This frame is still on its way.", "wait");

/** Accepts the frame and goes on. @param {Review} review */
export function acceptNext(review) {
  const content = review.content();
  if (!content) return onItsWay(review);
  if (content.state !== "accepted") review.apply({ kind: "accept", frame: review.index });
  step(review, 1);
}

/** Shows the frame under the cursor, asks for what is missing around it, and tells the kernel once the cursor rests. @param {Review} review */
export function show(review) {
  review.stage.refresh();
  review.prefetch.around(review.index, review.direction);
  review.tell("");
  warn(review);
  frameParts(review);
  review.timeline.show(review.index);
  review.film.show(review.index);
  review.hosted.place();
  clearTimeout(review.going);
  review.going = window.setTimeout(() => void arrive(review), GO_AFTER_MS);
}

/** @param {Review} review */
async function arrive(review) {
  const { frame, index, hosted } = review;
  const answer = await frame.kernel.ask("go", { index, painting: hosted.wanted() }, { patience: 30_000 }).catch((error) => void frame.show(error.report));
  if (answer?.frame) review.edits.take(answer.frame);
}

/** Goes to the riskiest frame that nobody has seen and says why. @param {Review} review */
export async function worthALook(review) {
  const found = await review.seeking.riskiest(review.index).catch((error) => review.frame.show(error.report));
  if (found === undefined) return;
  if (!found) return review.tell("Every frame was seen.");
  go(review, found.index);
  review.tell(found.why);
}

/** @param {Review} review */
export function nextUntouched(review) {
  const found = review.seeking.untouched(review.index);
  if (found === undefined) review.tell("No frame is untouched.");
  else go(review, found);
}

/** Takes the last step back, or does it again, and goes to the frame that it changed, unless the person has gone on meanwhile. @param {Review} review @param {"undo" | "redo"} kind */
export async function history(review, kind) {
  review.stage.finishNudge();
  const asked = review.index;
  const answer = await review.frame.ask("op", { op: { kind } });
  if (!answer) return;
  review.saving.show(answer.save);
  if (!answer.frame) return review.tell(`Nothing to ${kind}.`);
  review.edits.take(answer.frame);
  if (asked === review.index) go(review, answer.frame.index);
  review.tell(`${kind === "undo" ? "Undone" : "Redone"} on frame ${answer.frame.index + 1}`);
}

/** Lets the field with the frame's number go to a frame. @param {Review} review */
export function frameNumber(review) {
  const { number } = review.side;
  number.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go(review, between(Math.round(Number(number.value)) - 1 || 0, 0, review.opening.frames - 1));
    else if (event.key !== "Escape") return;
    event.preventDefault();
    review.stage.el.focus();
  });
  number.addEventListener("blur", () => (number.value = String(review.index + 1)));
}
