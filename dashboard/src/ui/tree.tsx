/** JSON of any size as a tree, with its numbers as they were written. Nothing is made before it is looked at. */

import { useSignal } from "@preact/signals";
import { Exact } from "../api";
import { count, many } from "../format";
import { href } from "../router";
import { Copy } from "./bits";
import { Button } from "./button";
import { Fold } from "./fold";
import { term } from "./terms";
import { Text } from "./text";
import "../style/tree.css";

const OPEN_DEPTH = 2;
const OPEN_SIZE = 50;
const FIRST = 100;
const MOST = 300; // characters of a text

interface Props {
  value: unknown;
  /** Where it stands, its own name last. In a payload, what is plain leads to the jobs with the same value there. */
  path: readonly string[];
  depth?: number;
}

export function Tree({ value, path, depth = 0 }: Props) {
  const name = <bdi class="key">{path.at(-1)}</bdi>;
  const inner = value !== null && typeof value === "object" && !(value instanceof Exact);
  const names = inner ? Object.keys(value) : [];
  const alike = path[0] === "payload" ? term(path, value) : null;
  return (
    <div class={depth ? "node" : "node root"}>
      {names.length ? (
        <Fold
          open={depth === 0 || (depth < OPEN_DEPTH && names.length <= OPEN_SIZE)}
          name={
            <>
              {name}{" "}
              <span class="dim">
                {Array.isArray(value) ? many(names.length, "item") : many(names.length, "member")}
              </span>
            </>
          }
        >
          {() => <Members value={value as Record<string, unknown>} names={names} path={path} depth={depth + 1} />}
        </Fold>
      ) : (
        <div class="leaf">
          {name} <Plain value={value} />
        </div>
      )}
      <span class="acts">
        {alike && (
          <a class="button quiet" href={href("/jobs", { filter: alike })} title={alike}>
            Jobs like this
          </a>
        )}
        <Copy text={() => JSON.stringify(value, null, 2)} what={`Copied ${path.join(".")}`} />
      </span>
    </div>
  );
}

function Members({
  value,
  names,
  path,
  depth,
}: {
  value: Record<string, unknown>;
  names: string[];
  path: readonly string[];
  depth: number;
}) {
  const shown = useSignal(FIRST);
  return (
    <div class="members">
      {names.slice(0, shown.value).map((name) => (
        <Tree key={name} value={value[name]} path={[...path, name]} depth={depth} />
      ))}
      {names.length > shown.value && (
        <Button kind="quiet" onClick={() => (shown.value += 10 * FIRST)}>
          Show more ({count(names.length - shown.value)})
        </Button>
      )}
    </div>
  );
}

function Plain({ value }: { value: unknown }) {
  if (typeof value === "string") return <Text text={value.length > MOST ? value : `"${value}"`} most={MOST} />;
  return <span class="is-plain">{value instanceof Exact ? value.text : JSON.stringify(value)}</span>;
}
