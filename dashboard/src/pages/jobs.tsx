import { useRef } from "preact/hooks";
import { many } from "../format";
import { Acting } from "../jobs/acting";
import { Bar } from "../jobs/bar";
import { columns } from "../jobs/columns";
import { End } from "../jobs/end";
import { Filter } from "../jobs/filter";
import { useMarks } from "../jobs/marks";
import { Started } from "../jobs/progress";
import { type Rows, useRows } from "../jobs/rows";
import { TABS, Tabs, tabHref } from "../jobs/tabs";
import { toggled } from "../jobs/terms";
import { readWish, type Wish } from "../jobs/wish";
import { type Binding, useKeys } from "../keys";
import { go, href, hrefTo, place, setQuery } from "../router";
import { may } from "../session";
import type { Action } from "../shapes/operation";
import { Choice, Head } from "../ui/bits";
import { Button } from "../ui/button";
import { Trouble, Waiting } from "../ui/shown";
import { Table } from "../ui/table";
import { fail } from "../ui/toast";
import "../style/jobs.css";

export function Jobs() {
  const wish = readWish(place.value.query);
  const key = JSON.stringify(wish);
  const load = useRows(wish, key);
  const before = useRef<Rows>(undefined);
  if (load.data) before.current = load.data;
  const wrong = load.error?.code === "FM423" ? load.error : null;
  const shown = wrong ? undefined : (load.data ?? before.current); // the page before stays while the next one comes
  const rows = shown?.rows ?? [];
  const marks = useMarks(wish, key, rows, (action) => (action === "delete" ? load.renew() : load.again()));
  const input = useRef<HTMLInputElement>(null);
  const next = shown?.next ? () => setQuery({ after: shown.next, before: null }, "push") : null;
  const previous =
    wish.after || shown?.previous ? () => setQuery({ before: shown?.previous, after: null }, "push") : null;
  const filterBy = (filter: string) => {
    const address = href("/jobs", { filter, status: wish.status, order: wish.oldest ? "asc" : null });
    if (address === location.hash) load.renew();
    else go(address);
  };
  useKeys(keys({ wish, act: marks.act, next, previous, filter: () => input.current?.focus() }));
  return (
    <>
      <Head title="Jobs">
        <Order wish={wish} />
      </Head>
      <Tabs wish={wish} />
      <Filter filter={wish.filter} onFilter={filterBy} input={input} problem={wrong} />
      {marks.started.value && (
        <Started key={marks.started.value.id} {...marks.started.value} onClose={() => (marks.started.value = null)} />
      )}
      <Bar status={wish.status} rows={rows} {...marks} onPrevious={previous} onNext={next} oldest={wish.oldest} />
      <News news={shown?.news ?? 0} show={load.renew} />
      {load.error && !wrong && <Trouble problem={load.error} again={load.again} small={shown !== undefined} />}
      {!shown && !load.error && <Waiting lines={12} />}
      {shown && (
        <div class="list" aria-busy={load.loading}>
          {rows.length > 0 && (
            <Table
              label="Jobs"
              columns={columns(wish.status, shown.gone, (field, value) => filterBy(toggled(wish.filter, field, value)))}
              rows={rows}
              id={(job) => job.id}
              href={(job) => hrefTo("/jobs", job.id)}
              marked={may("operate") ? marks.marked : undefined}
              at={marks.at}
            />
          )}
          <End shown={shown} wish={wish} next={next} />
        </div>
      )}
      <Question marks={marks} />
    </>
  );
}

function Order({ wish }: { wish: Wish }) {
  return (
    <Choice
      label="Order"
      options={[
        ["", "Newest first"],
        ["asc", "Oldest first"],
      ]}
      value={wish.oldest ? "asc" : ""}
      onChange={(order) => setQuery({ order, after: null, before: null })}
    />
  );
}

/** Jobs that came meanwhile; they are shown when one wants them, so that no row moves under the pointer. */
function News({ news, show }: { news: number; show: () => void }) {
  return (
    <div class="news" role="status">
      {news > 0 && (
        <Button class="pill" onClick={show}>
          {many(news, "new job")}
        </Button>
      )}
    </div>
  );
}

function Question({ marks: { asked, answered } }: { marks: ReturnType<typeof useMarks> }) {
  const question = asked.value;
  if (!question) return null;
  return (
    <Acting
      {...question}
      close={() => (asked.value = null)}
      onDone={(operation, of) => answered(question.action, operation, of)}
    />
  );
}

interface Ways {
  wish: Wish;
  act: (action: Action) => Promise<void>;
  next: (() => void) | null;
  previous: (() => void) | null;
  filter: () => void;
}

function keys({ wish, act, next, previous, filter }: Ways): Binding[] {
  const group = "Jobs";
  const press = (action: Action) => () => void act(action).catch(fail);
  return [
    { keys: "/", what: "To the filter", group, run: filter },
    ...TABS.map((tab, n) => ({
      keys: String(n + 1),
      what: `Jobs: ${tab ?? "all"}`,
      group,
      run: () => go(tabHref(wish, tab)),
      palette: true,
    })),
    { keys: "n", what: "Next page", group, run: () => next?.() },
    { keys: "p", what: "Page before", group, run: () => previous?.() },
    ...(may("operate")
      ? [
          { keys: "r", what: "Retry the marked jobs", group, run: press("retry") },
          { keys: "c", what: "Cancel the marked jobs", group, run: press("cancel") },
        ]
      : []),
  ];
}
