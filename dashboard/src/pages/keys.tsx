/** Keys of jobs: whose gates bound how many of their jobs run at once, how fast, and in which order. */

import { brief, rate } from "../format";
import { hrefTo } from "../router";
import { Badge, Head } from "../ui/bits";
import { Turn, usePages } from "../ui/pages";
import { Empty, Shown } from "../ui/shown";
import { Table } from "../ui/table";

export interface KeyJson {
  key: string;
  concurrency: number | null;
  rate: number | null;
  burst: number | null;
  share: number | null;
  sequence: boolean;
  on_failure: string | null;
  pinned: boolean;
  paused: boolean;
  slots: number;
  waiting: number;
  held_by: string[];
}

export function Keys() {
  const [load, at] = usePages<KeyJson>("keys", { limit: 100 }, 3_000);
  return (
    <>
      <Head
        title="Keys"
        about="Jobs of one key pass one gate: so many at once, so fast, one after the other, or in turns."
      />
      <Shown load={load}>
        {(page) =>
          page.rows.length ? (
            <>
              <Table
                label="Keys"
                rows={page.rows}
                id={(each) => each.key}
                href={(each) => hrefTo("/keys", each.key)}
                columns={[
                  { name: "Key", cell: (each) => <bdi>{each.key}</bdi> },
                  { name: "", cell: (each) => each.paused && <Badge status="paused" /> },
                  { name: "Keeps to", wide: true, cell: ruleInWords },
                  { name: "Let in", number: true, cell: (each) => brief(each.slots) },
                  { name: "Waiting", number: true, cell: (each) => brief(each.waiting) },
                  {
                    name: "Held by",
                    number: true,
                    extra: true,
                    cell: (each) => (each.held_by.length ? `${each.held_by.length} failed` : "–"),
                  },
                ]}
              />
              <Turn at={at} next={page.next} />
            </>
          ) : (
            <Empty title="No key is in use." />
          )
        }
      </Shown>
    </>
  );
}

export function ruleInWords(key: KeyJson): string {
  const said = [
    key.sequence && `one after the other; a failure ${key.on_failure === "pass" ? "is passed" : "holds the others"}`,
    key.concurrency !== null && `${key.concurrency} at once`,
    key.rate !== null && `${rate(key.rate)}/s, burst ${key.burst ?? 1}`,
    key.share !== null && `takes turns with weight ${key.share}`,
    key.pinned && "set by hand",
  ];
  return said.filter(Boolean).join("; ") || "nothing";
}
