import { expect, test } from "vitest";
import type { Attempt, Job } from "../shapes/job";
import { rowsOf, scaled } from "./timeline";

const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const JOB = { status: "completed", created_at: at(0), run_at: at(0), started_at: null } as Job;
const run = (what: Attempt["what"], status: Attempt["status"], from: number | null, to: number) =>
  ({ what, status, started_at: from === null ? null : at(from), finished_at: at(to) }) as Attempt;
const said = (job: Job, attempts: Attempt[], now = 0) =>
  rowsOf(job, attempts, now * 1000).map((row) =>
    row.bars.map((bar) => `${bar.name} ${bar.from / 1000}-${bar.to / 1000} ${bar.status}`),
  );

test("wait, run, backoff, run", () => {
  expect(said(JOB, [run("failed", "scheduled", 1, 3), run("done", "completed", 13, 14)])).toEqual([
    ["Wait 0-1 pending", "Run 1-3 failed"],
    ["Backoff 3-13 scheduled", "Run 13-14 completed"],
  ]);
});

test("what was to run later was scheduled first", () => {
  expect(said({ ...JOB, run_at: at(10) }, [run("done", "completed", 12, 13)])).toEqual([
    ["Scheduled 0-10 scheduled", "Wait 10-12 pending", "Run 12-13 completed"],
  ]);
});

test("a cancel while it waited, and a retry, are no runs", () => {
  expect(
    said(JOB, [
      run("cancelled", "cancelled", null, 5),
      run("retried", "pending", null, 8),
      run("done", "completed", 9, 10),
    ]),
  ).toEqual([["Wait 0-5 pending"], ["Rest 5-8 cancelled"], ["Wait 8-9 pending", "Run 9-10 completed"]]);
});

test("what is under way lasts until now, a backoff until it is over", () => {
  expect(said({ ...JOB, status: "processing", started_at: at(2) }, [], 5)).toEqual([
    ["Wait 0-2 pending", "Run 2-5 processing"],
  ]);
  expect(said({ ...JOB, status: "waiting" }, [], 5)).toEqual([["Wait 0-5 waiting"]]);
  expect(said({ ...JOB, status: "scheduled", run_at: at(60) }, [run("failed", "scheduled", 0, 3)], 5)[1]).toEqual([
    "Backoff 3-60 scheduled",
  ]);
});

test("bars are next to one another and fill the whole", () => {
  const near = scaled(rowsOf(JOB, [run("done", "completed", 1, 4)], 0));
  expect(near).toEqual({
    bars: [
      [
        { left: 0, width: 25 },
        { left: 25, width: 75 },
      ],
    ],
    squeezed: false,
  });
  const far = scaled(rowsOf(JOB, [run("done", "completed", 4000, 4001)], 0));
  expect(far.squeezed).toBe(true);
  expect(far.bars[0]?.[1]?.width).toBeGreaterThan(5);
  expect(far.bars[0]?.reduce((sum, bar) => sum + bar.width, 0)).toBeCloseTo(100);
  expect(scaled(rowsOf(JOB, [run("done", "completed", 1, 4000)], 0)).squeezed).toBe(false);
  expect(scaled([])).toEqual({ bars: [], squeezed: false });
});
