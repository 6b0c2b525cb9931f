// What is known of a deployment besides its graph: words, options, signatures.

import { h } from "../lib/dom.js";
import { when } from "../lib/format.js";
import { treeView } from "../values/tree.js";

const SHOWN_ELSEWHERE = new Set(["metadata", "description", "name"]);

export function about({ state, schema, meta, graph }) {
  const options = Object.entries(state.options).filter(([name, value]) => !SHOWN_ELSEWHERE.has(name) && value !== null && !(Array.isArray(value) && !value.length));
  return h("div", { class: "columns" },
    h("section", { class: "card" }, h("h2", null, "What it is"),
      h("dl", { class: "facts" }, row("name", state.name), row("kind", state.kind), row("id", state.id), row("Python", state.python),
        row("created", when(state.created)), row("address", state.url), row("signature", graph?.signature)),
      state.description ? h("pre", { class: "text prose" }, state.description) : null,
      meta.readme ? [h("h3", null, "Read me"), h("pre", { class: "text prose" }, meta.readme)] : null),
    h("section", { class: "card" }, h("h2", null, "Options"),
      options.length ? h("dl", { class: "facts" }, options.map(([name, value]) => row(name, typeof value === "object" ? treeView(value) : String(value)))) : h("p", { class: "dim" }, "All as they are by default.")),
    h("section", { class: "card wide" }, h("h2", null, "What can be called"),
      Object.entries(schema.methods ?? {}).map(([name, method]) => h("details", null,
        h("summary", null, h("code", null, `${name || "(the object itself)"}(${(method.params ?? []).map(parameter).join(", ")})${method.returns ? ` → ${method.returns}` : ""}`)),
        method.doc ? h("pre", { class: "text prose" }, method.doc) : null, treeView({ arguments: method.input_schema, result: method.output_schema })))));
}

const row = (name, value) => (value ? [h("dt", null, name), h("dd", null, value)] : null);
const parameter = (param) => param.name + (param.annotation ? `: ${param.annotation}` : "") + (param.required ? "" : ` = ${param.default_repr ?? "…"}`);
