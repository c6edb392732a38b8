/** The page for who has not shown an API key. */

import { useSignal } from "@preact/signals";
import { Problem } from "./api";
import { signIn } from "./session";
import { Button } from "./ui/button";
import { Trouble } from "./ui/shown";

export function SignIn() {
  const key = useSignal("");
  const busy = useSignal(false);
  const trouble = useSignal<Problem | null>(null);
  const enter = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    trouble.value = null;
    try {
      await signIn(key.value.trim());
      key.value = "";
    } catch (error) {
      trouble.value = error instanceof Problem ? error : new Problem(0, "", String(error));
    } finally {
      busy.value = false;
    }
  };
  return (
    <main class="alone">
      <form class="card signin" onSubmit={(event) => void enter(event)}>
        <img src="./icon.svg" alt="" width="48" height="48" />
        <h1>Ferryman</h1>
        <label class="field">
          <span>API key</span>
          <input
            type="password"
            name="key"
            autocomplete="current-password"
            placeholder="ferryman_…"
            required
            autofocus
            value={key.value}
            onInput={(event) => (key.value = event.currentTarget.value)}
          />
        </label>
        {trouble.value && <Trouble problem={trouble.value} />}
        <Button kind="main" submit disabled={busy.value}>
          Sign in
        </Button>
        <p class="dim">
          <code>ferryman api-keys add NAME --scope read</code> makes one. It is kept in a cookie that no script can
          read.
        </p>
      </form>
    </main>
  );
}
