// The token of this tab. Not a cookie, which browsers hand to every port of this host; not in a URL, which is logged.
// Another tab of this worker that opens gets it from one that has it.

import { random } from "./random.js";

const WORKER = "operator_lib:token";
const PATIENCE = 250;
const channel = new BroadcastChannel(WORKER);
let key = WORKER;

// The page of one serving: its token is no other's. That of the worker, which opens everything, does as well.
export const useFor = (serving) => (key = `${WORKER}:${serving}`);

export const get = () => sessionStorage.getItem(key) ?? "";
export const keep = (token) => sessionStorage.setItem(key, token);

export function forget() {
  sessionStorage.removeItem(key);
}

channel.onmessage = ({ data }) => {
  if (data.ask && (key === WORKER || key === data.key) && get()) channel.postMessage({ answer: data.ask, token: get() });
  if (data.forget === WORKER || data.forget === key) forget();
};

// Sign out in all tabs.
export function forgetAll() {
  forget();
  channel.postMessage({ forget: key });
}

// That of this tab, or from another one that knows it.
export function borrowed() {
  const had = get() || sessionStorage.getItem(WORKER);
  if (had) {
    keep(had);
    return Promise.resolve(had);
  }
  return new Promise((resolve) => {
    const ask = random();
    const hear = ({ data }) => data.answer === ask && done(data.token);
    const timer = setTimeout(() => done(""), PATIENCE);
    const done = (token) => {
      clearTimeout(timer);
      channel.removeEventListener("message", hear);
      if (token) keep(token);
      resolve(token);
    };
    channel.addEventListener("message", hear);
    channel.postMessage({ ask, key });
  });
}
