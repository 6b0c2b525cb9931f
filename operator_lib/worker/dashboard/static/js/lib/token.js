// The token of this tab. Not a cookie, which browsers hand to every port of this host; not in a URL, which is logged.
// Another tab of this worker that opens gets it from one that has it.

const KEY = "operator_lib:token";
const PATIENCE = 250;
const channel = new BroadcastChannel("operator_lib:token");

export const get = () => sessionStorage.getItem(KEY) ?? "";
export const keep = (token) => sessionStorage.setItem(KEY, token);

export function forget() {
  sessionStorage.removeItem(KEY);
}

channel.onmessage = ({ data }) => {
  if (data.ask && get()) channel.postMessage({ answer: data.ask, token: get() });
  if (data.forget) sessionStorage.removeItem(KEY);
};

// Sign out everywhere.
export function forgetAll() {
  forget();
  channel.postMessage({ forget: true });
}

// From another tab, if there is one that knows it.
export function borrowed() {
  if (get()) return Promise.resolve(get());
  return new Promise((resolve) => {
    const ask = crypto.randomUUID();
    const hear = ({ data }) => data.answer === ask && done(data.token);
    const timer = setTimeout(() => done(""), PATIENCE);
    const done = (token) => {
      clearTimeout(timer);
      channel.removeEventListener("message", hear);
      if (token) keep(token);
      resolve(token);
    };
    channel.addEventListener("message", hear);
    channel.postMessage({ ask });
  });
}
