// The one place where the token is typed in, and the button that forgets it.

import { h, fill } from "../lib/dom.js";
import * as token from "../lib/token.js";
import { icon } from "./icon.js";
import { failure } from "./notice.js";

// Lets in whoever has a token, from another tab or typed in: `enter` asks the worker and fills `app`, or raises.
export async function letIn(app, enter, words) {
  if (await token.borrowed()) {
    try {
      return await enter();
    } catch (problem) {
      if (problem.status !== 401) return fill(app, failure(problem, () => letIn(app, enter, words)));
      token.forget();
    }
  }
  fill(app, login(async (given) => {
    token.keep(given);
    try {
      await enter();
    } catch (problem) {
      token.forget();
      throw problem;
    }
  }, words));
  app.querySelector("input").focus();
}

// A form that calls `enter(token)`; what it raises is shown.
function login(enter, { title = "operator_lib", asks = "This worker asks for its token.", refused = "That is not the token of this worker.", help = null } = {}) {
  const input = h("input", {
    id: "token", type: "password", name: "token", autocomplete: "off", spellcheck: "false", required: true,
    "aria-describedby": "token-help token-wrong",
  });
  const wrong = h("p", { id: "token-wrong", class: "wrong", role: "alert" });
  const button = h("button", { class: "primary" }, "Open");
  const form = h("form", { class: "login card", onsubmit: submit },
    h("h1", null, title),
    h("p", { class: "dim" }, asks),
    h("label", { for: "token" }, "Token"), input, wrong, button,
    h("p", { id: "token-help", class: "dim small" },
      help ?? ["It is in the file that ", h("code", null, "operator-lib worker status"), " names."],
      " It stays in this browser's tabs of this worker until they are closed, and goes nowhere else."),
  );

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      await enter(input.value.trim());
    } catch (problem) {
      fill(wrong, problem.status === 401 ? refused : problem.message);
      input.value = "";
      input.focus();
    }
    button.disabled = false;
  }

  return h("main", { class: "login-page", id: "main", tabindex: "-1" }, form);
}

export const leaveButton = (leave) => h("button", { type: "button", class: "plain", "aria-label": "Forget the token", title: "Forget the token", onclick: leave }, icon("leave"));
