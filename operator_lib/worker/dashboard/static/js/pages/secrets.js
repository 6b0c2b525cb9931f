// Names of secrets. No answer of the worker has a value of one.

import { h } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { when } from "../lib/format.js";
import { empty } from "../parts/notice.js";

export async function secrets(parts, query, signal) {
  const all = (await api.get("/v1/secrets", signal)).secrets;
  return h("div", { class: "page" }, h("div", { class: "row head" }, h("h1", null, "Secrets"), h("span", { class: "dim" }, "names only: values never leave the worker but for the processes that ask for them")),
    h("div", { class: "card flush" }, all.length ? h("table", { class: "list" }, h("thead", null, h("tr", null, ["Name", "Made", "Changed"].map((each) => h("th", { scope: "col" }, each)))),
      h("tbody", null, all.map((each) => h("tr", null, h("th", { scope: "row" }, h("code", null, each.name)), h("td", { "data-label": "Made" }, when(each.created)), h("td", { "data-label": "Changed" }, when(each.updated)))))) : empty("None. operator-lib secrets set NAME makes one.")));
}
