/** One job: why it failed or waits, what it did when, what it has and gives, what it logs, and what one can do. */

import type { Signal } from "@preact/signals";
import { get } from "../api";
import { between, duration } from "../format";
import { Actions } from "../job/actions";
import { Attempts, RanOn } from "../job/attempts";
import { Cause } from "../job/cause";
import { type Known, pathOf, useJob, usePart } from "../job/known";
import { HowFar, Log } from "../job/log";
import { MaybeWhy } from "../job/why";
import { href, hrefTo } from "../router";
import type { PageProps } from "../routes";
import type { Attempt, Job as JobShape } from "../shapes/job";
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
    <Empty title="There is no job with this id.">
      <p>
        <code>{id}</code>
      </p>
      <p>It was deleted, or has ended and was not kept any longer; or it is not there yet. Should it come, it is shown here.</p>
      <a href="#/jobs">To all jobs</a>
    </Empty>
  );
}

function About({ job, known }: { job: JobShape; known: Signal<Known | null> }) {
  const attempts = usePart(known, ({ id }, signal) => get<Attempt[]>(`${pathOf(id)}/attempts`, undefined, signal), () => false);
  return (
    <div class="stack job">
      <Cause job={job} attempts={attempts.data} />
      <MaybeWhy known={known} />
      <HowFar known={known} />
      <Section>
        <Facts facts={factsOf(job)} />
      </Section>
      <Shown load={attempts} lines={2}>
        {(rows) => rows && <Attempts job={job} attempts={rows} />}
      </Shown>
      <Section>
        <Tree value={job.payload} path={["payload"]} />
        {job.status === "completed" && <Tree value={job.result} path={["result"]} />}
      </Section>
      {attempts.data && job.claim > 0 && <Log known={known} attempts={attempts.data} />}
    </div>
  );
}

function factsOf(job: JobShape) {
  const to = (filter: string, text = filter) => <a href={href("/jobs", { filter })}>{text}</a>;
  return [
    ["Queue", <a href={hrefTo("/queues", job.queue)}>{job.queue}</a>],
    ["Type", <a href={hrefTo("/types", job.type)}>{job.type}</a>],
    ["Priority", job.priority],
    ["Attempt", `${job.attempt} of ${job.max_attempts}`],
    ["Created", <Ago at={job.created_at} />],
    job.status === "scheduled" && (["Runs", <Ago at={job.run_at} />] as const),
    ["Started", <Ago at={job.started_at} />],
    ["Finished", <Ago at={job.finished_at} />],
    job.started_at !== null && job.finished_at !== null && (["Ran for", duration(between(job.started_at, job.finished_at))] as const),
    job.expires_at !== null && (["Expires", <Ago at={job.expires_at} />] as const),
    job.unique_key !== null && (["Unique key", <bdi>{job.unique_key}</bdi>] as const),
    job.tags.length > 0 && (["Tags", job.tags.map((tag) => <bdi key={tag}>{to(`tag:${JSON.stringify(tag)}`, tag)} </bdi>)] as const),
    job.node !== null && (["Ran on", <RanOn {...job} />] as const),
  ] as const;
}
