/** Escape sequences of terminals in what was logged. */

const ANSI = /\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-_])/g;

/** Text without what would colour it in a terminal. */
export function plain(text: string): string {
  return text.replace(ANSI, "");
}
