// A program in JavaScript that uses servings: node client.mjs URL TOKEN
import assert from "node:assert/strict";

const [url, token] = process.argv.slice(2);
const call = (path, body, headers = {}, more = {}) =>
  fetch(`${url}/v1/servings/${path}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, ...headers },
    body,
    ...more,
  });
const json = { "Content-Type": "application/json" };

// JSON in, JSON out; errors have a type, a message and details.
assert.equal(await (await call("area", JSON.stringify({ width: 2, height: 3 }), json)).json(), 6);
const refused = await call("area", JSON.stringify({ width: "wide" }), json);
assert.equal(refused.status, 422);
assert.equal((await refused.json()).error.details[0].path, "width");

// A stream, as server-sent events.
async function* events(answer) {
  let rest = "";
  for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
    const messages = (rest + part).split("\n\n");
    rest = messages.pop();
    for (const message of messages) {
      const fields = Object.fromEntries(message.split("\n").map((line) => line.split(/: (.*)/s)));
      yield [fields.event ?? "message", JSON.parse(fields.data)];
    }
  }
}
const heard = [];
const accept = { ...json, Accept: "text/event-stream" };
for await (const event of events(await call("streams/numbers", "3", accept))) heard.push(event);
assert.deepEqual(heard, [["message", 0], ["message", 1], ["message", 2], ["end", "done"]]);

// One that is left in the middle.
const leaving = new AbortController();
const endless = await call("streams/naps", "{}", accept, { signal: leaving.signal });
assert.deepEqual((await events(endless).next()).value, ["message", 0]);
leaving.abort();

// Files in a form, bytes out.
const form = new FormData();
form.append("left", new Blob([new Uint8Array(1000)]), "a.bin");
form.append("note", "from node");
assert.deepEqual(await (await call("media/both", form)).json(), [1000, 0, "from node"]);
const bytes = await call("media/repeated", JSON.stringify({ text: "ab", count: 3 }), {
  ...json,
  Accept: "application/octet-stream",
});
assert.equal(bytes.headers.get("content-type"), "application/octet-stream");
assert.equal(Buffer.from(await bytes.arrayBuffer()).toString(), "ababab");
console.log("all well");
