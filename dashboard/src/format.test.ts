import { expect, test } from "vitest";
import { ago, between, bytes, duration, rate } from "./format";

test.each([
  [0, "0 s"],
  [0.00084, "840 µs"],
  [0.012, "12 ms"],
  [0.9996, "1 s"],
  [1.44, "1.4 s"],
  [59.96, "1 m"],
  [200, "3 m 20 s"],
  [7500, "2 h 5 m"],
  [86_400, "1 d"],
  [-5, "0 s"],
])("%s seconds are %s", (seconds, said) => {
  expect(duration(seconds)).toBe(said);
});

test("times before and after now", () => {
  const now = Date.parse("2026-01-01T00:00:10Z");
  expect(ago("2026-01-01T00:00:06Z", now)).toBe("4 s ago");
  expect(ago("2026-01-01T00:00:10.4Z", now)).toBe("just now");
  expect(ago("2026-01-01T02:05:10Z", now)).toBe("in 2 h 5 m");
});

test("between two times there are microseconds", () => {
  expect(between("2026-01-01T00:00:00.000900Z", "2026-01-01T00:00:00.001250Z")).toBeCloseTo(0.00035, 6);
  expect(between("2026-01-01T00:00:00Z", "2026-01-01T00:00:01.5Z")).toBe(1.5);
});

test("sizes and rates", () => {
  expect([0, 999, 1400, 10_000_000].map(bytes)).toEqual(["0 B", "999 B", "1.40 kB", "10.0 MB"]);
  expect([0, 0.25, 3.14, 42.4, 1234.5].map(rate)).toEqual(["0", "0.25", "3.1", "42", "1,235"]);
});
