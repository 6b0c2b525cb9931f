// Call a serving, or start a run, from a form; the same call as code.

import { h, fill } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { duration } from "../lib/format.js";
import { random } from "../lib/random.js";
import { go } from "../lib/router.js";
import { ArgumentsForm, encoded } from "../form/form.js";
import { curlCall, pythonCall } from "../form/snippets.js";
import { bodyView, valueView } from "../values/view.js";
import { empty, say } from "./notice.js";
import { snippet } from "./copy.js";

export async function callForm({ kind, name, schema, version, signal, replay = null }) {
  const methods = callable(kind, schema.methods ?? {});
  if (!methods.length) return empty("Nothing of it can be called by name.");
  const like = replay ? await api.get(api.path("v1", "runs", replay, "input"), signal).catch((problem) => (say(problem.message, "wrong"), null)) : null;
  const box = h("div");
  const picker = methods.length > 1 ? h("div", { class: "segments methods", role: "group", "aria-label": "Method" },
    methods.map(([method]) => h("button", { type: "button", class: "segment", "data-method": method, onclick: () => choose(method) }, method || "(call)"))) : null;

  function choose(method) {
    for (const button of picker?.children ?? []) button.setAttribute("aria-pressed", String(button.dataset.method === method));
    fill(box, one({ kind, name, method, about: schema.methods[method], version, signal, like, replay }));
  }
  choose(methods.some(([method]) => method === "") ? "" : methods[0][0]);
  return h("div", null, picker, box);
}

// Of a job only the object itself; of an operator not its forward() besides.
function callable(kind, all) {
  const own = JSON.stringify(all[""]?.input_schema);
  return Object.entries(all).filter(([name, method]) => name === "" || (kind === "serving" && !(name === "forward" && JSON.stringify(method.input_schema) === own)));
}

function one({ kind, name, method, about, version, signal, like, replay }) {
  const streams = about.kind.includes("generator");
  const url = kind === "job" ? api.path("v1", "jobs", name) : api.path("v1", "servings", name, ...(method ? [method] : []));
  const python = snippet("Python"), curl = snippet("curl");
  const answer = h("div", { class: "answer" }), fares = h("p", { class: "dim small", role: "status" });
  const problems = h("div", { role: "alert" });
  const form = new ArgumentsForm(about, () => showCode());
  const button = h("button", { class: "primary" }, kind === "job" ? (replay ? "Replay with these" : "Run") : "Call");
  const stop = h("button", { type: "button", hidden: true, onclick: () => going?.abort() }, "Stop");
  let going = null;

  function showCode() {
    if (!form.params) return;
    python.set(pythonCall({ kind, name, method, form, streams: streams && kind !== "job" }));
    curl.set(curlCall({ kind, url, form, streams: streams && kind !== "job" }));
  }

  async function submit(event) {
    event.preventDefault();
    fill(problems);
    const given = form.read();
    if (!given) return;
    going = new AbortController();
    signal.addEventListener("abort", () => going.abort());
    button.disabled = true;
    stop.hidden = kind === "job";
    const started = performance.now();
    try {
      if (kind === "job") await submitRun(given);
      else await callServing(given, started);
    } catch (problem) {
      if (problem.name === "AbortError") fill(fares, "Stopped.");
      else refuse(problem);
    }
    button.disabled = false;
    stop.hidden = true;
  }

  function refuse(problem) {
    const rest = problem.status === 422 ? form.refuse(problem.details) : null;
    const known = rest && Array.isArray(problem.details) && rest.length < problem.details.length;
    fill(problems, h("p", { class: "wrong" }, known ? "Some of it does not fit; see beside the fields." : problem.message), (rest ?? []).map((each) => h("p", { class: "wrong" }, each)),
      problem.details?.traceback ? h("details", { open: true }, h("summary", null, problem.type || "Traceback"), h("pre", { class: "text" }, problem.details.traceback)) : null);
  }

  async function submitRun({ values, files }) {
    const body = await encoded({ ...values, ...files });
    const target = replay ? api.path("v1", "runs", replay, "replay") + api.query({ version }) : url + api.query({ version });
    const run = await api.post(target, body, { signal: going.signal, headers: { "Idempotency-Key": random() } });
    go(["runs", run.id]);
  }

  async function callServing({ values, files }, started) {
    fill(answer);
    fill(fares, "Waiting …");
    const headers = { Accept: streams ? "text/event-stream" : accepted(about) };
    let body;
    if (Object.keys(files).length) {
      body = new FormData();
      for (const [key, value] of Object.entries(await encoded(values))) body.append(key, typeof value === "string" ? value : JSON.stringify(value));
      for (const [key, file] of Object.entries(files)) body.append(key, file);
    } else {
      headers["Content-Type"] = "application/json";
      body = JSON.stringify(await encoded(values));
    }
    try {
      const got = await api.send(url + api.query({ version }), { method: "POST", headers, body, signal: going.signal });
      await shown(got);
      fill(fares, `Answered in ${duration((performance.now() - started) / 1000)}, request ${got.headers.get("X-Request-ID")}`);
    } catch (problem) {
      fill(fares);
      throw problem;
    }
  }

  async function shown(got) {
    const type = (got.headers.get("Content-Type") ?? "").split(";")[0];
    if (type === "text/event-stream") {
      const items = [], list = h("ol", { class: "stream", "aria-live": "polite" });
      fill(answer, list);
      await api.messages(got, (event, data) => {
        if (event === "error") throw new api.ApiError(500, JSON.parse(data).error ?? JSON.parse(data));
        if (event === "end") return;
        items.push(JSON.parse(data));
        if (items.length <= 1000) list.append(h("li", null, h("code", null, data)));
      });
      if (items.length > 1) answer.append(valueView(items, {}, name));
    } else if (type === "application/json") fill(answer, valueView(await got.json(), about.output_schema, name));
    else fill(answer, await bodyView(got, name));
  }

  if (like) form.set(like);
  showCode();
  return h("div", { class: "split call" },
    h("form", { class: "card", novalidate: true, onsubmit: submit }, method && form.intro ? h("p", { class: "lead" }, form.intro) : null, form.element,
      h("div", { class: "row" }, button, stop), problems, kind === "serving" ? h("section", { "aria-label": "Answer" }, fares, answer) : null),
    h("aside", { class: "code-side" }, python.element, curl.element,
      kind === "serving" && location.pathname === "/" ? h("p", { class: "dim small" }, "For people who have only its token: ", h("a", { href: `${url.split("/").slice(0, 4).join("/")}/`, target: "_blank", rel: "noopener" }, "this form on a page of its own ↗")) : null));
}

// Pictures and arrays are asked for as JSON, which is shown in all its forms; bytes as what they are.
const accepted = (about) => (about.output_schema?.contentEncoding === "base64" && !about.output_schema.contentMediaType ? "application/octet-stream, application/json;q=0.5" : "application/json");
