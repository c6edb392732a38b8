/** One key: its gate, who waits, and what one can do about it. */

import { get, part, post } from "../api";
import { count, many } from "../format";
import { useLoad } from "../load";
import { hrefTo } from "../router";
import type { PageProps } from "../routes";
import { may } from "../session";
import { Badge, Figure, Head, Section, ShortId } from "../ui/bits";
import { Button } from "../ui/button";
import { ask } from "../ui/dialog";
import { Shown } from "../ui/shown";
import { say } from "../ui/toast";
import { type KeyJson, ruleInWords } from "./keys";

export function Key({ params }: PageProps) {
  const path = `keys/${part(params.key ?? "")}`;
  const load = useLoad((signal) => get<KeyJson>(path, {}, signal), [path], { live: 2_000 });
  const key = load.data;
  const pause = async () => {
    await post(`${path}/${key?.paused ? "resume" : "pause"}`);
    load.again();
  };
  const pass = () =>
    ask({
      title: "Let the sequence go on?",
      body: <p>It goes on without the failed jobs for which it waits. They stay failed.</p>,
      yes: "Go on",
      run: async () => {
        const { passed } = await post<{ passed: string[] }>(`${path}/pass`);
        say(`It goes on without ${many(passed.length, "job")}.`);
        load.again();
      },
    });
  return (
    <>
      <Head title={<bdi>{params.key}</bdi>} about={key && (key.paused ? <Badge status="paused" /> : ruleInWords(key))}>
        {key && may("operate") && <Button onClick={pause}>{key.paused ? "Resume" : "Pause"}</Button>}
        {key?.held_by.length && may("operate") ? <Button onClick={pass}>Pass the failed</Button> : null}
      </Head>
      <Shown load={load}>
        {(told) => (
          <>
            <dl class="figures">
              <Figure name="Let in" value={count(told.slots)} />
              <Figure name="Waiting" value={count(told.waiting)} />
            </dl>
            {told.held_by.length > 0 && (
              <Section title="It waits for these failed jobs">
                <ul>
                  {told.held_by.map((id) => (
                    <li key={id}>
                      <a href={hrefTo("/jobs", id)}>
                        <ShortId id={id} />
                      </a>
                    </li>
                  ))}
                </ul>
              </Section>
            )}
          </>
        )}
      </Shown>
    </>
  );
}
