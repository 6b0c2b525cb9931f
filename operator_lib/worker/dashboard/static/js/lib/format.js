// Numbers and times for people.

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const now = () => Date.now() / 1000;
export const when = (seconds) => WHEN.format(seconds * 1000);
export const clock = (seconds) => CLOCK.format(seconds * 1000);
export const count = (number) => NUMBER.format(number);

export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "";
  if (seconds < 1e-6) return "0 s";
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
  return `${Math.floor(whole / 86400)} d`;
}

const two = (number) => String(number).padStart(2, "0");

export function ago(seconds) {
  if (!seconds) return "";
  const passed = now() - seconds;
  if (passed < -1) return `in ${duration(-passed)}`;
  if (passed < 5) return "just now";
  if (passed < 60) return `${Math.floor(passed)} s ago`;
  if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
  if (passed < 86400) return `${Math.floor(passed / 3600)} h ago`;
  if (passed < 86400 * 30) return `${Math.floor(passed / 86400)} d ago`;
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

export function bytes(number) {
  if (number < 1024) return `${number} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let at = -1;
  do {
    number /= 1024;
    at += 1;
  } while (number >= 1024 && at < units.length - 1);
  return `${number < 10 ? number.toFixed(1) : Math.round(number)} ${units[at]}`;
}

// A number with about three digits that mean something.
export function short(number) {
  const size = Math.abs(number);
  if (!Number.isFinite(number)) return String(number);
  if (size === 0) return "0";
  if (size >= 1e6 || size < 1e-3) return number.toExponential(2).replace("e+", "e");
  if (size >= 1000) return count(number);
  return String(Number(number.toPrecision(3)));
}

// How long a run took, or takes.
export const spent = (run) => (run.started ? (run.ended ?? now()) - run.started : null);

export const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
