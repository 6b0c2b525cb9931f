// Lines as they are printed: filtered by node and by words, followed, saved.

import { h, fill } from "../lib/dom.js";
import { clock } from "../lib/format.js";
import { icon } from "./icon.js";

// Lines that are kept, and drawn at once.
const KEPT = 20000, DRAWN = 3000;
// What terminals take for colours.
const COLOURS = /\x1b\[[0-9;]*m/g;

export class Logs {
  // `save()` gets all of it as text, where there is a way.
  constructor({ label = "Logs", save = null } = {}) {
    this.lines = [];
    this.fresh = [];
    this.shown = this.dropped = 0;
    this.path = this.timer = this.changed = this.last = null;
    this.following = true;
    this.words = h("input", { type: "search", placeholder: "Filter lines", "aria-label": "Filter lines", spellcheck: "false", oninput: () => this.redraw() });
    this.follow = h("input", { type: "checkbox", checked: true, onchange: (event) => this.keepUp(event.target.checked) });
    this.chip = h("button", { type: "button", class: "chip", hidden: true, onclick: () => this.onclear?.() });
    this.box = h("div", { class: "lines", tabindex: "0", role: "log", "aria-label": label, "aria-live": "off", onscroll: () => this.scrolled() });
    this.note = h("p", { class: "dim small" });
    this.element = h("section", { class: "logs", "aria-label": label },
      h("div", { class: "log-bar row" }, h("div", { class: "find" }, icon("search"), this.words), this.chip,
        h("label", { class: "check" }, this.follow, "Follow"), save ? h("button", { type: "button", onclick: save }, "Save") : null),
      this.box, this.note);
    this.redraw();
  }

  clear() {
    this.lines = [];
    this.dropped = 0;
    this.redraw();
  }

  // Events of the kind log.
  take(events, dropped = 0) {
    this.dropped += dropped;
    for (const each of events) {
      const last = this.lines.at(-1);
      if (last?.more) {
        last.text += each.text;
        last.more = each.more;
        this.changed = last;
      } else {
        const line = { ...each };
        this.lines.push(line);
        this.fresh.push(line);
      }
    }
    if (this.lines.length > KEPT) this.dropped += this.lines.splice(0, this.lines.length - KEPT).length;
    if (events.length || dropped) this.timer ??= requestAnimationFrame(() => this.grow());
  }

  // Only what this operator, or one inside it, has printed; null: everything.
  filter(path) {
    if (path === this.path) return;
    this.path = path;
    this.chip.hidden = path === null;
    fill(this.chip, path ?? "", icon("close"));
    this.chip.setAttribute("aria-label", `Show the lines of all nodes, not only of ${path}`);
    this.redraw();
  }

  fits(line) {
    const words = this.words.value.toLowerCase();
    const own = this.path === null || (line.path ?? "") === this.path || (line.path ?? "").startsWith(this.path + ".");
    return own && (!words || line.text.toLowerCase().includes(words));
  }

  // From the beginning: what is wanted has changed.
  redraw() {
    fill(this.box);
    this.shown = 0;
    this.fresh = this.lines.slice();
    this.grow();
  }

  // What is new is added; the first lines go when there are too many.
  grow() {
    this.timer = null;
    const found = this.fresh.filter((line) => this.fits(line));
    this.fresh = [];
    if (found.length && !this.shown) fill(this.box);
    if (this.changed && this.changed === this.last) this.box.lastChild?.replaceWith(lineOf(this.last));
    this.changed = null;
    this.box.append(...found.slice(-DRAWN).map(lineOf));
    this.last = found.at(-1) ?? this.last;
    this.shown += found.length;
    while (this.box.childElementCount > DRAWN) this.box.firstChild.remove();
    if (!this.shown) fill(this.box, h("p", { class: "empty" }, this.lines.length ? "No line fits." : "Nothing was printed."));
    fill(this.note, [this.dropped ? `${this.dropped} lines before these are in the file only` : "", this.shown > DRAWN ? `the last ${DRAWN} of ${this.shown} lines` : ""].filter(Boolean).join(" · "));
    if (this.following) this.box.scrollTop = this.box.scrollHeight;
  }

  keepUp(on) {
    this.following = this.follow.checked = on;
    if (on) this.box.scrollTop = this.box.scrollHeight;
  }

  scrolled() {
    const end = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 24;
    if (end !== this.following) this.following = this.follow.checked = end;
  }
}

function lineOf(line) {
  return h("div", { class: line.stream === "stderr" ? "log err" : "log" },
    h("time", null, clock(line.t)), h("span", { class: "who", title: line.path || null }, line.path || ""), h("span", { class: "text" }, line.text.replace(COLOURS, "")));
}
