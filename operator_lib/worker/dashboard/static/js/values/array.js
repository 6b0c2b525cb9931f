// Arrays of numbers: one dimension as a line, two as a map of heat, three as a picture.

import { h, s } from "../lib/dom.js";
import { short } from "../lib/format.js";
import { between } from "../charts/scale.js";

const TITLES = { 1: "Plot", 2: "Heat map", 3: "Pixels" };

// { shape, data, title } of nested lists of numbers without holes; null for anything else.
export function arrayOf(value) {
  if (!Array.isArray(value) || value.length < 2) return null;
  const shape = [];
  for (let at = value; Array.isArray(at); at = at[0]) shape.push(at.length);
  if (shape.length > 3 || shape.includes(0)) return null;
  if (shape.length === 3 && ![3, 4].includes(shape[2])) return null;
  const data = value.flat(shape.length - 1);
  const size = shape.reduce((a, b) => a * b, 1);
  if (data.length !== size || size > 4_000_000) return null;
  if (!data.every((each) => typeof each === "number" || each === null)) return null;
  if (shape.length > 1 && !even(value, shape)) return null;
  return { shape, data, title: TITLES[shape.length] };
}

const even = (value, shape) => value.every((row) => Array.isArray(row) && row.length === shape[1] && (shape.length < 3 || row.every((cell) => Array.isArray(cell) && cell.length === shape[2])));

export function arrayView({ shape, data }) {
  const known = data.filter((each) => each !== null);
  let low = Infinity, high = -Infinity, sum = 0;
  for (const each of known) (low = Math.min(low, each)), (high = Math.max(high, each)), (sum += each);
  const facts = h("p", { class: "dim small" }, `shape (${shape.join(", ")}) · min ${short(low)} · mean ${short(sum / known.length)} · max ${short(high)}`);
  const drawn = shape.length === 1 ? line(data, low, high) : shape.length === 2 ? heat(data, shape, low, high) : pixels(data, shape, high);
  return h("div", { class: "array" }, drawn, facts);
}

const WIDTH = 640, HEIGHT = 240, LEFT = 52, BOTTOM = 22;

function line(data, low, high) {
  if (low === high) (low -= 0.5), (high += 0.5);
  const x = (i) => LEFT + (i / Math.max(1, data.length - 1)) * (WIDTH - LEFT - 8);
  const y = (value) => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - BOTTOM - 10);
  let path = "", drawing = false;
  // Of many values each pixel shows the lowest and the highest: no peak is lost.
  for (const [i, value] of thinned(data, WIDTH - LEFT)) {
    if (value === null) drawing = false;
    else (path += `${drawing ? "L" : "M"}${x(i).toFixed(1)},${y(value).toFixed(1)}`), (drawing = true);
  }
  return s("svg", { class: "plot wide", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${data.length} values from ${short(low)} to ${short(high)}` },
    between(low, high, 4).map((at) => [s("line", { class: "grid", x1: LEFT, x2: WIDTH - 8, y1: y(at), y2: y(at) }), s("text", { x: LEFT - 6, y: y(at) + 3.5, "text-anchor": "end" }, short(at))]),
    between(0, data.length - 1, 6).filter(Number.isInteger).map((at) => s("text", { x: x(at), y: HEIGHT - 5, "text-anchor": "middle" }, at)),
    s("path", { class: "curve k0", d: path || "M0,0" }));
}

function thinned(data, pixels) {
  if (data.length <= pixels * 2) return [...data.entries()];
  const found = [], step = data.length / pixels;
  for (let at = 0; at < pixels; at++) {
    let least = null, most = null;
    for (let i = Math.floor(at * step); i < Math.min(data.length, Math.floor((at + 1) * step)); i++) {
      if (data[i] === null) continue;
      if (least === null || data[i] < data[least]) least = i;
      if (most === null || data[i] > data[most]) most = i;
    }
    if (least !== null) found.push(...[...new Set([least, most])].sort((a, b) => a - b).map((i) => [i, data[i]]));
  }
  return found;
}

// From dark blue over green to yellow, lighter the more: told apart without seeing red or green.
const COLOURS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

function colour(share) {
  const at = Math.min(0.9999, Math.max(0, share)) * (COLOURS.length - 1), i = Math.floor(at), part = at - i;
  return COLOURS[i].map((low, k) => low + (COLOURS[i + 1][k] - low) * part);
}

function heat(data, [rows, columns], low, high) {
  return canvas(rows, columns, (pixel, i) => {
    if (data[i] === null) return [0, 0, 0, 0];
    return [...colour(high > low ? (data[i] - low) / (high - low) : 0.5), 255];
  }, `Heat map of ${rows} by ${columns} values`);
}

function pixels(data, [rows, columns, channels], high) {
  const factor = high <= 1 ? 255 : 1;
  return canvas(rows, columns, (pixel, i) => {
    const at = i * channels;
    return [data[at] * factor, data[at + 1] * factor, data[at + 2] * factor, channels === 4 ? data[at + 3] * factor : 255];
  }, `Picture of ${columns} by ${rows} pixels`);
}

function canvas(rows, columns, at, label) {
  const element = h("canvas", { width: columns, height: rows, class: "pixels", role: "img", "aria-label": label });
  const context = element.getContext("2d"), image = context.createImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) image.data.set(at(null, i), i * 4);
  context.putImageData(image, 0, 0);
  const scale = Math.max(1, Math.min(16, Math.floor(480 / Math.max(rows, columns))));
  element.style.setProperty("width", `${columns * scale}px`);
  return element;
}
