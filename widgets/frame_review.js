/**
 * The frame review in the browser: shows frames and labels, takes every gesture and key at once, and asks the kernel to keep them.
 * @module
 */

import { h } from "./shared/dom.js";
import { shell } from "./shared/shell.js";
import { counted } from "./frame_review/counting.js";
import { Review } from "./frame_review/review.js";

/** @param {{model: import("./shared/commands.js").Model, el: HTMLElement}} view */
async function render({ model, el }) {
  /** @type {Review | null} */
  let review = null;
  const frame = shell(
    { model, el },
    {
      label: "Frame review",
      className: "lk-review",
      words: counted,
      key: (event) => review?.press(event) ?? false,
      silent: (commands) => {
        const edits = commands.filter((command) => command === "op").length;
        if (!edits) return { code: "", title: "No answer from the kernel", detail: "It may be busy with another cell.", hint: "Frames that were loaded before can still be looked at." };
        return { code: "", title: "NOT SAVED", detail: `${edits} edit${edits === 1 ? " has" : "s have"} no answer from the kernel yet.`, hint: "If a cell is running, this clears by itself when it ends. If the kernel was restarted, run the cell again: these edits are lost." };
      },
    },
  );
  frame.root.append(h("div", { class: "lk-opening", style: `min-height: ${model.get("height")}px` }, "Opening the review\u2026"));
  /** @type {import("./frame_review/listening.js").FrameEvent[]} */
  const early = [];
  const stop = frame.kernel.on("frame", (data, buffers) => void early.push([data, buffers]));
  const opening = await frame.ask("ready", {}, { patience: 10_000 });
  stop();
  if (opening) review = new Review(frame, model, opening, early);
  else frame.root.querySelector(".lk-opening")?.remove();
  return () => (review ?? frame).close();
}

export default { render };
