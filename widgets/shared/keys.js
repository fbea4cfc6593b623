/**
 * Keys to actions, from the registry that the kernel sends, and the list of them that `?` shows.
 * @module
 */

import { button, dialog, h } from "./dom.js";

/** @typedef {{action: string, chords: string[], group: string, text: string, when: "always" | "selected" | "nothing_selected", hold: boolean}} Key */

/**
 * The chord of a keyboard event, written as the registry writes it: digits by their place on the keyboard, so that Shift+1 is the same
 * key on every layout; letters as typed, by their place where the alphabet is another; signs as typed, so that the Shift or AltGr that
 * they need is in them.
 * @param {KeyboardEvent} event
 */
export function chord(event) {
  const typed = event.getModifierState("AltGraph"); // Windows says Ctrl and Alt are down then
  const digit = typed ? null : /^Digit(\d)$/.exec(event.code);
  const letter = /^Key([A-Z])$/.exec(event.code);
  let key = event.key === " " ? "Space" : event.key;
  let shift = event.shiftKey;
  if (digit && !/^[a-z]$/i.test(key)) key = digit[1];
  else if (key.length === 1 && key.toLowerCase() !== key.toUpperCase()) key = letter && !/^[a-z]$/i.test(key) ? letter[1] : key.toUpperCase();
  else if (key.length === 1) shift = false;
  return [(event.ctrlKey || event.metaKey) && !typed && "Ctrl", event.altKey && !typed && "Alt", shift && "Shift", key].filter(Boolean).join("+");
}

/**
 * Binds a registry to actions. Keys whose action is missing are not bound, so that none is dead.
 * @param {Key[]} registry
 * @param {Record<string, (event: KeyboardEvent) => void>} actions  an action that is held is called again with the event of its end
 * @param {() => boolean} selected  whether an object is selected now
 */
export function bindings(registry, actions, selected) {
  const bound = registry.filter((key) => key.action in actions);
  /** @type {Map<string, Key>} */
  const held = new Map();

  return {
    bound,
    /** Runs what a key starts and says whether there was something; keys in a dialog are the dialog's. @param {KeyboardEvent} event */
    press(event) {
      if (event.target instanceof Element && event.target.closest("dialog")) return false;
      const name = chord(event);
      const key = bound.find((entry) => entry.chords.includes(name) && (entry.when === "always" || (entry.when === "selected") === selected()));
      if (!key) return false;
      if (!key.hold) actions[key.action](event);
      else if (!held.has(event.code)) {
        held.set(event.code, key);
        actions[key.action](event);
      }
      return true;
    },
    /** Ends what is held by a key; without an event, everything. @param {KeyboardEvent} [event] */
    release(event) {
      for (const [code, key] of [...held]) {
        if (event && event.code !== code) continue;
        held.delete(code);
        actions[key.action](event ?? new KeyboardEvent("keyup"));
      }
    },
    /** The first chord of an action, for a hint on its button. @param {string} action */
    hint: (action) => bound.find((key) => key.action === action)?.chords[0] ?? "",
  };
}

/**
 * The actions that walk through the rows of a list.
 * @param {(by: number) => unknown} step  goes on by that many rows, as far as there are some
 * @param {() => number} page  the rows of a page @param {() => number} count  all rows
 */
export function walking(step, page, count) {
  return { next_row: () => step(1), previous_row: () => step(-1), page_down: () => step(page()), page_up: () => step(-page()), first_row: () => step(-count()), last_row: () => step(count()) };
}

/** The button that opens the list of keys. @param {() => void} action */
export function keysButton(action) {
  return button("Keys", action, { kind: "quiet", icon: "?", title: "Show the keys (?)" });
}

/** A chord as people read it. @param {string} name */
export function readable(name) {
  const arrows = { ArrowLeft: "\u2190", ArrowRight: "\u2192", ArrowUp: "\u2191", ArrowDown: "\u2193", Escape: "Esc", Delete: "Del" };
  return Object.entries(arrows).reduce((text, [long, short]) => text.replace(long, short), name);
}

/** The chords of one line; arrows with the same modifiers share a key cap. @param {string[]} chords */
function caps(chords) {
  const heads = Map.groupBy(chords, (name) => (/Arrow\w+$/.test(name) ? name.replace(/Arrow\w+$/, "Arrows") : name));
  return [...heads.values()].map((same) => (same.length > 1 ? readable(same[0]) + same.slice(1).map((name) => readable(name).slice(-1)).join("") : readable(same[0])));
}

/**
 * Shows every key that is bound, by group; keys of one meaning share a line.
 * @param {HTMLElement} root @param {Key[]} bound
 */
export function showKeys(root, bound) {
  const groups = Map.groupBy(bound, (key) => key.group);
  const body = h(
    "div",
    { class: "lk-keys", tabindex: "0", role: "group", "aria-label": "Keys" },
    ...[...groups].map(([group, keys]) => {
      const lines = Map.groupBy(keys, (key) => key.text);
      return h(
        "section",
        {},
        h("h3", {}, group),
        h("dl", {}, ...[...lines].flatMap(([text, same]) => [h("dt", {}, ...caps(same.flatMap((key) => key.chords)).map((one) => h("kbd", {}, one))), h("dd", {}, text)])),
      );
    }),
  );
  return dialog(root, { title: "Keys", body: [body], action: "Close", read: () => true, wide: true, cancel: false });
}
