// The picture of a graph from its places: one group an element of the program, which a run can light up.

import { h, s, fill } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { signOf } from "../parts/icon.js";

const ENDS = new Set(["input", "return"]);
const MEASURED = new Set(["running", "failed", "lost", "skipped"]);

// Draws `places` (see /layout). Answers the groups by id, and `light(id, state)`.
export function draw(places, titles) {
  const boxes = new Map();
  // What is inside a box is drawn after it, its lines first.
  const lines = (inside) => places.lines.filter((line) => line.inside === inside).map(lineOf);
  const root = s("g", { class: "dag" }, lines(null),
    places.boxes.map((box) => {
      const made = boxOf(box, titles?.(box.id) ?? box.name);
      boxes.set(box.id, made);
      return [made.group, box.folds === 1 ? lines(box.id) : null];
    }),
    places.labels.map((label) => s("text", { class: "label", x: label.x, y: label.y + 4 }, label.text)));
  return { root, boxes, light: (id, state) => boxes.get(id)?.light(state) };
}

const lineOf = (line) => s("g", { class: `line ${line.kind}${line.assumed ? " assumed" : ""}`, "data-from": line.source, "data-to": line.target },
  s("path", { class: "edge", d: line.path }, s("title", null, line.says)), s("path", { class: "tip", d: line.tip }));

function boxOf(box, title) {
  const open = box.folds === 1, io = ENDS.has(box.kind);
  const form = open ? (box.kind === "call" ? "nest" : "region") : "leaf";
  const middle = box.x + box.width / 2;
  const base = box.y + (open || box.note ? 20 : box.height / 2 + 4.5);
  const name = [s("tspan", { class: "name" }, box.name), box.type ? s("tspan", { class: "type", dx: 7 }, box.type) : null];
  const note = s("text", { class: "note", "text-anchor": open ? "end" : "middle", x: open ? box.x + box.width - (box.folds ? 30 : 12) : middle, y: open ? base : box.y + 36 });
  const text = s("text", open ? { x: box.x + 12, y: base } : { x: middle, y: base, "text-anchor": "middle" }, name);
  const mark = s("g", { class: "mark", transform: open ? `translate(${box.x},${box.y})` : `translate(${box.x + 1},${box.y + 1})` });
  const group = s("g", {
    class: `node ${box.kind} ${box.certainty} ${form}`, "data-id": box.id, "data-status": "pending", role: "button", tabindex: "-1",
  },
    s("rect", { class: "box", x: box.x, y: box.y, width: box.width, height: box.height, rx: io ? box.height / 2 : box.kind === "call" ? 8 : 5 }),
    text, note, mark, box.folds ? foldOf(box, middle) : null);
  const plain = box.note;

  function light(state) {
    const words = io ? [] : measured(box, state);
    const said = words.join(" · ");
    group.dataset.status = state.status;
    fill(note, fitting(words, box, open) || (io ? "" : plain));
    const sign = box.kind === "loop" && state.status === "pending" ? "repeat" : state.status;
    const shown = !io && box.kind !== "branch" && state.status !== "pending";
    fill(mark, shown ? [s("circle", { r: 7.5 }), s("path", { class: "sign", d: signOf(sign) })] : null);
    group.setAttribute("aria-label", [title, state.status === "pending" ? "" : state.status, said, box.folds === -1 ? "folded" : ""].filter(Boolean).join(", "));
  }
  light({ status: "pending" });
  return { group, light, box };
}

function foldOf(box, middle) {
  const sign = box.folds === 1 ? "−" : box.badge;
  const width = box.folds === 1 ? 18 : 12 + 6.5 * sign.length;
  const x = box.x + box.width - width - 6;
  return s("g", { class: "fold", "data-fold": box.id },
    s("title", null, box.folds === 1 ? "Fold" : "Unfold"),
    s("rect", { x, y: box.y + 5, width, height: 17, rx: 8 }),
    s("text", { x: x + width / 2, y: box.y + 17.5, "text-anchor": "middle" }, sign));
}

// What a run has told of a box, in a few words.
function measured(box, state) {
  const call = box.kind === "call";
  if (!call && !MEASURED.has(state.status)) return box.kind === "loop" && state.count ? [`${state.count} rounds`] : [];
  const words = [];
  if (MEASURED.has(state.status) && state.status !== "running") words.push(state.status);
  if (state.status === "running" && state.iteration) words.push(`round ${state.iteration}`);
  if (state.status === "cached") words.push("cached");
  else if (state.duration !== null && state.duration !== undefined) words.push(duration(state.duration));
  else if (state.status === "running") words.push("running");
  if (state.count > 1) words.push(`×${state.count}`);
  return words;
}

// As many of the words as have room in a box, of one that holds others beside its name: the last ones go first.
function fitting(words, box, open) {
  const room = open ? box.width - box.first - 52 : box.width - 4;
  let kept = words;
  while (kept.length && kept.join(" · ").length * 6 > room) kept = kept.slice(0, -1);
  return kept.join(" · ");
}

export const legend = () => h("ul", { class: "legend", "aria-label": "Colours" },
  ["pending", "running", "done", "failed", "cached", "skipped"].map((each) => h("li", { "data-status": each }, each)));
