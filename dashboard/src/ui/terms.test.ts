import { expect, test } from "vitest";
import { Exact } from "../api";
import { term } from "./terms";

test.each([
  [["payload", "user", "id"], 42, "payload.user.id:42"],
  [["payload", "order.id"], "42", 'payload."order.id":"42"'],
  [["payload", "", "0"], null, 'payload."".0:null'],
  [["payload", "n"], new Exact("12345678901234567890"), "payload.n:12345678901234567890"],
  [["payload", "a"], 'say "hi"\n', 'payload.a:"say \\"hi\\"\\n"'],
])("%j that is %j", (path, value, said) => {
  expect(term(path, value)).toBe(said);
});

test("what equals nothing has no term", () => {
  expect(term(["payload", "a"], [])).toBeNull();
  expect(term(["payload", "a"], {})).toBeNull();
  expect(term(["payload", "a"], "x".repeat(1000))).toBeNull();
});
