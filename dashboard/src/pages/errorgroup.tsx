/** One group of errors: its words, when and where it happens, and the jobs that stand failed with it. */

import { get, list, part } from "../api";
import { count } from "../format";
import { useKeys } from "../keys";
import { useLoad } from "../load";
import { href, hrefTo } from "../router";
import type { PageProps } from "../routes";
import type { ErrorJson } from "../shapes/errors";
import { Ago, Badge, Facts, Head, Section, ShortId } from "../ui/bits";
import { Spark } from "../ui/chart";
import { Empty, Shown } from "../ui/shown";
import { Table } from "../ui/table";
import { actOnGroup, GroupActions } from "./errors";

interface FailedJob {
  id: string;
  type: string;
  status: "failed" | "scheduled";
  attempt: number;
  max_attempts: number;
  finished_at: string | null;
  error: { message: string } | null;
}

export function ErrorGroup({ params }: PageProps) {
  const group = params.group ?? "";
  const load = useLoad((signal) => get<ErrorJson>(`errors/${part(group)}`, {}, signal), [group], { live: 2_000 });
  const error = load.data;
  useKeys(
    error?.jobs
      ? [
          {
            keys: "r",
            what: "Retry the group",
            group: "This page",
            run: () => actOnGroup(error, "retry"),
            palette: true,
          },
        ]
      : [],
  );
  return (
    <>
      <Head title={error ? <bdi>{error.exception}</bdi> : "Error"} about={error && <code>{error.code}</code>}>
        {error && <GroupActions error={error} />}
      </Head>
      <Shown load={load}>{(told) => <Group error={told} />}</Shown>
    </>
  );
}

function Group({ error }: { error: ErrorJson }) {
  return (
    <div class="stack">
      <Section>
        <p class="mono">
          <bdi>{error.message}</bdi>
        </p>
      </Section>
      <div class="grid">
        <Section title="Where and when">
          <Facts
            facts={[
              ["In", error.frame && <code>{error.frame}</code>],
              ["Types", <bdi>{error.types.join(", ")}</bdi>],
              ["Queues", error.queues.join(", ")],
              ["Versions", error.versions.join(", ")],
              ["First", <Ago at={error.first_at} />],
              ["Last", <Ago at={error.last_at} />],
              ["Failed runs", count(error.count)],
              [
                "Latest job",
                <a href={hrefTo("/jobs", error.job)}>
                  <ShortId id={error.job} />
                </a>,
              ],
            ]}
          />
        </Section>
        <Section title="The last 24 hours">
          <div class="tall">
            <Spark values={error.lately.counts} color="--failed" label="Failed runs in each of the last 24 hours" />
          </div>
          <p class="dim">At most {count(Math.max(0, ...error.lately.counts))} an hour</p>
        </Section>
      </div>
      <Failed error={error} />
    </div>
  );
}

function Failed({ error }: { error: ErrorJson }) {
  const filter = `status:failed group:${error.group}`;
  const load = useLoad(
    (signal) => list<FailedJob>("jobs", { filter, order: "desc", limit: 20, bodies: "false" }, signal),
    [filter],
    { live: 2_000 },
  );
  return (
    <Section title="Jobs that stand failed with it" aside={<a href={href("/jobs", { filter })}>As a list</a>}>
      <Shown load={load}>
        {({ rows }) =>
          rows.length ? (
            <Table
              label="Failed jobs"
              rows={rows}
              id={(job) => job.id}
              href={(job) => hrefTo("/jobs", job.id)}
              columns={[
                { name: "Job", cell: (job) => <ShortId id={job.id} /> },
                { name: "Status", cell: (job) => <Badge status={job.status} /> },
                { name: "Message", wide: true, cell: (job) => <bdi>{job.error?.message}</bdi> },
                { name: "Attempts", number: true, extra: true, cell: (job) => `${job.attempt} of ${job.max_attempts}` },
                { name: "Failed", cell: (job) => <Ago at={job.finished_at} /> },
              ]}
            />
          ) : (
            <Empty title="No job stands failed with this error now." />
          )
        }
      </Shown>
    </Section>
  );
}
