// One run, as it happens.

import { h, fill } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { ago, bytes, duration, spent, when } from "../lib/format.js";
import { random } from "../lib/random.js";
import { go, href, note } from "../lib/router.js";
import { Gantt } from "../charts/gantt.js";
import { GraphView } from "../graph/view.js";
import { details } from "../graph/details.js";
import { legend } from "../graph/draw.js";
import { icon } from "../parts/icon.js";
import { Logs } from "../parts/logs.js";
import { attempt, banner, confirm, empty, say } from "../parts/notice.js";
import { copyButton } from "../parts/copy.js";
import { decisionsView } from "../parts/decisions.js";
import { runStatus, TERMINAL } from "../parts/status.js";
import { tabs } from "../parts/tabs.js";
import { attemptsView, errorView, inputView, outputView } from "../parts/outcome.js";

export async function run(parts, query, signal) {
  const id = parts[1], base = api.path("v1", "runs", id);
  const [first, graph] = await Promise.all([
    api.get(base, signal), api.get(`${base}/dag?static=true`, signal).catch((problem) => (problem.status === 404 ? null : Promise.reject(problem))),
  ]);
  return new RunPage(id, base, first, graph, query, signal).element;
}

class RunPage {
  constructor(id, base, state, graph, query, signal) {
    Object.assign(this, { id, base, state, graph, signal });
    this.node = null;
    this.lost = banner();
    this.status = h("span");
    this.facts = h("span", { class: "dim" });
    this.cause = h("div");
    this.actions = h("div", { class: "row" });
    this.logs = new Logs({ save: attempt(() => this.saveLogs()) });
    this.logs.onclear = () => this.choose(null);
    this.gantt = new Gantt((path) => this.choosePath(path));
    this.panel = details((node) => href(["jobs", state.job], { tab: "source", version: state.version, file: node.file, line: node.line, end: node.end_line ?? node.line }), (node) => this.nodeActions(node));
    this.view = graph ? new GraphView({ dag: graph, url: `${base}/layout`, label: `Graph of ${state.job}`, chosen: (node) => this.chosen(node) }) : null;
    this.tabs = tabs("Run", [
      ["output", "Output", () => this.outcome()], ["logs", "Logs", () => this.logs.element],
      ["input", "Input", () => inputView(this.base, signal)], ["attempts", "Attempts", () => attemptsView(this.base, signal)],
      ["decisions", "Decisions", () => decisionsView(this.base, signal, (path) => this.choosePath(path))],
    ], query.get("tab") ?? (TERMINAL.has(state.status) ? "output" : "logs"), (tab) => ((this.picked = true), note({ tab })));
    this.picked = query.has("tab"); // then the end of the run does not open another tab
    this.element = this.drawn();
    this.show(state);
    this.begin(query.get("node"));
    const clock = setInterval(() => TERMINAL.has(this.state.status) || this.timing(), 500);
    signal.addEventListener("abort", () => clearInterval(clock));
  }

  drawn() {
    const { state } = this;
    return h("div", { class: "page run" },
      h("div", { class: "row head" }, h("h1", null, h("a", { class: "quiet", href: href(["jobs", state.job]) }, state.job)), this.status, this.facts, h("span", { class: "grow" }), this.actions),
      h("p", { class: "row small dim" }, "run ", h("code", null, this.id), copyButton(this.id, "Copy the id of the run")),
      this.lost.element, this.cause,
      h("div", { class: "watched" },
        h("div", { class: "stack" }, h("div", { class: "card flush" }, this.view ? [this.view.element, legend()] : empty("It was deployed without a graph.")), this.panel.element),
        h("div", { class: "stack" }, h("section", { class: "card flush", "aria-label": "Timeline" }, h("h2", { class: "bar" }, "Timeline"), this.gantt.element), h("div", { class: "card flush" }, this.tabs.element))));
  }

  async begin(node) {
    try {
      await this.view?.load(this.signal);
      if (node && this.view?.nodes.has(node)) this.view.select(node);
      await api.follow(`${this.base}/live`, {
        signal: this.signal, told: (event, data) => event === "news" && this.take(JSON.parse(data)),
        begin: () => (this.anew = true),
        state: (word) => this.lost.set(word === "waiting" ? "The connection is lost; trying again." : ""),
      });
    } catch (problem) {
      if (!this.signal.aborted && problem.name !== "AbortError") this.lost.set(problem.message);
    }
  }

  take(news) {
    if (this.anew) { // only now: while a connection is lost, what is known stays to be seen
      this.anew = false;
      this.logs.clear();
      this.gantt.clear();
      this.view?.forget();
    }
    for (const each of news.statuses) if (each.status === "RUNNING") this.gantt.attempt(each.attempt, each.t);
    this.view?.light(news.nodes);
    if (TERMINAL.has((news.run ?? this.state).status)) this.failed(news.run ?? this.state);
    if (this.node && news.nodes[this.node.id]) this.panel.fares(this.node.id, news.nodes[this.node.id]);
    this.logs.take(news.logs, news.dropped.logs);
    this.gantt.take(news.calls, news.dropped.calls);
    if (news.run) this.show(news.run);
  }

