// The worker's HTTP interface: JSON, with the token in a header.

import * as token from "./token.js";

export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message || `the worker answered ${status}`);
    this.status = status;
    this.type = error?.type ?? "";
    this.details = error?.details ?? null;
  }
}

const refused = new EventTarget();
// Called when the worker does not know the token (any more).
export const onRefused = (listener) => refused.addEventListener("refused", listener);

// A path, made of parts that may hold anything.
export const path = (...parts) => "/" + parts.map(encodeURIComponent).join("/");

// A query, without what is not given.
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? "?" + new URLSearchParams(given) : "";
}

const away = (problem) => {
  if (problem instanceof TypeError) throw new ApiError(503, { message: "The worker does not answer: it has stopped, or is starting again." });
  throw problem;
};

// A response that is no error. Raises ApiError.
export async function send(url, { method = "GET", headers = {}, body, signal } = {}) {
  const answer = await fetch(url, {
    method, body, signal, headers: { Authorization: `Bearer ${token.get()}`, ...headers },
    credentials: "omit", cache: "no-store", redirect: "error", referrerPolicy: "no-referrer",
  }).catch(away);
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null);
  if (answer.status === 401) refused.dispatchEvent(new Event("refused"));
  throw new ApiError(answer.status, said?.error);
}

export const get = async (url, signal) => (await send(url, { signal })).json();

export async function post(url, value, { headers = {}, signal } = {}) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  const answer = await send(url, { method: "POST", body, signal, headers: { ...type, ...headers } });
  return answer.status === 204 ? null : answer.json();
}

export const remove = async (url) => {
  const answer = await send(url, { method: "DELETE" });
  return answer.status === 204 ? null : answer.json();
};

// Read server-sent events of a response: `told(event, data)` for each, data as text.
export async function messages(answer, told) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = "", part; !(part = await reader.read()).done; ) {
    const found = (rest + part.value).split("\n\n");
    rest = found.pop();
    for (const message of found) {
      let event = "message";
      const data = [];
      for (const line of message.split("\n")) {
        if (line.startsWith("event: ")) event = line.slice(7);
        else if (line.startsWith("data: ")) data.push(line.slice(6));
      }
      if (data.length) told(event, data.join("\n"));
    }
  }
}

const WAITS = [500, 1000, 2000, 5000];

// Follow a stream of events until it has said `end`; when the connection breaks, begin again: `begin()` is told.
// `state(word)`: "open", "waiting" or "ended". While nobody looks at the page the connection is given back.
export async function follow(url, { begin, told, state, signal }) {
  for (let failed = 0; !signal.aborted; ) {
    const looking = new AbortController();
    const hide = () => document.hidden && looking.abort();
    const stop = () => looking.abort();
    let ended = false;
    document.addEventListener("visibilitychange", hide);
    signal.addEventListener("abort", stop);
    try {
      const answer = await send(url, { signal: looking.signal });
      begin();
      state?.("open");
      failed = 0;
      await messages(answer, (event, data) => {
        if (event === "end") ended = true;
        else told(event, data);
      });
    } catch (problem) {
      if (problem instanceof ApiError && problem.status < 500) throw problem;
    } finally {
      document.removeEventListener("visibilitychange", hide);
      signal.removeEventListener("abort", stop);
    }
    if (ended) return state?.("ended");
    if (signal.aborted) return;
    if (document.hidden) await shown(signal);
    else {
      state?.("waiting");
      await pause(WAITS[Math.min(failed++, WAITS.length - 1)], signal);
    }
  }
}

function shown(signal) {
  return new Promise((resolve) => {
    const look = () => (!document.hidden || signal.aborted) && (document.removeEventListener("visibilitychange", look), resolve());
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
  });
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()));
  });
}
