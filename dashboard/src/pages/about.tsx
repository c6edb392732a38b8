/** What answers here, on which store, and what an operator should know. */

import { get } from "../api";
import { bytes } from "../format";
import { useLoad } from "../load";
import { Ago, Facts, Head, Section } from "../ui/bits";
import { Empty, Shown } from "../ui/shown";

interface AboutJson {
  version: string;
  python: string;
  node: string;
  host: string;
  pid: number;
  started_at: string;
  workers: number;
  store: { kind: string; place: string; version: string; migration: string; size_bytes: number | null };
  warnings: { code: string; message: string; hint: string | null }[];
  open: boolean;
}

export function About() {
  const load = useLoad((signal) => get<AboutJson>("about", {}, signal), [], { every: 10_000 });
  return (
    <>
      <Head title="About" />
      <Shown load={load}>{(about) => <Told about={about} />}</Shown>
    </>
  );
}

function Told({ about }: { about: AboutJson }) {
  const { store } = about;
  return (
    <div class="stack">
      <Section title="Warnings">
        {about.warnings.length === 0 && <Empty title="Nothing to worry about." />}
        <ul class="warnings">
          {about.warnings.map((each) => (
            <li key={each.message}>
              <strong>{each.message}</strong> {each.hint} <code>{each.code}</code>
            </li>
          ))}
        </ul>
      </Section>
      <div class="grid">
        <Section title="This process">
          <Facts
            facts={[
              ["Ferryman", about.version],
              ["Python", about.python],
              ["Host", `${about.host} · ${about.pid}`],
              ["Node", <code>{about.node}</code>],
              ["Slots", String(about.workers)],
              ["Started", <Ago at={about.started_at} />],
            ]}
          />
        </Section>
        <Section title="The store">
          <Facts
            facts={[
              ["Kind", store.kind],
              ["Place", <code>{store.place}</code>],
              ["Version", store.version],
              ["Migration", store.migration],
              ["Size", store.size_bytes === null ? null : bytes(store.size_bytes)],
            ]}
          />
        </Section>
        <Section title="Elsewhere">
          <p>
            All that you see here is in the HTTP API: <a href="./docs">its description</a>,{" "}
            <a href="./openapi.json">as OpenAPI</a>, <a href="./metrics">metrics for Prometheus</a>,{" "}
            <a href="./health">health</a>.
          </p>
        </Section>
      </div>
    </div>
  );
}
