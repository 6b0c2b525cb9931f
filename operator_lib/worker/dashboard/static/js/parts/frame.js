// What is around every page: where one can go, search, theme, leaving.

import { h, fill } from "../lib/dom.js";
import { href } from "../lib/router.js";
import { icon } from "./icon.js";
import { leaveButton } from "./login.js";
import { search } from "./search.js";
import { themeButton } from "./theme.js";

const PLACES = [
  ["deployments", "Deployments", ["", "jobs", "servings", "compare"]],
  ["runs", "Runs", ["runs"]],
  ["schedules", "Schedules", ["schedules"]],
  ["secrets", "Secrets", ["secrets"]],
  ["worker", "Worker", ["worker"]],
];

// Draws it into `root`. `tell(parts)`: which page is shown now.
export function frame(root, leave) {
  const main = h("main", { id: "main", tabindex: "-1" });
  const links = PLACES.map(([name, title, parts]) => ({
    parts, link: h("a", { href: href(name === "deployments" ? [] : [name]) }, icon(name), h("span", null, title)),
  }));
  fill(root,
    h("header", { class: "top" },
      h("a", { class: "brand", href: "#/" }, "operator_lib"),
      h("nav", { "aria-label": "Places" }, links.map((each) => each.link)),
      search(),
      h("div", { class: "row tools" }, themeButton(), leaveButton(leave))),
    main);
  const tell = (parts) => {
    for (const { parts: known, link } of links) {
      if (!known.includes(parts[0] ?? "")) link.removeAttribute("aria-current");
      else {
        link.setAttribute("aria-current", "page");
        link.scrollIntoView({ inline: "nearest", block: "nearest" }); // a phone shows some of them
      }
    }
  };
  return { main, tell };
}
