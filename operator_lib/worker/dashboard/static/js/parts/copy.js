// Text to take along.

import { h, fill } from "../lib/dom.js";
import { icon } from "./icon.js";
import { say } from "./notice.js";

export function copyButton(text, label = "Copy") {
  const button = h("button", { type: "button", class: "plain copy", "aria-label": label, title: label, onclick: async () => {
    await navigator.clipboard.writeText(typeof text === "function" ? text() : text).catch(() => say("The browser does not let it be copied", "wrong"));
    button.classList.add("did");
    setTimeout(() => button.classList.remove("did"), 900);
  } }, icon("copy"));
  return button;
}

// A piece of code with a button; `set(text)` changes it.
export function snippet(label) {
  const code = h("code");
  const element = h("figure", { class: "snippet" },
    h("figcaption", null, label, copyButton(() => code.textContent, `Copy ${label}`)), h("pre", { tabindex: "0", "aria-label": label }, code));
  return { element, set: (text) => fill(code, text) };
}
