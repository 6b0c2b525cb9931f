// Who ran when: a row for each operator, a bar for each of its calls.

import { h, s, fill } from "../lib/dom.js";
import { duration, now } from "../lib/format.js";
import { between } from "./scale.js";

const ROW = 22, AXIS = 22, NAME = 150, MOST = 150, FRAME = 250;

export class Gantt {
  // `chosen(path)`: a row was chosen. `origin`: seconds since the epoch of the beginning.
  constructor(chosen) {
    this.rows = new Map();
    this.calls = new Map();
    this.from = Infinity;
    this.to = 0;
    this.going = false;
    this.selected = null;
    this.chosen = chosen;
    this.svg = s("svg", { class: "gantt-bars", role: "group", "aria-label": "Timeline of calls" });
    this.more = h("p", { class: "dim small" });
    this.empty = h("p", { class: "empty" }, "…");
    this.element = h("div", { class: "gantt" }, this.empty, this.svg, this.more);
    this.dropped = 0;
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  clear() {
    this.rows.clear();
    this.calls.clear();
    this.from = Infinity;
    this.to = 0;
    this.dropped = 0;
  }

  // Events of calls, see http/live.py.
  take(events, dropped) {
    this.dropped += dropped;
    this.told = true;
    for (const each of events) {
      const key = `${each.attempt}:${each.call}`;
      const cached = each.phase === "cached", known = this.calls.get(key);
      if (cached && known) Object.assign(known, { to: known.from + (each.dur ?? 0), status: "cached" });
      else if (cached || each.phase === "start") {
        const call = { path: each.path ?? "", from: each.t, to: cached ? each.t + (each.dur ?? 0) : null, status: cached ? "cached" : "running", attempt: each.attempt };
        this.calls.set(key, call);
        if (!this.rows.has(call.path)) this.rows.set(call.path, []);
        this.rows.get(call.path).push(call);
        this.from = Math.min(this.from, each.t);
      } else if (known) {
        known.to = each.dur !== undefined ? known.from + each.dur : each.t;
        known.status = each.phase === "error" ? "failed" : known.status === "cached" ? "cached" : "done";
        known.error = each.error;
      }
      this.to = Math.max(this.to, each.t ?? 0);
    }
    this.later();
  }

  // A new attempt: what was open is lost.
  attempt(number, t) {
    for (const call of this.calls.values()) if (call.to === null && call.attempt < number) (call.to = t), (call.status = "lost");
  }

  live(going) {
    if (!going) for (const call of this.calls.values()) if (call.to === null) (call.to = this.to), (call.status = "lost");
    this.going = going;
    this.empty.textContent = going ? "No call has begun yet." : this.told ? "No call is known." : "…";
    this.later();
  }

  later() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.draw();
      if (this.going && this.element.isConnected && !document.hidden) this.later();
    }, FRAME);
  }

  select(path) {
    this.selected = path;
    this.draw();
  }

  draw() {
    const width = this.element.clientWidth;
    this.empty.hidden = this.rows.size > 0;
    if (!width || !this.rows.size) return fill(this.svg);
    const name = Math.min(NAME, width * 0.34), room = width - name - 12;
    const to = Math.max(this.from + 1e-3, this.going ? Math.max(this.to, now()) : this.to);
    const x = (t) => name + ((t - this.from) / (to - this.from)) * room;
    const shown = [...this.rows].slice(0, MOST);
    const height = AXIS + shown.length * ROW + 4;
    this.svg.setAttribute("height", height);
    const marks = between(0, to - this.from, Math.max(2, Math.floor(room / 90)));
    fill(this.svg,
      marks.map((at) => [s("line", { class: "grid", x1: x(this.from + at), x2: x(this.from + at), y1: AXIS - 4, y2: height }), s("text", { class: "tick", x: x(this.from + at), y: 12, "text-anchor": !at ? "start" : x(this.from + at) > width - 30 ? "end" : "middle" }, at ? duration(at) : "0")]),
      shown.map(([path, calls], i) => this.row(path, calls, AXIS + i * ROW, name, width, x, to)));
    const hidden = this.rows.size - shown.length;
    fill(this.more, [hidden > 0 ? `${hidden} more operators` : "", this.dropped ? `${this.dropped} more calls are counted on the graph only` : ""].filter(Boolean).join(" · "));
  }

  row(path, calls, y, name, width, x, to) {
    const title = path || "(the run)";
    const letters = Math.floor(name / 7);
    const total = calls.reduce((sum, call) => sum + (call.to ?? to) - call.from, 0);
    return s("g", {
      class: `gantt-row${path === this.selected ? " selected" : ""}`, role: "button", tabindex: "0",
      "aria-label": `${title}: ${calls.length} calls, ${duration(total)}`, "aria-pressed": String(path === this.selected),
      onclick: () => this.chosen(path), onkeydown: (event) => event.key === "Enter" && this.chosen(path),
    },
      s("rect", { class: "back", x: 0, y, width, height: ROW }),
      s("text", { x: 6, y: y + 15 }, title.length > letters ? title.slice(0, letters - 1) + "…" : title, s("title", null, title)),
      merged(calls, x, to).map((bar) => s("rect", { class: "bar", "data-status": bar.status, x: bar.x, y: y + 5, width: bar.width, height: ROW - 10, rx: 2 },
        s("title", null, bar.count > 1 ? `${bar.count} calls` : `${bar.status}, ${duration((bar.call.to ?? to) - bar.call.from)}${bar.call.error ? `\n${bar.call.error}` : ""}`))));
  }
}

const WORST = ["done", "cached", "lost", "running", "failed"];

// Bars that would touch become one: there are never more than pixels.
function merged(calls, x, to) {
  const found = [];
  for (const call of [...calls].sort((a, b) => a.from - b.from)) {
    const left = x(call.from), width = Math.max(2, x(call.to ?? to) - left), last = found.at(-1);
    if (last && width < 3 && left - (last.x + last.width) < 1 && last.width < 12) {
      last.width = Math.max(last.width, left + width - last.x);
      last.count += 1;
      if (WORST.indexOf(call.status) > WORST.indexOf(last.status)) last.status = call.status;
    } else found.push({ x: left, width, status: call.status, count: 1, call });
  }
  return found;
}
