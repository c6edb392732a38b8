import { count, rate } from "../format";
import { howMany } from "../jobs/acts";
import { Meter, Stop, useOperation, Words } from "../jobs/progress";
import { parted } from "../jobs/terms";
import { useLoad } from "../load";
import { href, place } from "../router";
import type { PageProps } from "../routes";
import { may } from "../session";
import type { Change, Operation } from "../shapes/operation";
import { Ago, Badge, Facts, Head, Section, ShortId } from "../ui/bits";
import { Shown } from "../ui/shown";
import "../style/jobs.css";

export function OperationPage({ params }: PageProps) {
  const id = params.id ?? "";
  const load = useOperation(id);
  return (
    <>
      <Head title={`Operation${load.data ? `: ${load.data.action}` : ""}`} about={<ShortId id={id} />}>
        {load.data && <Stop operation={load.data} onDone={load.again} />}
      </Head>
      <Shown load={load}>{(operation) => <Told operation={operation} />}</Shown>
    </>
  );
}

function Told({ operation }: { operation: Operation }) {
  const { id, status, filter, queues, change, examined, by, created_at, finished_at, error } = operation;
  const of = useAmount(operation);
  return (
    <div class="stack">
      <Section>
        <div class="amount">
          <Words operation={operation} of={of} />
        </div>
        <Meter operation={operation} of={of} />
        {error && (
          <p class="trouble" role="alert">
            {error}
          </p>
        )}
      </Section>
      <Section>
        <Facts
          facts={[
            ["Status", <Badge status={status} />],
            [
              "By",
              <>
                <bdi>{by}</bdi> · <a href={href("/audit", { target: id })}>Audit log of it</a>
              </>,
            ],
            ["Started", <Ago at={created_at} />],
            ["Ended", <Ago at={finished_at} />],
            ["Looked at", count(examined)],
            operation.rate !== null && ["Rate", `${rate(operation.rate)} a second`],
            change && ["Changed to", <bdi>{inWords(change)}</bdi>],
            queues && ["Queues", <bdi>{queues.join(", ")}</bdi>],
          ]}
        />
        <p class="end">
          Jobs: <code dir="auto">{filter}</code> <a href={href("/jobs", { filter })}>Show them</a>
        </p>
      </Section>
    </div>
  );
}

function inWords(change: Change): string {
  const said = Object.entries(change).filter(([, value]) => value !== null);
  return said.map(([name, value]) => `${name} ${value}`).join(", ");
}

/** How many jobs it is about: who comes from its start brings that along, others ask how many are left. */
function useAmount({ id, status, action, filter, changed }: Operation): number | null {
  const said = Number(place.value.query.get("of")) || null;
  const unknown = said === null && status === "running" && action !== "change" && may("operate");
  const load = useLoad(async () => {
    if (!unknown) return null;
    const left = await howMany(action, filter, parted(filter)[0]);
    return left.complete ? changed + left.count : null;
  }, [id]);
  return said ?? load.data ?? null;
}
