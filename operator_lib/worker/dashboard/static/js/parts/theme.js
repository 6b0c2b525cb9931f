// Light, dark, or as the system has it.

import { h, fill } from "../lib/dom.js";
import { icon } from "./icon.js";

const KEY = "operator_lib:theme";
const ORDER = ["system", "light", "dark"];

const theme = () => localStorage.getItem(KEY) ?? "system";

function apply(name = theme()) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}

// The next one, from now on.
function turn() {
  const next = ORDER[(ORDER.indexOf(theme()) + 1) % ORDER.length];
  localStorage.setItem(KEY, next);
  apply(next);
  return next;
}

// A button that turns to the next one.
export function themeButton() {
  const button = h("button", { type: "button", class: "plain", onclick: () => shown(turn()) });
  const shown = (name) => {
    button.setAttribute("aria-label", `Theme: ${name}. Change it`);
    button.title = `Theme: ${name}`;
    fill(button, icon(name));
  };
  shown(theme());
  return button;
}

apply();
