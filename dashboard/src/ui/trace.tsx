/** A traceback: the user's frames marked, those of libraries folded. */

import { useMemo } from "preact/hooks";
import { many } from "../format";
import { Fold } from "./fold";
import { culprit, type Frame, takeApart } from "./frames";
import { Text } from "./text";

export function Trace({ text }: { text: string }) {
  const groups = useMemo(() => grouped(text), [text]);
  return (
    <div class="trace" dir="ltr">
      {groups.map((group, at) => {
        if (typeof group === "string") {
          return (
            <pre key={at}>
              <Text text={group} most={1_000} />
            </pre>
          );
        }
        const frames = group.map((each) => each.text).join("\n");
        if (group[0]?.own) return <pre key={at} class="own">{frames}</pre>;
        return (
          <Fold key={at} name={`${many(group.length, "frame")} of libraries`}>
            {() => <pre>{frames}</pre>}
          </Fold>
        );
      })}
    </div>
  );
}

/** Texts, and frames next to one another that are alike. Where the user wrote none of them, nothing is folded. */
function grouped(text: string): (string | Frame[])[] {
  const parts = takeApart(text);
  if (!culprit(parts)) return [text];
  const groups: (string | Frame[])[] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    if (typeof part === "string") groups.push(part);
    else if (Array.isArray(last) && last[0]?.own === part.own) last.push(part);
    else groups.push([part]);
  }
  return groups;
}
