// All runs.

import { h } from "../lib/dom.js";
import { runList } from "../parts/runlist.js";
import { href } from "../lib/router.js";

export async function runs(parts, query, signal) {
  const job = query.get("job");
  return h("div", { class: "page" },
    h("div", { class: "row head" }, h("h1", null, "Runs"), job ? h("span", null, "of ", h("a", { href: href(["jobs", job]) }, job), " ", h("a", { class: "chip", href: href(["runs"]) }, "of all jobs")) : null),
    await runList({ signal }));
}
