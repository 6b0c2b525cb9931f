// Everything that is deployed, and how it fares.

import { h, fill, keyed } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { every } from "../lib/poll.js";
import { ago, count, duration, short, spent, when } from "../lib/format.js";
import { href, note } from "../lib/router.js";
import { icon } from "../parts/icon.js";
import { banner, empty } from "../parts/notice.js";
import { health, NODE_STATUS, WORDS } from "../parts/status.js";
import { spark } from "../charts/line.js";

const KINDS = [["", "All"], ["job", "Jobs"], ["serving", "Servings"], ["graph", "Graphs"], ["workflow", "Workflows"]];

export async function deployments(parts, query, signal) {
  let kind = query.get("kind") ?? "", all = [];
  const lost = banner();
  const words = h("input", { type: "search", placeholder: "Filter by name, tag or description", "aria-label": "Filter", value: query.get("text") ?? "", oninput: show });
  const kinds = h("div", { class: "segments", role: "group", "aria-label": "Kind" });
  const body = h("tbody");
  const table = h("table", { class: "list deployments" },
    h("thead", null, h("tr", null, ["Name", "Status", "Version", "Lately", "Now", "Changed"].map((each) => h("th", { scope: "col" }, each)))), body);
  const nothing = h("div");
  const total = h("span", { class: "dim" });

  function show() {
    const text = words.value.trim().toLowerCase();
    note({ text, kind });
    const present = new Set(all.flatMap((each) => [each.kind, each.form]));
    fill(kinds, KINDS.filter(([key]) => !key || key === kind || present.has(key)).map(([key, title]) =>
      h("button", { type: "button", class: "segment", "aria-pressed": String(key === kind), onclick: () => ((kind = key), show()) }, title)));
    const found = all.filter((each) => (!kind || each.kind === kind || each.form === kind) && (!text || about(each).includes(text)));
    keyed(body, found, (each) => each.id, () => h("tr"), row);
    table.hidden = !found.length;
    fill(total, count(all.length));
    fill(nothing, found.length ? null : all.length ? empty("Nothing fits.") : welcome());
  }

  async function ask() {
    all = (await api.get("/v1/deployments", signal)).deployments;
    lost.set("");
    show();
  }

  await ask();
  let first = true;
  every(3000, () => (first ? ((first = false), null) : ask()), signal, (problem) => lost.set(`The worker does not answer: ${problem.message}`));
  return h("div", { class: "page" },
    h("div", { class: "row head" }, h("h1", null, "Deployments"), total, h("span", { class: "grow" }), kinds,
      h("div", { class: "find" }, icon("search"), words)),
    lost.element, h("div", { class: "card flush" }, table, nothing));
}

const about = (each) => [each.name, each.kind, each.form, each.description, each.metadata?.title, ...(each.metadata?.tags ?? [])].join(" ").toLowerCase();

// A row is drawn anew only where something changed.
function row(element, each) {
  const text = JSON.stringify(each);
  if (element.was === text) {
    const time = element.querySelector("time");
    if (time) time.textContent = ago(each.updated);
    return;
  }
  element.was = text;
  const address = href([`${each.kind}s`, each.name]);
  const doing = each.kind === "job" ? jobNow(each) : servingNow(each);
  fill(element,
    h("th", { scope: "row" }, h("a", { href: address, class: "named" }, icon(each.kind), h("span", null, each.metadata?.title || each.name)),
      h("p", { class: "dim clip" }, each.form !== "operator" ? h("span", { class: "tag" }, each.form) : null,
        (each.metadata?.tags ?? []).map((tag) => h("span", { class: "tag" }, tag)), (each.description || "").split("\n")[0])),
    h("td", { "data-label": "Status" }, health(each.status)),
    h("td", { "data-label": "Version", class: "number" }, `v${each.version}`),
    h("td", { "data-label": "Lately" }, each.kind === "job" ? lastRuns(each) : each.rates.length ? spark(each.rates, `Calls a second of late: ${each.rates.at(-1)}`) : h("span", { class: "dim" }, "no calls yet")),
    h("td", { "data-label": "Now" }, doing),
    h("td", { "data-label": "Changed" }, h("time", { title: when(each.updated) }, ago(each.updated))));
}

function jobNow({ counts, name }) {
  const words = [["RUNNING", "running"], ["PENDING", "waiting"], ["FAILED", "failed"]].filter(([status]) => counts[status]);
  const all = Object.values(counts).reduce((sum, each) => sum + each, 0);
  return h("span", { class: "now" }, words.map(([status, word]) => h("a", { href: href(["runs"], { job: name, status }), "data-status": NODE_STATUS[status] }, `${count(counts[status])} ${word}`)),
    h("a", { class: "quiet", href: href(["runs"], { job: name }) }, `${count(all)} in all`));
}

function servingNow({ replicas, wanted, rates }) {
  const ready = replicas.filter((each) => each.status === "ready").length;
  return h("span", { class: "now" }, h("span", null, `${ready}/${wanted} replicas`), rates.length ? h("span", { class: "dim" }, `${short(rates.at(-1))} calls/s`) : null);
}

// The last runs as bars, the newest on the right: colour is how they ended, height how long they took.
function lastRuns({ last, name }) {
  if (!last.length) return h("span", { class: "dim" }, "no runs yet");
  const longest = Math.max(...last.map((run) => spent(run) ?? 0), 1e-9);
  return h("div", { class: "last-runs" }, [...last].reverse().map((run) => {
    const took = spent(run);
    const height = took === null ? 25 : 25 + 75 * Math.sqrt(took / longest);
    return h("a", {
      href: href(["runs", run.id]), "data-status": NODE_STATUS[run.status], style: { height: `${Math.round(height)}%` },
      title: `${WORDS[run.status]} ${duration(took)}, ${when(run.created)}`, "aria-label": `Run of ${name}, ${WORDS[run.status]}, ${ago(run.created)}`, tabindex: "-1",
    });
  }));
}

const welcome = () => h("div", { class: "empty" }, h("p", null, "Nothing is deployed yet. From Python:"),
  h("pre", { class: "text" }, 'from operator_lib import operator\n\n@operator\ndef double(x: int) -> int:\n    return 2 * x\n\ndouble.deploy("double")'));
