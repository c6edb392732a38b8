/** Errors that are the same error, grouped: which there are, how often, since when, and what one can do about a group. */

import { post } from "../api";
import { brief, count } from "../format";
import { go, hrefTo, place } from "../router";
import { may } from "../session";
import type { ErrorJson } from "../shapes/errors";
import { Ago, Head } from "../ui/bits";
import { Button } from "../ui/button";
import { Spark } from "../ui/chart";
import { ask } from "../ui/dialog";
import { Narrow } from "../ui/narrow";
import { Turn, usePages } from "../ui/pages";
import { Empty, Shown } from "../ui/shown";
import { Table } from "../ui/table";

const PAGE = 50;

export function Errors() {
  const { query } = place.value;
  const type = query.get("type") ?? "";
  const queue = query.get("queue") ?? "";
  const [load, at] = usePages<ErrorJson>("errors", { type, queue, limit: PAGE }, 3_000);
  return (
    <>
      <Head
        title="Errors"
        about="What failed with the same exception, the same words and in the same place is one group."
      />
      <form class="row" role="search" aria-label="Which errors" onSubmit={(event) => event.preventDefault()}>
        <Narrow name="type" />
        <Narrow name="queue" />
      </form>
      <Shown load={load}>
        {({ rows, next }) =>
          rows.length ? (
            <>
              <ErrorTable errors={rows} />
              <Turn at={at} next={next} />
            </>
          ) : (
            <Empty title={type || queue ? "No error like this." : "Nothing has failed."}>
              Failed runs are kept here for 90 days, also those that were tried again and went well.
            </Empty>
          )
        }
      </Shown>
    </>
  );
}

export function ErrorTable({ errors, keys = true }: { errors: readonly ErrorJson[]; keys?: boolean }) {
  return (
    <Table
      label="Errors"
      rows={errors}
      id={(each) => each.group}
      href={(each) => hrefTo("/errors", each.group)}
      keys={keys}
      columns={[
        { name: "Exception", cell: (each) => <bdi class="nowrap">{each.exception}</bdi> },
        { name: "Message", wide: true, cell: (each) => <bdi title={each.message}>{each.message}</bdi> },
        { name: "Where", extra: true, cell: (each) => <code class="nowrap">{each.frame ?? "–"}</code> },
        { name: "Type", extra: true, cell: (each) => <bdi>{each.types.join(", ")}</bdi> },
        { name: "24 h", extra: true, cell: (each) => <Lately error={each} /> },
        { name: "Runs", number: true, cell: (each) => brief(each.count) },
        { name: "Failed now", number: true, cell: standing },
        { name: "Last", cell: (each) => <Ago at={each.last_at} /> },
      ]}
    />
  );
}

/** How many jobs stand failed by it now. */
function standing(error: ErrorJson): string {
  return `${count(error.jobs)}${error.at_least ? "+" : ""}`;
}

function Lately({ error }: { error: ErrorJson }) {
  const { counts } = error.lately;
  return (
    <Spark values={counts} color="--failed" label={`${count(counts.reduce((sum, n) => sum + n, 0))} in 24 hours`} />
  );
}

/** Ask, then have every failed job of a group retried or deleted. */
export function actOnGroup(error: ErrorJson, action: "retry" | "delete"): void {
  ask({
    title: action === "retry" ? "Retry the group?" : "Discard the group?",
    body: (
      <p>
        {action === "retry"
          ? "Each job that stands failed with this error runs again"
          : "Each job that stands failed with this error is deleted"}
        : {standing(error)} now. You see how far it is, and can stop it.
      </p>
    ),
    yes: action === "retry" ? "Retry them" : "Delete them",
    danger: action === "delete",
    run: async () => {
      const { id } = await post<{ id: string }>("operations", { action, filter: `status:failed group:${error.group}` });
      go(hrefTo("/operations", id));
    },
  });
}

export function GroupActions({ error }: { error: ErrorJson }) {
  if (!may("operate") || !error.jobs) return null;
  return (
    <>
      <Button kind="main" onClick={() => actOnGroup(error, "retry")}>
        Retry {standing(error)}
      </Button>
      <Button kind="danger" onClick={() => actOnGroup(error, "delete")}>
        Discard
      </Button>
    </>
  );
}
