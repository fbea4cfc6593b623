/**
 * The frames that both sides changed: a list, both sides of the chosen one as pictures, and the choice for each or for all.
 * @module
 */

import { button, fill, h } from "../shared/dom.js";
import { fit } from "../shared/geometry.js";
import { draw } from "../shared/shapes.js";

/** @typedef {import("./edits.js").Content} Content */
/** @typedef {{index: number, mine: Content, theirs: Content}} Both */
/** @typedef {"mine" | "theirs"} Side */

const PICTURE = { width: 384, height: 216 };
const TITLES = { mine: "Mine", theirs: "Theirs" };

/**
 * @param {{frame: import("../shared/shell.js").Shell, style: (label: string) => import("../shared/shapes.js").Style, picture: (index: number) => import("../shared/frame_cache.js").Picture | undefined, facts: (index: number) => import("./edits.js").FrameFacts | undefined, go: (index: number) => void}} options
 */
export function conflictView({ frame, style, picture, facts, go }) {
  const title = h("h3", {});
  const list = h("div", { class: "lk-conflict-list", role: "group", "aria-label": "Frames that both sides changed" });
  const sides = { mine: side("mine"), theirs: side("theirs") };
  const all = h("div", { class: "lk-row" }, button("Keep all mine", () => settleAll("keep")), button("Take all theirs", () => settleAll("theirs")));
  const el = h(
    "section",
    { class: "lk-conflict", "aria-label": "Conflict", hidden: true },
    h("div", { class: "lk-row lk-spread" }, title, all),
    h("p", { class: "lk-dim" }, "Every other frame is saved. The side that is not taken stays on the shelf for 30 days. Bold labels differ."),
    h("div", { class: "lk-conflict-both" }, list, sides.mine.el, sides.theirs.el),
  );
  /** @type {Both[]} */
  let both = [];
  /** @type {number | null} */
  let chosen = null;

  /** @param {Side} which */
  function side(which) {
    const canvas = h("canvas", { role: "img", width: PICTURE.width * 2, height: PICTURE.height * 2 });
    const words = h("span", { class: "lk-dim" });
    const take = button(which === "mine" ? "Keep mine" : "Take theirs", () => settle(which));
    return { canvas, words, el: h("figure", { class: "lk-conflict-side" }, canvas, h("figcaption", { class: "lk-row lk-spread" }, h("span", { class: "lk-row" }, h("strong", {}, TITLES[which]), words), take)) };
  }

  const present = () => both.find(({ index }) => index === chosen);

  async function load() {
    both = (await frame.ask("conflict")) ?? [];
    if (!present()) chosen = both[0]?.index ?? null;
    show();
  }

  function show() {
    el.hidden = both.length === 0;
    title.textContent = both.length === 1 ? "One frame was changed by both sides" : `${both.length} frames were changed by both sides`;
    fill(list, ...both.map(({ index }) => {
      const element = button(`Frame ${index + 1}`, () => choose(index));
      element.setAttribute("aria-pressed", String(index === chosen));
      return element;
    }));
    paint();
  }

  /** @param {number} index */
  function choose(index) {
    chosen = index;
    go(index);
    for (const [i, element] of [...list.children].entries()) element.setAttribute("aria-pressed", String(both[i].index === index));
    paint();
  }

  /** @param {Side} which */
  async function settle(which) {
    if (chosen === null) return;
    const index = chosen;
    if (!(await frame.ask("settle", { index, side: which }, { patience: 10_000 }))) return;
    frame.say(`Frame ${index + 1}: ${which === "mine" ? "mine kept" : "theirs taken"}`);
    await load();
    /** @type {HTMLElement | null} */ (list.querySelector("[aria-pressed=true]"))?.focus();
  }

  /** @param {"keep" | "theirs"} mine */
  async function settleAll(mine) {
    if (await frame.ask("reload", { mine }, { patience: 10_000 })) await load();
  }

  function paint() {
    const now = present();
    if (!now) return;
    for (const which of /** @type {Side[]} */ (["mine", "theirs"])) {
      const { canvas, words } = sides[which];
      const content = now[which];
      const other = new Set(now[which === "mine" ? "theirs" : "mine"].annotations.map(told));
      const bitmap = picture(now.index)?.bitmap;
      const size = facts(now.index) ?? bitmap ?? PICTURE;
      const view = fit(size, PICTURE);
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      context.setTransform(2, 0, 0, 2, 0, 0);
      context.fillStyle = "#1a1c1f";
      context.fillRect(0, 0, PICTURE.width, PICTURE.height);
      if (bitmap) context.drawImage(bitmap, view.left, view.top, size.width * view.scale, size.height * view.scale);
      const alone = content.annotations.filter((shape) => !other.has(told(shape)));
      for (const shape of content.annotations) {
        context.globalAlpha = alone.includes(shape) ? 1 : 0.45;
        draw(context, shape, view, style(shape.label), alone.includes(shape));
      }
      context.globalAlpha = 1;
      words.textContent = [`${content.annotations.length} objects, ${alone.length} only here`, ...content.flags.map((flag) => flag.replaceAll("_", " "))].join(", ");
      canvas.setAttribute("aria-label", `${TITLES[which]}, frame ${now.index + 1}: ${words.textContent}`);
    }
  }

  frame.kernel.on("save", (data) => {
    if (data.status === "stale") void load();
    else if (both.length) {
      both = [];
      show();
    }
  });

  return {
    el,
    load,
    /** A picture came. @param {number} index */
    arrived: (index) => index === chosen && both.length > 0 && paint(),
  };
}

/** What a label says, for comparison. @param {import("./edits.js").Annotation} shape */
function told({ id, label, x, y, width, height, size }) {
  return JSON.stringify([id, label, x, y, width, height, size]);
}
