/**
 * Who else has the draft open, and where: asked while the view is open, shown before two people change one frame.
 * @module
 */

import { fill, h } from "../shared/dom.js";

const EVERY_MS = 10_000;
const SOON_MS = 500;
const PATIENCE_MS = 600_000;

/** @typedef {{user: string, frame: number}} Other */

/**
 * @param {{kernel: import("../shared/commands.js").Channel, say: (text: string) => void, busy: () => boolean}} options
 *   `busy` says that a gesture is under way, during which nothing is asked
 */
export function presence({ kernel, say, busy }) {
  const el = h("span", { class: "lk-presence lk-badge lk-tone-warn", hidden: true });
  let names = "";
  let asking = false;
  let later = 0;

  /** @param {Other[]} others */
  function show(others) {
    const all = others.map(({ user, frame }) => `${user} is here too, on frame ${frame + 1}`);
    el.hidden = others.length === 0;
    el.title = all.join("\n");
    fill(el, h("span", {}, all.length > 1 ? `${all.length} others are here too` : all[0]));
    const now = others.map(({ user }) => user).sort().join(", ");
    if (now && now !== names) say(`${now} has this review open too`);
    names = now;
  }

  async function ask() {
    clearTimeout(later);
    if (asking || kernel.gone()) return;
    if (busy()) return void (later = window.setTimeout(ask, SOON_MS));
    asking = true;
    const answer = await kernel.ask("others", {}, { patience: PATIENCE_MS }).catch(() => null);
    asking = false;
    if (answer) show(answer.others);
  }

  const timer = setInterval(ask, EVERY_MS);
  void ask();
  return { el, ask, close: () => (clearInterval(timer), clearTimeout(later)) };
}
