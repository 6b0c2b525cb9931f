// The start: theme, token, frame, pages.

import { h, fill } from "./lib/dom.js";
import * as api from "./lib/api.js";
import * as token from "./lib/token.js";
import * as router from "./lib/router.js";
import { frame } from "./parts/frame.js";
import { letIn } from "./parts/login.js";
import { failure } from "./parts/notice.js";
import { deployments } from "./pages/deployments.js";
import { deployment } from "./pages/deployment.js";
import { runs } from "./pages/runs.js";
import { run } from "./pages/run.js";
import { schedules } from "./pages/schedules.js";
import { secrets } from "./pages/secrets.js";
import { worker } from "./pages/worker.js";
import { compare } from "./pages/compare.js";

// The first part of an address, and the page that it opens.
const PAGES = {
  "": deployments,
  jobs: (parts, query, signal) => deployment("job", parts, query, signal),
  servings: (parts, query, signal) => deployment("serving", parts, query, signal),
  compare,
  runs: (parts, query, signal) => (parts.length > 1 ? run : runs)(parts, query, signal),
  schedules, secrets, worker,
};

const app = h("div", { id: "app" });
document.body.append(app);
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main")?.focus();
});

let opened = false;

async function open() {
  opened = true;
  const { main, tell } = frame(app, leave);
  let first = true;
  router.start(async (parts, query, signal) => {
    tell(parts);
    const page = PAGES[parts[0] ?? ""];
    try {
      const shown = page ? await page(parts, query, signal) : failure(new Error("There is no such page."));
      if (signal.aborted) return;
      fill(main, shown);
    } catch (problem) {
      if (signal.aborted || problem.name === "AbortError") return;
      fill(main, failure(problem));
    }
    const title = main.querySelector("h1")?.textContent;
    document.title = title ? `${title} · operator_lib` : "operator_lib";
    if (!first) main.focus({ preventScroll: true });
    if (!first) window.scrollTo(0, 0);
    first = false;
  });
}

function leave() {
  token.forgetAll();
  location.reload();
}

api.onRefused(() => {
  if (!opened) return;
  token.forget();
  location.reload();
});

letIn(app, async () => {
  await api.get("/v1/worker");
  fill(app);
  await open();
});
