// Files of a version, with line numbers: names, text, numbers and comments of Python in their colours.

import { h, fill } from "../lib/dom.js";
import * as api from "../lib/api.js";
import { bytes } from "../lib/format.js";

const LARGEST = 1 << 20;
const KEYWORDS = new Set(("False None True and as assert async await break class continue def del elif else except finally for from " +
  "global if import in is lambda match case nonlocal not or pass raise return try while with yield").split(" "));
const TOKEN = /(#[^\n]*)|([rbfuRBFU]{0,2}(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|(@[\w.]+)|\b(\d[\w.]*)\b|\b([A-Za-z_]\w*)\b/g;

// Lines of spans.
function coloured(text) {
  const lines = [[]];
  const put = (piece, kind) => piece.split("\n").forEach((part, i) => {
    if (i) lines.push([]);
    if (part) lines.at(-1).push(kind ? h("span", { class: `py-${kind}` }, part) : part);
  });
  let at = 0;
  for (const found of text.matchAll(TOKEN)) {
    const [whole, comment, string, decorator, number, word] = found;
    const kind = comment ? "comment" : string ? "string" : decorator ? "decorator" : number ? "number" : KEYWORDS.has(word) ? "keyword" : "";
    if (!kind) continue;
    put(text.slice(at, found.index));
    put(whole, kind);
    at = found.index + whole.length;
  }
  put(text.slice(at));
  return lines;
}

export function code(text, python, line = 0, end = line) {
  const lines = python ? coloured(text) : text.split("\n").map((each) => [each]);
  const rows = lines.map((parts, i) => h("div", { class: i + 1 >= line && i + 1 <= end ? "line here" : "line", "data-line": i + 1 }, parts, "\n"));
  return h("pre", { class: "source", tabindex: "0", "aria-label": "Source" }, h("code", null, rows));
}

// The files at `url` (see /files); `open(path, line, end)` shows one, and says it to `noted`.
export async function sourceBrowser(url, { path, line, end, noted, signal }) {
  const { files } = await api.get(url, signal);
  const shown = h("div", { class: "file" });
  const list = h("ul", { class: "files", "aria-label": "Files" }, files.map((file) =>
    h("li", null, h("button", { type: "button", class: "plain", "data-path": file.path, onclick: () => open(file.path) }, file.path), h("small", null, bytes(file.size)))));

  async function open(name, from = 0, to = from) {
    const file = files.find((each) => each.path === name);
    for (const button of list.querySelectorAll("button")) button.setAttribute("aria-current", String(button.dataset.path === name));
    if (!file) return fill(shown, h("p", { class: "empty" }, `There is no file ${name} in this version.`));
    noted?.(name, from, to);
    if (file.size > LARGEST) return fill(shown, h("p", { class: "empty" }, `${name} has ${bytes(file.size)}: too much to be shown.`));
    const data = await (await api.send(api.path("v1", "files", file.sha256), { signal })).arrayBuffer();
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(data);
    } catch {
      return fill(shown, h("p", { class: "empty" }, `${name} is no text.`));
    }
    fill(shown, h("h3", null, name), code(text, name.endsWith(".py"), from, to));
    const here = shown.querySelector(".here"), box = here?.closest(".source");
    if (box) box.scrollTop = here.offsetTop - box.offsetTop - box.clientHeight / 3; // the page stays where it is
  }

  const first = path ?? files.find((file) => file.path.endsWith(".py"))?.path ?? files[0]?.path;
  if (first) open(first, line, end);
  return { element: h("div", { class: "browser" }, list, shown), open };
}
