/** A field that narrows what a page lists; the address says to what, so that it can be sent to somebody. */

import { place, setQuery } from "../router";

export function Narrow({ name }: { name: string }) {
  return (
    <label class="row">
      {name}{" "}
      <input
        type="search"
        value={place.value.query.get(name) ?? ""}
        placeholder="any"
        onChange={(event) => setQuery({ [name]: event.currentTarget.value.trim() })}
      />
    </label>
  );
}
