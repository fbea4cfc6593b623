/**
 * The frame around every widget: its root, the banner, the live region, the command channel, and the guard that keeps keys where they
 * belong.
 * @module
 */

import { channel } from "./commands.js";
import { button, copy, fill, h } from "./dom.js";

/** @typedef {import("./commands.js").Model} Model */
/** @typedef {import("./commands.js").Report} Report */
/** @typedef {import("./commands.js").Channel} Channel */

/**
 * @typedef {object} Shell
 * @property {HTMLElement} root  where the widget puts its parts
 * @property {Channel} kernel
 * @property {(command: string, args?: Record<string, any>, options?: {patience?: number}) => Promise<any>} ask
 *   as the channel's, but a refusal is shown in the banner and the promise gives undefined
 * @property {HTMLElement} banner
 * @property {(report: Report | null, tone?: "bad" | "warn" | "good", actions?: HTMLElement[]) => void} show
 *   puts a report into the banner, with buttons for what can be done about it; null clears it
 * @property {(text: string) => void} say  tells a screen reader
 * @property {() => HTMLElement} pythonButton  a button that copies the last thing clicked as Python
 * @property {() => void} close
 */

/**
 * Builds the frame of a view.
 * @param {{model: Model, el: HTMLElement}} view
 * @param {{label: string, className?: string, key?: (event: KeyboardEvent) => boolean, silent?: (commands: string[]) => Report, words?: (detail: string) => string}} options
 *   `key` may use a key that no field or button needs, and says whether it did; `silent` words the banner while commands go unanswered;
 *   `words` says the kernel's sentences as this widget does
 * @returns {Shell}
 */
export function shell({ model, el }, { label, className = "", key = () => false, silent = waitingFor, words = (detail) => detail }) {
  const kernel = channel(model, el);
  const banner = h("div", { class: "lk-banner", role: "alert", hidden: true });
  const live = h("div", { class: "lk-offscreen", role: "status", "aria-live": "polite" });
  const root = h("section", { class: `lk-root ${className}`.trim(), "aria-label": label }, banner);
  root.append(live);
  el.append(root);
  let standing = false;

  /** @param {Report | null} report @param {"bad" | "warn" | "good"} [tone] @param {HTMLElement[]} [actions] */
  function show(report, tone = "bad", actions = []) {
    standing = false;
    banner.hidden = report === null;
    if (report === null) return;
    banner.className = `lk-banner lk-tone-${tone}`;
    fill(
      banner,
      h("div", { class: "lk-banner-text" }, h("strong", {}, report.title), report.code && h("code", { class: "lk-code" }, report.code), h("p", {}, words(report.detail)), report.hint && h("p", { class: "lk-hint" }, report.hint), actions.length > 0 && h("div", { class: "lk-row lk-banner-actions" }, ...actions)),
      button("Dismiss", () => show(null), { kind: "quiet", icon: "\u2715", name: "Dismiss the message" }),
    );
  }

  kernel.on("error", (report) => show(report));
  kernel.on("silent", (commands) => {
    show(silent(commands), "warn");
    standing = true;
  });
  kernel.on("heard", () => standing && show(null));
  kernel.on("gone", () => {
    root.dataset.offline = "true";
    show({ code: "KERNEL_GONE", title: "The kernel is gone: this view is read-only", detail: "What you see is the last state; everything that was saved is in the store.", hint: "Run the cell again to go on." }, "warn");
  });
  kernel.on("back", () => {
    delete root.dataset.offline;
    show(null);
  });

  root.addEventListener("keydown", (event) => guard(event, key));

  return {
    root,
    banner,
    kernel,
    async ask(command, args, options) {
      try {
        return await kernel.ask(command, args, options);
      } catch (error) {
        show(/** @type {import("./commands.js").Refusal} */ (error).report ?? { code: "UNEXPECTED_ERROR", title: "The view failed", detail: String(error), hint: "Reload the page." });
        return undefined;
      }
    },
    show,
    say(text) {
      live.textContent = "";
      live.textContent = text;
    },
    pythonButton() {
      const element = button("Copy as Python", async () => {
        const done = await copy(model.get("python"));
        live.textContent = done ? "Copied" : "The page may not write to the clipboard";
      }, { kind: "quiet" });
      const follow = () => {
        element.disabled = !model.get("python");
        element.title = model.get("python") || "Nothing was clicked yet";
      };
      model.on("change:python", follow);
      follow();
      return element;
    },
    close() {
      kernel.close();
      root.remove();
    },
  };
}

/** @param {string[]} commands @returns {Report} */
function waitingFor(commands) {
  return { code: "", title: "No answer from the kernel", detail: `Still waiting for: ${[...new Set(commands)].join(", ")}.`, hint: "It may be busy with another cell. This goes on by itself when the kernel answers." };
}

/**
 * Keeps keys where they belong: what the widget or its fields use never reaches the notebook, and what belongs to the browser or to
 * JupyterLab (Tab, function keys, Ctrl+S) is left alone.
 * @param {KeyboardEvent} event @param {(event: KeyboardEvent) => boolean} own
 */
export function guard(event, own) {
  const command = event.ctrlKey || event.metaKey;
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key === "Tab" || /^F\d+$/.test(event.key)) return;
  if (target.matches("input, textarea, select") && !target.matches("[type=checkbox], [type=radio]")) return event.stopPropagation();
  if (own(event)) {
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  // Shift+Enter and its kin would run the cell again and so replace the widget.
  if (event.key === "Enter" && (command || event.shiftKey || event.altKey)) event.preventDefault();
  else if (command || event.altKey) return;
  event.stopPropagation();
}
