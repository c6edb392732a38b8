import { beforeAll, expect, test, vi } from "vitest";

let its: typeof import("./terms");

beforeAll(async () => {
  vi.stubGlobal("document", { addEventListener: () => {}, visibilityState: "hidden" });
  vi.stubGlobal("location", { hash: "" });
  vi.stubGlobal("addEventListener", () => {});
  vi.useFakeTimers(); // the clock's
  its = await import("./terms");
});

test.each([
  ["", "type", "mail", "type:mail"],
  ["queue:a", "type", "mail", "queue:a type:mail"],
  ["type:mail queue:a", "type", "mail", "queue:a"],
  ["", "tag", 'say "hi", you', 'tag:"say \\"hi\\", you"'],
  ['tag:"a b" queue:x', "tag", "a b", "queue:x"],
])("%s with or without %s %s", (text, field, value, said) => {
  expect(its.toggled(text, field, value)).toBe(said);
});

test.each([
  ["status:failed", "failed", ""],
  ["type:a status:failed tag:b", "failed", "type:a tag:b"],
  ["status:failed,cancelled", null, "status:failed,cancelled"],
  ["status:failed -status:failed", null, "status:failed -status:failed"],
  ["-status:failed", null, "-status:failed"],
  ["status:faild", null, "status:faild"],
])("the status that %s says", (text, status, rest) => {
  expect(its.parted(text)).toEqual([status, rest]);
});

const known = { type: ["mail.send", "mail.digest", "report"], queue: ["a queue"] };

test.each([
  ["", ["status:", "type:", "queue:", "tag:", "error:", "group:", "payload.", "created:", "finished:"], 0],
  ["ty", ["type:"], 0],
  ["type:mail.send -sta", ["status:"], 16],
  ["type:mai", ["mail.send", "mail.digest"], 5],
  ["type:mail.send,rep", ["report"], 15],
  ["-status:fai", ["failed"], 8],
  ["status:failed", [], 7],
  ["queue:", ['"a queue"'], 6],
  ["tag:x", [], 4],
  ["payload.a:1", [], 0],
])("what may be meant by %s", (text, options, from) => {
  const found = its.complete(text, text.length, known);
  expect(found.options.map((each) => each.text)).toEqual(options);
  if (options.length) expect(found.from).toBe(from);
});
