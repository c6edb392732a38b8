import { expect, test } from "vitest";
import { culprit, takeApart } from "./frames";

const TRACEBACK = `Traceback (most recent call last):
  File "/srv/app/mail.py", line 12, in send
    deliver(to)
    ~~~~~~~^^^^
  File "/srv/.venv/lib/python3.12/site-packages/smtp.py", line 3, in deliver
    raise OSError("no")
OSError: no

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "C:\\app\\jobs.py", line 7, in work
    again()
  [Previous line repeated 3 more times]
  File "<frozen importlib._bootstrap>", line 1, in load
ValueError: bad
and more`;

test("frames, and what stands between them", () => {
  const parts = takeApart(TRACEBACK);
  expect(parts.map((part) => (typeof part === "string" ? part.split("\n")[0] : [part.place, part.name, part.own]))).toEqual([
    "Traceback (most recent call last):",
    ["mail.py:12", "send", true],
    ["smtp.py:3", "deliver", false],
    "OSError: no",
    ["jobs.py:7", "work", true],
    ["<frozen importlib._bootstrap>:1", "load", false],
    "ValueError: bad",
  ]);
  expect(parts.map((part) => (typeof part === "string" ? part : part.text)).join("\n")).toBe(TRACEBACK);
});

test("the culprit is the innermost frame that the user wrote", () => {
  expect(culprit(takeApart(TRACEBACK))?.place).toBe("jobs.py:7");
  expect(culprit(takeApart("Nothing is known."))).toBeUndefined();
});

test("a group of exceptions", () => {
  const parts = takeApart('  + Exception Group Traceback (most recent call last):\n  |   File "/srv/a.py", line 1, in f\n  |     g()\n  | ExceptionGroup: two (2 sub-exceptions)');
  expect(parts.map((part) => (typeof part === "string" ? part : part.text))).toHaveLength(3);
});
