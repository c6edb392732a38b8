import { expect, test } from "vitest";
import type { Job } from "../shapes/job";
import { merge } from "./merge";

const job = (id: string, status: string) => ({ id, status }) as Job;
const none = new Set<string>();

test("new jobs move no row, and what is shown is brought up to date", () => {
  const shown = [job("3", "pending"), job("2", "processing")];
  const told = merge(
    shown,
    [job("5", "pending"), job("4", "pending"), job("3", "processing")],
    (id) => id >= "3",
    none,
  );
  expect(told.rows).toEqual([job("3", "processing"), job("2", "processing")]);
  expect(told.news).toBe(2);
  expect(told.missed).toEqual(["2"]);
});

test("a job that has ended is asked for only where it should be in the list", () => {
  const shown = [job("3", "failed"), job("2", "failed"), job("1", "failed")];
  expect(merge(shown, [job("2", "failed")], (id) => id >= "2", none).missed).toEqual(["3"]);
  expect(merge(shown, [job("2", "failed")], (id) => id >= "2", new Set(["3"])).missed).toEqual([]);
});
