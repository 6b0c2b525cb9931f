// Elements from data. Text only ever becomes text: there is no way in here from a string to markup.

const SVG = "http://www.w3.org/2000/svg";
// Set as properties, because their attributes mean only the initial value.
const LIVE = new Set(["value", "checked", "disabled", "hidden", "open", "selected", "multiple", "indeterminate", "inert"]);

// An HTML element. `properties`: attributes; on<event>: a listener; style: an object; false, null, undefined: left out.
export const h = (tag, properties, ...children) => made(document.createElement(tag), properties, children);

// The same for SVG.
export const s = (tag, properties, ...children) => made(document.createElementNS(SVG, tag), properties, children);

function made(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) set(element, name, value);
  element.append(...flat(children));
  return element;
}

export function set(element, name, value) {
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "style") for (const [key, each] of Object.entries(value)) element.style.setProperty(key, each);
  else if (LIVE.has(name) && !(element instanceof SVGElement)) element[name] = value ?? "";
  else if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

const flat = (children) => children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false);

// Replace what is in an element.
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

// Keep the children of `parent` in step with `items`: those whose key stays keep their element, and with it the focus.
export function keyed(parent, items, keyOf, make, update) {
  const old = (parent.keyed ??= new Map());
  const now = new Map();
  let at = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let element = old.get(key);
    if (!element) element = make(item);
    update?.(element, item);
    now.set(key, element);
    if (element === at) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
  for (const [key, element] of old) if (!now.has(key)) element.remove();
  parent.keyed = now;
}

// A link that leads outside: only to web addresses, which learn nothing of this page.
export function outside(url, ...children) {
  let target;
  try {
    target = new URL(url);
  } catch {
    return h("span", null, ...children);
  }
  if (target.protocol !== "http:" && target.protocol !== "https:") return h("span", null, ...children);
  return h("a", { href: target.href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

let last = 0;
// An id that no other element has.
export const unique = (prefix = "id") => `${prefix}-${++last}`;
