// One way to fill in each kind of value. A field: { element, focus element `input`, value(), set(value), places() }.
//
// `value()` gives JSON, or a File; it raises Wrong where nothing sensible was filled in. Places are named as the worker
// names them in its complaints: "lines[0].count".

import { h, fill, unique } from "../lib/dom.js";
import { bytes } from "../lib/format.js";
import { icon } from "../parts/icon.js";

export class Wrong extends Error {
  constructor(place, message) {
    super(message);
    this.place = place;
    this.others = []; // what else is wrong beside it
  }

  get all() {
    return [this, ...this.others.flatMap((other) => other.all)];
  }
}

// A labelled field with room for help and complaints. `changed()` hears of every change.
export function labelled(form, { name, place, schema, required, help, make = null }) {
  const id = unique("field");
  const inner = (make ?? ((options) => field(form, schema, place, options)))({ id, required });
  const wrong = h("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
  const about = form.schemas.words(schema);
  const own = help || form.schemas.plain(schema).description || "";
  const label = h(inner.group ? "span" : "label", inner.group ? { class: "label", id: `${id}-label` } : { class: "label", for: id },
    name, required ? h("span", { class: "must", title: "needed" }, " *") : null, h("small", null, about));
  const element = h("div", { class: `field ${inner.group ? "group" : ""}`, "data-place": place, role: inner.group ? "group" : null, "aria-labelledby": inner.group ? `${id}-label` : null },
    label, own ? h("p", { class: "help", id: `${id}-help` }, own) : null, inner.element, wrong);
  const described = [own ? `${id}-help` : "", `${id}-wrong`].filter(Boolean).join(" ");
  inner.input?.setAttribute("aria-describedby", described);
  if (required) inner.input?.setAttribute("aria-required", "true");
  const complain = (message) => {
    wrong.hidden = !message;
    fill(wrong, message);
    inner.input?.[message ? "setAttribute" : "removeAttribute"]("aria-invalid", "true");
  };
  form.places.set(place, { complain, focus: () => (inner.input ?? element.querySelector("input, textarea, select, button"))?.focus() });
  return { ...inner, element, complain };
}

const MAKERS = { truth, number, text, choice, file, list, tuple, record, map, optional, either, json, nothing };

export function field(form, schema, place, options = {}) {
  const known = form.schemas.kind(schema);
  return MAKERS[known.kind](form, schema, place, known, { id: unique("field"), ...options });
}

function truth(form, schema, place, known, { id, label }) {
  const input = h("input", { type: "checkbox", id, class: "switch", "aria-label": label, onchange: form.changed });
  return { element: input, input, value: () => input.checked, set: (value) => (input.checked = Boolean(value)) };
}

function number(form, schema, place, known, { id, required, label }) {
  const { minimum, maximum } = form.schemas.plain(schema);
  const input = h("input", { type: "text", inputmode: known.whole ? "numeric" : "decimal", id, "aria-label": label, autocomplete: "off", oninput: () => (slide && (slide.value = input.value), form.changed()) });
  const span = maximum - minimum;
  const slide = span > 0 && span < 1e6 ? h("input", { type: "range", min: minimum, max: maximum, step: known.whole ? 1 : span / 200, "aria-label": `${label ?? place}, as a slider`, oninput: () => ((input.value = slide.value), form.changed()) }) : null;
  const value = () => {
    const given = input.value.trim().replace(/_/g, "");
    if (!given) throw new Wrong(place, "A number is needed here.");
    // As it was typed: numbers of JavaScript have 53 bits.
    if (known.whole && /^[-+]?\d{16,}$/.test(given)) return JSON.rawJSON?.(given.replace(/^\+/, "")) ?? Number(given);
    const found = Number(given);
    if (!Number.isFinite(found)) {
      if (!known.whole && /^[-+]?(nan|inf(inity)?)$/i.test(given)) return given;
      throw new Wrong(place, `${given} is no number.`);
    }
    if (known.whole && !Number.isInteger(found)) throw new Wrong(place, "A whole number is needed here.");
    if (found < minimum || found > maximum) throw new Wrong(place, `It has to be from ${minimum ?? "any"} to ${maximum ?? "any"}.`);
    return found;
  };
  return {
    element: slide ? h("div", { class: "row slider" }, input, slide) : input, input, value,
    set: (given) => ((input.value = given ?? ""), slide && (slide.value = given ?? minimum)),
  };
}

const INPUTS = { date: "date", "date-time": "datetime-local", time: "time", email: "email", uri: "url" };

function text(form, schema, place, known, { id, required, label }) {
  const plain = form.schemas.plain(schema), type = INPUTS[known.format];
  const common = { id, "aria-label": label, oninput: () => (grow(), form.changed()), spellcheck: "false", maxlength: plain.maxLength, autocomplete: "off" };
  const input = type ? h("input", { ...common, type, step: known.format === "date" ? null : 1 })
    : known.format ? h("input", { ...common, type: "text" }) : h("textarea", { ...common, rows: 1 });
  const grow = () => {
    if (input.rows) input.rows = Math.min(12, Math.max(1, input.value.split("\n").length));
  };
  const value = () => {
    const given = input.value;
    if (known.format && !given) throw new Wrong(place, `A ${known.format} is needed here.`);
    if (plain.minLength > given.length) throw new Wrong(place, plain.minLength === 1 ? "Something is needed here." : `At least ${plain.minLength} letters are needed.`);
    return given;
  };
  const set = (given) => {
    input.value = known.format === "date-time" ? String(given ?? "").slice(0, 19) : (given ?? "");
    grow();
  };
  return { element: input, input, value, set };
}

function choice(form, schema, place, known, { id, label, required }) {
  const input = h("select", { id, "aria-label": label, onchange: form.changed }, known.names.map((name, i) => h("option", { value: i }, name)));
  const at = (value) => known.values.findIndex((each) => JSON.stringify(each) === JSON.stringify(value));
  return { element: input, input, value: () => known.values[Number(input.value)], set: (value) => (input.value = String(Math.max(0, at(value)))) };
}

function file(form, schema, place, known, { id, label }) {
  const about = h("span", { class: "dim small" });
  const picture = h("div", { class: "preview" });
  const input = h("input", { type: "file", id, "aria-label": label, accept: known.image ? "image/png,image/jpeg,image/webp" : null, onchange: () => {
    const chosen = input.files[0];
    fill(about, chosen ? bytes(chosen.size) : "");
    const url = chosen && known.image ? URL.createObjectURL(chosen) : null;
    fill(picture, url ? h("img", { src: url, alt: "The picture that was chosen", onload: () => URL.revokeObjectURL(url) }) : null);
    form.changed();
  } });
  return {
    element: h("div", { class: "file-field" }, h("div", { class: "row" }, input, about), picture), input, set: () => {},
    value: () => {
      if (!input.files[0]) throw new Wrong(place, "A file is needed here.");
      return input.files[0];
    },
  };
}

function json(form, schema, place, known, { id, label }) {
  const input = h("textarea", { id, "aria-label": label, rows: 2, spellcheck: "false", class: "mono", placeholder: known.type === "array" ? "[1, 2, 3]" : known.type === "object" ? '{"key": "value"}' : "JSON", oninput: form.changed });
  return {
    element: input, input, set: (value) => (input.value = value === undefined ? "" : JSON.stringify(value, null, 1)),
    value: () => {
      try {
        return JSON.parse(input.value);
      } catch (problem) {
        throw new Wrong(place, input.value.trim() ? `This is no JSON: ${problem.message}. Text has quotes: "like this".` : "Something is needed here, as JSON.");
      }
    },
  };
}

function nothing() {
  return { element: h("span", { class: "dim" }, "none"), value: () => null, set: () => {} };
}

function optional(form, schema, place, known, { id, label, required }) {
  let inner = null;
  const box = h("div", { class: "inside" });
  const input = h("input", { type: "checkbox", id, onchange: () => (show(input.checked), form.changed()) });
  const show = (on) => {
    input.checked = on;
    if (on && !inner) inner = field(form, known.inner, place, { label: label ?? place });
    fill(box, on ? inner.element : null);
  };
  return {
    element: h("div", null, h("label", { class: "check" }, input, "given (else none)"), box), input,
    group: false, value: () => (input.checked ? inner.value() : null),
    set: (value) => {
      show(value !== null && value !== undefined);
      if (value !== null && value !== undefined) inner.set(value);
    },
  };
}

function either(form, schema, place, known, { id, label }) {
  const made = known.arms.map(() => null);
  const box = h("div", { class: "inside" });
  const input = h("select", { id, "aria-label": label, onchange: () => (show(), form.changed()) }, known.arms.map((arm, i) => h("option", { value: i }, form.schemas.words(arm))));
  const show = () => {
    const at = Number(input.value);
    made[at] ??= field(form, known.arms[at], place, { label: form.schemas.words(known.arms[at]) });
    fill(box, made[at].element);
    return made[at];
  };
  show();
  return {
    element: h("div", null, input, box), input, value: () => show().value(),
    set: (value) => {
      input.value = String(Math.max(0, known.arms.findIndex((arm) => suits(form.schemas.kind(arm), value))));
      show().set(value);
    },
  };
}

const suits = (known, value) => ({
  truth: typeof value === "boolean", number: typeof value === "number", text: typeof value === "string", file: false,
  choice: known.values?.includes(value), list: Array.isArray(value), tuple: Array.isArray(value),
  record: value !== null && typeof value === "object" && !Array.isArray(value), map: value !== null && typeof value === "object",
}[known.kind] ?? false);

function record(form, schema, place, known) {
  // The order of the class is not known here, but that of what is needed: it comes first.
  const must = ([name]) => (known.required.includes(name) ? known.required.indexOf(name) : known.required.length);
  const fields = new Map(Object.entries(known.properties).sort((a, b) => must(a) - must(b)).map(([name, own]) => {
    const at = place ? `${place}.${name}` : name;
    const made = labelled(form, { name, place: at, schema: own, required: known.required.includes(name) });
    if (form.schemas.plain(own).default !== undefined) made.set(form.schemas.plain(own).default);
    return [name, made];
  }));
  const value = () => {
    const found = {}, problems = [];
    for (const [name, made] of fields) {
      try {
        found[name] = made.value();
      } catch (problem) {
        if (!(problem instanceof Wrong)) throw problem;
        if (known.required.includes(name) || touched(made)) problems.push(problem);
      }
    }
    if (problems.length) {
      problems[0].others.push(...problems.slice(1));
      throw problems[0];
    }
    return found;
  };
  return {
    group: true, element: h("div", { class: "record" }, [...fields.values()].map((made) => made.element)), value,
    set: (given) => Object.entries(given ?? {}).forEach(([name, each]) => fields.get(name)?.set(each)),
  };
}

const touched = (made) => Boolean(made.input?.value);

function tuple(form, schema, place, known) {
  const fields = known.items.map((item, i) => labelled(form, { name: `${i + 1}`, place: `${place}[${i}]`, schema: item, required: true }));
  return {
    group: true, element: h("div", { class: "record" }, fields.map((made) => made.element)), value: () => fields.map((made) => made.value()),
    set: (given) => (given ?? []).forEach((each, i) => fields[i]?.set(each)),
  };
}

function list(form, schema, place, known) {
  const rows = [], box = h("ol", { class: "items" });
  const add = h("button", { type: "button", onclick: () => (put().focus?.(), form.changed()) }, icon("plus"), "Add");
  function put(value) {
    const at = rows.length, own = field(form, known.item, `${place}[${at}]`, { label: `${place}, item ${at + 1}` });
    const wrong = h("p", { class: "wrong", hidden: true });
    const row = { own, element: h("li", null, h("div", { class: "row" }, own.element,
      h("button", { type: "button", class: "plain", "aria-label": `Remove item ${at + 1} of ${place}`, title: "Remove", onclick: () => drop(row) }, icon("close"))), wrong) };
    form.places.set(`${place}[${at}]`, { complain: (message) => ((wrong.hidden = !message), fill(wrong, message)), focus: () => own.input?.focus() });
    if (value !== undefined) own.set(value);
    else if (form.schemas.plain(known.item).default !== undefined) own.set(form.schemas.plain(known.item).default);
    rows.push(row);
    box.append(row.element);
    return own.input ?? row.element;
  }
  function drop(row) {
    const values = rows.filter((each) => each !== row).map((each) => {
      try {
        return each.own.value();
      } catch {
        return undefined;
      }
    });
    const files = values.some((value) => value instanceof File);
    if (files) { // what was chosen cannot be put into another input
      rows.splice(rows.indexOf(row), 1);
      row.element.remove();
    } else set(values);
    add.focus();
    form.changed();
  }
  function set(values) {
    rows.length = 0;
    fill(box);
    for (const value of values ?? []) put(value);
  }
  return { group: true, element: h("div", { class: "list" }, box, add), value: () => rows.map((row) => row.own.value()), set };
}

function map(form, schema, place, known) {
  const rows = [], box = h("ol", { class: "items" });
  const add = h("button", { type: "button", onclick: () => (put("").key.focus(), form.changed()) }, icon("plus"), "Add");
  function put(name, value) {
    const own = field(form, known.item, `${place}.${name}`, { label: "value" });
    const key = h("input", { type: "text", "aria-label": `Key in ${place}`, placeholder: "key", value: name, oninput: form.changed });
    const row = { key, own, element: h("li", null, h("div", { class: "row pair" }, key, own.element,
      h("button", { type: "button", class: "plain", "aria-label": "Remove", title: "Remove", onclick: () => (rows.splice(rows.indexOf(row), 1), row.element.remove(), form.changed()) }, icon("close")))) };
    if (value !== undefined) own.set(value);
    rows.push(row);
    box.append(row.element);
    return row;
  }
  const value = () => {
    const names = rows.map((row) => row.key.value);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) throw new Wrong(place, `The key ${twice || "(empty)"} is there twice.`);
    return Object.fromEntries(rows.map((row) => [row.key.value, row.own.value()]));
  };
  return {
    group: true, element: h("div", { class: "list" }, box, add), value,
    set: (given) => {
      rows.length = 0;
      fill(box);
      for (const [name, each] of Object.entries(given ?? {})) put(name, each);
    },
  };
}
