// Pages by the part of the address behind "#": links can be sent, and the way back works.

const listeners = [];
let going = null;

// The address as it is: parts of the path, and the query.
export function here() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  const parts = path.split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { parts, query: new URLSearchParams(query), path: "/" + parts.map(encodeURIComponent).join("/") };
}

// An address: href("jobs", name), href(["runs"], {status: "FAILED"}).
export function href(parts, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const tail = given.length ? "?" + new URLSearchParams(given) : "";
  return "#/" + parts.map(encodeURIComponent).join("/") + tail;
}

export const go = (parts, query) => (location.hash = href(parts, query));

// Note something in the address of this page, without a step of the way back.
export function note(query) {
  const { parts, query: old } = here();
  const next = href(parts, { ...Object.fromEntries(old), ...query });
  if (next !== location.hash) history.replaceState(null, "", next);
}

// `open(parts, query, signal)` shows a page; the signal is for what it does for as long as it is shown.
export function start(open) {
  let shown = null;
  const route = () => {
    const { parts, query, path } = here();
    const address = path + "?" + query;
    if (address === shown) return;
    shown = address;
    going?.abort();
    going = new AbortController();
    open(parts, query, going.signal);
  };
  window.addEventListener("hashchange", route);
  listeners.push(route);
  route();
  return () => {
    shown = null;
    route();
  };
}
