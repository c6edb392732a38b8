/** A traceback: the user's frames marked, those of libraries folded. */

import { many } from "../format";
import { Fold } from "./fold";
import type { Traceback } from "./frames";
import { Text } from "./text";

export function Trace({ of: { pieces, culprit } }: { of: Traceback }) {
  return (
    <div class="trace" dir="ltr">
      {pieces.map(({ text, frames, own }, at) => {
        const said = (
          <pre key={at} class={own ? "own" : ""}>
            <Text text={text} most={frames ? 10_000 : 1_000} />
          </pre>
        );
        // where nothing is the user's, all of it is shown
        return frames && !own && culprit ? (
          <Fold key={at} name={`${many(frames, "frame")} of libraries`}>
            {() => said}
          </Fold>
        ) : (
          said
        );
      })}
    </div>
  );
}
