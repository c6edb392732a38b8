/** Which jobs one wants to see, as the address of the page says it. */

import { STATUSES, type Status } from "../live";
import { parted } from "./terms";

export interface Wish {
  status: Status | null;
  filter: string;
  /** The oldest first, else the newest. */
  oldest: boolean;
  /** Only those that follow this one, or that come before it. */
  after: string | null;
  before: string | null;
}

export function readWish(query: URLSearchParams): Wish {
  const tab = STATUSES.find((each) => each === query.get("status")) ?? null;
  const said = query.get("filter") ?? "";
  const [status, filter] = tab ? [tab, said] : parted(said);
  return {
    status,
    filter,
    oldest: query.get("order") === "asc",
    after: query.get("after"),
    before: query.get("before"),
  };
}

/** All jobs that are meant, on whatever page, as the filter of an operation. */
export function meant({ status, filter }: Wish): string {
  return [status && `status:${status}`, filter].filter(Boolean).join(" ") || "type:*";
}
