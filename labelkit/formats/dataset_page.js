"use strict";
(() => {
  const samples = JSON.parse(document.getElementById("data").textContent);
  const viewer = document.getElementById("viewer");
  const SVG = "http://www.w3.org/2000/svg";
  const FILTERS = { split: "Split", label: "Class", group: "Group" };
  const chosen = { split: "", label: "", group: "" };
  let found = samples;
  let at = 0;

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "on") for (const [event, callback] of Object.entries(value)) element.addEventListener(event, callback);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  function draw(tag, attributes, text = "") {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    element.textContent = text;
    return element;
  }

  function outline(shape, unit) {
    if (shape.kind === "box") return ["rect", { x: shape.x, y: shape.y, width: shape.width, height: shape.height }];
    const radius = Math.max(shape.radius, 6 * unit);
    if (!shape.style.mark.length) return ["circle", { cx: shape.x, cy: shape.y, r: radius }];
    return ["polygon", { points: shape.style.mark.map(([x, y]) => `${shape.x + x * radius},${shape.y + y * radius}`).join(" ") }];
  }

  function overlay(sample) {
    const [width, height] = sample.size;
    const unit = width / 720;
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    for (const shape of sample.shapes) {
      const [tag, place] = outline(shape, unit);
      const line = { ...place, fill: "none", "vector-effect": "non-scaling-stroke" };
      svg.append(draw(tag, { ...line, stroke: "#000", "stroke-opacity": 0.55, "stroke-width": 3.5 }));
      svg.append(draw(tag, { ...line, stroke: shape.style.colour, "stroke-width": 1.5, "stroke-dasharray": shape.style.dash.join(" ") }));
      if (!shape.text || sample.shapes.length > 12) continue;
      const top = shape.y > 20 * unit ? shape.y - 4 * unit : shape.y + 14 * unit;
      svg.append(draw("text", { x: shape.x, y: top, fill: shape.style.colour, stroke: "#000", "stroke-width": 3 * unit, "paint-order": "stroke", "font-size": 12 * unit }, shape.text));
    }
    return svg;
  }

  function table(head, rows, label) {
    const line = (cells, tag) => make("tr", {}, ...cells.map((cell) => make(tag, tag === "th" ? { scope: "col" } : {}, cell)));
    return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, make("table", {}, make("thead", {}, line(head, "th")), make("tbody", {}, ...rows.map((row) => line(row, "td")))));
  }

  const live = make("p", { class: "where", role: "status" });
  const previous = make("button", { type: "button", on: { click: () => go(at - 1) } }, "\u2190 Previous");
  const next = make("button", { type: "button", on: { click: () => go(at + 1) } }, "Next \u2192");
  const figure = make("figure", {});
  const facts = make("div", { class: "facts" });

  function values(name) {
    const all = name === "label" ? samples.flatMap((one) => one.classes) : samples.map((one) => one[name]);
    return [...new Set(all)].sort();
  }

  function select(name) {
    const input = make("select", { on: { change: () => { chosen[name] = input.value; sift(); } } }, make("option", { value: "" }, "All"), ...values(name).map((value) => make("option", { value }, value)));
    return make("label", {}, make("span", {}, FILTERS[name]), input);
  }

  function sift() {
    found = samples.filter((one) => (!chosen.split || one.split === chosen.split) && (!chosen.group || one.group === chosen.group) && (!chosen.label || one.classes.includes(chosen.label)));
    go(0);
  }

  function missing(title, code, sentence) {
    return make("div", { class: "missing" }, make("strong", {}, title), ...(code ? [make("code", {}, code)] : []), make("span", {}, sentence));
  }

  function go(to) {
    at = Math.max(0, Math.min(found.length - 1, to));
    const sample = found[at];
    previous.disabled = at <= 0;
    next.disabled = at >= found.length - 1;
    figure.replaceChildren();
    facts.replaceChildren();
    if (!sample) {
      live.textContent = "No sample has all of this.";
      figure.append(missing("No sample to show", "", "Choose other filters."));
      return;
    }
    live.textContent = `${at + 1} of ${found.length}: ${sample.key}`;
    figure.style.aspectRatio = `${sample.size[0] || 16} / ${sample.size[1] || 9}`;
    if (sample.picture) figure.append(make("img", { src: sample.picture, alt: `Frame ${sample.key} with ${sample.labels.length} labels` }), overlay(sample));
    else figure.append(missing("Sample asset unavailable", sample.reason_code, sample.sentence));
    if (sample.picture && sample.reason_code) figure.append(make("figcaption", {}, make("code", {}, sample.reason_code), ` ${sample.sentence}`));
    const mark = (colour) => { const sign = make("i", {}); sign.style.background = colour; return sign; };
    facts.append(make("p", { class: "legend" }, ...sample.legend.map(([name, colour]) => make("span", {}, mark(colour), name))));
    facts.append(make("dl", {}, ...sample.facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])));
    facts.append(table(["Class", "X", "Y", "Size, px", "Score"], sample.labels, "Labels of the sample"));
  }

  viewer.append(
    make("div", { class: "filters", role: "group", "aria-label": "Filters" }, ...Object.keys(FILTERS).map(select), make("div", { class: "steps" }, previous, next)),
    live,
    make("div", { class: "grid" }, figure, facts),
  );
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(SELECT|INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.key === "ArrowRight") go(at + 1);
    else if (event.key === "ArrowLeft") go(at - 1);
  });
  sift();
})();
