import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Acting } from "../jobs/acting";
import { ACTS, each, type Target } from "../jobs/acts";
import { Bar } from "../jobs/bar";
import { columns } from "../jobs/columns";
import { Filter } from "../jobs/filter";
import { Started } from "../jobs/progress";
import { type Rows, useRows } from "../jobs/rows";
import { TABS, tabHref, Tabs } from "../jobs/tabs";
import { toggled } from "../jobs/terms";
import { meant, readWish, type Wish } from "../jobs/wish";
import { count, many } from "../format";
import { useKeys } from "../keys";
import { go, href, hrefTo, place, setQuery } from "../router";
import { may } from "../session";
import type { Action } from "../shapes/operation";
import { Choice, Head } from "../ui/bits";
import { Button } from "../ui/button";
import { Empty, Trouble, Waiting } from "../ui/shown";
import { Table } from "../ui/table";
import { fail, say } from "../ui/toast";
import "../style/jobs.css";

const KEYS = "Jobs";

export function Jobs() {
  const wish = readWish(place.value.query);
  const key = JSON.stringify(wish);
  const load = useRows(wish, key);
  const before = useRef<Rows>(undefined);
  if (load.data) before.current = load.data;
  const wrong = load.error?.code === "FM423" ? load.error : null;
  const shown = wrong ? undefined : (load.data ?? before.current); // the page before stays while the next one comes
  const rows = shown?.rows ?? [];
  const marked = useSignal<ReadonlySet<string>>(new Set());
  const all = useSignal(false);
  const at = useSignal<string | null>(null);
  const asked = useSignal<{ action: Action; target: Target } | null>(null);
  const started = useSignal<{ id: string; of: number | null } | null>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    marked.value = new Set();
    all.value = false;
  }, [key]);

  const next = shown?.next ? () => setQuery({ after: shown.next, before: null }, "push") : null;
  const previous = wish.after || shown?.previous ? () => setQuery({ before: shown?.previous, after: null }, "push") : null;
  const filterBy = (filter: string) => {
    const address = href("/jobs", { filter, status: wish.status, order: wish.oldest ? "asc" : null });
    if (address === location.hash) load.renew();
    else go(address);
  };
  const act = async (action: Action) => {
    const chosen = marked.value.size ? rows.filter((row) => marked.value.has(row.id)) : rows.filter((row) => row.id === at.value);
    const { of, done: said } = ACTS[action];
    const ids = chosen.filter((row) => of.includes(row.status)).map((row) => row.id);
    if (all.value ? wish.status && !of.includes(wish.status) : !ids.length) say(`There is nothing marked that can be ${said}.`);
    else if (all.value) asked.value = { action, target: { filter: meant(wish), status: wish.status } };
    else if (action === "retry") await each(action, ids).finally(done);
    else asked.value = { action, target: { ids } };
  };
  const done = () => {
    marked.value = new Set();
    all.value = false;
    if (asked.value?.action === "delete") load.renew();
    else load.again();
  };
  const press = (action: Action) => void act(action).catch(fail);
  useKeys([
    { keys: "/", what: "To the filter", group: KEYS, run: () => input.current?.focus() },
    ...TABS.map((tab, n) => ({ keys: String(n + 1), what: `Jobs: ${tab ?? "all"}`, group: KEYS, run: () => go(tabHref(wish, tab)), palette: true })),
    { keys: "n", what: "Next page", group: KEYS, run: () => next?.() },
    { keys: "p", what: "Page before", group: KEYS, run: () => previous?.() },
    ...(may("operate")
      ? [
          { keys: "r", what: "Retry the marked jobs", group: KEYS, run: () => press("retry") },
          { keys: "c", what: "Cancel the marked jobs", group: KEYS, run: () => press("cancel") },
        ]
      : []),
  ]);
  return (
    <>
      <Head title="Jobs">
        <Choice
          label="Order"
          options={[
            ["", "Newest first"],
            ["asc", "Oldest first"],
          ]}
          value={wish.oldest ? "asc" : ""}
          onChange={(order) => setQuery({ order, after: null, before: null })}
        />
      </Head>
      <Tabs wish={wish} />
      <Filter filter={wish.filter} onFilter={filterBy} input={input} problem={wrong} />
      {started.value && <Started key={started.value.id} {...started.value} onClose={() => (started.value = null)} />}
      <Bar status={wish.status} rows={rows} marked={marked} all={all} act={act} onPrevious={previous} onNext={next} oldest={wish.oldest} />
      <div class="news" role="status">
        {shown && shown.news > 0 && (
          <Button class="pill" onClick={load.renew}>
            {many(shown.news, "new job")}
          </Button>
        )}
      </div>
      {load.error && !wrong && <Trouble problem={load.error} again={load.again} small={shown !== undefined} />}
      {shown ? (
        <div class="list" aria-busy={load.loading}>
          {rows.length > 0 && (
            <Table
              label="Jobs"
              columns={columns(wish.status, shown.gone, (field, value) => filterBy(toggled(wish.filter, field, value)))}
              rows={rows}
              id={(job) => job.id}
              href={(job) => hrefTo("/jobs", job.id)}
              marked={may("operate") ? marked : undefined}
              at={at}
            />
          )}
          <End shown={shown} wish={wish} next={next} onClear={() => go("#/jobs")} />
        </div>
      ) : (
        !load.error && <Waiting lines={12} />
      )}
      {asked.value && (
        <Acting
          {...asked.value}
          close={() => (asked.value = null)}
          onDone={(operation, of) => {
            if (operation) started.value = { id: operation.id, of };
            done();
          }}
        />
      )}
    </>
  );
}

/** What is to be said below the rows, or in their place. */
function End({ shown, wish, next, onClear }: { shown: Rows; wish: Wish; next: (() => void) | null; onClear: () => void }) {
  if (!shown.complete && next) {
    return (
      <div class="row end">
        <span>
          {count(shown.scanned ?? 0)} jobs were looked at for this page, {many(shown.rows.length, "fits", "fit")}. There may be more.
        </span>
        <Button onClick={next}>Go on</Button>
      </div>
    );
  }
  if (shown.rows.length) return null;
  if (wish.filter || wish.after || wish.before) {
    return (
      <Empty title="No job fits.">
        <Button onClick={onClear}>Show all jobs</Button>
      </Empty>
    );
  }
  return (
    <Empty title={wish.status ? `No job is ${wish.status}.` : "There are no jobs yet."}>
      {!wish.status && may("enqueue") && <a href="#/types">Enqueue one</a>}
    </Empty>
  );
}
