// Pictures that come as base64 text or as bytes.

import { h } from "../lib/dom.js";
import { bytes } from "../lib/format.js";
import { saveButton } from "./view.js";

const BEGINNINGS = [["iVBORw0KGgo", "image/png"], ["/9j/", "image/jpeg"], ["R0lGOD", "image/gif"], ["UklGR", "image/webp"]];

// A blob where a value is a picture, else null. Only formats that hold pixels: an SVG may hold scripts.
export function imageOf(value, schema = {}) {
  if (typeof value !== "string" || value.length < 40) return null;
  const found = BEGINNINGS.find(([start]) => value.startsWith(start));
  const said = String(schema.contentMediaType ?? "");
  const kind = found?.[1] ?? (said.startsWith("image/") && said !== "image/svg+xml" ? said : null);
  if (!kind || !/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(value.slice(0, 4000)) ) return null;
  try {
    return new Blob([Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0))], { type: kind });
  } catch {
    return null;
  }
}

export function imageView(blob, name) {
  const url = URL.createObjectURL(blob);
  const about = h("span", { class: "dim small" }, `${blob.type}, ${bytes(blob.size)}`);
  const image = h("img", { src: url, alt: `The picture ${name}`, onload: () => {
    about.textContent = `${image.naturalWidth} × ${image.naturalHeight}, ${blob.type}, ${bytes(blob.size)}`;
    URL.revokeObjectURL(url);
  } });
  return h("figure", { class: "picture" }, image, h("figcaption", { class: "row" }, about, saveButton(() => blob, `${name}.${blob.type.split("/")[1]}`, "Save picture")));
}
