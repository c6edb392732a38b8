/** What is to be said below the rows, or in their place. */

import { count, many } from "../format";
import { go } from "../router";
import { may } from "../session";
import { Button } from "../ui/button";
import { Empty } from "../ui/shown";
import type { Rows } from "./rows";
import type { Wish } from "./wish";

export function End({ shown, wish, next }: { shown: Rows; wish: Wish; next: (() => void) | null }) {
  if (!shown.complete && next) {
    return (
      <div class="row end">
        <span>
          {count(shown.scanned ?? 0)} jobs were looked at for this page, {many(shown.rows.length, "fits", "fit")}. There
          may be more.
        </span>
        <Button onClick={next}>Go on</Button>
      </div>
    );
  }
  if (shown.rows.length) return null;
  if (wish.filter || wish.after || wish.before) {
    return (
      <Empty title="No job fits.">
        <Button onClick={() => go("#/jobs")}>Show all jobs</Button>
      </Empty>
    );
  }
  return (
    <Empty title={wish.status ? `No job is ${wish.status}.` : "There are no jobs yet."}>
      {!wish.status && may("enqueue") && <a href="#/types">Enqueue one</a>}
    </Empty>
  );
}
