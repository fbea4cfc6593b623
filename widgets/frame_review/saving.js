/**
 * Whether the edits are safe: the chip in the header, the buttons for undo and redo, and what to do when a save failed.
 * @module
 */

import { button } from "../shared/dom.js";

const SHOWN = 6;
/** @typedef {import("../shared/commands.js").Report} Report */
/** @typedef {{status: "saved" | "saving" | "stale" | "failed", version: number, error: Report | null, can_undo: boolean, can_redo: boolean}} SaveState */

/**
 * @param {{frame: import("../shared/shell.js").Shell, chip: HTMLElement, undo: HTMLButtonElement, redo: HTMLButtonElement, pending: () => number}} options
 *   `pending` counts the edits that the kernel has not answered
 */
export function saving({ frame, chip, undo, redo, pending }) {
  /** @type {SaveState} */
  let known = { status: "saved", version: 0, error: null, can_undo: false, can_redo: false };
  let silent = false;

  function paint() {
    const waiting = pending() > 0;
    /** @type {Record<string, [string, string]>} */
    const words = {
      silent: ["NOT SAVED", "bad"],
      saved: [`Saved \u00b7 v${known.version}`, "good"],
      saving: ["Saving\u2026", "plain"],
      stale: ["Stale: changed elsewhere", "warn"],
      failed: [`Not saved: ${known.error?.code ?? ""}`, "bad"],
    };
    const [text, tone] = words[waiting ? (silent ? "silent" : "saving") : known.status];
    chip.textContent = text;
    chip.className = `lk-badge lk-save lk-tone-${tone}`;
    undo.disabled = !known.can_undo;
    redo.disabled = !known.can_redo;
  }

  /** Says what went wrong and offers what can be done. @param {Report} error */
  function trouble(error) {
    const again = async () => (await frame.ask("reload", { mine: "keep" }, { patience: 10_000 })) && frame.show(null);
    if (known.status === "stale") frame.show(both(error), "warn");
    else frame.show(error, "bad", [button("Try again", again)]);
  }

  frame.kernel.on("silent", (commands) => {
    silent = commands.includes("op");
    paint();
  });
  frame.kernel.on("heard", () => {
    silent = false;
    paint();
  });
  return {
    /** Shows the kernel's word, where there is a new one, and what still waits. @param {SaveState} [state] */
    show(state) {
      const news = state && state.error && state.error.code !== known.error?.code;
      if (known.status === "stale" && state && state.status !== "stale") frame.show(null);
      if (state) known = state;
      paint();
      if (news && known.error) trouble(known.error);
    },
  };
}

/** The conflict as a reviewer needs it: which frames, and where to choose. @param {Report} error @returns {Report} */
function both(error) {
  /** @type {number[]} */
  const frames = error.facts?.changed ?? [];
  const named = frames.length === 1 ? `Frame ${frames[0]} was` : `Frames ${frames.slice(0, SHOWN).join(", ")}${frames.length > SHOWN ? " and more" : ""} were`;
  return { ...error, detail: `${named} changed by both sides. Every other frame is saved.`, hint: "Choose below the picture, frame by frame or for all at once." };
}
