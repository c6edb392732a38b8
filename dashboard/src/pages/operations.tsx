import { count } from "../format";
import { Meter, Stop } from "../jobs/progress";
import { hrefTo } from "../router";
import type { Operation } from "../shapes/operation";
import { Ago, Badge, Head } from "../ui/bits";
import { Turn, usePages } from "../ui/pages";
import { Empty, Shown } from "../ui/shown";
import { type Column, Table } from "../ui/table";
import "../style/jobs.css";

const LIMIT = 50;

export function Operations() {
  const [load, at] = usePages<Operation>("operations", { limit: LIMIT }, 1_000, 1_000);
  const columns: Column<Operation>[] = [
    { name: "Action", cell: ({ action }) => action },
    { name: "Status", cell: ({ status }) => <Badge status={status} /> },
    {
      name: "Jobs",
      wide: true,
      extra: true,
      cell: ({ filter }) => (
        <code dir="auto" title={filter}>
          {filter}
        </code>
      ),
    },
    { name: "Progress", extra: true, cell: (each) => <Meter operation={each} /> },
    { name: "Changed", number: true, cell: ({ changed }) => count(changed) },
    { name: "Left alone", number: true, extra: true, cell: ({ skipped }) => count(skipped) },
    { name: "By", extra: true, cell: ({ by }) => <bdi>{by}</bdi> },
    { name: "Started", number: true, cell: ({ created_at }) => <Ago at={created_at} /> },
    {
      name: <span class="visually-hidden">Stop</span>,
      number: true,
      cell: (each) => <Stop operation={each} onDone={load.again} />,
    },
  ];
  return (
    <>
      <Head title="Operations" about="What was done to all jobs that a filter means. They are kept for seven days." />
      <Shown load={load}>
        {({ rows }) =>
          rows.length ? (
            <Table
              label="Operations"
              columns={columns}
              rows={rows}
              id={(each) => each.id}
              href={(each) => hrefTo("/operations", each.id)}
            />
          ) : (
            <Empty title="No operations.">
              Mark all <a href="#/jobs">jobs</a> that match a filter, and say what is to be done.
            </Empty>
          )
        }
      </Shown>
      <Turn at={at} next={load.data?.next ?? null} />
    </>
  );
}
