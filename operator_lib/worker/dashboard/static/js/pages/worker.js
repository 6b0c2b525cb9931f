// The worker itself.

import { h, fill } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { every } from "../lib/poll.js";
import { ago, count, when } from "../lib/format.js";
import { banner } from "../parts/notice.js";

export async function worker(parts, query, signal) {
  const facts = h("dl", { class: "facts" }), lost = banner();
  const row = (name, value) => [h("dt", null, name), h("dd", null, value)];
  async function ask() {
    const found = await api.get("/v1/worker", signal);
    lost.set("");
    fill(facts, row("version", found.version), row("Python", `${found.python}, runs also ${(found.pythons ?? []).join(", ")}`), row("process", found.pid), row("address", found.url), row("gRPC", found.grpc_address),
      row("started", h("time", { title: when(Number(found.started)) }, ago(Number(found.started)))), row("home", found.home), row("runs", `${count(found.running)} going on, ${count(found.queued)} waiting`));
  }
  await ask();
  let first = true;
  every(3000, () => (first ? ((first = false), null) : ask()), signal, (problem) => lost.set(`The worker does not answer: ${problem.message}`));
  return h("div", { class: "page" }, h("div", { class: "row head" }, h("h1", null, "Worker")), lost.element, h("section", { class: "card" }, facts),
    h("section", { class: "card" }, h("h2", null, "Keys"), h("dl", { class: "facts keyboard" },
      row(h("kbd", null, "/"), "go to a deployment or a run"), row(h("kbd", null, "arrows"), "on a graph: from node to node"), row(h("kbd", null, "space"), "fold the node, or unfold it"),
      row(h("span", null, h("kbd", null, "+"), " ", h("kbd", null, "−"), " ", h("kbd", null, "0")), "closer, farther, all of it; so does the wheel with Ctrl"), row(h("kbd", null, "Esc"), "choose nothing"))));
}
