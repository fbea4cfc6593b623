/**
 * The canvas that Python paints, in the middle of the stage. It is shown only while it holds the frame and, bent by CSS until the kernel
 * has painted anew, the view that the person looks at.
 * @module
 */

const REST_MS = 120;

/**
 * What the kernel has painted, or is asked to: a frame in a view, on a canvas of so many px of the device.
 * @typedef {{index: number, view: import("../shared/geometry.js").View, width: number, height: number, ratio: number}} Painting
 */

/**
 * @param {{model: import("../shared/commands.js").Model, stage: import("./stage.js").Stage, frame: () => number, paint: (painting: Painting) => void}} options
 *   `frame` is the frame that is shown; `paint` asks for a painting
 */
export function hostCanvas({ model, stage, frame, paint }) {
  const holder = stage.hosted;
  holder.inert = true; // ipycanvas makes its canvas a stop of the Tab key
  /** @type {Painting | null} */
  let painted = null;
  let timer = 0;
  let shown = true;
  let strong = false;
  /** @type {any} */
  let view = null;
  let closed = false;

  async function attach() {
    const reference = model.get("canvas");
    if (!model.widget_manager || typeof reference !== "string") return;
    const hosted = await model.widget_manager.get_model(reference.replace("IPY_MODEL_", ""));
    const made = await model.widget_manager.create_view(hosted, {});
    if (closed) return made.remove();
    view = made;
    holder.append(view.el);
    view.trigger("displayed");
    ask();
  }

  function place() {
    const now = stage.view;
    holder.hidden = !shown && !strong;
    if (painted?.index !== frame()) {
      holder.style.visibility = "hidden";
      return;
    }
    const scale = now.scale / painted.view.scale;
    const still = scale === 1 && now.left === painted.view.left && now.top === painted.view.top;
    holder.style.visibility = "visible";
    holder.style.opacity = strong ? "1" : "";
    holder.style.transform = still ? "" : `translate(${now.left - painted.view.left * scale}px, ${now.top - painted.view.top * scale}px) scale(${scale})`;
  }

  /** What the kernel should paint now; null while nobody would see it. @returns {Painting | null} */
  function wanted() {
    if (!view || !stage.size.width || (!shown && !strong)) return null;
    return { index: frame(), view: stage.view, width: Math.round(stage.size.width * stage.ratio), height: Math.round(stage.size.height * stage.ratio), ratio: stage.ratio };
  }

  function ask() {
    const painting = wanted();
    if (painting && !stage.gesture) paint(painting);
  }

  function later() {
    clearTimeout(timer);
    timer = window.setTimeout(ask, REST_MS);
  }

  void attach();
  return {
    place,
    wanted,
    /** The kernel has painted, of itself or because a view asked. @param {Painting} painting */
    done(painting) {
      painted = painting;
      place();
    },
    /** The view moved: bend what is painted, and have it painted anew when the view rests. */
    moved() {
      place();
      later();
    },
    /** @param {boolean} on */
    show(on) {
      shown = on;
      place();
      later();
    },
    /** @param {boolean} on */
    emphasize(on) {
      strong = on;
      place();
      later();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      view?.remove();
    },
  };
}
