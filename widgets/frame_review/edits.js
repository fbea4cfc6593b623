/**
 * The labels of every frame as this view shows them: what the kernel last said, with the edits that it has not answered yet on top.
 * The kernel keeps the truth; an edit that it refuses disappears again.
 * @module
 */

import { clampBox, between, pushInside, px, tooSmall } from "../shared/geometry.js";

/**
 * @typedef {{id: string, label: string, x: number, y: number, width: number | null, height: number | null, size: number | null, score: number | null, source: string, attributes: string | null}} Annotation
 * @typedef {{index: number, annotations: Annotation[], flags: string[], state: "untouched" | "seen" | "edited" | "accepted"}} Content
 * @typedef {{width: number, height: number, problem: string | null}} FrameFacts
 * @typedef {{kind: string, frame: number, id?: string, label?: string, x?: number, y?: number, width?: number, height?: number, size?: number, flag_name?: string, count?: number}} Op
 * @typedef {{truth: Content, shown: Content, pending: Op[], facts: FrameFacts}} Entry
 */

/** Frames whose labels are kept here; the others come again when they are looked at. */
const KEPT = 500;

/** A new annotation's id: unique without asking anybody. */
export function newId() {
  return "ann_" + [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Applies one operation by the rules of the kernel's reducer, for the moment until the kernel answers.
 * @param {Content} content @param {Op} op @param {FrameFacts} facts
 * @returns {Content | null} null where the operation does nothing or is not possible
 */
export function reduce(content, op, facts) {
  /** @param {Annotation[]} annotations @returns {Content} */
  const edited = (annotations) => ({ ...content, annotations, state: "edited" });
  /** @param {(annotation: Annotation) => Annotation} change @returns {Content | null} */
  const change = (change) => {
    const found = content.annotations.find((annotation) => annotation.id === op.id);
    if (!found) return null;
    const after = { ...change(found), source: "human" };
    if (JSON.stringify({ ...after, source: found.source }) === JSON.stringify(found)) return null;
    return edited(content.annotations.map((annotation) => (annotation === found ? after : annotation)));
  };
  const box = { x: px(Number(op.x)), y: px(Number(op.y)), width: px(Number(op.width)), height: px(Number(op.height)) };
  switch (op.kind) {
    case "add_box": {
      const fitted = clampBox(box, facts);
      return tooSmall(fitted) ? null : edited([...content.annotations, { id: String(op.id), label: String(op.label), ...fitted, size: null, score: null, source: "human", attributes: null }]);
    }
    case "add_point":
      return edited([...content.annotations, { id: String(op.id), label: String(op.label), x: px(between(box.x, 0, facts.width)), y: px(between(box.y, 0, facts.height)), width: null, height: null, size: op.size ?? null, score: null, source: "human", attributes: null }]);
    case "move":
      return change((found) =>
        found.width === null
          ? { ...found, x: px(between(box.x, 0, facts.width)), y: px(between(box.y, 0, facts.height)) }
          : { ...found, ...pushInside({ ...box, width: found.width, height: Number(found.height) }, facts) },
      );
    case "resize": {
      if (op.size !== undefined) return change((found) => ({ ...found, size: px(Number(op.size)) }));
      const fitted = clampBox(box, facts);
      return tooSmall(fitted) ? null : change((found) => ({ ...found, ...fitted }));
    }
    case "relabel":
      return change((found) => ({ ...found, label: String(op.label) }));
    case "delete":
      return content.annotations.some((annotation) => annotation.id === op.id) ? edited(content.annotations.filter((annotation) => annotation.id !== op.id)) : null;
    case "flag":
      return content.flags.includes(String(op.flag_name)) ? null : { ...content, flags: [...content.flags, String(op.flag_name)].sort(), state: "edited" };
    case "unflag":
      return content.flags.includes(String(op.flag_name)) ? { ...content, flags: content.flags.filter((flag) => flag !== op.flag_name), state: "edited" } : null;
    case "accept":
      return content.state === "accepted" ? null : { ...content, state: "accepted" };
    default:
      return null;
  }
}

/**
 * @param {{here: () => number, send: (op: Op) => Promise<any>, changed: (index: number) => void, answered: (answer: any, op: Op) => void, refused: (error: any, op: Op) => void}} options
 *   `here` is the frame in sight; `send` asks the kernel; `changed` is called when what is shown of a frame is new
 */
export function edits({ here, send, changed, answered, refused }) {
  /** @type {Map<number, Entry>} */
  const frames = new Map();

  /** @param {Entry} entry */
  function replay(entry) {
    entry.shown = entry.pending.reduce((content, op) => reduce(content, op, entry.facts) ?? content, entry.truth);
    changed(entry.truth.index);
  }

  /** Lets go of what came or changed longest ago, but never of the frame in sight or of edits without an answer. */
  function prune() {
    for (const [index, entry] of frames) {
      if (frames.size <= KEPT) return;
      if (index !== here() && !entry.pending.length) frames.delete(index);
    }
  }

  return {
    /** Takes a frame as the kernel has it. @param {Content} truth @param {FrameFacts} [facts] its size and problem, when they are new */
    take(truth, facts) {
      const entry = frames.get(truth.index);
      if (entry) {
        frames.delete(truth.index);
        frames.set(truth.index, entry);
        entry.facts = facts ?? entry.facts;
        if (entry.pending.length) return;
        entry.truth = truth;
        replay(entry);
      } else if (facts) {
        frames.set(truth.index, { truth, shown: truth, pending: [], facts });
        prune();
        changed(truth.index);
      }
    },
    /** What is shown of a frame; undefined until it has come. @param {number} index */
    shown: (index) => frames.get(index)?.shown,
    /** @param {number} index */
    facts: (index) => frames.get(index)?.facts,
    /** Whether there are edits without an answer. */
    pending: () => [...frames.values()].reduce((count, entry) => count + entry.pending.length, 0),
    /** Forgets every frame, as after a reset. */
    forget: () => frames.clear(),
    /** Shows an edit at once and sends it; says whether there was something to do. @param {Op} op */
    apply(op) {
      const entry = frames.get(op.frame);
      if (!entry || !reduce(entry.shown, op, entry.facts)) return false;
      entry.pending.push(op);
      replay(entry);
      send(op).then(
        (answer) => {
          entry.pending.splice(entry.pending.indexOf(op), 1);
          if (answer.frame) entry.truth = answer.frame;
          replay(entry);
          answered(answer, op);
        },
        (error) => {
          entry.pending.splice(entry.pending.indexOf(op), 1);
          replay(entry);
          refused(error, op);
        },
      );
      return true;
    },
  };
}
