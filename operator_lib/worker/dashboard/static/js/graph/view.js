// A graph to look at: zoom, pan, search, fold, choose a node; a run lights it up.

import { h, s, fill } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { icon } from "../parts/icon.js";
import { say } from "../parts/notice.js";
import { Camera } from "./camera.js";
import { draw } from "./draw.js";

const DEEPEST = 40;
const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

export class GraphView {
  // `dag`: as /dag tells it; `url`: where its places are asked for; `chosen(node)` hears of every choice.
  constructor({ dag, url, query = {}, chosen = () => {}, label = "Graph", marks = null }) {
    Object.assign(this, { dag, url, query, chosen, marks });
    this.nodes = new Map(dag.nodes.map((node) => [node.id, node]));
    this.states = new Map();
    this.folded = new Set();
    this.opened = new Set();
    this.selected = this.depth = null;
    this.inner = s("g");
    this.svg = s("svg", { class: "canvas", role: "group", "aria-label": `${label}. Arrow keys go from node to node, Enter chooses, space folds.`, tabindex: "0", onkeydown: (event) => this.key(event), onclick: (event) => this.click(event), ondblclick: (event) => this.doubled(event) }, this.inner);
    this.camera = new Camera(this.svg, this.inner);
    this.element = h("section", { class: "graph", "aria-label": label }, this.bar(), this.svg);
    new ResizeObserver(() => this.camera.touched || this.camera.fit()).observe(this.svg);
  }

  bar() {
    const button = (name, label, work) => h("button", { type: "button", class: "plain", "aria-label": label, title: label, onclick: work }, icon(name));
    this.hits = h("output", { class: "hits" });
    this.search = h("input", {
      type: "search", placeholder: "Find a node", "aria-label": "Find a node", spellcheck: "false", autocomplete: "off",
      oninput: () => this.find(), onkeydown: (event) => {
        if (event.key === "Enter") this.next(event.shiftKey ? -1 : 1);
        if (event.key === "Escape") (this.search.value = ""), this.find();
      },
    });
    return h("div", { class: "graph-bar" },
      h("div", { class: "find" }, icon("search"), this.search, this.hits),
      h("div", { class: "row" },
        button("fold", "Fold everything", () => this.foldAll()), button("unfold", "Unfold everything", () => this.unfoldAll()),
        button("minus", "Zoom out", () => this.camera.zoom(1 / 1.25)), button("plus", "Zoom in", () => this.camera.zoom(1.25)),
        button("fit", "Show all", () => this.camera.fit())));
  }

  async load(signal) {
    const ids = (set) => [...set].join(",");
    const places = await api.get(this.url + api.query({ ...this.query, depth: this.depth, folded: ids(this.folded), opened: ids(this.opened) }), signal);
    this.picture = draw(places, (id) => this.title(id));
    for (const [id, state] of this.states) this.picture.light(id, state);
    fill(this.inner, this.picture.root);
    this.order = places.boxes.map((box) => box.id);
    this.camera.resize(places.width, places.height);
    // Of its own height, as far as there is room.
    const shrunk = Math.min(1, (this.svg.clientWidth || places.width) / places.width);
    this.svg.style.setProperty("--wanted", `${Math.round(places.height * shrunk)}px`);
    if (!this.camera.touched) this.camera.fit();
    if (this.marks) for (const [id, mark] of this.marks) this.picture.boxes.get(this.visible(id))?.group.classList.add(`is-${mark}`);
    this.find(true);
    this.select(this.selected, true);
    return this;
  }

  title(id) {
    const node = this.nodes.get(id);
    return node ? (node.kind === "call" && node.operator != null ? `${node.operator || "self"}: ${node.name}` : `${node.kind} ${node.name}`) : id;
  }

  // The box that shows a node: its own, or that of what is folded around it.
  visible(id) {
    let at = id;
    while (at && !this.picture.boxes.has(at)) at = this.nodes.get(at)?.parent;
    return at;
  }

  // Take in what a run has told: { id: state }.
  light(states) {
    for (const [id, state] of Object.entries(states)) {
      this.states.set(id, state);
      this.picture?.light(id, state);
    }
  }

