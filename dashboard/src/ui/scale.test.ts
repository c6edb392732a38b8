import { beforeAll, expect, test, vi } from "vitest";
import { scaleOf, timesOf } from "./scale";

let chart: typeof import("./chart");

beforeAll(async () => {
  vi.stubGlobal("document", { visibilityState: "visible", addEventListener: () => {} });
  chart = await import("./chart");
});

test.each([
  [
    [0, 3, 7],
    [0, 2, 4, 6],
  ],
  [[130], [0, 50, 100]],
  [[0.0042], [0, 0.002, 0.004]],
  [[1], [0, 0.25, 0.5, 0.75, 1]],
  [[null, 0], [0]],
  [[], [0]],
])("the marks for %j are %j", (values, ticks) => {
  expect(scaleOf([values]).ticks).toEqual(ticks);
});

test.each([
  [0.004, [0, 0.001, 0.002, 0.003, 0.004]],
  [70, [0, 30, 60]],
  [750, [0, 300, 600]],
  [3 * 86_400, [0, 1, 2, 3].map((days) => days * 86_400)],
])("the marks for %j seconds are %j", (most, ticks) => {
  expect(scaleOf([[most]], true).ticks).toEqual(ticks);
});

test("the largest value has room above it", () => {
  expect(scaleOf([[10], [200]]).top).toBeGreaterThan(200);
});

test("an hour has a mark each fifteen minutes", () => {
  const from = Date.parse("2026-01-01T10:07:00Z") / 1000;
  const times = timesOf(from, from + 3600).map(([at]) => new Date(at * 1000).getMinutes());
  expect(times).toEqual([15, 30, 45, 0]);
});

test("a line has gaps where nothing is known, and a single point is drawn", () => {
  const points = [[0, 1], [10, 2], null, [20, 3], null, null, [30, 4], [40, 5]] as const;
  expect(chart.path(points, false)).toBe("M0.0,1.0L10.0,2.0M20.0,3.0M30.0,4.0L40.0,5.0");
  expect(chart.lone(points)).toBe("M20.0,3.0h0");
  expect(
    chart.path(
      [
        [0, 1],
        [10, 2],
      ],
      true,
    ),
  ).toBe("M0.0,1.0L10.0,2.0V100H0.0Z");
});
