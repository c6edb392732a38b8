/** Charts over time (uPlot on a canvas), and sparklines. What they show is also there as a table for who cannot see them. */

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { now } from "../clock";
import { system, theme } from "../theme";

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
  height?: number;
}

export function Chart({ label, at, lines, format, height = 180 }: Props) {
  const room = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shape = lines.map((line) => line.name + line.color).join() + theme.value + system.value;
  useEffect(() => {
    const element = room.current;
    if (!element) return;
    const made = new uPlot(options(element, lines, format, height), data(at, lines), element);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data(at, lines)), [at, lines]);
  return (
    <figure class="chart">
      <figcaption>
        {lines.map((line) => (
          <span key={line.name} class="legend">
            <i style={{ background: `var(${line.color})` }} aria-hidden="true" /> {line.name}
          </span>
        ))}
      </figcaption>
      <div ref={room} class="chart-room" role="img" aria-label={`${label}: ${lines.map((line) => inWords(line, format)).join("; ")}`} />
    </figure>
  );
}

function inWords(line: Line, format: (value: number) => string): string {
  const known = line.values.filter((value) => value !== null);
  const last = known.at(-1);
  return last === undefined ? `${line.name}: nothing is known` : `${line.name}: last ${format(last)}, at most ${format(Math.max(...known))}`;
}

function data(at: readonly number[], lines: readonly Line[]): uPlot.AlignedData {
  return [at as number[], ...lines.map((line) => line.values as (number | null)[])];
}

/** A custom property as a canvas takes it. */
function resolve(element: HTMLElement, name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function options(element: HTMLElement, lines: readonly Line[], format: (value: number) => string, height: number): uPlot.Options {
  const dim = resolve(element, "--dim");
  const grid = { stroke: resolve(element, "--line"), width: 1 };
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [
      { stroke: dim, grid: { show: false }, ticks: grid, font, size: 28 },
      { stroke: dim, grid, ticks: { show: false }, font, size: 56, values: (_plot, values) => values.map(format) },
    ],
    series: [
      {},
      ...lines.map((line): uPlot.Series => {
        const stroke = resolve(element, line.color);
        return {
          label: line.name,
          stroke,
          width: 1.5,
          spanGaps: false,
          points: { show: false },
          ...(line.filled && { fill: stroke.replace(/^rgb\((.*)\)$/, "rgba($1, 0.14)") }),
          ...(line.dashed && { dash: [5, 4] }),
        };
      }),
    ],
    plugins: [tip(lines, format)],
  };
}

/** The values below the pointer. */
function tip(lines: readonly Line[], format: (value: number) => string): uPlot.Plugin {
  const box = document.createElement("div");
  box.className = "tip";
  box.hidden = true;
  return {
    hooks: {
      init: (plot) => plot.over.append(box),
      setCursor: (plot) => {
        const { idx, left } = plot.cursor;
        box.hidden = idx === null || idx === undefined || (left ?? -1) < 0;
        if (box.hidden || typeof idx !== "number") return;
        const time = new Date((plot.data[0][idx] ?? 0) * 1000).toLocaleString();
        const said = lines.map((line, at) => {
          const value = plot.data[at + 1]?.[idx];
          return `${line.name}: ${value === null || value === undefined ? "–" : format(value)}`;
        });
        box.textContent = [time, ...said].join("\n");
        const right = (left ?? 0) > plot.over.clientWidth / 2;
        box.style.left = right ? "auto" : `${(left ?? 0) + 12}px`;
        box.style.right = right ? `${plot.over.clientWidth - (left ?? 0) + 12}px` : "auto";
      },
    },
  };
}

/** A small line without axes. */
export function Spark({ values, label, color = "--accent" }: { values: readonly (number | null)[]; label: string; color?: string }) {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const step = values.length > 1 ? 100 / (values.length - 1) : 0;
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${(23 - (22 * (value ?? 0)) / most).toFixed(1)}`);
  return (
    <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      <polygon points={`0,24 ${points.join(" ")} 100,24`} fill={`var(${color})`} opacity="0.15" />
      <polyline points={points.join(" ")} fill="none" stroke={`var(${color})`} stroke-width="1.5" vector-effect="non-scaling-stroke" />
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
  return { from: new Date(now.peek() - seconds * 1000).toISOString(), step: String(Math.max(60, Math.ceil(seconds / 288))) };
}
