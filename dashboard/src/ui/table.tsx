/** Tables of rows that one goes through with j and k, opens with Enter and marks with x. */

import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { useKeys } from "../keys";

export interface Column<T> {
  name: ComponentChildren;
  cell: (row: T) => ComponentChildren;
  /** Numbers stand at the right. */
  number?: boolean;
  /** Takes the room that is left, and is cut off where there is none. */
  wide?: boolean;
  /** Left out on narrow screens. */
  extra?: boolean;
}

interface Props<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  id: (row: T) => string;
  /** Where a row leads: its first cell is a link. */
  href?: (row: T) => string;
  /** The ids that are marked; without it rows have no boxes. */
  marked?: Signal<ReadonlySet<string>>;
  /** For pages that have several tables: only one of them has the keyboard. */
  keys?: boolean;
  /** The row at which one is, where the page has to know it. */
  at?: Signal<string | null>;
}

export function Table<T>({ label, columns, rows, id, href, marked, keys = true, at: given }: Props<T>) {
  const own = useSignal<string | null>(null);
  const at = given ?? own;
  const body = useRef<HTMLTableSectionElement>(null);
  const step = (by: number) => {
    const found = rows.findIndex((row) => id(row) === at.value);
    const next = rows[Math.min(Math.max(found + by, 0), rows.length - 1)];
    if (!next) return;
    at.value = id(next);
    const line = body.current?.children[rows.indexOf(next)];
    line?.scrollIntoView({ block: "nearest" });
    line?.querySelector<HTMLElement>("a, input")?.focus({ preventScroll: true });
  };
  // whoever points at a row goes where its link leads; who marks a text, or presses what stands in it, does not
  const pointed = (event: MouseEvent, row: T) => {
    const own = event.target instanceof Element && event.target.closest("a, button, input, label, summary");
    if (href && !own && !getSelection()?.toString()) location.hash = href(row);
  };
  const current = () => rows.find((row) => id(row) === at.value);
  const open = () => {
    const row = current();
    if (row && href) location.hash = href(row);
  };
  const mark = (which: string) => {
    if (!marked) return;
    const next = new Set(marked.value);
    if (!next.delete(which)) next.add(which);
    marked.value = next;
  };
  useKeys(
    keys
      ? [
          { keys: "j", what: "Next row", group: "Lists", run: () => step(1) },
          { keys: "k", what: "Row before", group: "Lists", run: () => step(-1) },
          ...(href ? [{ keys: "Enter", what: "Open the row", group: "Lists", run: open }] : []),
          ...(marked
            ? [{ keys: "x", what: "Mark the row", group: "Lists", run: () => at.value !== null && mark(at.value) }]
            : []),
        ]
      : [],
  );
  const all = marked !== undefined && rows.length > 0 && rows.every((row) => marked.value.has(id(row)));
  return (
    <div class="table-room">
      <table aria-label={label}>
        <thead>
          <tr>
            {marked && (
              <th class="box">
                <input
                  type="checkbox"
                  aria-label="Mark all rows of this page"
                  checked={all}
                  onChange={() => (marked.value = all ? new Set() : new Set(rows.map(id)))}
                />
              </th>
            )}
            {columns.map((column, n) => (
              <th key={n} class={kind(column)} scope="col">
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {rows.map((row) => {
            const name = id(row);
            const cells = columns.map((column, n) => (
              <td key={n} class={kind(column)}>
                {n === 0 && href ? <a href={href(row)}>{column.cell(row)}</a> : column.cell(row)}
              </td>
            ));
            return (
              <tr
                key={name}
                class={`${href ? "leads" : ""} ${name === at.value ? "at" : ""}`}
                aria-selected={marked?.value.has(name)}
                onFocusCapture={() => (at.value = name)}
                onClick={(event) => pointed(event, row)}
              >
                {marked && (
                  <td class="box">
                    <input
                      type="checkbox"
                      aria-label={`Mark ${name}`}
                      checked={marked.value.has(name)}
                      onChange={() => mark(name)}
                    />
                  </td>
                )}
                {cells}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function kind<T>(column: Column<T>): string {
  return [column.number && "number", column.wide && "wide", column.extra && "extra"].filter(Boolean).join(" ");
}
