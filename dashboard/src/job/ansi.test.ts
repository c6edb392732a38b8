import { expect, test } from "vitest";
import { plain } from "./ansi";

test("what colours a terminal is taken out", () => {
  expect(plain("\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x1b\\ \x1bMup [31m")).toBe("red link up [31m");
});
