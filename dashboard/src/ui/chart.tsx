/**
 * Charts over time and sparklines, as SVG: colours, sizes and both schemes are the style sheet's.
 *
 * They are our own, as lines over time are all that the dashboard draws: a chart library for that is a third of what all
 * of the dashboard may weigh.
 */

import { useSignal } from "@preact/signals";
import { now } from "../clock";
import { type Scale, scaleOf, timesOf } from "./scale";

export interface Line {
  name: string;
  /** A custom property such as --completed. */
  color: string;
  values: readonly (number | null)[];
  /** Whether what is below the line is filled. */
  filled?: boolean;
  dashed?: boolean;
}

interface Props {
  label: string;
  /** Seconds since 1970, one for each value. */
  at: readonly number[];
  lines: readonly Line[];
  /** How a value is written. */
  format: (value: number) => string;
  /** Whether values are seconds. */
  seconds?: boolean;
}

/** The drawing has its own units, which are stretched to the room there is. */
const WIDTH = 1000;
const HEIGHT = 100;

/** Lines over time from zero up; what each of them is at a moment is told below the pointer, or by the arrow keys. */
export function Chart({ label, at, lines, format, seconds = false }: Props) {
  const chosen = useSignal<number | null>(null);
  const first = at[0] ?? 0;
  const span = (at.at(-1) ?? first) - first || 1;
  const scale = scaleOf(
    lines.map((line) => line.values),
    seconds,
  );
  const x = (time: number) => (time - first) / span;
  const point = (event: PointerEvent) => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    chosen.value = nearest(at, first + (span * (event.clientX - left)) / width);
  };
  const press = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    chosen.value = Math.min(Math.max((chosen.value ?? at.length) + by, 0), at.length - 1);
  };
  const none = () => (chosen.value = null);
  const said = `${label}: ${lines.map((line) => inWords(line, format)).join("; ")}`;
  return (
    <figure class="chart">
      <figcaption>
        {lines.map((line) => (
          <span key={line.name}>
            <i style={{ background: `var(${line.color})` }} aria-hidden="true" /> {line.name}
          </span>
        ))}
      </figcaption>
      <div
        class="plot"
        role="img"
        aria-label={said}
        tabIndex={0}
        onPointerMove={point}
        onPointerLeave={none}
        onBlur={none}
        onKeyDown={press}
      >
        {scale.ticks.map((tick) => (
          <div key={tick} class="tick-y" style={{ bottom: `${(100 * tick) / scale.top}%` }}>
            <span>{format(tick)}</span>
          </div>
        ))}
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
          {lines.map((line) => (
            <Drawn key={line.name} line={line} xs={at.map((time) => x(time) * WIDTH)} scale={scale} />
          ))}
        </svg>
        {timesOf(first, first + span).map(([time, text]) => (
          <div key={time} class="tick-x" style={{ left: `${100 * x(time)}%` }}>
            {text}
          </div>
        ))}
        {chosen.value !== null && (
          <Tip at={at} index={chosen.value} x={x(at[chosen.value] ?? first)} lines={lines} format={format} />
        )}
      </div>
    </figure>
  );
}

function Drawn({ line, xs, scale }: { line: Line; xs: readonly number[]; scale: Scale }) {
  const stroke = `var(${line.color})`;
  const points = line.values.map((value, n) =>
    value === null ? null : ([xs[n] ?? 0, HEIGHT * (1 - value / scale.top)] as const),
  );
  return (
    <>
      {line.filled && <path d={path(points, true)} fill={stroke} opacity="0.14" />}
      <path d={path(points, false)} class={line.dashed ? "dashed" : ""} stroke={stroke} fill="none" />
      <path d={lone(points)} class="lone" stroke={stroke} />
    </>
  );
}

type Point = readonly [number, number] | null;

/** Those of points that have no neighbour: a line would show nothing of them. */
export function lone(points: readonly Point[]): string {
  return points
    .map((point, n) =>
      point && !points[n - 1] && !points[n + 1] ? `M${point[0].toFixed(1)},${point[1].toFixed(1)}h0` : "",
    )
    .join("");
}

/** A path through points, with a gap where nothing is known; closed, each of its pieces goes down to zero. */
export function path(points: readonly Point[], closed: boolean): string {
  const pieces: string[] = [];
  let piece: (readonly [number, number])[] = [];
  for (const point of [...points, null]) {
    if (point) {
      piece.push(point);
      continue;
    }
    const [from, to] = [piece[0], piece.at(-1)];
    if (from && to) {
      const through = `M${piece.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}`;
      pieces.push(closed ? `${through}V${HEIGHT}H${from[0].toFixed(1)}Z` : through);
    }
    piece = [];
  }
  return pieces.join("");
}

function Tip({
  at,
  index,
  x,
  lines,
  format,
}: {
  at: readonly number[];
  index: number;
  x: number;
  lines: readonly Line[];
  format: (value: number) => string;
}) {
  const side = x > 0.5 ? { right: `calc(${100 * (1 - x)}% + 8px)` } : { left: `calc(${100 * x}% + 8px)` };
  const said = lines.map((line) => {
    const value = line.values[index];
    return `${line.name}: ${value === null || value === undefined ? "–" : format(value)}`;
  });
  return (
    <>
      <div class="cursor" style={{ left: `${100 * x}%` }} />
      <div class="tip" role="status" style={side}>
        {[new Date((at[index] ?? 0) * 1000).toLocaleString(), ...said].join("\n")}
      </div>
    </>
  );
}

function nearest(at: readonly number[], time: number): number {
  const next = at.findIndex((each) => each >= time);
  if (next < 0) return at.length - 1;
  return next > 0 && time - (at[next - 1] ?? 0) < (at[next] ?? 0) - time ? next - 1 : next;
}

function inWords(line: Line, format: (value: number) => string): string {
  const known = line.values.filter((value) => value !== null);
  const last = known.at(-1);
  return last === undefined
    ? `${line.name}: nothing is known`
    : `${line.name}: last ${format(last)}, at most ${format(Math.max(...known))}`;
}

/** A small line without axes. */
export function Spark({
  values,
  label,
  color = "--accent",
}: {
  values: readonly (number | null)[];
  label: string;
  color?: string;
}) {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const step = values.length > 1 ? WIDTH / (values.length - 1) : 0;
  const points = values.map((value, n) => [n * step, HEIGHT * (1 - (0.95 * (value ?? 0)) / most)] as const);
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path d={path(points, true)} fill={`var(${color})`} opacity="0.15" />
      <path d={path(points, false)} stroke={`var(${color})`} fill="none" />
    </svg>
  );
}

/** Windows that charts can show, in seconds. */
export const WINDOWS = [
  ["15m", "15 min", 900],
  ["1h", "1 hour", 3600],
  ["24h", "24 hours", 86_400],
  ["7d", "7 days", 604_800],
] as const;
export type Window = (typeof WINDOWS)[number][0];

/** What to ask `GET /stats` for a window that ends now. */
export function periodOf(window: Window): { from: string; step: string } {
  const seconds = WINDOWS.find((each) => each[0] === window)?.[2] ?? 3600;
  return {
    from: new Date(now.peek() - seconds * 1000).toISOString(),
    step: String(Math.max(60, Math.ceil(seconds / 288))),
  };
}
