/** Tracebacks as Python prints them, taken apart. */

export interface Frame {
  /** The line that names the place, and the lines of code below it. */
  text: string;
  /** mail.py:42 */
  place: string;
  /** The function. */
  name: string;
  /** Whether the user wrote it: it is neither Python's, nor a library's, nor ours. */
  own: boolean;
}

const FRAME = /^[\s|]*File "(.*)", line (\d+), in (.*)$/;
const FOREIGN = /[\\/](site|dist)-packages[\\/]|[\\/]lib[\\/]python\d|[\\/]src[\\/]ferryman[\\/]|^</i;

const indent = (line: string) => /^[\s|]*/.exec(line)?.[0].length ?? 0;

/** The frames of a traceback, outermost first, and as texts what stands between them. */
export function takeApart(traceback: string): (Frame | string)[] {
  const parts: (Frame | string)[] = [];
  let depth = Number.POSITIVE_INFINITY; // how far the frame is indented to which deeper lines belong
  for (const line of traceback.trimEnd().split("\n")) {
    const found = FRAME.exec(line);
    const last = parts.at(-1);
    if (found) {
      const [, file = "", number, name = ""] = found;
      parts.push({ text: line, place: `${file.split(/[\\/]/).at(-1)}:${number}`, name, own: !FOREIGN.test(file) });
      depth = indent(line);
    } else if (typeof last === "object" && (indent(line) > depth || /\[Previous line repeated/.test(line))) {
      last.text += `\n${line}`;
    } else if (typeof last === "string") {
      parts[parts.length - 1] = `${last}\n${line}`;
    } else {
      parts.push(line);
    }
  }
  return parts;
}

/** The innermost frame of the user's code. */
export function culprit(parts: readonly (Frame | string)[]): Frame | undefined {
  return parts.findLast((part): part is Frame => typeof part === "object" && part.own);
}
