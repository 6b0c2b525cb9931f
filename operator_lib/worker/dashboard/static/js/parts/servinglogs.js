// What the replicas of a serving print.

import * as api from "../lib/api.js";
import { Logs } from "./logs.js";

export function servingLogs(manage, signal) {
  const logs = new Logs({ label: "Logs of the replicas" });
  api.follow(`${manage}/logs`, { signal, begin: () => logs.clear(), told: (event, data) => event === "log" && logs.take([JSON.parse(data)]) })
    .catch((problem) => signal.aborted || logs.take([{ t: Date.now() / 1000, stream: "stderr", text: problem.message }]));
  return logs.element;
}
