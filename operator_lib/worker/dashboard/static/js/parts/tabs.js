// Tabs whose choice is part of the address.

import { h, fill } from "../lib/dom.js";

// `tabs`: [key, title, () => element or promise of it]. Opens `first`; `chosen(key)` hears of every choice.
export function tabs(label, all, first, chosen = () => {}) {
  const panel = h("div", { role: "tabpanel", tabindex: "0", class: "panel" });
  const buttons = new Map(all.map(([key, title]) => [key, h("button", {
    type: "button", role: "tab", id: `tab-${label}-${key}`, onclick: () => open(key), onkeydown: move,
  }, title)]));
  const bar = h("div", { role: "tablist", class: "tabs", "aria-label": label }, [...buttons.values()]);
  let now = null;

  function open(key, quiet = false) {
    if (!buttons.has(key)) key = all[0][0];
    if (!quiet) chosen(key);
    if (key === now) return;
    now = key;
    for (const [name, button] of buttons) {
      button.setAttribute("aria-selected", String(name === key));
      button.tabIndex = name === key ? 0 : -1;
    }
    panel.setAttribute("aria-labelledby", buttons.get(key).id);
    const made = all.find(([name]) => name === key)[2]();
    if (made instanceof Promise) {
      fill(panel, h("p", { class: "empty" }, "…"));
      made.then((element) => now === key && fill(panel, element), (problem) =>
        now === key && problem.name !== "AbortError" && fill(panel, h("p", { class: "wrong", role: "alert" }, problem.message)));
    } else fill(panel, made);
  }

  function move(event) {
    const keys = [...buttons.keys()], at = keys.indexOf(now);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: keys.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    open(keys[(to + keys.length) % keys.length]);
    buttons.get(now).focus();
  }

  open(first ?? all[0][0], true);
  return { element: h("div", { class: "tabbed" }, bar, panel), open, panel, button: (key) => buttons.get(key), get now() { return now; } };
}
