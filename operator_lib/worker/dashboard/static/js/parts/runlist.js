// Runs, a page at a time: ten thousand of them cost no more than fifty.

import { h, fill, keyed } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { every } from "../lib/poll.js";
import { ago, duration, spent, when } from "../lib/format.js";
import { here, href, note } from "../lib/router.js";
import { icon } from "./icon.js";
import { banner, empty } from "./notice.js";
import { NODE_STATUS, runStatus, WORDS } from "./status.js";

const PAGE = 50;

export async function runList({ job = null, signal }) {
  const { query } = here();
  let status = query.get("status") ?? "", cursor = query.get("after") ?? "", text = query.get("text") ?? "", next = null, asked = 0;
  const back = [];
  const lost = banner();
  const words = h("input", { type: "search", placeholder: "Search id, job, cause", "aria-label": "Search runs", value: text, oninput: later });
  const states = h("div", { class: "segments", role: "group", "aria-label": "Status" },
    ["", ...Object.keys(WORDS)].map((each) => h("button", { type: "button", class: "segment", "data-key": each, onclick: () => ((status = each), first()) }, each ? WORDS[each] : "all")));
  const body = h("tbody");
  const columns = ["Status", ...(job ? [] : ["Job"]), "Run", "Version", "Started", "Took", "Why"];
  const table = h("table", { class: "list runs" }, h("thead", null, h("tr", null, columns.map((each) => h("th", { scope: "col" }, each)))), body);
  const nothing = h("div");
  const newer = h("button", { type: "button", onclick: () => ((cursor = back.pop() ?? ""), ask(true)) }, "Newer");
  const older = h("button", { type: "button", onclick: () => (back.push(cursor), (cursor = next), ask(true)) }, "Older");

  let timer = null;
  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => ((text = words.value.trim()), first()), 200);
  }
  const first = () => ((cursor = ""), (back.length = 0), ask(true));

  async function ask(moved = false) {
    const mine = ++asked;
    if (moved) note({ status, text, after: cursor });
    for (const button of states.children) button.setAttribute("aria-pressed", String(button.dataset.key === status));
    const page = await api.get("/v1/runs" + api.query({ job: job ?? query.get("job"), status, text, cursor, limit: PAGE }), signal).catch((problem) => {
      if (problem.status === 404 && cursor) return first(), null;
      throw problem;
    });
    if (!page || mine !== asked) return;
    lost.set("");
    next = page.next;
    keyed(body, page.runs, (run) => run.id, () => h("tr"), (element, run) => row(element, run, job));
    table.hidden = !page.runs.length;
    fill(nothing, page.runs.length ? null : empty(text || status ? "No run fits." : "There are no runs yet."));
    newer.disabled = !cursor;
    older.disabled = !next;
    if (moved) table.closest(".scroll-x")?.scrollIntoView({ block: "nearest" });
  }

  await ask();
  let asking = false;
  every(2000, () => (asking ? ask() : ((asking = true), null)), signal, (problem) => lost.set(`The worker does not answer: ${problem.message}`));
  return h("section", { class: "run-list", "aria-label": "Runs" },
    h("div", { class: "row bar" }, states, h("span", { class: "grow" }), h("div", { class: "find" }, icon("search"), words)),
    lost.element, h("div", { class: "card flush scroll-x" }, table, nothing), h("nav", { class: "row end", "aria-label": "Pages" }, newer, older));
}

// A row is made anew where the run has changed; else only its times go on.
function row(element, run, job) {
  const text = JSON.stringify(run), begun = run.started ?? run.created;
  if (element.was !== text) {
    element.was = text;
    element.since = h("time", { title: when(begun) });
    element.took = h("td", { "data-label": "Took", class: "number" });
    fill(element,
      h("td", { "data-label": "Status" }, runStatus(run.status)),
      job ? null : h("td", { "data-label": "Job" }, h("a", { class: "quiet", href: href(["jobs", run.job]) }, run.job)),
      h("th", { scope: "row", "data-label": "Run" }, h("a", { href: href(["runs", run.id]) }, h("code", null, run.id)), run.kind === "map" ? h("span", { class: "tag" }, "map") : null, run.attempts > 1 ? h("span", { class: "tag" }, `attempt ${run.attempts}`) : null),
      h("td", { "data-label": "Version", class: "number" }, `v${run.version}`),
      h("td", { "data-label": "Started" }, element.since), element.took,
      h("td", { "data-label": "Why", class: "clip", title: run.cause || null, "data-status": NODE_STATUS[run.status] }, run.cause));
  }
  write(element.since, ago(begun));
  write(element.took, duration(spent(run)));
}

const write = (element, text) => element.textContent !== text && (element.textContent = text);
