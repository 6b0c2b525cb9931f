// How a serving fares: calls, times, replicas, batches; and how many replicas there should be.

import { h, fill, keyed } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { every } from "../lib/poll.js";
import { ago, bytes, count, now, plural, short, when } from "../lib/format.js";
import { bars, lineChart } from "../charts/line.js";
import { attempt, banner, say } from "./notice.js";
import { health } from "./status.js";

const SPANS = [[300, "5 min"], [1200, "20 min"], [3600, "1 hour"]];

export async function load({ name, manage, signal }) {
  let points = [], span = 300, last = null;
  const ms = (value) => (value >= 1000 ? `${short(value / 1000)} s` : `${short(value)} ms`);
  const rate = (each) => each.calls / Math.max(each.seconds, 1e-3);
  const charts = [
    lineChart("Calls a second", [{ name: "calls", of: rate }, { name: "errors", of: (each) => each.errors / Math.max(each.seconds, 1e-3) }], short),
    lineChart("Time to answer", [{ name: "p50", of: (each) => (each.calls ? each.p50_ms : null) }, { name: "p99", of: (each) => (each.calls ? each.p99_ms : null) }], ms),
    lineChart("Calls in hand", [{ name: "running", of: (each) => each.running }, { name: "waiting", of: (each) => each.waiting }], short, { whole: true }),
    lineChart("Memory", [{ name: "memory", of: (each) => each.memory }], (value) => bytes(Math.round(value)), { base: 1 << 20 }),
    lineChart("Replicas", [{ name: "ready", of: (each) => each.ready }, { name: "wanted", of: (each) => each.wanted }], short, { whole: true }),
  ];
  const batching = lineChart("Calls in a batch", [{ name: "mean", of: (each) => (each.batches ? each.batched / each.batches : null) }], short);
  const tiles = h("dl", { class: "tiles" }), lost = banner(), sizes = h("div"), body = h("tbody");
  const spans = h("div", { class: "segments", role: "group", "aria-label": "How far back" }, SPANS.map(([seconds, title]) =>
    h("button", { type: "button", class: "segment", "aria-pressed": String(seconds === span), onclick: (event) => {
      span = seconds;
      for (const each of spans.children) each.setAttribute("aria-pressed", String(each === event.currentTarget));
      draw();
    } }, title)));

  function draw() {
    const to = Math.max(now(), points.at(-1)?.t ?? 0);
    const from = Math.max(to - span, Math.min(points[0]?.t ?? to, to - 60));
    const shown = points.filter((each) => each.t >= from);
    for (const chart of charts) chart.show(shown, from, to);
    if (last.batches) batching.show(shown, from, to);
    batching.element.hidden = !last.batches;
  }

  function show() {
    fill(tiles, [["calls", count(last.calls)], ["errors", count(last.errors)], ["p50", ms(last.p50_ms)], ["p99", ms(last.p99_ms)], ["in hand", `${last.running} + ${last.waiting} waiting`],
      ["memory", bytes(last.memory)], ["replaced", count(last.restarts)]].map(([key, value]) => h("div", null, h("dt", null, key), h("dd", null, value))));
    keyed(body, last.replicas, (each) => each.id, () => h("tr"), (element, each) => fill(element,
      h("td", null, health(each.status)), h("th", { scope: "row" }, h("code", null, each.id)), h("td", { class: "number" }, each.pid), h("td", { class: "number" }, `v${each.version}`),
      h("td", null, h("time", { title: when(each.started) }, ago(each.started))), h("td", { class: "number" }, count(each.calls)), h("td", { class: "number" }, count(each.errors)),
      h("td", { class: "number" }, ms(each.p50_ms)), h("td", { class: "number" }, `${each.running} + ${each.waiting}`), h("td", { class: "number" }, bytes(each.memory))));
    const { batches } = last;
    fill(sizes, batches ? bars("Batches by size", Object.entries(batches.sizes), `${plural(batches.batches, "batch").replace(/batchs$/, "batches")}, ${Math.round(batches.occupancy * 100)} % of the places taken, first call waited ${ms(batches.mean_wait_ms)}`) : null);
    scale.tell(last);
    draw();
  }

  async function ask() {
    last = await api.get(`${manage}/stats` + api.query({ since: points.at(-1)?.t }), signal);
    points = [...points, ...last.points].slice(-4000);
    lost.set(last.cause && last.status !== "ready" ? last.cause : "");
    show();
  }

  const scale = scaler(manage, ask);
  await ask();
  let first = true;
  every(2000, () => (first ? ((first = false), null) : ask()), signal, (problem) => lost.set(`The worker does not answer: ${problem.message}`));
  return h("div", { class: "load" }, lost.element, h("div", { class: "row bar" }, scale.element, h("span", { class: "grow" }), spans), tiles,
    h("div", { class: "charts" }, charts.map((chart) => h("div", { class: "card" }, chart.element)), h("div", { class: "card batching" }, batching.element), sizes),
    h("div", { class: "card flush scroll-x", tabindex: "0", role: "region", "aria-label": "Replicas" }, h("table", { class: "list" },
      h("thead", null, h("tr", null, ["Status", "Replica", "Process", "Version", "Started", "Calls", "Errors", "p50", "In hand", "Memory"].map((each) => h("th", { scope: "col" }, each)))), body)));
}

// How many replicas: by hand, or as the options say.
function scaler(manage, changed) {
  const input = h("input", { type: "number", min: 0, max: 256, step: 1, "aria-label": "Replicas", class: "narrow" });
  const auto = h("span", { class: "dim" });
  let touched = false;
  input.addEventListener("input", () => (touched = true));
  const set = (replicas) => attempt(async () => {
    if (replicas !== null && !input.checkValidity()) throw new Error("Replicas: a whole number from 0 to 256.");
    await api.post(`${manage}/scale`, { replicas: replicas === null ? null : Number(input.value) });
    touched = false;
    say(replicas === null ? "As many as the calls need, from now on." : `${plural(Number(input.value), "replica")} from now on.`);
    await changed();
  });
  return {
    element: h("form", { class: "row scaler", onsubmit: (event) => (event.preventDefault(), set(0)()) }, h("span", null, "Replicas"), input,
      h("button", { type: "submit" }, "Scale"), h("button", { type: "button", onclick: set(null) }, "Automatic"), auto),
    tell: ({ wanted, fixed, limits }) => {
      if (!touched && document.activeElement !== input) input.value = wanted;
      fill(auto, fixed ? "set by hand" : `automatic, ${limits.min_replicas ?? 1} to ${limits.max_replicas ?? 1}`);
    },
  };
}
