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
 * @param {{times: number[] | null, maxSpeed: number | null, count: number, shown: (index: number) => Content | undefined, width: () => number, changed: () => void}} options
 *   `times` in ms and `maxSpeed` in frame widths a second are null where speed has no limit; `width` is the frame's in px
 */
export function ballHelp({ times, maxSpeed, count, shown, width, changed }) {
  /** @type {Record<Option, boolean>} */
  const on = { advance: true, onion: true, magnifier: false };
  /** Frames whose point is too far from that of the frame before, with the speed in frame widths a second. @type {Map<number, number>} */
  const fast = new Map();

  /** The only point of a frame. @param {number} index */
  function only(index) {
    const all = shown(index)?.annotations;
    return all?.length === 1 && all[0].width === null ? all[0] : null;
  }

  /** Judges a frame against the nearest one before it with a point. @param {number} index */
  function judge(index) {
    fast.delete(index);
    const here = only(index);
    if (!here || !times || !maxSpeed || !width()) return;
    for (let before = index - 1; before >= Math.max(index - SKINS, 0); before -= 1) {
      const there = only(before);
      if (!there) continue;
      const seconds = (times[index] - times[before]) / 1000;
      const speed = Math.hypot(here.x - there.x, here.y - there.y) / width() / seconds;
      if (seconds > 0 && speed > maxSpeed) fast.set(index, speed);
      return;
    }
  }

  return {
    on,
    fast,
    /** @param {Option} option */
    toggle(option) {
      on[option] = !on[option];
      changed();
    },
    /** A frame's labels are new: judges it and those after it. @param {number} index */
    follow(index) {
      for (let i = index; i <= Math.min(index + SKINS, count - 1); i += 1) judge(i);
    },
    /** What to say of a frame, "" where nothing is wrong. @param {number} index */
    warning(index) {
      const at = [index, index + 1, index - 1].find((near) => fast.has(near)); // the one before: a click has just gone on from it
      if (at === undefined) return "";
      const speed = /** @type {number} */ (fast.get(at)).toFixed(1);
      return `Too fast: from frame ${at} to ${at + 1} the point moves ${speed} frame widths a second; at most ${maxSpeed} is plausible`;
    },
    /** Draws the points of the frames around: dots before, rings after, fainter further away. @param {CanvasRenderingContext2D} context @param {import("../shared/geometry.js").View} view @param {number} index */
    drawOnion(context, view, index) {
      if (!on.onion) return;
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
      if (!on.magnifier || !at || !bitmap || !stage.frameSize.width) return;
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
