// A value in the forms that suit it: text, picture, table, plot, tree, JSON.

import { h, fill } from "../lib/dom.js";
import { copyButton } from "../parts/copy.js";
import { bytes } from "../lib/format.js";
import { arrayOf, arrayView } from "./array.js";
import { imageOf, imageView } from "./image.js";
import { isTable, tableView } from "./table.js";
import { treeView } from "./tree.js";

const MOST_TEXT = 200_000;

// An element for a JSON value; `schema` says more where it is known. `name`: what it is saved as.
export function valueView(value, schema = {}, name = "value") {
  const picture = imageOf(value, schema);
  const forms = [];
  if (picture) forms.push(["Image", () => imageView(picture, name)]);
  if (typeof value === "string") forms.push(["Text", () => h("pre", { class: "text", tabindex: "0", "aria-label": "Text" }, value.slice(0, MOST_TEXT), value.length > MOST_TEXT ? "…" : "")]);
  const array = arrayOf(value);
  if (array) forms.push([array.title, () => arrayView(array)]);
  if (isTable(value)) forms.unshift(["Table", () => tableView(value, name)]);
  else if (array?.shape.length === 2) forms.push(["Table", () => tableView(value, name)]);
  if (value !== null && typeof value === "object") forms.push(["Tree", () => treeView(value)]);
  if (!forms.length) forms.push(["Value", () => h("pre", { class: "text scalar" }, String(value))]);
  const json = () => JSON.stringify(value, null, 2);
  forms.push(["JSON", () => h("pre", { class: "text", tabindex: "0", "aria-label": "JSON" }, json().slice(0, MOST_TEXT), json().length > MOST_TEXT ? "\n…" : "")]);
  const shown = h("div", { class: "form-shown" });
  const buttons = forms.map(([title, make], i) => h("button", { type: "button", class: "segment", "aria-pressed": "false", onclick: () => choose(i) }, title));
  const choose = (i) => {
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(at === i)));
    fill(shown, forms[i][1]());
  };
  choose(0);
  return h("div", { class: "value" },
    h("div", { class: "row value-bar" }, h("div", { class: "segments", role: "group", "aria-label": "Form" }, buttons),
      copyButton(json, "Copy as JSON"), saveButton(() => new Blob([json()], { type: "application/json" }), `${name}.json`)),
    shown);
}

export function saveButton(make, name, label = "Save") {
  return h("button", { type: "button", onclick: () => {
    const url = URL.createObjectURL(make());
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  } }, label);
}

// What a serving answered with another media type than JSON.
export async function bodyView(answer, name) {
  const blob = await answer.blob();
  const kind = blob.type.split(";")[0];
  if (kind.startsWith("image/") && kind !== "image/svg+xml") return imageView(blob, name);
  if (kind === "text/plain") return valueView(await blob.text(), {}, name);
  return h("p", null, `${kind || "data"}, ${bytes(blob.size)} `, saveButton(() => blob, name));
}
