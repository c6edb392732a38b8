/** One job: why it failed or waits, what it did when, what it has and gives, what it logs, and what one can do. */

import type { Signal } from "@preact/signals";
import { between, duration } from "../format";
import { Actions } from "../job/actions";
import { Attempts, RanOn } from "../job/attempts";
import { Cause } from "../job/cause";
import { type Known, useJob, usePart } from "../job/known";
import { HowFar, Log } from "../job/log";
import { Why } from "../job/why";
import { href, hrefTo, place } from "../router";
import type { PageProps } from "../routes";
import { tellsAll } from "../session";
import { type Attempt, hasEnded, type Job as JobShape } from "../shapes/job";
import { Ago, Badge, Copy, Facts, Head, Section } from "../ui/bits";
import { Empty, Shown, Trouble, Waiting } from "../ui/shown";
import { Tree } from "../ui/tree";
import "../style/job.css";

export function Job({ params }: PageProps) {
  const id = params.id ?? "";
  const watch = useJob(id);
  const { known, load } = watch;
  if (load.error?.status === 404) return <Gone id={id} />;
  const job = known.value?.job;
  return (
    <>
      <Head
        title={<bdi>{job?.type ?? "Job"}</bdi>}
        about={
          <span class="row">
            {job && <Badge status={job.status} />} <code>{id}</code> <Copy text={id} />
          </span>
        }
      >
        {job && <Actions watch={watch} job={job} />}
      </Head>
      {load.error && <Trouble problem={load.error} again={load.again} />}
      {job ? <About job={job} known={known} /> : !load.error && <Waiting lines={8} />}
    </>
  );
}

function Gone({ id }: { id: string }) {
  return (
    <>
      <Head title="Job" about={<code>{id}</code>} />
      <div role="alert">
        <Empty title="There is no job with this id.">
          <p>
            It was deleted, or has ended and was not kept any longer; or it is not there yet. Should it come, it is
            shown here.
          </p>
          <a href="#/jobs">To all jobs</a>
        </Empty>
      </div>
    </>
  );
}

function About({ job, known }: { job: JobShape; known: Signal<Known | null> }) {
  const load = usePart<Attempt[]>(known, "/attempts", () => false);
  const attempts = load.data?.data;
  const runs = job.status === "processing";
  const run =
    Number(place.value.query.get("run")) || (runs ? job.claim : attempts?.findLast((each) => each.started_at)?.claim);
  return (
    <div class="stack job">
      {job.error && <Cause error={job.error} attempts={attempts} />}
      {!runs && !hasEnded(job) && tellsAll() && <Why known={known} />}
      <HowFar known={known} />
      <Section>
        <Facts facts={factsOf(job)} />
      </Section>
      <Shown load={load} lines={2}>
        {(told) => told && <Attempts job={job} attempts={told.data} />}
      </Shown>
      <Section>
        <Tree value={job.payload} path={["payload"]} />
        {job.status === "completed" && <Tree value={job.result} path={["result"]} />}
      </Section>
      {run && <Log key={run} known={known} run={run} />}
    </div>
  );
}

function factsOf(job: JobShape) {
  const tag = (text: string) => (
    <bdi key={text}>
      <a href={href("/jobs", { filter: `tag:${JSON.stringify(text)}` })}>{text}</a>{" "}
    </bdi>
  );
  return [
    ["Queue", <a href={hrefTo("/queues", job.queue)}>{job.queue}</a>],
    ["Type", <a href={hrefTo("/types", job.type)}>{job.type}</a>],
    ["Priority", job.priority],
    ["Attempt", `${job.attempt} of ${job.max_attempts}`],
    ["Created", <Ago at={job.created_at} />],
    job.status === "scheduled" && (["Runs", <Ago at={job.run_at} />] as const),
    ["Started", <Ago at={job.started_at} />],
    ["Finished", <Ago at={job.finished_at} />],
    job.started_at !== null &&
      job.finished_at !== null &&
      (["Ran for", duration(between(job.started_at, job.finished_at))] as const),
    job.expires_at !== null && (["Expires", <Ago at={job.expires_at} />] as const),
    job.unique_key !== null && (["Unique key", <bdi>{job.unique_key}</bdi>] as const),
    job.tags.length > 0 && (["Tags", job.tags.map(tag)] as const),
    job.node !== null && (["Ran on", <RanOn {...job} />] as const),
  ] as const;
}
