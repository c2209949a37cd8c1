// Numbers and times as people read them.

const UNITS = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
];

/** Three digits that count. */
export function short(number) {
  if (!Number.isFinite(number)) {
    return "∞";
  }
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    return number.toExponential(2);
  }
  return String(Number(number.toPrecision(3)));
}

/** Nanoseconds with the unit that fits. */
export function duration(nanos) {
  const [size, unit] = UNITS.find(([each]) => nanos >= each) ?? [1e3, "µs"];
  return `${short(nanos / size)} ${unit}`;
}

export function count(number) {
  return number.toLocaleString("en-GB");
}

/** A rate, per second. */
export function rate(perSecond) {
  return perSecond >= 100 ? count(Math.round(perSecond)) : short(Math.round(perSecond * 10) / 10);
}

/** Milliseconds since 1970, or a text such as 2026-01-31T12:00:00Z, as a `time` would say it. */
export function when(moment) {
  const date = new Date(moment);
  return Number.isNaN(date.getTime())
    ? String(moment)
    : date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/** How long ago, in words. */
export function ago(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  const [size, unit] =
    seconds < 120 ? [1, "s"] : seconds < 7200 ? [60, "min"] : seconds < 172800 ? [3600, "h"] : [86400, "days"];
  return `${Math.round(seconds / size)} ${unit} ago`;
}

export function shape(dims) {
  return `[${dims.join(", ")}]`;
}

/** Of one: thing; of others: things. */
export function plural(number, thing) {
  return `${count(number)} ${thing}${number === 1 ? "" : "s"}`;
}
