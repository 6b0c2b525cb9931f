// The page at a serving's own URL: the form for its methods, for whoever has its token or the worker's.

import { h, fill } from "./lib/dom.js";
import * as api from "./lib/api.js";
import * as token from "./lib/token.js";
import { callForm } from "./parts/call.js";
import { leaveButton, letIn } from "./parts/login.js";
import { themeButton } from "./parts/theme.js";

const name = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1));
const base = api.path("v1", "servings", name);
const app = h("div", { id: "app" });

const about = () => Promise.all([api.get(`${base}/`), api.get(`${base}/schema`)]);

async function open([state, schema]) {
  const meta = state.options.metadata ?? {};
  const form = await callForm({ kind: "serving", name, schema, signal: new AbortController().signal });
  fill(app,
    h("header", { class: "top" }, h("span", { class: "brand" }, "operator_lib"), h("span", { class: "grow" }),
      h("div", { class: "row tools" }, themeButton(), leaveButton(() => (token.forgetAll(), location.reload())))),
    h("main", { id: "main", tabindex: "-1" }, h("div", { class: "page" },
      h("div", { class: "row head" }, h("h1", null, meta.title || name), h("span", { class: "dim" }, `serving · v${state.version}`)),
      state.description ? h("p", { class: "lead" }, state.description.split("\n\n")[0]) : null, form)));
  api.onRefused(() => (token.forget(), location.reload()));
}

document.title = name;
document.body.append(app);
token.useFor(base);
letIn(app, async () => open(await about()), {
  title: name, asks: "This serving asks for a token: its own, or that of its worker.", refused: "That is not a token of this serving.",
  help: "Whoever deployed it has it as .token of the handle.",
});
