/** Numbers, durations and times as people read them. */

const whole = new Intl.NumberFormat("en-US");
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** 12,345 */
export function count(n: number): string {
  return whole.format(n);
}

/** 12,345 or, where room is small, 1.2M */
export function brief(n: number): string {
  return n < 10_000 ? whole.format(n) : short.format(n);
}

/** A rate: 0.25, 3.1, 240 */
export function rate(perSecond: number): string {
  if (perSecond >= 100) return whole.format(Math.round(perSecond));
  return perSecond >= 10
    ? perSecond.toFixed(0)
    : perSecond >= 1
      ? perSecond.toFixed(1)
      : perSecond === 0
        ? "0"
        : perSecond.toFixed(2);
}

/** Seconds in the two units that matter: 840 µs, 12 ms, 1.4 s, 3 m 20 s, 2 h 5 m, 4 d 3 h */
export function duration(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s === 0) return "0 s";
  if (s < 0.001) return `${Math.round(s * 1e6)} µs`;
  if (s < 0.9995) return `${Number((s * 1000).toPrecision(s < 0.01 ? 2 : 3))} ms`;
  if (s < 59.95) return `${Number(s.toFixed(s < 10 ? 1 : 0))} s`;
  const m = Math.round(s);
  if (m < 3600) return two(m, 60, "m", 1, "s");
  return m < 86_400 ? two(m, 3600, "h", 60, "m") : two(m, 86_400, "d", 3600, "h");
}

function two(s: number, large: number, a: string, small: number, b: string): string {
  const rest = Math.floor((s % large) / small);
  return `${Math.floor(s / large)} ${a}${rest ? ` ${rest} ${b}` : ""}`;
}

/** How long ago, or how far ahead: "4 s ago", "in 2 h 5 m", "just now". */
export function ago(at: string, now: number): string {
  const seconds = (now - Date.parse(at)) / 1000;
  if (Math.abs(seconds) < 1) return "just now";
  const said = duration(Math.abs(seconds) < 60 ? Math.round(Math.abs(seconds)) : Math.abs(seconds));
  return seconds > 0 ? `${said} ago` : `in ${said}`;
}

/** A time in milliseconds since 1970, with the microseconds that it has. */
export function millis(at: string): number {
  return Date.parse(at) + (Number.parseInt(at.slice(23, 26), 10) || 0) / 1000;
}

/** Seconds between two times. */
export function between(from: string, to: string): number {
  return (millis(to) - millis(from)) / 1000;
}

/** A time to the millisecond, where one is: 2026-11-23 06:32:56.324 */
export function moment(at: string): string {
  const time = new Date(at);
  const pad = (n: number, width = 2) => String(n).padStart(width, "0");
  const day = `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
  return `${day} ${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}.${pad(time.getMilliseconds(), 3)}`;
}

/** 1.4 MB */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let size = n;
  while (size >= 1000 && at < units.length - 1) {
    size /= 1000;
    at++;
  }
  return `${at ? size.toPrecision(3) : size} ${units[at]}`;
}

export function percent(part: number): string {
  return `${(part * 100).toFixed(part && part < 0.1 ? 1 : 0)} %`;
}

/** "1 job", "12 jobs" */
export function many(n: number, one: string, more = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : more}`;
}
