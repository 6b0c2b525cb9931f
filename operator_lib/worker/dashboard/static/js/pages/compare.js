// Two versions side by side: their graphs, and what is different.

import { h, fill } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { plural } from "../lib/format.js";
import { go, href } from "../lib/router.js";
import { GraphView } from "../graph/view.js";
import { details } from "../graph/details.js";
import { say } from "../parts/notice.js";

export async function compare(parts, query, signal) {
  const [, kind, name] = parts;
  const base = api.path("v1", `${kind}s`, name), manage = api.path("v1", "deployments", kind, name);
  const all = (await api.get(`${base}/versions`, signal)).versions.map((each) => each.number);
  const after = Number(query.get("after")) || all.at(-1), before = Number(query.get("before")) || all.at(-2) || after;
  const [diff, old, fresh] = await Promise.all([
    api.get(`${manage}/diff` + api.query({ before, version: after }), signal),
    api.get(`${base}/dag` + api.query({ version: before }), signal), api.get(`${base}/dag` + api.query({ version: after }), signal),
  ]);
  const marks = {
    old: new Map([...diff.removed.map((each) => [each.id, "removed"]), ...diff.changed.map((each) => [each.before.id, "changed"]), ...diff.moved.map((each) => [each.before.id, "moved"])]),
    fresh: new Map([...diff.added.map((each) => [each.id, "added"]), ...diff.changed.map((each) => [each.id, "changed"]), ...diff.moved.map((each) => [each.id, "moved"])]),
  };
  const pick = (label, now, other) => h("label", null, label, " ", h("select", { onchange: (event) => go(["compare", kind, name], { ...{ before, after }, [other]: event.target.value }) },
    [...all].reverse().map((number) => h("option", { value: number, selected: number === now }, `v${number}`))));
  const side = (number, dag, own) => {
    const panel = details((node) => href([`${kind}s`, name], { tab: "source", version: number, file: node.file, line: node.line, end: node.end_line ?? node.line }));
    const view = new GraphView({ dag, url: `${manage}/layout`, query: { version: number }, marks: own, chosen: (node) => panel.show(node, null), label: `Graph of version ${number}` });
    view.load(signal).catch((problem) => signal.aborted || say(problem.message, "wrong"));
    return { view, element: h("section", { class: "stack" }, h("h2", null, `Version ${number}`), h("div", { class: "card flush" }, view.element), panel.element) };
  };
  const left = side(before, old, marks.old), right = side(after, fresh, marks.fresh);
  return h("div", { class: "page compare" },
    h("div", { class: "row head" }, h("h1", null, "Versions of ", h("a", { href: href([`${kind}s`, name]) }, name)), pick("from", before, "before"), pick("to", after, "after")),
    h("section", { class: "card", "aria-label": "Differences" }, summary(diff, left.view, right.view)),
    h("div", { class: "columns" }, left.element, right.element));
}

function summary(diff, left, right) {
  const lines = [
    ...diff.added.map((each) => ["added", each, right, each.id, `${each.file}:${each.line}`]), ...diff.removed.map((each) => ["removed", each, left, each.id, `was ${each.file}:${each.line}`]),
  ];
  const inner = lines.filter(([, each]) => !each.outer);
  const main = [
    ...lines.filter(([, each]) => each.outer), ...diff.changed.map((each) => ["changed", each, right, each.id, each.reasons.join(", ")]), ...diff.moved.map((each) => ["moved", each, right, each.id, each.reasons.join(", ")]),
  ];
  const shown = (all) => all.map(([how, each, view, id, why]) => h("li", null, h("span", { class: `tag is-${how}` }, how), h("button", { type: "button", class: "plain link", onclick: () => view.select(id) }, each.title), h("small", null, why)));
  const files = Object.entries(diff.files).flatMap(([how, paths]) => paths.map((path) => [how, path]));
  return [
    diff.breaking ? h("p", { class: "banner wrong" }, `Calls that worked may fail now: ${diff.signature}`) : diff.signature ? h("p", { class: "banner" }, diff.signature) : null,
    lines.length || main.length || diff.renamed.length ? null : h("p", null, "The graphs are the same: nothing that is called, and no code on the way, is different."),
    h("ul", { class: "changes" }, diff.renamed.map(([was, is]) => h("li", null, h("span", { class: "tag is-moved" }, "renamed"), `${was} is ${is} now`)),
      shown(main)),
    inner.length ? h("details", null, h("summary", null, `${plural(inner.length, "change")} to arguments and code inside of these`), h("ul", { class: "changes" }, shown(inner))) : null,
    files.length ? h("details", null, h("summary", null, `${plural(files.length, "file")} changed`), h("ul", null, files.map(([how, path]) => h("li", null, h("span", { class: `tag is-${how}` }, how), path)))) : null,
  ];
}
