/**
 * The canvas that Python paints, in the middle of the stage. It is shown only while it holds the frame and, bent by CSS until the kernel
 * has painted anew, the view that the person looks at.
 * @module
 */

const REST_MS = 120;

/**
 * @param {{model: import("../shared/commands.js").Model, stage: import("./stage.js").Stage, paint: (args: Record<string, any>) => Promise<any>}} options
 */
export function hostCanvas({ model, stage, paint }) {
  const holder = stage.hosted;
  /** @type {{index: number, view: import("../shared/geometry.js").View, ratio: number} | null} */
  let painted = null;
  let wanted = -1;
  let timer = 0;
  let shown = true;
  let strong = false;
  let round = 0;
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
  }

  function place() {
    const now = stage.view;
    holder.hidden = !shown && !strong;
    if (!painted || painted.index !== wanted) {
      holder.style.visibility = "hidden";
      return;
    }
    const scale = now.scale / painted.view.scale;
    const still = scale === 1 && now.left === painted.view.left && now.top === painted.view.top;
    holder.style.visibility = "visible";
    holder.style.opacity = strong ? "1" : "";
    holder.style.transform = still ? "" : `translate(${now.left - painted.view.left * scale}px, ${now.top - painted.view.top * scale}px) scale(${scale})`;
  }

  async function ask() {
    if (!view || wanted < 0 || !stage.size.width || stage.gesture) return;
    if (!shown && !strong) return;
    const turn = (round += 1);
    const target = { index: wanted, view: stage.view, ratio: stage.ratio };
    const answer = await paint({ ...target, width: Math.round(stage.size.width * stage.ratio), height: Math.round(stage.size.height * stage.ratio) }).catch(() => null);
    if (!answer || turn !== round || closed) return;
    painted = target;
    place();
  }

  function later() {
    clearTimeout(timer);
    timer = window.setTimeout(() => void ask(), REST_MS);
  }

  const ready = attach();
  return {
    ready,
    /** Another frame is shown: what is painted does not belong to it. */
    stale() {
      wanted = -1;
      place();
    },
    /** Has a frame painted. @param {number} index */
    repaint(index) {
      wanted = index;
      place();
      void ready.then(later);
    },
    /** The view moved: bend what is painted, and have it painted anew when the view rests. */
    moved() {
      place();
      if (wanted >= 0) later();
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
