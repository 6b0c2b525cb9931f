// Go to a deployment or a run by some letters of its name: "/" from anywhere.

import { h, fill } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { href } from "../lib/router.js";
import { icon } from "./icon.js";
import { WORDS } from "./status.js";

const MOST = 8;

export function search() {
  const list = h("ul", { id: "found", role: "listbox", "aria-label": "Found", hidden: true });
  const input = h("input", {
    type: "search", placeholder: "Go to …", "aria-label": "Go to a deployment or run", role: "combobox",
    "aria-expanded": "false", "aria-controls": "found", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false",
    oninput: look, onkeydown: key, onblur: () => setTimeout(close, 150), onfocus: look,
  });
  let found = [], at = -1, asked = 0;

  async function look() {
    const text = input.value.trim(), mine = ++asked;
    if (!text) return close();
    const [all, runs] = await Promise.all([
      api.get("/v1/deployments"), api.get("/v1/runs" + api.query({ text, limit: MOST })),
    ]).catch(() => [{ deployments: [] }, { runs: [] }]);
    if (mine !== asked || document.activeElement !== input) return;
    const wanted = text.toLowerCase();
    found = [
      ...all.deployments.filter((each) => each.name.toLowerCase().includes(wanted)).slice(0, MOST)
        .map((each) => ({ to: href([`${each.kind}s`, each.name]), icon: each.kind, text: each.name, aside: each.kind })),
      ...runs.runs.map((each) => ({ to: href(["runs", each.id]), icon: "runs", text: each.job, aside: `${WORDS[each.status]} · ${each.id}` })),
    ];
    at = found.length ? 0 : -1;
    show();
  }

  function show() {
    fill(list, found.length ? found.map((each, i) => h("li", {
      id: `found-${i}`, role: "option", "aria-selected": String(i === at), onmousedown: () => open(each),
    }, icon(each.icon), h("span", null, each.text), h("small", null, each.aside))) : h("li", { class: "dim", role: "option", "aria-disabled": "true" }, "Nothing of that name"));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    if (at >= 0) input.setAttribute("aria-activedescendant", `found-${at}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function close() {
    list.hidden = true;
    asked += 1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function open(each) {
    location.hash = each.to;
    input.value = "";
    close();
    input.blur();
  }

  function key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      at = (at + step + found.length) % found.length;
      show();
    } else if (event.key === "Enter" && found[at]) open(found[at]);
    else if (event.key === "Escape") {
      input.value = "";
      close();
      input.blur();
    } else return;
    event.preventDefault();
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
  });
  return h("div", { class: "search" }, icon("search"), input, list);
}
