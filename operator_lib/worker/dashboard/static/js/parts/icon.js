// Signs, drawn: 16 pixels square, in the colour of the text around.

import { s } from "../lib/dom.js";

const PATHS = {
  deployments: "M2.500 4.500 8 1.800l5.500 2.700v7L8 14.200l-5.500-2.700zM2.500 4.500 8 7.300l5.500-2.800M8 7.300v6.900",
  runs: "M2 8h2.500l2-5 3 10 2-5H14",
  schedules: "M8 2a6 6 0 1 0 .01 0zM8 4.800V8l2.300 1.600",
  secrets: "M5.500 7V5a2.500 2.500 0 0 1 5 0v2M3.500 7h9v6.500h-9zM8 9.500v1.800",
  worker: "M2.500 3h11v4.500h-11zM2.500 8.500h11V13h-11zM5 5.200h.1M5 10.700h.1M8 5.200h3M8 10.700h3",
  job: "M4 2.500h8v11H4zM6.300 5.800h3.400M6.300 8h3.400M6.300 10.200h2",
  serving: "M8 9.200a1.200 1.200 0 1 0-.01 0zM5.300 10.700a3.800 3.800 0 0 1 0-5.400M10.700 5.300a3.800 3.800 0 0 1 0 5.400M3.200 12.800a6.800 6.800 0 0 1 0-9.600M12.800 3.200a6.800 6.800 0 0 1 0 9.600",
  search: "M7 2.500a4.500 4.500 0 1 0 .01 0zM10.300 10.300l3.400 3.400",
  system: "M2.500 3h11v7.500h-11zM6 13.500h4M8 10.500v3",
  light: "M8 5a3 3 0 1 0 .01 0zM8 1.200v1.600M8 13.200v1.600M1.200 8h1.600M13.200 8h1.600M3.200 3.200l1.100 1.100M11.700 11.700l1.100 1.100M3.200 12.800l1.100-1.100M11.700 4.300l1.100-1.100",
  dark: "M13.300 9.600A5.600 5.600 0 0 1 6.400 2.700a5.600 5.600 0 1 0 6.900 6.900z",
  leave: "M6.500 2.500h-4v11h4M6 8h7.500M11 5.500 13.500 8 11 10.500",
  copy: "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
  plus: "M8 3v10M3 8h10", minus: "M3 8h10", close: "M4 4l8 8M12 4l-8 8",
  up: "M8 13V3.500M4 7.200 8 3.200l4 4", down: "M8 3v9.500M4 8.800l4 4 4-4",
  fit: "M2.500 6V2.500H6M10 2.500h3.500V6M13.500 10v3.500H10M6 13.500H2.500V10",
  fold: "M4 2.500 8 6l4-3.500M4 13.500 8 10l4 3.500", unfold: "M4 6 8 2.500 12 6M4 10l4 3.500 4-3.500",
  chevron: "M6 3.500 10.500 8 6 12.500", file: "M4 1.800h5.500l3 3v9.400H4zM9.300 1.800v3.300h3.200",
  play: "M5 3.200v9.600L12.500 8z", stop: "M4 4h8v8H4z", again: "M13 8a5 5 0 1 1-1.600-3.700M13 2.200v2.800h-2.800",
};

// A sign. It says nothing: the words stand beside it, or in the label of its button.
export const icon = (name) =>
  s("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" }, s("path", { d: PATHS[name] }));

// How a run or a node is doing, told by colour, form and word.
const SIGNS = {
  done: "M-3.2,.2 L-1,2.600 L3.200,-2.400", cached: "M-3.400,-2 H3.400 M-3.400,0 H3.400 M-3.400,2 H3.400",
  running: "M-1.600,-2.800 L2.800,0 L-1.600,2.800 Z", failed: "M-2.500,-2.500 L2.500,2.500 M2.500,-2.500 L-2.500,2.500",
  skipped: "M-3,0 H3", lost: "M-1.800,-1.600 C-1.600,-4 2.200,-3.600 1.800,-1.200 C1.600,0 0,-.1 0,1 M0,3.200 V3.300",
  pending: "M-2.600,0 H-2.500 M0,0 H.1 M2.600,0 H2.700", repeat: "M4.400,-1.800 A4.800,4.800 0 1 0 4.800,.6 M4.900,-4.800 L4.500,-1.600 L1.400,-2.200",
};
export const signOf = (status) => SIGNS[status] ?? "";

export function disc(status) {
  return s("svg", { class: `disc ${status}`, viewBox: "-8 -8 16 16", "aria-hidden": "true" },
    s("circle", { r: "7" }), s("path", { class: "sign", d: signOf(status) }));
}