  show(state) {
    const before = this.state.status, ended = TERMINAL.has(state.status);
    this.state = state;
    this.gantt.live(!ended);
    fill(this.status, runStatus(state.status));
    this.timing();
    fill(this.cause, state.cause && !ended ? h("p", { class: "banner" }, state.cause) : null);
    const button = (name, label, work, kind = "") => h("button", { type: "button", class: kind, onclick: attempt(work) }, icon(name), label);
    const now = `${state.status}${state.attempts}`;
    if (now !== this.drawnFor) {
      this.drawnFor = now;
      fill(this.actions,
        ended ? null : button("stop", "Cancel", () => this.cancel(), "danger"),
        ended && state.status !== "COMPLETED" && state.kind === "run" ? button("again", "Resume", () => this.resume(), "primary") : null,
        ended && state.kind === "run" ? button("again", "Replay", () => this.replay()) : null,
        state.kind === "run" ? h("a", { class: "button", href: href(["jobs", state.job], { tab: "call", like: this.id }) }, "Replay with changes") : null);
      if (this.tabs.now === "output") this.refreshOutcome();
      else if (before !== state.status && ended && !this.picked) this.tabs.open("output", true);
    }
  }

  timing() {
    const { state } = this;
    const parts = [duration(spent(state)), `v${state.version}`, state.attempts > 1 ? `attempt ${state.attempts}` : "", state.result_size >= 0 ? bytes(state.result_size) : ""].filter(Boolean);
    fill(this.facts, parts.join(" · "), " · ", h("time", { title: when(state.created) }, `asked for ${ago(state.created)}`));
  }

  // The node that failed is shown and chosen, so that one sees at once where.
  failed(state) {
    if (state.status === "COMPLETED" || this.node || this.pointed === state.attempts || !this.view?.picture) return;
    this.pointed = state.attempts;
    const failed = [...this.view.states].filter(([, state]) => state.status === "failed").map(([id]) => this.view.nodes.get(id)).filter((node) => node?.kind === "call");
    const deepest = failed.filter((node) => !failed.some((other) => other.parent === node.id)).at(-1);
    if (deepest) this.view.select(deepest.id);
  }

  async outcome() {
    if (!TERMINAL.has(this.state.status)) return empty(this.state.status === "PENDING" ? "It waits to be started." : "It is not finished yet.");
    if (this.state.status === "COMPLETED") return outputView(this.base, this.state, this.signal);
    return errorView(await api.get(this.base, this.signal), (path) => this.choosePath(path));
  }

  refreshOutcome() {
    const { panel } = this.tabs;
    this.outcome().then((element) => this.tabs.now === "output" && fill(panel, element), (problem) => this.signal.aborted || fill(panel, h("p", { class: "wrong" }, problem.message)));
  }

  // A node was chosen on the graph.
  chosen(node) {
    this.node = node;
    this.panel.show(node, node && this.view.states.get(node.id));
    const path = node?.operator ?? null;
    this.logs.filter(path || null);
    this.gantt.select(path);
    note({ node: node?.id ?? "" });
  }

  choose(id) {
    if (this.view) this.view.select(id);
    else this.logs.filter(null);
  }

  choosePath(path) {
    const node = [...(this.view?.nodes.values() ?? [])].find((each) => each.operator === path && each.kind === "call");
    if (node) this.view.select(node.id === this.node?.id ? null : node.id);
    else {
      this.logs.filter(path || null);
      this.gantt.select(path);
    }
  }

  async cancel() {
    if (await confirm("Cancel this run? What it has finished can be taken up again by resuming it.", "Cancel the run")) this.show(await api.remove(this.base));
  }

  async resume() {
    await api.post(`${this.base}/resume`);
    say("It goes on; what was finished is not done again.");
    this.node = null;
    this.again();
  }

  nodeActions(node) {
    if (!node.operator || this.state.kind !== "run") return null;
    const label = `Replay from ${node.operator}`;
    return h("div", { class: "row" }, h("button", { type: "button", onclick: attempt(() => this.replay(node.id)) }, icon("again"), label));
  }

  // A new run that takes over what this one has finished; with a node: what was finished before it.
  async replay(node) {
    const made = await api.post(`${this.base}/replay` + api.query({ from_node: node }), undefined, { headers: { "Idempotency-Key": random() } });
    go(["runs", made.id]);
  }

  // The stream has ended with the run: follow it anew.
  async again() {
    this.show(await api.get(this.base, this.signal));
    this.picked = false;
    this.tabs.open("logs", true);
    this.begin(null);
  }

  async saveLogs() {
    const blob = await (await api.send(`${this.base}/logs`, { signal: this.signal })).blob();
    const url = URL.createObjectURL(blob);
    h("a", { href: url, download: `${this.id}.log` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}
