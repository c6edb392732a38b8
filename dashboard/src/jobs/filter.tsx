/** The filter: one line in the grammar of docs/filters.md, with what may be meant below it, and what cannot be read pointed at. */

import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useId } from "preact/hooks";
import { get, type Problem } from "../api";
import { useLoad } from "../load";
import { Button } from "../ui/button";
import { type Completion, complete } from "./terms";

interface Props {
  filter: string;
  onFilter: (filter: string) => void;
  input: RefObject<HTMLInputElement | null>;
  problem: Problem | null;
}

export function Filter({ filter, onFilter, input, problem }: Props) {
  const text = useSignal(filter);
  const open = useSignal(false);
  const at = useSignal(-1);
  const caret = useSignal(0);
  const id = useId();
  const known = useKnown(open.value);
  useEffect(() => {
    text.value = filter;
  }, [filter]);
  const found = complete(text.value, caret.value, known);
  const { options } = found;
  const shown = open.value && options.length > 0;

  const follow = () => {
    caret.value = input.current?.selectionStart ?? 0;
    at.value = -1;
    open.value = true;
  };
  const choose = (option: string) => {
    text.value = text.value.slice(0, found.from) + option + text.value.slice(found.to);
    caret.value = found.from + option.length;
    at.value = -1;
    requestAnimationFrame(() => input.current?.setSelectionRange(caret.value, caret.value));
  };
  const press = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const option = options[at.value] ?? (event.key === "Tab" && found.to > found.from ? options[0] : undefined);
    if (by && options.length) {
      open.value = true;
      at.value = (Math.max(at.value, by < 0 ? 0 : -1) + by + options.length) % options.length;
    } else if (shown && option && (event.key === "Enter" || event.key === "Tab")) choose(option.text);
    else if (event.key === "Escape" && shown) open.value = false;
    else {
      if (event.key === "Escape") input.current?.blur();
      return;
    }
    event.preventDefault();
  };
  const apply = (event: Event) => {
    event.preventDefault();
    open.value = false;
    onFilter(text.value.trim());
  };
  const clear = () => {
    onFilter((text.value = ""));
    input.current?.focus();
  };
  return (
    <form class="filter" role="search" onSubmit={apply}>
      <input
        ref={input}
        class="mono"
        role="combobox"
        aria-label="Filter"
        aria-expanded={shown}
        aria-controls={id}
        aria-autocomplete="list"
        aria-activedescendant={shown && at.value >= 0 ? `${id}-${at.value}` : undefined}
        aria-invalid={problem !== null}
        aria-describedby={problem ? `${id}-wrong` : undefined}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder="Filter: type:mail.* tag:nightly created:<1d payload.user.id:42"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          follow();
        }}
        onClick={follow}
        onKeyDown={press}
        onBlur={() => (open.value = false)}
      />
      {text.value && (
        <Button kind="quiet" aria-label="No filter" onClick={clear}>
          ✕
        </Button>
      )}
      <Button submit>Filter</Button>
      <Options id={id} options={shown ? options : []} at={at.value} choose={choose} />
      {problem && <Wrong id={`${id}-wrong`} filter={filter} problem={problem} />}
    </form>
  );
}

interface Offered {
  id: string;
  options: Completion["options"];
  at: number;
  choose: (option: string) => void;
}

function Options({ id, options, at, choose }: Offered) {
  return (
    <div class="options" hidden={!options.length}>
      <ul id={id} role="listbox" aria-label="What may be meant">
        {options.map(({ text, about }, n) => (
          <li
            key={text}
            id={`${id}-${n}`}
            role="option"
            aria-selected={n === at}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(text)}
          >
            <code dir="auto">{text}</code> <span class="dim">{about}</span>
          </li>
        ))}
      </ul>
      <p class="dim">a,b is either · a minus before a term turns it round · * is any text · "with spaces"</p>
    </div>
  );
}

/** What cannot be read, and from where on. Columns count characters, not the halves of which JavaScript makes some. */
function Wrong({ id, filter, problem }: { id: string; filter: string; problem: Problem }) {
  const column = Number(problem.members.column ?? 1) - 1;
  const letters = [...filter];
  const [, wrong = "", rest = ""] = /^(\S*)(.*)$/s.exec(letters.slice(column).join("")) ?? [];
  return (
    <div id={id} class="trouble wrong" role="alert">
      <pre>
        {letters.slice(0, column).join("")}
        <u>{wrong || " "}</u>
        {rest}
      </pre>
      <p>
        {problem.message} <code>{problem.code}</code>
      </p>
      {problem.hint && <p>{problem.hint}</p>}
    </div>
  );
}

/** The types and queues that there are, once somebody writes a filter. */
function useKnown(open: boolean): Record<string, readonly string[]> {
  const asked = useSignal(open);
  if (open) asked.value = true;
  const load = useLoad(
    async (signal): Promise<Record<string, readonly string[]>> => {
      if (!asked.value) return {};
      const [types, queues] = await Promise.all([
        get<{ type: string; queue: string }[]>("types", {}, signal),
        get<{ queue: string }[]>("queues", {}, signal),
      ]);
      return {
        type: types.map((each) => each.type),
        queue: [...new Set([...types, ...queues].map((each) => each.queue))].sort(),
      };
    },
    [asked.value],
  );
  return load.data ?? {};
}
