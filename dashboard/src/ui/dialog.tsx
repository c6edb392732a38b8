/** Dialogs: the browser's own, so focus stays inside and Escape closes; and the question before what cannot be undone. */

import { signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Problem } from "../api";
import { Button } from "./button";
import { Trouble } from "./shown";

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
}

export function Dialog({ title, onClose, children, class: kind = "" }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    // by itself the browser begins at Close
    if (!ref.current?.querySelector("[autofocus]"))
      ref.current?.querySelector<HTMLElement>("form :is(input, select, textarea), .field input")?.focus();
    // by Escape the browser gives it back itself, and somebody may have gone on since; else it can be had once this is gone
    return () =>
      queueMicrotask(() => {
        if (document.activeElement === document.body && before instanceof HTMLElement) before.focus();
      });
  }, []);
  const outside = (event: MouseEvent) => {
    if (event.target === ref.current) onClose();
  };
  return (
    <dialog ref={ref} class={`dialog ${kind}`} aria-labelledby={id} onClose={onClose} onMouseDown={outside}>
      <div class="dialog-inner">
        <header>
          <h2 id={id}>{title}</h2>
          <Button kind="quiet" aria-label="Close" onClick={onClose}>
            ✕
          </Button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface Question {
  title: string;
  body?: ComponentChildren;
  /** What the button says that does it. */
  yes: string;
  danger?: boolean;
  /** A word that has to be typed first. */
  type?: string;
  /** Does it; while it is under way the dialog stays, and what goes wrong is told in it. */
  run: () => Promise<unknown>;
}

const question = signal<Question | null>(null);

/** Ask before something is done. */
export function ask(asked: Question): void {
  question.value = asked;
}

/** Where questions are shown; once in the page. */
export function Questions() {
  const asked = question.value;
  return asked && <Asked key={asked.title} {...asked} />;
}

function Asked({ title, body, yes, danger, type, run }: Question) {
  const typed = useSignal("");
  const trouble = useSignal<Problem | null>(null);
  const close = () => {
    question.value = null;
  };
  const act = async () => {
    trouble.value = null;
    try {
      await run();
      close();
    } catch (error) {
      trouble.value = error instanceof Problem ? error : new Problem(0, "", String(error));
    }
  };
  return (
    <Dialog title={title} onClose={close}>
      {body && <div class="prose">{body}</div>}
      {type !== undefined && (
        <label class="field">
          <span>
            Type <code>{type}</code> to confirm
          </span>
          <input
            value={typed.value}
            onInput={(event) => (typed.value = event.currentTarget.value)}
            autocomplete="off"
          />
        </label>
      )}
      {trouble.value && <Trouble problem={trouble.value} />}
      <footer>
        <Button onClick={close}>Do nothing</Button>
        <Button
          kind={danger ? "danger" : "main"}
          onClick={act}
          disabled={type !== undefined && typed.value !== type}
          autofocus={!danger && type === undefined}
        >
          {yes}
        </Button>
      </footer>
    </Dialog>
  );
}
