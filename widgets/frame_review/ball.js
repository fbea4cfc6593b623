/**
 * What helps to follow one point from frame to frame: going on after a click, the points of the frames around, a glass under the pointer,
 * and a word where a point moves faster than it can.
 * @module
 */

import { h } from "../shared/dom.js";

/** @typedef {import("./edits.js").Content} Content */
/** @typedef {import("./layers.js").Layers} Layers */
/** @typedef {"advance" | "onion" | "magnifier"} Option */

const SKINS = 3;
const DOT_PX = 4;
const GLASS_PX = 132;
const GLASS_ZOOM = 4;
const GLASS_GAP_PX = 24;

/**
 * A point that moved faster than it can: its frame, the frame of the point before it, and the speed in frame widths a second. The kernel
 * judges, by the rule of the publish warning.
 * @typedef {{frame: number, before: number, speed: number}} Leap
 */

/**
 * @param {{on: () => Record<Option, boolean>, maxSpeed: number | null, shown: (index: number) => Content | undefined}} options
 *   `maxSpeed` is in frame widths a second, null where there is no limit
 */
export function ballHelp({ on, maxSpeed, shown }) {
  /** By frame. @type {Map<number, Leap>} */
  const fast = new Map();

  return {
    fast,
    /** Takes the kernel's word of all frames. @param {Leap[]} leaps */
    judge(leaps) {
      fast.clear();
      for (const leap of leaps) fast.set(leap.frame, leap);
    },
    /** What to say of a frame, "" where nothing is wrong. @param {number} index */
    warning(index) {
      const near = [index, index + 1, index - 1].map((at) => fast.get(at)).find((leap) => leap !== undefined); // the one before: a click has just gone on from it
      if (!near) return "";
      return `Too fast: from frame ${near.before + 1} to ${near.frame + 1} at ${near.speed.toFixed(1)} frame widths a second, at most ${maxSpeed}`;
    },
    /** Draws the points of the frames around: dots before, rings after, fainter further away. @param {CanvasRenderingContext2D} context @param {import("../shared/geometry.js").View} view @param {number} index */
    drawOnion(context, view, index) {
      if (!on().onion) return;
      for (let away = SKINS; away >= 1; away -= 1)
        for (const other of [index - away, index + away])
          for (const point of shown(other)?.annotations ?? []) {
            context.globalAlpha = 0.9 - 0.22 * away;
            context.beginPath();
            context.arc(point.x * view.scale + view.left, point.y * view.scale + view.top, DOT_PX, 0, 2 * Math.PI);
            context.lineWidth = 3.5;
            context.strokeStyle = "#000000";
            context.stroke();
            context.lineWidth = 1.75;
            context.strokeStyle = context.fillStyle = "#ffffff";
            if (other < index) context.fill();
            else context.stroke();
            context.globalAlpha = 1;
          }
    },
    /** Draws the picture around the pointer, enlarged, beside it. @param {CanvasRenderingContext2D} context @param {Layers} stage */
    drawGlass(context, stage) {
      const at = stage.pointer;
      const bitmap = stage.options.frame().picture?.bitmap;
      if (!on().magnifier || !at || !bitmap || !stage.frameSize.width) return;
      const left = at.x + GLASS_GAP_PX + GLASS_PX > stage.size.width ? at.x - GLASS_GAP_PX - GLASS_PX : at.x + GLASS_GAP_PX;
      const top = at.y - GLASS_GAP_PX - GLASS_PX < 0 ? at.y + GLASS_GAP_PX : at.y - GLASS_GAP_PX - GLASS_PX;
      const middle = { x: left + GLASS_PX / 2, y: top + GLASS_PX / 2 };
      const scale = stage.view.scale * GLASS_ZOOM;
      context.save();
      context.beginPath();
      context.arc(middle.x, middle.y, GLASS_PX / 2, 0, 2 * Math.PI);
      context.fillStyle = "#1a1c1f";
      context.fill();
      context.clip();
      context.imageSmoothingEnabled = false;
      context.filter = stage.filter();
      context.drawImage(bitmap, middle.x - (at.x - stage.view.left) * GLASS_ZOOM, middle.y - (at.y - stage.view.top) * GLASS_ZOOM, stage.frameSize.width * scale, stage.frameSize.height * scale);
      context.restore();
      context.lineWidth = 1;
      for (const [colour, by] of /** @type {[string, number][]} */ ([["#000000", 1], ["#ffffff", 0]])) {
        context.strokeStyle = colour;
        context.beginPath();
        context.arc(middle.x, middle.y, GLASS_PX / 2 - by, 0, 2 * Math.PI);
        context.moveTo(middle.x - 10, middle.y + by);
        context.lineTo(middle.x + 10, middle.y + by);
        context.moveTo(middle.x + by, middle.y - 10);
        context.lineTo(middle.x + by, middle.y + 10);
        context.stroke();
      }
    },
  };
}

/**
 * The switches of the tool bar for it.
 * @param {(option: Option) => void} toggle @param {(action: string) => string} hint
 */
export function ballSwitches(toggle, hint) {
  /** @type {[Option, string, string][]} */
  const parts = [
    ["advance", "Go on", "Go on to the next frame after a click"],
    ["onion", "Trail", "Show the points of the three frames before (dots) and after (rings)"],
    ["magnifier", "Magnifier", "Show the picture around the pointer enlarged"],
  ];
  const buttons = parts.map(([option, label, text]) =>
    h("button", { type: "button", class: "lk-button", title: `${text} (${hint(option)})`, on: { click: () => toggle(option) } }, label, h("kbd", { "aria-hidden": "true" }, hint(option))),
  );
  return {
    el: h("div", { class: "lk-group", role: "group", "aria-label": "Point help" }, ...buttons),
    /** @param {Record<Option, boolean>} on */
    show: (on) => buttons.forEach((element, i) => element.setAttribute("aria-pressed", String(on[parts[i][0]]))),
  };
}
