// Versions: which is live, what is different between two, going back.

import { h } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { ago, when } from "../lib/format.js";
import { href } from "../lib/router.js";
import { attempt, confirm, say } from "./notice.js";
import { health } from "./status.js";

export async function versions({ kind, name, base, manage, live, signal }) {
  const all = (await api.get(`${base}/versions`, signal)).versions.reverse();
  const rollback = (number) => attempt(async () => {
    if (!(await confirm(`Make version ${number} of ${name} the live one? New ${kind === "job" ? "runs" : "calls"} go to it.`, `Go to version ${number}`))) return;
    await api.post(`${manage}/rollback`, { version: number });
    say(`Version ${number} is live.`);
    location.reload();
  });
  return h("div", { class: "card flush scroll-x" }, h("table", { class: "list" },
    h("thead", null, h("tr", null, ["Version", "Status", "Made", "Fingerprint", ""].map((each) => h("th", { scope: "col" }, each || h("span", { class: "unseen" }, "What to do"))))),
    h("tbody", null, all.map((each, i) => h("tr", null,
      h("th", { scope: "row" }, h("a", { href: href([`${kind}s`, name], { version: each.number }) }, `v${each.number}`), each.number === live ? h("span", { class: "tag live" }, "live") : null),
      h("td", null, health(each.status), each.message ? h("p", { class: "wrong small" }, each.message) : null),
      h("td", null, h("time", { title: when(each.created) }, ago(each.created))), h("td", null, h("code", null, each.fingerprint.slice(0, 12))),
      h("td", null, h("div", { class: "row end" },
        i + 1 < all.length ? h("a", { class: "button", href: href(["compare", kind, name], { before: all[i + 1].number, after: each.number }) }, `Compare with v${all[i + 1].number}`) : null,
        each.number !== live && each.status === "ready" ? h("button", { type: "button", onclick: rollback(each.number) }, "Make live") : null)))))));
}
