// Light, dark, or as the system has it.

const KEY = "operator_lib:theme";
const ORDER = ["system", "light", "dark"];

export const theme = () => localStorage.getItem(KEY) ?? "system";

export function apply(name = theme()) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}

// The next one, from now on.
export function turn() {
  const next = ORDER[(ORDER.indexOf(theme()) + 1) % ORDER.length];
  localStorage.setItem(KEY, next);
  apply(next);
  return next;
}
