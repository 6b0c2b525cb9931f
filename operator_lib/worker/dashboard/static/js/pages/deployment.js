// One job or serving: its graph, its runs or its load, a form to call it, versions, source.

import { h, fill } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { ago, when } from "../lib/format.js";
import { go, href, note } from "../lib/router.js";
import { GraphView } from "../graph/view.js";
import { details } from "../graph/details.js";
import { icon } from "../parts/icon.js";
import { outside } from "../lib/dom.js";
import { attempt, confirm, empty, say } from "../parts/notice.js";
import { sourceBrowser } from "../parts/source.js";
import { health } from "../parts/status.js";
import { tabs } from "../parts/tabs.js";
import { callForm } from "../parts/call.js";
import { runList } from "../parts/runlist.js";
import { about } from "../parts/about.js";
import { load } from "../parts/load.js";
import { servingLogs } from "../parts/servinglogs.js";
import { versions } from "../parts/versions.js";

export async function deployment(kind, parts, query, signal) {
  const name = parts[1], plural = `${kind}s`;
  if (!name) throw new Error("Which one? The address names none.");
  const base = api.path("v1", plural, name), manage = api.path("v1", "deployments", kind, name);
  const number = Number(query.get("version")) || undefined;
  const at = api.query({ version: number });
  const [state, schema, graph] = await Promise.all([
    api.get(kind === "serving" ? `${base}/` : base, signal), api.get(`${base}/schema${at}`, signal),
    api.get(`${base}/dag${at}`, signal).catch((problem) => (problem.status === 404 ? null : Promise.reject(problem))),
  ]);
  const meta = state.options.metadata ?? {};
  const source = (node) => (node.file ? href([plural, name], { tab: "source", file: node.file, line: node.line, end: node.end_line ?? node.line, version: number }) : null);

  const all = [
    ["graph", "Graph", () => graphTab(graph, manage, number, source, signal)],
    ...(kind === "job"
      ? [["runs", "Runs", () => runList({ job: name, signal })], ["call", "Run it", () => callForm({ kind, name, schema, version: number, signal, replay: query.get("like") })]]
      : [["load", "Load", () => load({ name, manage, signal })], ["call", "Try it", () => callForm({ kind, name, schema, version: number, signal })],
        ["logs", "Logs", () => servingLogs(manage, signal)]]),
    ["versions", "Versions", () => versions({ kind, name, base, manage, live: state.version, signal })],
    ["source", "Source", async () => (await sourceBrowser(`${manage}/files${at}`, {
      path: query.get("file") ?? graph?.file, line: Number(query.get("line")) || graph?.line || 0, end: Number(query.get("end")) || undefined, signal,
      noted: (file, line, end) => note({ file, line: line || "", end: end > line ? end : "" }),
    })).element],
    ["about", "About", () => about({ state, schema, meta, graph })],
  ];
  const shown = tabs(name, all, query.get("tab") ?? "graph", (key) => note({ tab: key, ...(key === "source" ? {} : { file: "", line: "", end: "" }) }));
  return h("div", { class: "page" },
    h("div", { class: "row head" }, h("h1", null, icon(kind), meta.title || name), health(state.status),
      h("span", { class: "dim" }, `${kind} · `, number && number !== state.version ? h("strong", null, `v${number}, not the live one`) : `v${state.version}`, ` · changed `, h("time", { title: when(state.updated) }, ago(state.updated))),
      h("span", { class: "grow" }),
      h("button", { type: "button", class: "primary", onclick: () => shown.open("call") }, icon("play"), kind === "job" ? "Run it" : "Try it"),
      h("button", { type: "button", class: "plain danger", onclick: attempt(async () => {
        if (!(await confirm(`Remove the ${kind} ${name} from the worker? Runs that go on finish.`, "Remove it"))) return;
        await api.remove(manage);
        say(`${name} is gone.`);
        go([]);
      }) }, "Remove")),
    state.description ? h("p", { class: "lead" }, state.description.split("\n\n")[0]) : null,
    meta.description && meta.description !== state.description ? h("p", { class: "lead" }, meta.description) : null,
    h("p", { class: "row small" }, meta.code_url ? outside(meta.code_url, "Source code ↗") : null, (meta.tags ?? []).map((tag) => h("span", { class: "tag" }, tag))),
    shown.element);
}

function graphTab(graph, manage, number, source, signal) {
  if (!graph) return empty("It was deployed without a graph.");
  const panel = details(source);
  const view = new GraphView({ dag: graph, url: `${manage}/layout`, query: { version: number }, chosen: (node) => panel.show(node, null), label: `Graph of ${graph.name}` });
  view.load(signal).catch((problem) => signal.aborted || say(problem.message, "wrong"));
  return h("div", { class: "split" }, h("div", { class: "card flush" }, view.element), panel.element);
}
