/** Tracebacks as Python prints them, taken apart. */

/** Frames next to one another that are the user's, or are not; or what stands between frames. */
export interface Piece {
  text: string;
  /** 0 where it is no frame. */
  frames: number;
  /** Whether the user wrote them: they are neither Python's, nor a library's, nor ours. */
  own: boolean;
}

export interface Traceback {
  pieces: Piece[];
  /** The innermost place that the user wrote, as "send at mail.py:42". */
  culprit: string | undefined;
}

const FRAME = /^[\s|]*File "(.*)", line (\d+), in (.*)$/;
const FOREIGN = /[\\/](site|dist)-packages[\\/]|[\\/]lib[\\/]python\d|[\\/]src[\\/]ferryman[\\/]|^</i;

const indent = (line: string) => line.search(/[^\s|]/);

export function takeApart(traceback: string): Traceback {
  const pieces: Piece[] = [];
  let culprit: string | undefined;
  let depth = Number.POSITIVE_INFINITY; // deeper lines belong to the frame above them
  for (const line of traceback.trimEnd().split("\n")) {
    const found = FRAME.exec(line);
    const last = pieces.at(-1);
    const frames = last?.frames ?? 0;
    const own = found ? !FOREIGN.test(found[1] ?? "") : false;
    if (found && own) culprit = `${found[3]} at ${found[1]?.split(/[\\/]/).at(-1)}:${found[2]}`;
    if (found) depth = indent(line);
    const below = frames > 0 && (indent(line) > depth || line.includes("[Previous line repeated"));
    if (last && (found ? frames > 0 && last.own === own : below || frames === 0)) {
      last.text += `\n${line}`;
      if (found) last.frames++;
    } else {
      pieces.push({ text: line, frames: found ? 1 : 0, own });
    }
  }
  return { pieces, culprit };
}
