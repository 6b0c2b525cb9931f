// Why a run went the way it did: conditions, loops and handlers, with the values that they went by.

import { h } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { empty } from "./notice.js";

export async function decisionsView(base, signal, choose) {
  const { decisions, count } = await api.get(`${base}/decisions`, signal);
  if (!decisions.length) return empty("Nothing was decided so far, or nothing is known of it.");
  const below = decisions.some((one) => one.operator);
  const row = (one) => h("tr", null,
    below ? h("td", null, one.operator ? h("button", { type: "button", class: "chip", onclick: () => choose(one.operator) }, one.operator) : null) : null,
    h("td", { class: "dim" }, `${one.file}:${one.line}`), h("td", null, h("code", null, one.source)),
    h("td", null, one.words, one.missed ? h("span", { class: "dim", title: "Others before it were not noted: there were too many." }, " …") : null),
    h("td", null, h("code", null, one.filled)));
  return h("section", { "aria-label": "Decisions" },
    count > decisions.length ? h("p", { class: "small dim" }, `The last ${decisions.length} of ${count}.`) : null,
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, h("table", { class: "data" },
      h("thead", null, h("tr", null, [...(below ? ["Operator"] : []), "Where", "Decision", "Outcome", "Values"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", null, decisions.map(row)))));
}
