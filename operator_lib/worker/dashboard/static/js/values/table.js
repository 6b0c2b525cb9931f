// A list of objects, or of rows, as a table that can be sorted and saved.

import { h, fill } from "../lib/dom.js";
import { count, short } from "../lib/format.js";
import { saveButton } from "./view.js";

const PAGE = 100, COLUMNS = 60;

export function isTable(value) {
  return Array.isArray(value) && value.length > 0 && value.every((row) => row !== null && typeof row === "object" && !Array.isArray(row)) &&
    Object.keys(value[0]).length > 0;
}

export function tableView(rows, name) {
  const lists = Array.isArray(rows[0]);
  const columns = lists ? rows[0].map((_, i) => i) : [...new Set(rows.slice(0, 1000).flatMap(Object.keys))];
  const shown = columns.slice(0, COLUMNS);
  let order = rows.map((_, i) => i), by = null, down = false, until = PAGE;
  const body = h("tbody");
  const more = h("button", { type: "button", onclick: () => ((until += PAGE * 5), draw()) });
  const heads = shown.map((column) => h("th", { scope: "col" }, h("button", { type: "button", class: "plain", onclick: () => sort(column) }, String(column))));

  function sort(column) {
    down = by === column ? !down : false;
    by = column;
    const value = (i) => rows[i][column];
    order = rows.map((_, i) => i).sort((a, b) => {
      const x = value(a) ?? "", y = value(b) ?? "";
      const found = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true });
      return down ? -found : found;
    });
    heads.forEach((head, i) => (shown[i] === by ? head.setAttribute("aria-sort", down ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
    draw();
  }

  function draw() {
    fill(body, order.slice(0, until).map((i) => h("tr", null, h("th", { scope: "row" }, i), shown.map((column) => cell(rows[i][column])))));
    more.hidden = until >= rows.length;
    fill(more, `${count(rows.length - until)} more rows`);
  }

  draw();
  const csv = () => new Blob([[columns, ...rows.map((row) => columns.map((column) => row[column]))].map((row) => row.map(quoted).join(",")).join("\r\n")], { type: "text/csv" });
  return h("div", null,
    h("p", { class: "row dim small" }, `${count(rows.length)} rows, ${columns.length} columns${columns.length > COLUMNS ? ` (the first ${COLUMNS} are shown)` : ""}`, saveButton(csv, `${name}.csv`, "CSV")),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, h("table", { class: "data" }, h("thead", null, h("tr", null, h("th", { scope: "col" }, "#"), heads)), body)), more);
}

function cell(value) {
  if (typeof value === "number") return h("td", { class: "number", title: String(value) }, Number.isInteger(value) ? String(value) : short(value));
  const text = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  return h("td", { title: text.length > 80 ? text.slice(0, 1000) : null }, text.length > 80 ? text.slice(0, 80) + "…" : text);
}

// For spreadsheets, too: what they would take for a formula is kept as text.
function quoted(value) {
  let text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
