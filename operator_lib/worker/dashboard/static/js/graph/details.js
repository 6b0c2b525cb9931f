// What is known of one node: what it is, how it fares, where it stands in the source.

import { h, fill } from "../lib/dom.js";
import { duration, when } from "../lib/format.js";
import { disc } from "../parts/icon.js";

const CERTAIN = { may: "may run", opaque: "not followed" };

// A box that `show(node, state)` fills; null empties it. `source(node)`: address of the source at its line, or null.
// `actions(node)`: what can be done with it.
export function details(source, actions = () => null) {
  const element = h("section", { class: "details", "aria-label": "Node", "aria-live": "polite", hidden: true });
  let id = null;
  const state = h("div");

  function show(node, now) {
    id = node?.id ?? null;
    element.hidden = !node;
    if (!node) return fill(element);
    const address = source(node);
    const place = `${node.file}:${node.line}`;
    fill(element,
      h("h3", null, node.operator != null ? node.operator || "self" : node.name, h("small", null, node.operator != null ? node.name : node.kind)),
      state,
      h("dl", { class: "facts" },
        row("source", node.file ? (address ? h("a", { href: address }, place) : place) : null),
        row("certainty", CERTAIN[node.certainty]), row("why", node.reason), row("when", node.condition),
        row("reads", node.inputs?.join(", ")), row("writes", node.outputs?.join(", ")), row("uses", node.uses?.map((each) => h("div", null, each.replace(/ [0-9a-f]{8}$/, ""))))),
      node.code ? h("pre", { class: "code", tabindex: "0", "aria-label": "Code of the node" }, h("code", null, node.code)) : null);
    element.append(...[actions(node)].flat().filter(Boolean));
    fares(node.id, now);
  }

  function fares(of, now) {
    if (of !== id) return;
    if (!now || now.status === "pending") return fill(state);
    fill(state, h("p", { class: "fares", "data-status": now.status }, disc(now.status), h("strong", null, now.status),
      now.duration != null ? ` ${duration(now.duration)}` : "", now.count > 1 ? ` in ${now.count} calls` : "",
      now.iteration ? `, round ${now.iteration}` : "", now.started ? h("small", null, ` from ${when(now.started)}`) : null));
  }

  return { element, show, fares };
}

const row = (name, value) => (value?.length || value instanceof Node ? [h("dt", null, name), h("dd", null, value)] : null);
