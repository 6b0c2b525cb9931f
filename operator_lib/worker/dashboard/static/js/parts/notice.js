// What is not as it should be, and short messages that go away by themselves.

import { h, fill } from "../lib/dom.js";

// In place of what could not be shown.
export function failure(problem, again = () => location.reload()) {
  const lost = problem instanceof TypeError;
  return h("div", { class: "notice card", role: "alert" },
    h("h1", null, problem.status === 404 ? "Not found" : lost ? "The worker does not answer" : "That did not work"),
    h("p", null, lost ? "Is it running? operator-lib worker start" : problem.message),
    h("p", null, h("button", { type: "button", onclick: again }, "Try again"), " ", location.pathname === "/" ? h("a", { href: "#/" }, "All deployments") : null));
}

export const empty = (...words) => h("p", { class: "empty" }, ...words);

let box = null;
// Say something for a moment; screen readers hear it.
export function say(text, kind = "") {
  box ??= document.body.appendChild(h("div", { class: "toasts", role: "status", "aria-live": "polite" }));
  const toast = h("div", { class: `toast ${kind}` }, text);
  box.append(toast);
  setTimeout(() => toast.remove(), kind === "wrong" ? 8000 : 4000);
}

// Do something that a button asks for; say what went wrong.
export const attempt = (work) => async (event) => {
  const button = event?.currentTarget;
  if (button) button.disabled = true;
  try {
    await work(event);
  } catch (problem) {
    if (problem.name !== "AbortError") say(problem.message, "wrong");
  } finally {
    if (button) button.disabled = false;
  }
};

// Ask before something that cannot be taken back. Resolves to whether to go on.
export function confirm(question, verb) {
  return new Promise((resolve) => {
    const answer = (value) => () => {
      resolve(value);
      dialog.close();
    };
    const dialog = h("dialog", { class: "card", "aria-labelledby": "question", onclose: () => (resolve(false), dialog.remove()) },
      h("p", { id: "question" }, question),
      h("div", { class: "row end" },
        h("button", { type: "button", onclick: answer(false) }, "Keep it"),
        h("button", { type: "button", class: "danger", onclick: answer(true) }, verb)));
    document.body.append(dialog);
    dialog.showModal();
  });
}

// A banner within a page: `set(text)` shows it, "" hides it.
export function banner() {
  const element = h("p", { class: "banner", role: "status", hidden: true });
  return { element, set: (text) => ((element.hidden = !text), fill(element, text)) };
}
