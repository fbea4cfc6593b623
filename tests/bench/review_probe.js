// Put into every page before its own scripts: writes down when input events happened, what each display frame showed, and what was sent.
// The page's clock everywhere: ms since the navigation started. Frames are read twice, in the animation callback and after the frame.
window.bench = (() => {
  const state = { wants: null, events: [], shown: [], later: [], sent: [], chips: [], arrived: {} };
  const channel = new MessageChannel();
  channel.port1.onmessage = () => state.wants && note(state.later);

  // --- what is shown

  /** The picture's colour in the middle of the stage, as the number of the frame that it was drawn for; -1 for anything else. */
  function frameShown() {
    const canvas = document.querySelector(".lk-stage canvas");
    if (!canvas?.width) return -1;
    const pixel = canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
    const levels = [0, 1, 2].map((i) => (pixel[i] - 60) / 30);
    if (levels.some((level) => Math.abs(level - Math.round(level)) > 0.3 || level < -0.3 || level > 5.3)) return -1;
    return levels.reduce((sum, level, i) => sum + Math.round(level) * 6 ** i, 0);
  }

  /** Where the left edge of the dragged box is on the page in px; null where there is none. */
  function edgeShown() {
    if (state.wants.peer) return [...document.querySelectorAll("svg rect.movable")].at(-1)?.getBoundingClientRect().left ?? null;
    const canvas = [...document.querySelectorAll(".lk-stage canvas.lk-layer")].at(-1);
    const box = canvas.getBoundingClientRect();
    const row = canvas.getContext("2d").getImageData(0, Math.round(((state.wants.y - box.top) * canvas.height) / box.height), canvas.width, 1).data;
    for (let x = 0; x < canvas.width; x += 1) if (row[4 * x + 3] > 100) return box.left + (x * box.width) / canvas.width;
    return null;
  }

  function note(into) {
    const value = state.wants.what === "edge" ? edgeShown() : frameShown();
    if (into.at(-1)?.value !== value) into.push({ t: performance.now(), value });
  }

  function loop() {
    if (!state.wants) return;
    requestAnimationFrame(loop);
    note(state.shown);
    const chip = document.querySelector(".lk-save")?.textContent;
    if (chip && state.chips.at(-1)?.text !== chip) state.chips.push({ t: performance.now(), text: chip });
    channel.port2.postMessage(null);
  }

  // --- what happens

  for (const type of ["pointerdown", "pointermove", "pointerup", "keydown"])
    window.addEventListener(type, (event) => state.wants && state.events.push({ type, t: event.timeStamp, x: event.clientX ?? null }), { capture: true });

  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : null;
    const text = bytes ? new TextDecoder().decode(bytes.subarray(0, 8192)) : String(data);
    if (/"msg_type":\s*"comm_msg"/.test(text)) state.sent.push({ t: performance.now(), what: /"command":\s*"(\w+)"/.exec(text)?.[1] ?? "state" });
    return send.call(this, data);
  };

  /** From the navigation on: when the review's root, its first picture, and the plain widget were there. */
  (function arrive() {
    const { arrived } = state;
    if (!arrived.root && document.querySelector(".lk-review")) arrived.root = performance.now();
    if (arrived.frame === undefined && frameShown() >= 0) Object.assign(arrived, { painted: performance.now(), frame: frameShown() });
    if (!arrived.plain && document.getElementById("bench-plain")) arrived.plain = performance.now();
    requestAnimationFrame(arrive);
  })();

  return {
    frameShown,
    arrived: () => state.arrived,
    released: () => state.events.some((event) => event.type === "pointerup"),
    /** Forgets what was there before, so that the next picture counts as the first. */
    expect() {
      for (const root of document.querySelectorAll(".lk-review")) root.classList.remove("lk-review");
      for (const stage of document.querySelectorAll(".lk-stage")) stage.classList.remove("lk-stage");
      state.arrived = {};
      return performance.now();
    },
    /** Starts writing down: `what` is edge (of the dragged box, in the row y of the page) or frame. */
    start(wants) {
      Object.assign(state, { wants, events: [], shown: [], later: [], sent: [], chips: [] });
      loop();
    },
    stop() {
      const { events, shown, later, sent, chips } = state;
      state.wants = null;
      return { events, shown, later, sent, chips };
    },
    /** Moves the pressed mouse by `step` px once in each display frame. */
    play(x, y, step, count) {
      return new Promise((done) => {
        let at = 0;
        (function next() {
          if (at === count) return done();
          requestAnimationFrame(next);
          at += 1;
          const place = { clientX: x + at * step, clientY: y, movementX: step, bubbles: true, cancelable: true, view: window, buttons: 1 };
          const target = document.elementFromPoint(place.clientX, y) ?? document.body;
          target.dispatchEvent(new PointerEvent("pointermove", { ...place, pointerId: 1, pointerType: "mouse", isPrimary: true }));
          target.dispatchEvent(new MouseEvent("mousemove", place));
        })();
      });
    },
  };
})();
