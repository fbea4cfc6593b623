/**
 * How the parts follow what is new: a frame's labels, its picture, the selection, the view, what others did.
 * @module
 */

import { badge, fill } from "../shared/dom.js";

/** @typedef {import("./review.js").Review} Review */
/** @typedef {import("./review.js").Opening} Opening */

const STATE_TONES = /** @type {const} */ ({ untouched: "plain", seen: "plain", edited: "info", accepted: "good" });
const TRAIL = 3;

/** A frame's labels are new. @param {Review} review @param {number} index */
export function frameChanged(review, index) {
  const { overview } = review;
  const content = review.edits.shown(index);
  if (!content) return;
  const scores = content.annotations.map((annotation) => annotation.score).filter((score) => score !== null);
  overview.states[index] = content.state;
  overview.flags[index] = content.flags;
  overview.counts[index] = content.annotations.length;
  overview.min_score[index] = scores.length ? Math.min(...scores) : null;
  factsChanged(review);
  if (index === review.index) {
    if (review.steps.said.dataset.tone === "wait") review.tell("");
    review.stage.refresh();
    frameParts(review);
  } else if (review.points && Math.abs(index - review.index) <= TRAIL) review.stage.repaint();
}

/** What the timeline and the filmstrip show of a frame is new. @param {Review} review */
export function factsChanged(review) {
  review.timeline.refresh();
  review.film.refresh();
}

/** @param {Review} review @param {number} index */
export function pictureCame(review, index) {
  const picture = review.cache.peek(index);
  review.prefetch.arrived(index);
  if (picture?.problem && picture.problem !== review.overview.problem[index]) {
    review.overview.problem[index] = picture.problem;
    factsChanged(review);
  }
  if (index === review.index) review.stage.refresh();
  review.film.take(index, picture?.bitmap);
  review.conflict.arrived(index);
}

/** The kernel has judged anew which points moved too fast. @param {Review} review @param {import("./ball.js").Leap[]} leaps */
export function leapsCame(review, leaps) {
  review.ball.judge(leaps);
  factsChanged(review);
  warn(review);
}

/** Says where a point moved too fast; takes it back once it no longer does. @param {Review} review */
export function warn(review) {
  const warning = review.ball.warning(review.index);
  if (warning) review.tell(warning, "warn");
  else if (review.steps.said.dataset.tone === "warn") review.tell("");
}

/** What stands beside and below the stage about its frame. @param {Review} review */
export function frameParts(review) {
  const { opening, overview, side, index } = review;
  const content = review.content();
  if (document.activeElement !== side.number) side.number.value = String(index + 1);
  const state = content?.state ?? /** @type {keyof typeof STATE_TONES} */ (overview.states[index]);
  fill(side.state, badge(state, STATE_TONES[state]));
  const flags = content?.flags ?? overview.flags[index];
  side.flags.forEach((element, i) => element.setAttribute("aria-pressed", String(flags.includes(opening.flags[i].name))));
  const count = content?.annotations.length ?? overview.counts[index];
  side.objectCount.textContent = String(count);
  review.objects.show(content, review.stage.selectedId);
  const accepted = overview.states.filter((one) => one === "accepted").length;
  const worked = overview.states.filter((one) => one === "edited").length;
  review.steps.coverage.textContent = review.seeking.coverage();
  review.steps.progress.textContent = `${accepted} accepted, ${worked} edited of ${opening.frames}`;
  review.stage.el.setAttribute("aria-label", `Frame ${index + 1} of ${opening.frames}, ${count} objects, ${state}. Press ? for the keys.`);
}

/** @param {Review} review */
export function selectionChanged(review) {
  const chosen = review.stage.selected();
  review.objects.show(review.content(), review.stage.selectedId);
  if (!chosen) return;
  if (review.opening.capability.classes.some((entry) => entry.name === chosen.label)) review.choices.set({ label: chosen.label });
  review.frame.say(`${chosen.label} selected`);
}

/** @param {Review} review */
export function viewMoved(review) {
  if (!review.toolbar) return;
  review.toolbar.scale.textContent = `${Math.round(review.stage.view.scale * 100)}%`;
  review.hosted.moved();
}

/** Takes up what others did. @param {Review} review @param {{overview: Opening["overview"], save: Opening["save"]}} data */
export function allNew(review, data) {
  for (const name of /** @type {const} */ (["states", "flags", "counts", "min_score", "problem"])) review.overview[name].splice(0, Infinity, .../** @type {any[]} */ (data.overview[name]));
  review.saving.show(data.save);
  factsChanged(review);
  frameParts(review);
}
