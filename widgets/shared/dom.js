/**
 * Building elements: one small function, and the few parts that every widget shows (buttons, badges, tables, dialogs).
 * @module
 */

/** @typedef {string | number | Node | null | undefined | false} Child */

const FOCUSABLE = new Set(["button", "input", "select", "textarea", "a", "summary"]);
/** JupyterLab looks for this on the focused element itself, and leaves its keys alone there. */
const OWN_KEYS = "data-lm-suppress-shortcuts";
const COPIED_MS = 1000;

/**
 * Makes an element. `on` holds listeners, `class`, `text` and `style` what they say, true and false set and omit an attribute, and the
 * rest are attributes. Whatever can take the focus keeps its keys from JupyterLab.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, callback] of Object.entries(value)) element.addEventListener(event, callback);
    else if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name === "value" && "value" in element) /** @type {any} */ (element).value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  if (FOCUSABLE.has(tag) || "tabindex" in props) element.setAttribute(OWN_KEYS, "");
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false).map((child) => /** @type {Node | string} */ (typeof child === "number" ? String(child) : child)));
  return element;
}

/**
 * Replaces the children of an element and returns it.
 * @template {Element} E
 * @param {E} element @param {...(Child | Child[])} children
 * @returns {E}
 */
export function fill(element, ...children) {
  element.replaceChildren(...h("div", {}, ...children).childNodes);
  return element;
}

/**
 * A button. While what it starts is under way it is busy: a second click does nothing.
 * @param {string} label @param {() => unknown} action
 * @param {{kind?: "primary" | "plain" | "quiet" | "danger", title?: string, icon?: string, disabled?: boolean, name?: string, class?: string}} [options]
 *   `icon` is shown in place of the label, `name` is what a screen reader says
 */
export function button(label, action, { kind = "plain", title, icon, disabled = false, name, class: extra = "" } = {}) {
  const element = h("button", { type: "button", class: `lk-button lk-${kind} ${extra}`.trim(), title, disabled, "aria-label": name ?? (icon ? label : undefined) }, icon ?? label);
  element.addEventListener("click", async () => {
    if (element.getAttribute("aria-busy") === "true" || element.getAttribute("aria-disabled") === "true") return;
    const result = action();
    if (!(result instanceof Promise)) return;
    element.setAttribute("aria-busy", "true");
    await result.catch(() => undefined);
    element.removeAttribute("aria-busy");
  });
  return element;
}

/**
 * A short word on a coloured ground; the tone is never the only sign.
 * @param {Child} text @param {"plain" | "good" | "warn" | "bad" | "info"} [tone] @param {string} [title]
 */
export function badge(text, tone = "plain", title) {
  return h("span", { class: `lk-badge lk-tone-${tone}`, title }, text);
}

/** The compact form of an id: ids begin with their time and so differ at their end; digests differ from the start. @param {string} id */
export function compact(id) {
  const [, before, bare] = /** @type {RegExpExecArray} */ (/^((?:\w+:)?(?:[a-z][a-z0-9]*_(?=[0-9a-z]{26}$))?)(.*)$/s.exec(id));
  if (bare.length <= 10) return id;
  return before.endsWith("_") ? `${before}\u2026${bare.slice(-6)}` : `${before}${bare.slice(0, 8)}\u2026`;
}

/**
 * A compact id, whole on hover, copied by a click.
 * @param {string | null | undefined} id @param {string} [short] the compact form @param {string} [meaning] said on hover too
 */
export function shortId(id, short = compact(id ?? ""), meaning = "") {
  if (!id) return h("span", { class: "lk-dim" }, "none");
  const element = h("button", { type: "button", class: "lk-id", title: `${id}${meaning && `: ${meaning}`} (click to copy)`, on: { click: taken } }, short);
  let back = 0;

  /** Says for a moment that the id was copied, without moving what stands around it. */
  async function taken() {
    const done = await copy(/** @type {string} */ (id));
    clearTimeout(back);
    element.style.minWidth = `${element.offsetWidth}px`;
    element.textContent = done ? "copied" : "not copied";
    back = window.setTimeout(() => (element.textContent = short), COPIED_MS);
  }

  return element;
}

/**
 * A table with a head row.
 * @param {string} label what it lists, for screen readers
 * @param {Child[]} columns @param {Child[][]} rows @param {string} empty the sentence shown when there are no rows
 */
export function table(label, columns, rows, empty) {
  if (!rows.length) return h("p", { class: "lk-empty" }, empty);
  return h(
    "div",
    { class: "lk-scroll", tabindex: "0", role: "group", "aria-label": label },
    h(
      "table",
      { class: "lk-table", "aria-label": label },
      h("thead", {}, h("tr", {}, ...columns.map((column) => h("th", { scope: "col" }, column)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell))))),
    ),
  );
}

/**
 * Puts text on the clipboard; a page without that right selects nothing and says false.
 * @param {string} text @returns {Promise<boolean>}
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "lk-offscreen", value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/**
 * A modal dialog. Resolves with what `read` returns when the action is chosen, null when it is dismissed.
 * @template T
 * @param {HTMLElement} root
 * @param {{title: string, body: Child[], action: string, kind?: "primary" | "danger", read: () => T | null, focus?: HTMLElement, wide?: boolean, cancel?: boolean}} parts
 *   `read` returns null to keep the dialog open, as while a field is empty
 * @returns {Promise<T | null>}
 */
export function dialog(root, { title, body, action, kind = "primary", read, focus, wide = false, cancel = true }) {
  return new Promise((resolve) => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    /** @type {T | null} */
    let result = null;
    /** @param {Event} event */
    function submit(event) {
      event.preventDefault();
      result = read();
      if (result !== null) element.close();
    }
    function closed() {
      element.remove();
      before?.focus();
      resolve(result);
    }
    /** @type {HTMLDialogElement} */
    const element = h("dialog", { class: `lk-dialog${wide ? " lk-wide" : ""}`, "aria-label": title, on: { close: closed } });
    const form = h(
      "form",
      { on: { submit } },
      h("h3", { class: "lk-dialog-title" }, title),
      ...body,
      h(
        "div",
        { class: "lk-row lk-end" },
        cancel && button("Cancel", () => element.close()),
        h("button", { type: "submit", class: `lk-button lk-${kind}` }, action),
      ),
    );
    element.append(form);
    root.append(element);
    element.showModal();
    const first = focus ?? /** @type {HTMLElement | null} */ (form.querySelector("input, textarea, select, .lk-end button:last-child"));
    first?.focus();
    if (first instanceof HTMLInputElement) first.select();
  });
}

/**
 * Asks for a reason, which may not be empty. Resolves with it, or null when dismissed.
 * @param {HTMLElement} root
 * @param {{title: string, detail?: string, action: string, kind?: "primary" | "danger", required?: boolean}} parts
 * @returns {Promise<string | null>}
 */
export function askReason(root, { title, detail, action, kind = "primary", required = true }) {
  const input = h("textarea", { class: "lk-input", rows: 3, name: "reason", "aria-label": "Reason", "aria-required": required });
  const missing = h("p", { class: "lk-field-error", role: "alert" });
  return dialog(root, {
    title,
    action,
    kind,
    focus: input,
    body: [detail && h("p", { class: "lk-dim" }, detail), h("label", { class: "lk-field" }, `Reason${required ? "" : " (optional)"}`, input), missing],
    read() {
      const reason = input.value.trim();
      if (reason || !required) return reason;
      missing.textContent = "A reason is needed; it is kept in the audit trail.";
      input.focus();
      return null;
    },
  });
}
