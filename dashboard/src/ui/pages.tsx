/** Lists that are too long for one page. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type Asked, list, type Page } from "../api";
import { type Load, useLoad } from "../load";
import { Button } from "./button";

/** A page of a list, kept up to date; another query begins at its first page. `live` and `every` are as in `Keeping`. */
export function usePages<T>(
  path: string,
  query: NonNullable<Asked["query"]>,
  live: number,
  every?: number,
): [Load<Page<T>>, Signal<string | null>] {
  const at = useSignal<string | null>(null);
  const asked = JSON.stringify(query);
  useEffect(() => {
    at.value = null;
  }, [path, asked]);
  const load = useLoad(
    (signal) => (at.value ? list<T>(at.value, {}, signal) : list<T>(path, query, signal)),
    [path, asked, at.value],
    { live, every },
  );
  return [load, at];
}

export function Turn({ at, next }: { at: Signal<string | null>; next: string | null }) {
  return (
    <p class="row turn">
      {at.value && <Button onClick={() => (at.value = null)}>First page</Button>}
      {next && <Button onClick={() => (at.value = next)}>Next page</Button>}
    </p>
  );
}
