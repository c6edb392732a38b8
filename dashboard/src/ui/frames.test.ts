import { expect, test } from "vitest";
import { takeApart } from "./frames";

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
  File "C:\\app\\more.py", line 8, in again
  File "<frozen importlib._bootstrap>", line 1, in load
ValueError: bad
and more`;

test("frames, and what stands between them", () => {
  const { pieces, culprit } = takeApart(TRACEBACK);
  expect(pieces.map(({ text, frames, own }) => [text.split("\n").length, frames, own])).toEqual([
    [1, 0, false],
    [3, 1, true],
    [2, 1, false],
    [5, 0, false],
    [4, 2, true],
    [1, 1, false],
    [2, 0, false],
  ]);
  expect(pieces.map(({ text }) => text).join("\n")).toBe(TRACEBACK);
  expect(culprit).toBe("again at more.py:8");
});

test("where nothing is the user's, nobody is the culprit", () => {
  expect(takeApart("Nothing is known.")).toEqual({
    pieces: [{ text: "Nothing is known.", frames: 0, own: false }],
    culprit: undefined,
  });
});

test("a group of exceptions", () => {
  const { pieces } = takeApart(
    '  + Exception Group Traceback (most recent call last):\n  |   File "/srv/a.py", line 1, in f\n  |     g()\n  | ExceptionGroup: two (2 sub-exceptions)',
  );
  expect(pieces.map(({ frames }) => frames)).toEqual([0, 1, 0]);
});
