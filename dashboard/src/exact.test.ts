import { expect, test } from "vitest";
import { parse } from "./api";

test("a member called __proto__ is a member", () => {
  const said = parse('{"__proto__": {"x": 1}}') as object;
  expect(Object.keys(said)).toEqual(["__proto__"]);
  expect(({} as { x?: number }).x).toBeUndefined();
});
