// The state of a run, of a node, of a deployment: sign and word.

import { h } from "../lib/dom.js";
import { disc } from "./icon.js";

// The states of runs, in the words and colours of nodes.
export const NODE_STATUS = {
  PENDING: "pending", RUNNING: "running", COMPLETED: "done", FAILED: "failed", TIMEOUT: "failed", CANCELLED: "skipped",
};
export const WORDS = {
  PENDING: "waiting", RUNNING: "running", COMPLETED: "completed", FAILED: "failed", TIMEOUT: "timed out",
  CANCELLED: "cancelled",
};
export const TERMINAL = new Set(["COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"]);
const HEALTH = { ready: "done", starting: "running", degraded: "failed", failed: "failed", draining: "skipped", building: "running" };

export const runStatus = (status) =>
  h("span", { class: "status", "data-status": status }, disc(NODE_STATUS[status] ?? "pending"), WORDS[status] ?? status);

export const health = (status) =>
  h("span", { class: "status", "data-status": status }, disc(HEALTH[status] ?? "pending"), status);
