// When jobs start by themselves.

import { h, fill, keyed } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { every } from "../lib/poll.js";
import { ago, duration, when } from "../lib/format.js";
import { href } from "../lib/router.js";
import { attempt, banner, empty } from "../parts/notice.js";

export async function schedules(parts, query, signal) {
  const body = h("tbody"), nothing = h("div"), lost = banner();
  const table = h("table", { class: "list" }, h("thead", null, h("tr", null, ["Job", "When", "Next", "Last", "Late by at most", "Note", ""].map((each) => h("th", { scope: "col" }, each || h("span", { class: "unseen" }, "What to do"))))), body);
  const turn = (each) => attempt(async () => {
    await api.post(api.path("v1", "schedules", each.id, each.paused ? "resume" : "pause"));
    await ask();
  });

  async function ask() {
    const all = (await api.get("/v1/schedules", signal)).schedules;
    lost.set("");
    table.hidden = !all.length;
    fill(nothing, all.length ? null : empty("No schedules. operator-lib schedule add JOB CRON makes one."));
    keyed(body, all, (each) => each.id, () => h("tr"), (element, each) => {
      const text = JSON.stringify(each);
      if (element.was === text) return;
      element.was = text;
      fill(element, h("th", { scope: "row" }, h("a", { href: href(["jobs", each.job]) }, each.job)), h("td", null, h("code", null, each.cron), " ", h("span", { class: "dim" }, each.timezone)),
        h("td", null, each.paused ? h("span", { class: "tag" }, "paused") : h("time", { title: each.next ? when(each.next) : null }, each.next ? ago(each.next) : "never")),
        h("td", null, each.last ? (each.last_run ? h("a", { href: href(["runs", each.last_run]), title: when(each.last) }, ago(each.last)) : ago(each.last)) : h("span", { class: "dim" }, "not yet")),
        h("td", null, duration(each.grace)), h("td", { class: "wrong" }, each.note), h("td", null, h("button", { type: "button", onclick: turn(each) }, each.paused ? "Resume" : "Pause")));
    });
  }

  await ask();
  let first = true;
  every(5000, () => (first ? ((first = false), null) : ask()), signal, (problem) => lost.set(`The worker does not answer: ${problem.message}`));
  return h("div", { class: "page" }, h("div", { class: "row head" }, h("h1", null, "Schedules")), lost.element, h("div", { class: "card flush scroll-x", tabindex: "0", role: "region", "aria-label": "Schedules" }, table, nothing));
}
