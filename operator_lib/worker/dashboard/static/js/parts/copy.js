// Text to take along.

import { h, fill } from "../lib/dom.js";
import { icon } from "./icon.js";
import { say } from "./notice.js";

export function copyButton(text, label = "Copy") {
  const button = h("button", { type: "button", class: "plain copy", "aria-label": label, title: label, onclick: async () => {
    if (!(await copied(typeof text === "function" ? text() : text))) return say("The browser does not let it be copied", "wrong");
    button.classList.add("did");
    setTimeout(() => button.classList.remove("did"), 900);
  } }, icon("copy"));
  return button;
}

// Without HTTPS, and away from this machine, there is only the old way.
async function copied(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const area = document.body.appendChild(h("textarea", { class: "unseen", value: text }));
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

// A piece of code with a button; `set(text)` changes it.
export function snippet(label) {
  const code = h("code");
  const element = h("figure", { class: "snippet" },
    h("figcaption", null, label, copyButton(() => code.textContent, `Copy ${label}`)), h("pre", { tabindex: "0", "aria-label": label }, code));
  return { element, set: (text) => fill(code, text) };
}
