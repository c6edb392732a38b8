/** What the table of jobs tells of each. */

import { between, count, duration } from "../format";
import type { Status } from "../live";
import { hrefTo } from "../router";
import type { Job } from "../shapes/job";
import { Ago, Badge, ShortId } from "../ui/bits";
import type { Column } from "../ui/table";
import { ENDED } from "./merge";

const LONGEST = 300;
const TAGS = 3;

/** @param narrow shows only jobs that have this, too */
export function columns(
  status: Status | null,
  gone: ReadonlySet<string>,
  narrow: (field: string, value: string) => void,
): Column<Job>[] {
  const Only = ({ field, value }: { field: string; value: string }) => (
    <button type="button" class="only" title={`Only ${field} ${value}`} onClick={() => narrow(field, value)}>
      <bdi>{value}</bdi>
    </button>
  );
  const errors = status === null || status === "failed" || status === "scheduled";
  const tags = ({ tags }: Job) => (
    <span class="tags">
      {tags.slice(0, TAGS).map((tag) => (
        <Only key={tag} field="tag" value={tag} />
      ))}
      {tags.length > TAGS && <span class="dim">+{tags.length - TAGS}</span>}
    </span>
  );
  return [
    {
      name: "Status",
      cell: ({ id, status }) => (
        <>
          {gone.has(id) ? <span class="dim">deleted</span> : <Badge status={status} />}
          <span class="visually-hidden"> job {id}</span>
        </>
      ),
    },
    { name: "Type", cell: ({ type }) => <Only field="type" value={type} /> },
    { name: "Queue", extra: true, cell: ({ queue }) => <Only field="queue" value={queue} /> },
    {
      name: "Id",
      extra: true,
      cell: ({ id }) => (
        <a href={hrefTo("/jobs", id)} tabIndex={-1}>
          <ShortId id={id} />
        </a>
      ),
    },
    {
      name: "Attempt",
      number: true,
      extra: true,
      cell: (job) => (job.attempt ? `${count(job.attempt)} of ${count(job.max_attempts)}` : <span class="dim">–</span>),
    },
    { name: "Tags", extra: errors, wide: !errors, cell: tags },
    ...(errors ? [{ name: "Error", wide: true, cell: failure }] : []),
    ...(status && ENDED.includes(status) ? [{ name: "Took", number: true, extra: true, cell: took }] : []),
    when(status),
  ];
}

function failure({ error }: Job) {
  if (!error) return null;
  const text = `${error.type}: ${error.message}`.slice(0, LONGEST);
  return <bdi title={text}>{text}</bdi>;
}

function took({ started_at, finished_at }: Job) {
  return started_at && finished_at ? duration(between(started_at, finished_at)) : <span class="dim">–</span>;
}

/** The time that matters for jobs of a status. */
function when(status: Status | null): Column<Job> {
  if (status && ENDED.includes(status))
    return { name: "Finished", number: true, cell: (job) => <Ago at={job.finished_at} /> };
  if (status === "scheduled") return { name: "Due", number: true, cell: (job) => <Ago at={job.run_at} /> };
  return { name: "Created", number: true, cell: (job) => <Ago at={job.created_at} /> };
}
