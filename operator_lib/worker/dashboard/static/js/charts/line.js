// A small plot of values over time, with the numbers under the pointer.

import { h, s, fill } from "../lib/dom.js";
import { clock } from "../lib/format.js";
import { ticks } from "./scale.js";

const LEFT = 44, RIGHT = 10, TOP = 8, BOTTOM = 20, HEIGHT = 132;

// `series`: [{name, of(point)}]; `unit(number)` writes values. `show(points, from, to)` draws them: `t` in seconds.
// `whole`: the values are counts; `base`: what one step of the axis is made of (bytes: 1 << 20).
export function lineChart(title, series, unit, { whole = false, base = 1 } = {}) {
  const svg = s("svg", { class: "plot", role: "img", height: HEIGHT });
  const now = h("output", { class: "keys" });
  const element = h("figure", { class: "chart" }, h("figcaption", null, h("strong", null, title), now), svg);
  let last = null;
  new ResizeObserver(() => last && show(...last)).observe(svg);
  svg.addEventListener("pointermove", (event) => point(event.offsetX));
  svg.addEventListener("pointerleave", () => last && point(null));
  let at = () => 0;

  function show(points, from, to) {
    last = [points, from, to];
    const width = svg.clientWidth || 320;
    const most = Math.max(0, ...points.flatMap((each) => series.map((one) => one.of(each) ?? 0)));
    const steps = ticks(most / base, 3, whole).map((step) => step * base);
    const x = (t) => LEFT + ((t - from) / Math.max(1e-9, to - from)) * (width - LEFT - RIGHT);
    const y = (value) => HEIGHT - BOTTOM - (value / steps.at(-1)) * (HEIGHT - TOP - BOTTOM);
    at = x;
    fill(svg,
      steps.map((step) => [s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(step), y2: y(step) }), s("text", { x: LEFT - 6, y: y(step) + 3.5, "text-anchor": "end" }, unit(step))]),
      [0, 0.5, 1].map((share) => s("text", { x: LEFT + share * (width - LEFT - RIGHT), y: HEIGHT - 5, "text-anchor": share === 0 ? "start" : share === 1 ? "end" : "middle" }, clock(from + share * (to - from)))),
      series.map((one, i) => curve(points.map((each) => [x(each.t), one.of(each)]), y, `k${i}`)),
      s("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" }));
    point(null);
    const latest = points.at(-1);
    svg.setAttribute("aria-label", `${title}: ${latest ? series.map((one) => `${one.name} ${unit(one.of(latest) ?? 0)}`).join(", ") : "nothing yet"}, at most ${unit(most)}`);
  }

  function point(x) {
    const [points] = last ?? [[]];
    const near = x === null ? points.at(-1) : points.reduce((best, each) => (Math.abs(at(each.t) - x) < Math.abs(at(best.t) - x) ? each : best), points[0]);
    const cursor = svg.querySelector(".cursor");
    if (cursor) cursor.setAttribute("visibility", x !== null && near ? "visible" : "hidden");
    if (!near) return fill(now, h("small", null, "nothing yet"));
    if (x !== null) for (const name of ["x1", "x2"]) cursor?.setAttribute(name, at(near.t));
    fill(now, x !== null ? h("small", null, clock(near.t)) : null, series.map((one, i) =>
      h("span", { class: series.length > 1 ? `key k${i}` : null }, series.length > 1 ? h("small", null, `${one.name} `) : null, unit(one.of(near) ?? 0))));
  }

  return { element, show };
}

// A line that is broken where there is no value.
function curve(points, y, name) {
  let path = "", drawing = false;
  for (const [x, value] of points) {
    if (value === null || value === undefined) drawing = false;
    else {
      path += `${drawing ? "L" : "M"}${x.toFixed(1)},${y(value).toFixed(1)}`;
      drawing = true;
    }
  }
  const known = points.filter(([, value]) => value !== null && value !== undefined);
  const one = known.length === 1 ? s("circle", { class: `dot ${name}`, cx: known[0][0], cy: y(known[0][1]), r: 2.5 }) : null;
  return [s("path", { class: `curve ${name}`, d: path || "M0,0" }), one];
}

// Bars: how many of each. `counts`: [[label, number]].
export function bars(title, counts, note = "") {
  const most = Math.max(1, ...counts.map(([, number]) => number));
  return h("figure", { class: "chart" }, h("figcaption", null, h("strong", null, title), h("output", null, note)),
    h("ol", { class: "bars" }, counts.map(([label, number]) =>
      h("li", null, h("span", null, label), h("meter", { min: 0, max: most, value: number, "aria-label": `${label}: ${number}` }), h("small", null, number)))));
}

// A few values as a line in a row of a table.
export function spark(values, label) {
  const most = Math.max(1e-9, ...values), step = values.length > 1 ? 96 / (values.length - 1) : 0;
  return s("svg", { class: "spark", viewBox: "0 0 100 20", preserveAspectRatio: "none", role: "img", "aria-label": label },
    s("polyline", { points: values.map((value, i) => `${(2 + i * step).toFixed(1)},${(18 - (16 * value) / most).toFixed(1)}`).join(" ") }));
}
