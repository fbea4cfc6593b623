/**
 * The picture of a sample: the canvas that Python paints, or a still where the page cannot host one; and, in words, what is missing.
 * @module
 */

import { h } from "../shared/dom.js";

/** @typedef {{key: string, state: string, title: string, reason_code: string, sentence: string, has_picture: boolean, url: string | null, renew_in_s: number | null}} Seen */

const SLOW_MS = 250;

/**
 * @param {{model: import("../shared/commands.js").Model, height: number, resized: () => void, renew: (key: string, refused: boolean) => Promise<{key: string, url: string | null, renew_in_s: number | null} | undefined>}} options
 *   `resized` is called when the picture must be painted anew; `renew` gives another address of a picture, before the one it has expires and
 *   after one was refused
 */
export function picture({ model, height, resized, renew }) {
  const holder = h("div", { class: "lk-picture-canvas", "aria-hidden": "true" });
  const image = h("img", { class: "lk-picture-still", alt: "", hidden: true });
  const missing = h("div", { class: "lk-picture-missing", hidden: true });
  const notice = h("div", { class: "lk-picture-notice lk-tone-warn", hidden: true });
  const element = h("figure", { class: "lk-picture", role: "img", "aria-label": "Sample" }, image, holder, missing, notice);
  element.style.height = `${height}px`;
  /** @type {any} */
  let view = null;
  let closed = false;
  let slow = 0;
  let renewal = 0;
  let url = "";
  /** @type {Seen | null} */
  let shown = null;
  let refused = false;
  let size = { width: 0, height: 0 };

  async function attach() {
    const reference = model.get("canvas");
    if (!model.widget_manager || typeof reference !== "string") return false;
    const hosted = await model.widget_manager.get_model(reference.replace("IPY_MODEL_", ""));
    const made = await model.widget_manager.create_view(hosted, {});
    if (closed) {
      made.remove();
      return false;
    }
    view = made;
    holder.append(view.el);
    view.trigger("displayed");
    return true;
  }

  const ready = attach().catch(() => false);
  const watch = new ResizeObserver(() => {
    const now = { width: element.clientWidth, height: element.clientHeight };
    if (!now.width || (now.width === size.width && now.height === size.height)) return;
    const first = size.width === 0;
    size = now;
    if (!first) resized();
  });
  watch.observe(element);

  /** Takes an address, and asks for another one before it expires. @param {string} address @param {number | null} seconds */
  function take(address, seconds) {
    image.src = address;
    clearTimeout(renewal);
    if (seconds !== null) renewal = window.setTimeout(() => void another(false), seconds * 1000);
  }

  /** @param {boolean} because  whether the address that there was is refused */
  async function another(because) {
    const mine = shown;
    if (!mine?.url) return;
    const got = await renew(mine.key, because);
    if (mine !== shown || closed) return;
    if (got?.url) return take(got.url, got.renew_in_s);
    unavailable();
  }

  /** An address that fails once is asked for anew; one that fails again is said in words. */
  function failed() {
    if (!shown?.url) return;
    if (refused) return unavailable();
    refused = true;
    void another(true);
  }

  function unavailable() {
    clearTimeout(renewal);
    holder.hidden = image.hidden = notice.hidden = true;
    missing.hidden = false;
    missing.replaceChildren(...words({ title: "Sample asset unavailable", reason_code: "SAMPLE_ASSET_URL_REFUSED", sentence: "Its address was renewed, and the picture could not be loaded." }));
  }

  image.addEventListener("error", failed);
  image.addEventListener("load", () => (refused = false));

  /** @param {{title: string, reason_code: string, sentence: string}} seen */
  function words(seen) {
    return [h("strong", {}, seen.title), h("code", { class: "lk-code" }, seen.reason_code), h("span", {}, seen.sentence)];
  }

  return {
    element,
    /** What the kernel must know to paint: px of the device, and whether a canvas is hosted. */
    async target() {
      const hosted = await ready;
      const ratio = window.devicePixelRatio || 1;
      return { width: Math.max(1, Math.round(element.clientWidth * ratio)), height: Math.max(1, Math.round(element.clientHeight * ratio)), ratio, hosted };
    },
    /** Says that another sample is on its way; what is shown grows pale only when that takes a while. */
    wait() {
      clearTimeout(slow);
      slow = window.setTimeout(() => element.setAttribute("aria-busy", "true"), SLOW_MS);
    },
    /** Ends the waiting, as after a refusal. */
    rest() {
      clearTimeout(slow);
      element.removeAttribute("aria-busy");
    },
    /** Takes the still of a sample. @param {DataView} bytes */
    still(bytes) {
      if (url) URL.revokeObjectURL(url);
      url = URL.createObjectURL(new Blob([/** @type {ArrayBuffer} */ (bytes.buffer)], { type: "image/jpeg" }));
      image.src = url;
    },
    /** Shows what the kernel painted, or why there is nothing to paint. @param {Seen} seen @param {string} described */
    show(seen, described) {
      clearTimeout(slow);
      element.removeAttribute("aria-busy");
      element.setAttribute("aria-label", described);
      const hosted = view !== null;
      clearTimeout(renewal);
      shown = seen;
      refused = false;
      if (seen.url) take(seen.url, seen.renew_in_s);
      holder.hidden = !seen.has_picture || !hosted;
      image.hidden = !seen.has_picture || (hosted && !seen.url);
      missing.hidden = seen.has_picture;
      notice.hidden = !seen.has_picture || seen.state === "READY";
      (seen.has_picture ? notice : missing).replaceChildren(...words(seen));
    },
    /** Says that there is no sample. @param {string} text */
    nothing(text) {
      shown = null;
      clearTimeout(renewal);
      holder.hidden = image.hidden = notice.hidden = true;
      missing.hidden = false;
      missing.replaceChildren(h("span", {}, text));
    },
    close() {
      closed = true;
      clearTimeout(slow);
      clearTimeout(renewal);
      watch.disconnect();
      view?.remove();
      if (url) URL.revokeObjectURL(url);
    },
  };
}
