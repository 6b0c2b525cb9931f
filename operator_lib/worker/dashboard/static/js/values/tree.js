// JSON as a tree that is made where it is opened.

import { h } from "../lib/dom.js";

const PAGE = 200;

export const treeView = (value) => h("div", { class: "tree" }, branch(null, value, true));

function branch(key, value, open) {
  const label = key === null ? null : h("span", { class: "key" }, key, ": ");
  if (value === null || typeof value !== "object") return h("div", { class: "leaf" }, label, scalar(value));
  const list = Array.isArray(value);
  const size = list ? value.length : Object.keys(value).length;
  const about = h("span", { class: "about" }, list ? `[${size}]` : `{${size}}`);
  if (!size) return h("div", { class: "leaf" }, label, list ? "[]" : "{}");
  const body = h("div", { class: "below" });
  const entries = Object.entries(value);
  let shown = 0;
  const more = () => {
    body.querySelector(":scope > button")?.remove();
    body.append(...entries.slice(shown, shown + PAGE).map(([name, each]) => branch(name, each, false)));
    shown += PAGE;
    if (shown < entries.length) body.append(h("button", { type: "button", class: "plain", onclick: more }, `${entries.length - shown} more`));
  };
  return h("details", { open, ontoggle: (event) => event.target.open && !shown && more() }, h("summary", null, label, about), body);
}

function scalar(value) {
  const kind = value === null ? "null" : typeof value;
  const text = kind === "string" ? JSON.stringify(value.length > 2000 ? value.slice(0, 2000) + "…" : value) : String(value);
  return h("span", { class: `is-${kind}` }, text);
}
