/**
 * Commands to the kernel and their answers. A view asks with an id that no other view or tab uses, and each answer finds its question.
 * @module
 */

/**
 * What the host of a widget gives to `render`: the model as anywidget wraps it.
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(name: string, value: any) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, callback: (...values: any[]) => void) => void} on
 * @property {(event: string, callback?: (...values: any[]) => void) => void} off
 * @property {(content: any, callbacks?: any, buffers?: ArrayBuffer[]) => void} send
 * @property {any} [widget_manager]
 */

/**
 * A refusal or fault that the kernel answered, as the banner shows it.
 * @typedef {{code: string, title: string, detail: string, hint: string, status?: number | null, facts?: Record<string, any>}} Report
 */

/** The kernel's refusal of a command. */
export class Refusal extends Error {
  /** @param {Report} report */
  constructor(report) {
    super(`${report.code}: ${report.title}`);
    /** @type {Report} */
    this.report = report;
  }
}

/** @type {Report} */
const GONE = {
  code: "KERNEL_GONE",
  title: "The kernel is gone",
  detail: "This view is no longer connected, so nothing can be changed here.",
  hint: "Run the cell again; everything that was saved is still there.",
};

/**
 * @typedef {object} Channel
 * @property {(command: string, args?: Record<string, any>, options?: {patience?: number, buffers?: ArrayBuffer[]}) => Promise<any>} ask
 *   resolves with the kernel's answer, rejects with a `Refusal`; after `patience` ms without an answer the event `silent` is raised, and
 *   the promise goes on waiting, because a busy kernel answers later
 * @property {(event: string, callback: (data: any, buffers: DataView[]) => void) => () => void} on
 *   events of the kernel by their names, and the channel's own: `silent` (list of commands without an answer), `heard` (all answered),
 *   `gone`, `back`; returns what unsubscribes
 * @property {() => boolean} gone  whether the kernel's side of this widget has ended
 * @property {() => number} open  how many commands wait for an answer
 * @property {() => void} close
 */

/**
 * Opens the command channel of one view.
 * @param {Model} model
 * @param {HTMLElement} el
 * @param {{patience?: number}} [options] ms to wait for an answer before saying so
 * @returns {Channel}
 */
export function channel(model, el, { patience = 2000 } = {}) {
  const me = Math.random().toString(36).slice(2, 10);
  /** @type {Map<string, {command: string, resolve: (value: any) => void, reject: (reason: any) => void, timer: number, late: boolean}>} */
  const waiting = new Map();
  /** @type {Map<string, Set<(data: any, buffers: DataView[]) => void>>} */
  const listeners = new Map();
  let count = 0;
  let ended = false;

  /** @param {string} event @param {any} data @param {DataView[]} [buffers] */
  function raise(event, data, buffers = []) {
    for (const callback of listeners.get(event) ?? []) callback(data, buffers);
  }

  function late() {
    const commands = [...waiting.values()].filter((entry) => entry.late).map((entry) => entry.command);
    if (commands.length) raise("silent", commands);
    else raise("heard", null);
  }

  /** @param {any} message @param {DataView[]} [buffers] */
  function receive(message, buffers) {
    if (message.type === "event") return raise(message.event, message.data, buffers);
    const entry = message.type === "answer" ? waiting.get(message.id) : undefined;
    if (!entry) return;
    waiting.delete(message.id);
    clearTimeout(entry.timer);
    if (entry.late) late();
    if (message.ok) entry.resolve(message.result);
    else entry.reject(new Refusal(message.error));
  }

  /** The host calls this with the view as `this`, whose model knows whether its kernel side lives. @this {any} */
  function checkLife() {
    const now = this?.model ? !this.model.comm_live : el.closest(".jupyter-widgets-disconnected") !== null;
    if (now === ended) return;
    ended = now;
    raise(ended ? "gone" : "back", null);
  }

  model.on("msg:custom", receive);
  model.on("comm_live_update", checkLife);

  return {
    ask(command, args = {}, options = {}) {
      if (ended) return Promise.reject(new Refusal(GONE));
      const id = `${me}-${(count += 1)}`;
      return new Promise((resolve, reject) => {
        const entry = { command, resolve, reject, late: false, timer: 0 };
        entry.timer = window.setTimeout(() => {
          entry.late = true;
          late();
        }, options.patience ?? patience);
        waiting.set(id, entry);
        try {
          model.send({ type: "ask", id, command, args }, undefined, options.buffers);
        } catch {
          waiting.delete(id);
          clearTimeout(entry.timer);
          ended = true;
          raise("gone", null);
          reject(new Refusal(GONE));
        }
      });
    },
    on(event, callback) {
      const set = listeners.get(event) ?? new Set();
      listeners.set(event, set.add(callback));
      return () => set.delete(callback);
    },
    gone: () => ended,
    open: () => waiting.size,
    close() {
      model.off("msg:custom", receive);
      model.off("comm_live_update", checkLife);
      for (const entry of waiting.values()) clearTimeout(entry.timer);
      waiting.clear();
      listeners.clear();
    },
  };
}
