/** Buttons: what they start is under way until it ends, and what goes wrong is told. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { fail } from "./toast";

interface Props extends Omit<JSX.IntrinsicElements["button"], "onClick" | "type" | "children"> {
  kind?: "plain" | "main" | "danger" | "quiet";
  onClick?: () => unknown;
  submit?: boolean;
  children: ComponentChildren;
}

export function Button({ kind = "plain", onClick, submit, disabled, children, ...rest }: Props) {
  const busy = useSignal(false);
  const start = async () => {
    if (busy.peek()) return; // it is not disabled meanwhile, which would take the focus away
    busy.value = true;
    try {
      await onClick?.();
    } catch (error) {
      fail(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <button
      {...rest}
      type={submit ? "submit" : "button"}
      class={`button ${kind} ${rest.class ?? ""}`}
      disabled={disabled}
      aria-busy={busy.value || rest["aria-busy"]}
      onClick={onClick && (() => void start())}
    >
      {children}
    </button>
  );
}
