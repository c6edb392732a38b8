/** The audit log: who changed what. */

import { hrefTo, place } from "../router";
import { Ago, Head, ShortId } from "../ui/bits";
import { Narrow } from "../ui/narrow";
import { Turn, usePages } from "../ui/pages";
import { Empty, Shown } from "../ui/shown";
import { Table } from "../ui/table";

interface Deed {
  number: number;
  at: string;
  actor: string;
  action: string;
  target: string;
  detail: Record<string, unknown>;
}

const FIELDS = ["actor", "action", "target"] as const;
/** Where the targets of some actions have pages. */
const PAGES: Record<string, string> = {
  job: "/jobs",
  queue: "/queues",
  type: "/types",
  schedule: "/schedules",
  key: "/keys",
  operation: "/operations",
  node: "/nodes",
};
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function Audit() {
  const { query } = place.value;
  const said = Object.fromEntries(FIELDS.map((field) => [field, query.get(field) ?? ""]));
  const [load, at] = usePages<Deed>("audit", { ...said, limit: 100 }, 5_000);
  return (
    <>
      <Head title="Audit log" about="Who changed what; kept for 90 days." />
      <div class="row" role="search">
        {FIELDS.map((field) => (
          <Narrow key={field} name={field} />
        ))}
      </div>
      <Shown load={load}>
        {(page) =>
          page.rows.length ? (
            <>
              <Table
                label="Deeds"
                rows={page.rows}
                id={(deed) => String(deed.number)}
                columns={[
                  { name: "When", cell: (deed) => <Ago at={deed.at} /> },
                  { name: "Who", cell: (deed) => <bdi>{deed.actor}</bdi> },
                  { name: "Did", cell: (deed) => <code class="nowrap">{deed.action}</code> },
                  { name: "To", cell: (deed) => <Target deed={deed} /> },
                  {
                    name: "And said",
                    wide: true,
                    cell: (deed) => (
                      <code title={JSON.stringify(deed.detail)}>
                        {Object.keys(deed.detail).length ? JSON.stringify(deed.detail) : ""}
                      </code>
                    ),
                  },
                ]}
              />
              <Turn at={at} next={page.next} />
            </>
          ) : (
            <Empty title="No deed like this." />
          )
        }
      </Shown>
    </>
  );
}

function Target({ deed }: { deed: Deed }) {
  const page = PAGES[deed.action.split(".")[0] ?? ""];
  return page && deed.target !== "*" ? (
    <a href={hrefTo(page, deed.target)}>{ID.test(deed.target) ? <ShortId id={deed.target} /> : deed.target}</a>
  ) : (
    <bdi>{deed.target}</bdi>
  );
}
