// The same call in Python and for curl.

import { Schemas } from "./schema.js";

const shell = (text) => "'" + String(text).replaceAll("'", "'\\''") + "'";

// Values as Python writes them; classes by their names, collected in `uses`.
export function python(value, schema, schemas, uses) {
  const known = schemas.kind(schema ?? {});
  if (known.kind === "optional" && value !== null) return python(value, known.inner, schemas, uses);
  if (value instanceof File) {
    if (known.image) uses.add("import PIL.Image");
    return known.image ? `PIL.Image.open(${text(value.name)})` : `open(${text(value.name)}, "rb").read()`;
  }
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") {
    const moment = { date: "date", "date-time": "datetime", time: "time" }[known.format];
    if (moment) uses.add("import datetime");
    if (moment) return `datetime.${moment}.fromisoformat(${text(value)})`;
    return text(value);
  }
  if (Array.isArray(value)) {
    const inner = value.map((each, i) => python(each, known.items?.[i] ?? known.item, schemas, uses)).join(", ");
    return known.kind === "tuple" ? `(${inner}${value.length === 1 ? "," : ""})` : `[${inner}]`;
  }
  if (JSON.isRawJSON?.(value)) return value.rawJSON;
  if (typeof value === "object") {
    const name = known.kind === "record" ? schemas.name(schema) : "";
    if (/^[A-Za-z_]\w*$/.test(name)) {
      uses.add(`# ${name}: from your code`);
      return `${name}(${Object.entries(value).map(([key, each]) => `${key}=${python(each, known.properties[key], schemas, uses)}`).join(", ")})`;
    }
    return `{${Object.entries(value).map(([key, each]) => `${text(key)}: ${python(each, known.item, schemas, uses)}`).join(", ")}}`;
  }
  return String(value);
}

const text = (value) => JSON.stringify(value);

// `kind`, `name`, `method` (name), `form` (ArgumentsForm), `streams`; answers Python text.
export function pythonCall({ kind, name, method, form, streams }) {
  const { values, files } = form.peek(), uses = new Set();
  const schemas = form.schemas ?? new Schemas();
  const given = { ...values, ...files };
  const args = [...form.params.values()].filter((param) => param.name in given)
    .map((param) => (param.kind === "positional_only" ? "" : `${param.name}=`) + python(given[param.name], form.fields.get(param.name)?.schema, schemas, uses));
  for (const key of Object.keys(given)) if (!form.params.has(key)) args.push(`${key}=${python(given[key], {}, schemas, uses)}`);
  const handle = kind === "job"
    ? `job = Operator.from_job(${text(name)}, address=${text(location.origin)}, token=os.environ["TOKEN"])`
    : `serving = Operator.from_serving(${text(`${location.origin}/v1/servings/${name}/`)}, os.environ["TOKEN"])`;
  const call = `${kind === "job" ? "job" : "serving"}${method ? `.${method}` : ""}(${args.join(", ")})`;
  const imports = [...uses].filter((each) => each.startsWith("import")), notes = [...uses].filter((each) => each.startsWith("#"));
  return [["import os", ...imports].join("\n"), "", "from operator_lib import Operator", ...notes, "", handle,
    streams ? `for item in ${call}:\n    print(item)` : `print(${call})`].join("\n");
}

// The same for a shell. Files go as a form where they are arguments of a serving.
export function curlCall({ kind, url, form, streams }) {
  const { values, files } = form.peek();
  const names = Object.keys(files);
  const parts = [`curl ${streams ? "-N " : ""}${shell(location.origin + url + (kind === "job" ? "?wait=true" : ""))}`, '-H "Authorization: Bearer $TOKEN"'];
  if (names.length && kind === "serving") {
    parts.push(...Object.entries(values).map(([key, value]) => `-F ${shell(`${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)}`));
    parts.push(...names.map((key) => `-F ${shell(`${key}=@${files[key].name}`)}`));
    return parts.join(" \\\n  ");
  }
  parts.push('-H "Content-Type: application/json"');
  const body = shell(JSON.stringify({ ...values, ...Object.fromEntries(names.map((key) => [key, `\0${key}`])) }, (key, value) => (value instanceof File ? `\0${value.name}` : value)));
  // Files become base64 by a command in place.
  parts.push("-d " + body.replace(/\\u0000([^"]*)/g, (_, key) => `'"$(base64 -w0 < ${shell(files[key]?.name ?? key)})"'`));
  return parts.join(" \\\n  ");
}
