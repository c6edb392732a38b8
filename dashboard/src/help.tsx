/** All keys that do something just now. */

import { signal } from "@preact/signals";
import { bindings } from "./keys";
import { Dialog } from "./ui/dialog";

export const helping = signal(false);

export function Help() {
  const groups = Map.groupBy(
    bindings.value.filter((each) => each.keys),
    (each) => each.group,
  );
  return (
    <Dialog title="Keys" class="help" onClose={() => (helping.value = false)}>
      <div class="columns">
        {[...groups].map(([group, found]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl class="keys">
              {found.map((each) => (
                <div key={each.keys}>
                  <dt>
                    {each.keys.split(/[ +]/).map((key, at) => (
                      <kbd key={at}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{each.what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
