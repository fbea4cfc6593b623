/**
 * What reaches a review from outside: the kernel's events, keys let go, the page's theme.
 * @module
 */

import { allNew, factsChanged, leapsCame } from "./following.js";
import { show } from "./moving.js";
import { watchTheme } from "./marks.js";

/** @typedef {import("./review.js").Review} Review */
/** @typedef {[data: any, buffers: DataView[]]} FrameEvent */

/** Listens until the returned function is called. @param {Review} review */
export function listen(review) {
  const { kernel, root } = review.frame;
  kernel.on("frame", (data, buffers) => frameCame(review, [data, buffers]));
  kernel.on("truth", (data) => review.edits.take(data.frame));
  kernel.on("leaps", (data) => leapsCame(review, data.leaps));
  kernel.on("painted", (data) => review.hosted.done(data));
  kernel.on("save", (data) => review.saving.show(data));
  kernel.on("overview", (data) => allNew(review, data));
  kernel.on("published", () => void review.publishing.load());
  kernel.on("gone", () => lock(review, true));
  kernel.on("back", () => void comeBack(review));
  const letGo = () => review.keys.release();
  root.addEventListener("keyup", (event) => review.keys.release(event));
  window.addEventListener("blur", letGo);
  review.stage.el.addEventListener("blur", letGo);
  const themes = watchTheme(() => factsChanged(review));
  return () => {
    window.removeEventListener("blur", letGo);
    themes.disconnect();
  };
}

/** Takes a frame's labels and its picture, or why there is none. @param {Review} review @param {FrameEvent} event */
export function frameCame(review, [data, buffers]) {
  review.edits.take(data.content, { width: data.width, height: data.height, problem: data.problem });
  if (data.problem) review.cache.refuse(data.index, data.problem);
  else void review.cache.put(data.index, data.mime, buffers[0]);
}

/** @param {Review} review @param {boolean} locked */
function lock(review, locked) {
  review.stage.cancel();
  review.stage.locked = locked;
  review.stage.refresh();
}

/** Goes on after the connection was lost. @param {Review} review */
async function comeBack(review) {
  lock(review, !review.opening.may.edit);
  const data = await review.frame.ask("overview");
  if (!data) return;
  review.edits.forget();
  allNew(review, data);
  show(review);
}
