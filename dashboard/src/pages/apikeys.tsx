/** API keys: who may do what over HTTP. */

import { useSignal } from "@preact/signals";
import { get, part, post, remove } from "../api";
import { useLoad } from "../load";
import { session, signIn } from "../session";
import { Ago, Badge, Copy, Head } from "../ui/bits";
import { Button } from "../ui/button";
import { ask, Dialog } from "../ui/dialog";
import { Field, FormDialog, type Said } from "../ui/form";
import { Empty, Shown } from "../ui/shown";
import { Table } from "../ui/table";

interface ApiKeyJson {
  id: string;
  name: string;
  scopes: string[];
  queues: string[] | null;
  rate: number | null;
  quota: number | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  live: boolean;
}

const SCOPES = ["enqueue", "read", "operate", "admin"] as const;

export function ApiKeys() {
  const load = useLoad((signal) => get<ApiKeyJson[]>("api-keys", {}, signal), [], { every: 10_000 });
  const adding = useSignal(false);
  const made = useSignal<string | null>(null);
  const revoke = (key: ApiKeyJson) =>
    ask({
      title: `Revoke ${key.name}?`,
      body: <p>Within a second it opens nothing any more.</p>,
      yes: "Revoke it",
      danger: true,
      run: async () => {
        await remove(`api-keys/${part(key.name)}?id=${key.id}`);
        load.again();
      },
    });
  const rotate = async (key: ApiKeyJson) => {
    made.value = (await post<{ key: string }>(`api-keys/${part(key.name)}/rotate`, {})).key;
    load.again();
  };
  return (
    <>
      <Head title="API keys" about="Who may do what over HTTP. From the first one on every request has to show one.">
        <Button kind="main" onClick={() => (adding.value = true)}>
          Add
        </Button>
      </Head>
      {adding.value && (
        <Add close={() => (adding.value = false)} made={(key) => (made.value = key)} changed={load.again} />
      )}
      {made.value !== null && <Made text={made.value} close={() => (made.value = null)} />}
      <Shown load={load}>
        {(keys) =>
          keys.length ? (
            <Table
              label="API keys"
              rows={keys}
              id={(key) => key.id}
              columns={[
                { name: "Name", cell: (key) => <bdi>{key.name}</bdi> },
                { name: "", cell: (key) => <Badge status={key.live ? "live" : "ended"} /> },
                { name: "Scopes", cell: (key) => key.scopes.join(", ") },
                { name: "Queues", extra: true, cell: (key) => key.queues?.join(", ") ?? "all" },
                { name: "Used", cell: (key) => <Ago at={key.last_used_at} /> },
                { name: "Ends", extra: true, cell: (key) => <Ago at={key.expires_at} /> },
                {
                  name: "",
                  cell: (key) =>
                    key.live && (
                      <>
                        <Button onClick={() => rotate(key)}>Rotate</Button>{" "}
                        <Button kind="danger" onClick={() => revoke(key)}>
                          Revoke
                        </Button>
                      </>
                    ),
                },
              ]}
            />
          ) : (
            <Empty title="There is no API key.">
              Whoever reaches this server may do everything. The first key has to have the scope admin; this page goes
              on with it.
            </Empty>
          )
        }
      </Shown>
    </>
  );
}

function Add({ close, made, changed }: { close: () => void; made: (key: string) => void; changed: () => void }) {
  const add = async ({ text, all }: Said) => {
    const [scopes, queues, first] = [
      all("scopes"),
      text("queues")
        .split(/[\s,]+/)
        .filter(Boolean),
      session.value?.open,
    ];
    if (first && !scopes.includes("admin"))
      throw new Error("The first key has to have the scope admin, or nobody can add another one.");
    const { key } = await post<{ key: string }>("api-keys", {
      name: text("name"),
      scopes,
      queues: queues.length ? queues : undefined,
    });
    made(key);
    if (first) await signIn(key); // from now on one has to show a key, and without it this one would be gone before it was read
    changed();
  };
  return (
    <FormDialog title="Add an API key" yes="Add" close={close} run={add}>
      <Field name="name" label="Who it is for" required />
      <fieldset class="row">
        <legend>Scopes</legend>
        {SCOPES.map((scope) => (
          <label key={scope} class="row">
            <input type="checkbox" name="scopes" value={scope} defaultChecked={scope === "read"} /> {scope}
          </label>
        ))}
      </fieldset>
      <Field name="queues" label="Only these queues; empty is all" />
    </FormDialog>
  );
}

function Made({ text, close }: { text: string; close: () => void }) {
  return (
    <Dialog title="The new API key" onClose={close}>
      <p>It is shown this once. Ferryman keeps no more than a hash of it.</p>
      <p class="row">
        <code>{text}</code> <Copy text={text} />
      </p>
    </Dialog>
  );
}
