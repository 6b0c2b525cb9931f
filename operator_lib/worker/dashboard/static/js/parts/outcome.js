// What came of a run: its value, or its exception; what it was given; how often it was started.

import { h } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { bytes, duration, when } from "../lib/format.js";
import { valueView } from "../values/view.js";
import { saveButton } from "../values/view.js";
import { treeView } from "../values/tree.js";
import { empty } from "./notice.js";

const LARGE = 24 << 20;

export async function outputView(base, run, signal) {
  if (run.result_size > LARGE) return raw(base, run, `The value has ${bytes(run.result_size)}: too much for a page.`);
  try {
    const { outputs } = await api.get(`${base}/outputs`, signal);
    const schema = await resultSchema(run, signal);
    const own = outputs[run.job]?.[0];
    const others = Object.entries(outputs).filter(([name]) => name !== run.job);
    return h("div", { class: "outputs" }, run.job in outputs ? valueView(own === undefined ? null : own, schema, run.job) : null,
      others.map(([name, values]) => h("section", null, h("h3", null, name, h("small", null, ` ${values.length} outputs`)), valueView(values.length === 1 ? values[0] : values, {}, name))));
  } catch (problem) {
    if (problem.status === 406 || problem.status === 404) return raw(base, run, problem.message);
    throw problem;
  }
}

async function resultSchema(run, signal) {
  try {
    const schema = await api.get(api.path("v1", "jobs", run.job, "schema") + api.query({ version: run.version }), signal);
    return schema.methods?.[""]?.output_schema ?? {};
  } catch {
    return {};
  }
}

const raw = (base, run, why) => h("div", null, h("p", null, why), run.result_size >= 0 ? h("p", null, h("button", { type: "button", onclick: async () => {
  const blob = await (await api.send(`${base}/result`, { headers: { Accept: "application/octet-stream" } })).blob();
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: `${run.id}.value` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
} }, `Save it as stored (${bytes(run.result_size)})`)) : null);

export function errorView(run, choose) {
  const { error } = run;
  if (!error) return empty("Nothing is known of why it ended.");
  const path = error.details?.operator;
  return h("section", { class: "error", "aria-label": "Exception" },
    h("p", { class: "what" }, h("strong", null, error.type), ": ", h("span", { class: "said" }, error.message)),
    path ? h("p", { class: "small" }, "in ", h("button", { type: "button", class: "chip", onclick: () => choose(path) }, path)) : null,
    error.details?.traceback ? h("pre", { class: "text traceback", tabindex: "0", "aria-label": "Traceback" }, error.details.traceback) : null);
}

export async function inputView(base, signal) {
  try {
    const { args, kwargs } = await api.get(`${base}/input`, signal);
    if (!args.length && !Object.keys(kwargs).length) return empty("It was started without arguments.");
    const all = [...args.map((value, i) => [`argument ${i + 1}`, value]), ...Object.entries(kwargs)];
    return h("div", { class: "outputs" }, all.map(([name, value]) => h("section", null, h("h3", null, name),
      value !== null && typeof value === "object" ? valueView(value, {}, name) : h("pre", { class: "text scalar" }, typeof value === "string" ? value : JSON.stringify(value)))));
  } catch (problem) {
    if (problem.status === 406 || problem.status === 404) return empty(problem.message);
    throw problem;
  }
}

export async function attemptsView(base, signal) {
  const { attempts } = await api.get(`${base}/attempts`, signal);
  if (!attempts.length) return empty("It was not started yet.");
  return h("div", { class: "scroll-x" }, h("table", { class: "data" },
    h("thead", null, h("tr", null, ["#", "Started", "Took", "Ended by", "Exit", "Peak memory"].map((each) => h("th", { scope: "col" }, each)))),
    h("tbody", null, attempts.map((each) => h("tr", null, h("th", { scope: "row" }, each.n), h("td", null, when(each.started)), h("td", { class: "number" }, each.ended ? duration(each.ended - each.started) : "goes on"),
      h("td", null, each.cause || (each.ended ? "its end" : "")), h("td", { class: "number" }, each.signal ? `signal ${each.signal}` : (each.exit_code ?? "")), h("td", { class: "number" }, each.peak_rss ? bytes(each.peak_rss) : ""))))));
}
