// JSON Schemas as forms need them: references followed, choices told apart.

export class Schemas {
  constructor(defs = {}) {
    this.defs = defs;
  }

  // The schema itself, behind references; what stands beside a reference (a default) stays.
  plain(schema) {
    let found = schema ?? {};
    for (let depth = 0; found.$ref && depth < 20; depth++) {
      const { $ref, ...more } = found;
      found = { ...this.defs[$ref.split("/").pop()], ...more };
    }
    if (found.allOf?.length === 1) {
      const { allOf, ...more } = found;
      return this.plain({ ...allOf[0], ...more });
    }
    return found;
  }

  // The name of the class that a schema stands for.
  name(schema) {
    const found = this.plain(schema);
    return found.title ?? schema?.$ref?.split("/").pop() ?? "";
  }

  // What fills in a place: its kind and what the kind needs.
  kind(schema) {
    const found = this.plain(schema);
    const arms = found.anyOf ?? found.oneOf;
    if (arms) {
      const others = arms.filter((arm) => this.plain(arm).type !== "null");
      if (others.length < arms.length) return { kind: "optional", inner: others.length === 1 ? { ...others[0] } : { anyOf: others } };
      return { kind: "either", arms };
    }
    if (found.const !== undefined) return { kind: "choice", values: [found.const], names: [String(found.const)] };
    if (found.enum) return { kind: "choice", values: found.enum, names: found["x-enum-varnames"] ?? found.enum.map(shown) };
    if (found.contentEncoding === "base64") return { kind: "file", image: String(found.contentMediaType ?? "").startsWith("image/") };
    const type = Array.isArray(found.type) ? found.type[0] : found.type;
    if (type === "boolean") return { kind: "truth" };
    if (type === "integer" || type === "number") return { kind: "number", whole: type === "integer" };
    if (type === "string") return { kind: "text", format: found.format ?? "" };
    if (type === "array" && found.prefixItems) return { kind: "tuple", items: found.prefixItems };
    if (type === "array" && found.items && Object.keys(found.items).length) return { kind: "list", item: found.items, unique: Boolean(found.uniqueItems) };
    if (type === "object" && found.properties) return { kind: "record", properties: found.properties, required: found.required ?? [] };
    if (type === "object" && found.additionalProperties && typeof found.additionalProperties === "object") return { kind: "map", item: found.additionalProperties };
    if (type === "null") return { kind: "nothing" };
    return { kind: "json", type };
  }

  // A type in words, beside the name of a field.
  words(schema) {
    const found = this.plain(schema), known = this.kind(schema);
    const letters = (count) => `${count} ${count === 1 ? "letter" : "letters"}`;
    const range = [found.minimum !== undefined ? `≥ ${found.minimum}` : "", found.exclusiveMinimum !== undefined ? `> ${found.exclusiveMinimum}` : "",
      found.maximum !== undefined ? `≤ ${found.maximum}` : "", found.exclusiveMaximum !== undefined ? `< ${found.exclusiveMaximum}` : "",
      found.multipleOf !== undefined ? `steps of ${found.multipleOf}` : "", found.minLength !== undefined ? `at least ${letters(found.minLength)}` : "",
      found.maxLength !== undefined ? `at most ${letters(found.maxLength)}` : "", found.minItems !== undefined && !found.prefixItems ? `at least ${found.minItems}` : "",
      found.maxItems !== undefined && !found.prefixItems ? `at most ${found.maxItems}` : "", found.pattern ? `like ${found.pattern}` : ""].filter(Boolean).join(", ");
    const name = {
      optional: () => `${this.words(known.inner)} or none`, either: () => known.arms.map((arm) => this.words(arm)).join(" or "),
      choice: () => this.plain(schema).title ?? "choice", file: () => (known.image ? "image" : "file"), truth: () => "yes or no",
      number: () => (known.whole ? "whole number" : "number"), text: () => known.format || "text", tuple: () => "tuple",
      list: () => `list of ${this.words(known.item)}`, record: () => this.name(schema) || "object", map: () => "dictionary", nothing: () => "none",
      json: () => known.type ?? "anything, as JSON",
    }[known.kind]();
    return range ? `${name}, ${range}` : name;
  }
}

const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));

// Help for each argument from a docstring: Google, NumPy and Sphinx styles.
export function help(doc) {
  const found = {}, lines = (doc ?? "").split("\n");
  for (const line of lines) {
    const sphinx = /^\s*:param\s+(?:[\w.[\], |]+\s+)?(\w+):\s*(.*)$/.exec(line);
    if (sphinx) found[sphinx[1]] = sphinx[2];
  }
  const start = lines.findIndex((line) => /^\s*(Args|Arguments|Parameters)\s*:?\s*$/.test(line));
  if (start < 0) return found;
  const numpy = /^\s*-{3,}\s*$/.test(lines[start + 1] ?? "");
  let name = null;
  for (const line of lines.slice(start + (numpy ? 2 : 1))) {
    if (/^\S.*:\s*$/.test(line) || (numpy && /^\s*(Returns|Raises|Notes|Examples)\s*$/.test(line))) break;
    const entry = numpy ? /^(\w[\w, ]*)\s*(?::.*)?$/.exec(line) : /^\s+(\w[\w, *]*?)\s*(?:\([^)]*\))?:\s*(.*)$/.exec(line);
    if (entry) {
      name = entry[1].replaceAll("*", "").split(/\s*,\s*/);
      for (const each of name) found[each] = entry[2] ?? "";
    } else if (name && line.trim()) for (const each of name) found[each] = `${found[each]} ${line.trim()}`.trim();
  }
  return found;
}

// A docstring without what is said of arguments.
export const summary = (doc) => (doc ?? "").split(/\n\s*(?:Args|Arguments|Parameters|Returns|Raises)\s*:?\s*\n/)[0].trim();
