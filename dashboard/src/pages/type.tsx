/** One type: what it declares, its charts, and a form made of its schema that enqueues a job. */

import { useSignal } from "@preact/signals";
import { get } from "../api";
import { useKeys } from "../keys";
import { useLoad } from "../load";
import { href, hrefTo } from "../router";
import type { PageProps } from "../routes";
import { may } from "../session";
import type { RuleJson, Schema, TypeJson } from "../shapes/flow";
import { useStats } from "../stats";
import { Facts, Head, Section } from "../ui/bits";
import { Button } from "../ui/button";
import { Charts, WindowChoice, windowOfPage } from "../ui/charts";
import { EnqueueForm } from "../ui/enqueue";
import { RuleActions } from "../ui/rule";
import { Empty, Shown } from "../ui/shown";
import { RuleBadge } from "./queues";

export function TypePage({ params }: PageProps) {
  const name = params.name ?? "";
  const enqueuing = useSignal(false);
  const load = useLoad(
    (signal) => Promise.all([get<TypeJson[]>("types", {}, signal), get<RuleJson[]>("rules", {}, signal)]),
    [name],
    { live: 10_000 },
  );
  const stats = useStats(windowOfPage(), { type: name });
  const type = load.data?.[0].find((each) => each.type === name);
  const rule = load.data?.[1].find((each) => each.scope === "type" && each.name === name);
  const enqueue = () => (enqueuing.value = true);
  useKeys(
    may("enqueue")
      ? [{ keys: "e", what: "Enqueue a job of this type", group: "This page", run: enqueue, palette: true }]
      : [],
  );
  return (
    <>
      <Head title={<bdi>{name}</bdi>} about={<RuleBadge rule={rule} />}>
        {type && may("enqueue") && (
          <Button kind="main" onClick={enqueue}>
            Enqueue
          </Button>
        )}
        <RuleActions scope="type" name={name} rule={rule} changed={load.again} />
        <WindowChoice />
      </Head>
      {enqueuing.value && type && <EnqueueForm type={type} close={() => (enqueuing.value = false)} />}
      <div class="stack">
        <Shown load={load}>
          {() => (type ? <Declared type={type} /> : <Empty title="No node has ever registered this type." />)}
        </Shown>
        <Shown load={stats} lines={12}>
          {(data) => <Charts stats={data} />}
        </Shown>
      </div>
    </>
  );
}

function Declared({ type }: { type: TypeJson }) {
  return (
    <div class="grid">
      <Section title="It declares">
        <Facts
          facts={[
            ["Queue", <a href={hrefTo("/queues", type.queue)}>{type.queue}</a>],
            ["Priority", String(type.priority)],
            ["Attempts", String(type.max_attempts)],
            ["Secrets", type.secrets.join(", ")],
            ["Key", type.key && (type.key.argument ?? "made by a function")],
            ["After crashes", type.after_crashes && `${type.after_crashes.crashes}: to ${type.after_crashes.queue}`],
            ["Live nodes", String(type.nodes.length)],
            ["Jobs", <a href={href("/jobs", { filter: `type:${JSON.stringify(type.type)}` })}>as a list</a>],
          ]}
        />
      </Section>
      <Section title="Arguments">
        <Arguments schema={type.arguments} />
      </Section>
    </div>
  );
}

function Arguments({ schema }: { schema: Schema | null }) {
  const properties = Object.entries(schema?.properties ?? {});
  if (!properties.length) return <p class="dim">{schema?.additionalProperties === false ? "None." : "Anything."}</p>;
  return (
    <dl class="facts">
      {properties.map(([name, each]) => (
        <div key={name}>
          <dt>
            <code>{name}</code>
          </dt>
          <dd>
            {inWords(each)}
            {schema?.required?.includes(name)
              ? ""
              : `, ${each.default === undefined ? "optional" : `else ${JSON.stringify(each.default)}`}`}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function inWords(schema: Schema): string {
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" or ");
  if (schema.anyOf) return schema.anyOf.map(inWords).join(" or ");
  const kind = schema.format ?? schema.type ?? schema.$ref?.split("/").at(-1) ?? "anything";
  const said = schema.items ? `list of ${inWords(schema.items)}` : Array.isArray(kind) ? kind.join(" or ") : kind;
  return schema.writeOnly ? `secret ${said}` : said;
}
