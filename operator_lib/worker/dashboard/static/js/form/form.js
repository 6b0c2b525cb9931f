// The arguments of a method as a form. Only what was changed is sent: defaults are the operator's.

import { h, fill } from "../lib/dom.js";
import { labelled, Wrong } from "./fields.js";
import { help, Schemas, summary } from "./schema.js";

export class ArgumentsForm {
  // `method`: as /schema tells it; `changed()` hears of every change.
  constructor(method, changed = () => {}) {
    this.method = method;
    const body = method.input_schema ?? {};
    const keywords = (body.anyOf ?? [body]).find((arm) => arm.properties) ?? { properties: {} };
    this.schemas = new Schemas(body.$defs ?? {});
    this.places = new Map();
    this.changed = () => changed();
    const said = help(method.doc), required = keywords.required ?? [];
    this.fields = new Map(Object.entries(keywords.properties).map(([name, schema]) => {
      const must = required.includes(name);
      const made = labelled(this, { name, place: name, schema, required: must, help: said[name] });
      const fallback = this.schemas.plain(schema).default;
      if (fallback !== undefined) made.set(fallback);
      return [name, { ...made, must, before: JSON.stringify(peek(made)), schema }];
    }));
    this.extra = keywords.additionalProperties ? this.more(keywords.additionalProperties) : null;
    this.intro = summary(method.doc);
    this.element = h("div", { class: "arguments" },
      this.fields.size || this.extra ? null : h("p", { class: "dim" }, "It takes no arguments."),
      [...this.fields.values()].map((each) => each.element), this.extra?.element);
    this.params = new Map((method.params ?? []).map((param) => [param.name, param]));
  }

  // Arguments of any name.
  more(schema) {
    return labelled(this, { name: "further arguments", place: "**", schema: { type: "object", additionalProperties: typeof schema === "object" ? schema : {} }, required: false });
  }

  // { values, files }: by name, what differs from the defaults. Complaints are shown where they belong; then null.
  read() {
    for (const { complain } of this.places.values()) complain("");
    const values = {}, files = {};
    let first = null;
    for (const [name, each] of this.fields) {
      try {
        const value = each.value();
        if (!each.must && JSON.stringify(value) === each.before && !(value instanceof File)) continue;
        if (value instanceof File) files[name] = value;
        else values[name] = value;
      } catch (problem) {
        if (!(problem instanceof Wrong)) throw problem;
        if (!each.must && !each.input?.value && !each.group) continue;
        for (const each of problem.all) this.complain(each.place, each.message);
        first ??= problem.place;
      }
    }
    if (this.extra) Object.assign(values, this.extra.value());
    if (first) this.places.get(first)?.focus();
    return first ? null : { values, files };
  }

  // What is filled in so far, for the code beside the form; what is not right yet is left out.
  peek() {
    const values = {}, files = {};
    for (const [name, each] of this.fields) {
      const value = peek(each);
      if (value === undefined || (!each.must && JSON.stringify(value) === each.before && !(value instanceof File))) continue;
      if (value instanceof File) files[name] = value;
      else values[name] = value;
    }
    return { values, files };
  }

  complain(place, message) {
    for (let at = place; ; at = at.replace(/(\.[^.[]*|\[[^\]]*\])$/, "")) {
      const found = this.places.get(at);
      if (found) return found.complain(at === place ? message : `${place.slice(at.length).replace(/^\./, "")}: ${message}`) ?? found;
      if (!/[.[]/.test(at)) return null;
    }
  }

  // The worker's complaints beside the fields; what has no field is answered.
  refuse(details) {
    const rest = [];
    let first = null;
    for (const { path, message } of Array.isArray(details) ? details : []) {
      const found = this.complain(path ?? "", message);
      if (!found) rest.push(path ? `${path}: ${message}` : message);
      first ??= this.places.get(path);
    }
    first?.focus();
    return rest;
  }

  // Fill in arguments, as those of an earlier run.
  set({ args = [], kwargs = {} }) {
    const names = [...this.fields.keys()];
    args.forEach((value, i) => this.fields.get(names[i])?.set(value));
    for (const [name, value] of Object.entries(kwargs)) this.fields.get(name)?.set(value);
    this.changed();
  }
}

function peek(made) {
  try {
    return made.value();
  } catch {
    return undefined;
  }
}

// Files as base64 text, at any depth.
export async function encoded(value) {
  if (value instanceof File) return base64(value);
  if (Array.isArray(value)) return Promise.all(value.map(encoded));
  if (value && typeof value === "object" && !JSON.isRawJSON?.(value)) return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([key, each]) => [key, await encoded(each)])));
  return value;
}

async function base64(file) {
  const data = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < data.length; at += 0x8000) text += String.fromCharCode(...data.subarray(at, at + 0x8000));
  return btoa(text);
}
