/** Where the marks of a chart stand. */

export interface Scale {
  /** The value at the upper edge. */
  top: number;
  /** Round values from zero up. */
  ticks: number[];
}

const STEPS = [1, 2, 2.5, 5, 10];
const MARKS = 4;
/** Seconds between marks that people read as times: 15 s, minutes, hours, days. */
const CLOCK = [15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400];

/** From zero to a little above the largest value, with a few round values; those of seconds are round as times are. */
export function scaleOf(columns: readonly (readonly (number | null)[])[], seconds = false): Scale {
  let most = 0;
  for (const values of columns) for (const value of values) most = Math.max(most, value ?? 0);
  if (most === 0) return { top: 1, ticks: [0] };
  const power = 10 ** Math.floor(Math.log10(most / MARKS));
  const round = power * (STEPS.find((each) => each * power * MARKS >= most) ?? 10);
  const step = (seconds && round > 10 && CLOCK.find((each) => each * MARKS >= most)) || round;
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, n) => Number((n * step).toPrecision(6)));
  return { top: most * 1.08, ticks };
}

const MINUTE = 60;
const DAY = 86_400;
const SPANS = [5 * MINUTE, 15 * MINUTE, 60 * MINUTE, 180 * MINUTE, 360 * MINUTE, DAY, 2 * DAY, 7 * DAY];
const MOST_TIMES = 7;

/** Some times between two, in seconds since 1970, at full minutes, hours or days of this place, and what to write there. */
export function timesOf(from: number, to: number): [number, string][] {
  const step = SPANS.find((each) => (to - from) / each <= MOST_TIMES) ?? 30 * DAY;
  const found: [number, string][] = [];
  const offset = new Date(from * 1000).getTimezoneOffset() * MINUTE;
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step)
    found.push([at, written(at, step)]);
  return found;
}

function written(at: number, step: number): string {
  const time = new Date(at * 1000);
  return time.toLocaleString(
    undefined,
    step < DAY ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : { month: "short", day: "numeric" },
  );
}