  // What is told from here on is told from the beginning.
  forget() {
    this.light(Object.fromEntries([...this.states.keys()].map((id) => [id, { status: "pending", count: 0 }])));
    this.states.clear();
  }

  select(id, quiet = false) {
    if (this.selected) for (const [, made] of this.picture.boxes) made.group.classList.remove("selected");
    this.selected = id;
    const shown = id && this.visible(id);
    const made = shown && this.picture.boxes.get(shown);
    for (const [, each] of this.picture.boxes) each.group.setAttribute("tabindex", "-1");
    if (made) {
      made.group.classList.add("selected");
      if (!quiet) this.camera.reveal(made.box);
    }
    for (const line of this.inner.querySelectorAll(".line")) line.classList.toggle("near", Boolean(id) && (line.dataset.from === id || line.dataset.to === id));
    if (!quiet) this.chosen(id ? this.nodes.get(id) : null);
  }

  click(event) {
    if (this.camera.dragged > 4) return;
    const fold = event.target.closest("[data-fold]");
    if (fold) return this.fold(fold.dataset.fold);
    const node = event.target.closest(".node");
    this.select(node && node.dataset.id !== this.selected ? node.dataset.id : null);
  }

  doubled(event) {
    const node = event.target.closest(".node");
    if (node && !event.target.closest("[data-fold]")) this.fold(node.dataset.id);
  }

  key(event) {
    const step = STEPS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (step) {
      const at = this.order.indexOf(this.visible(this.selected));
      this.select(this.order[Math.min(this.order.length - 1, Math.max(0, at + step))]);
      this.picture.boxes.get(this.selected)?.group.focus({ preventScroll: true });
    } else if (event.key === " " && this.selected) this.fold(this.selected);
    else if (event.key === "Enter" && event.target.closest(".node")) this.select(event.target.closest(".node").dataset.id);
    else if (event.key === "+" || event.key === "=") this.camera.zoom(1.25);
    else if (event.key === "-") this.camera.zoom(1 / 1.25);
    else if (event.key === "0") this.camera.fit();
    else if (event.key === "Escape") this.select(null);
    else return;
    event.preventDefault();
  }

  async fold(id) {
    const box = this.picture.boxes.get(id)?.box;
    if (!box?.folds) return;
    if (box.folds === 1) this.folded.add(id), this.opened.delete(id);
    else this.folded.delete(id), this.opened.add(id);
    const before = { x: box.x, y: box.y };
    await this.reload();
    const after = this.picture.boxes.get(id)?.box;
    if (after && this.camera.touched) this.camera.pan((before.x - after.x) * this.camera.scale, (before.y - after.y) * this.camera.scale);
  }

  foldAll() {
    return this.to(1);
  }

  unfoldAll() {
    return this.to(DEEPEST);
  }

  to(depth) {
    this.depth = depth;
    this.folded.clear();
    this.opened.clear();
    return this.reload(true);
  }

  async reload(fit = false) {
    try {
      await this.load();
      if (fit) this.camera.fit();
    } catch (problem) {
      say(problem.message, "wrong");
    }
  }

  find(quiet = false) {
    const text = this.search.value.trim().toLowerCase();
    this.matches = text ? this.dag.nodes.filter((node) => [node.name, node.operator, node.code, node.file].some((each) => each?.toLowerCase().includes(text))) : [];
    const shown = new Set(this.matches.map((node) => this.visible(node.id)));
    this.svg.classList.toggle("searching", Boolean(text));
    for (const [id, made] of this.picture?.boxes ?? []) made.group.classList.toggle("match", shown.has(id));
    fill(this.hits, text ? `${this.matches.length} found` : "");
    this.hit = -1;
    if (!quiet && this.matches.length) this.camera.reveal(this.picture.boxes.get(this.visible(this.matches[0].id)).box);
  }

  next(step) {
    if (!this.matches?.length) return;
    this.hit = (this.hit + step + this.matches.length) % this.matches.length;
    fill(this.hits, `${this.hit + 1} of ${this.matches.length}`);
    this.select(this.matches[this.hit].id);
  }
}
