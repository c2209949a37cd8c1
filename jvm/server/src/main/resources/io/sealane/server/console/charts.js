// Drawings of our own: a histogram of durations, and a line over time.

import { s } from "./dom.js";
import { ago, duration, rate } from "./format.js";
import { quantile } from "./history.js";

const MARKS = [
  [0.5, "p50"],
  [0.9, "p90"],
  [0.99, "p99"],
];
const FEWEST = 12;
const HEIGHT = 170;
const TOP = 34;
const FOOT = 22;

function drawing(host, label, ...children) {
  const width = Math.max(260, host.clientWidth);
  const box = { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT };
  host.replaceChildren(s("svg", { ...box, role: "img", "aria-label": label }, ...children));
}

function nothing(host, text) {
  const width = Math.max(260, host.clientWidth);
  const middle = { x: width / 2, y: HEIGHT / 2, "text-anchor": "middle", class: "axis" };
  drawing(host, text, s("text", middle, text));
}

/** How often requests took how long, on a logarithmic axis, with marks at p50, p90 and p99. */
export function histogram(host, bounds, counts) {
  const used = counts.flatMap((each, i) => (each > 0 ? [i] : []));
  if (used.length === 0) {
    nothing(host, "No requests in this time");
    return;
  }
  const width = Math.max(260, host.clientWidth);
  let first = Math.max(0, used[0] - 2);
  const last = Math.min(counts.length - 1, Math.max(used.at(-1) + 2, first + FEWEST - 1));
  first = Math.max(0, Math.min(first, last - FEWEST + 1));
  const slot = width / (last - first + 1);
  const most = Math.max(...counts);
  const tall = HEIGHT - TOP - FOOT;
  const parts = [s("line", { x1: 0, x2: width, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT, class: "base" })];
  for (let i = first; i <= last; i++) {
    const x = (i - first) * slot;
    parts.push(...bar(x, slot, (counts[i] / most) * tall, spoken(bounds, counts, i)));
    if (i < bounds.length && i % 5 === 0) {
      parts.push(tick(x + slot, width, duration(bounds[i])));
    }
  }
  const found = MARKS.map(([share, name]) => [name, quantile(bounds, counts, share)]);
  parts.push(...marks(found, (nanos) => (place(bounds, nanos) - first) * slot, width));
  const label = found.map(([name, nanos]) => `${name} ${duration(nanos)}`).join(", ");
  drawing(host, `Latency: ${label}`, ...parts);
}

function spoken(bounds, counts, i) {
  const upTo = i < bounds.length ? `up to ${duration(bounds[i])}` : "longer";
  return `${upTo}: ${counts[i]}`;
}

function bar(x, slot, height, title) {
  if (height === 0) {
    return [];
  }
  const seen = Math.max(2, height);
  const box = { x: x + 1, y: HEIGHT - FOOT - seen, width: Math.max(1, slot - 2), height: seen };
  return [s("rect", { ...box, rx: 2, class: "bar" }, s("title", {}, title))];
}

function tick(x, width, text) {
  const anchor = x > width - 30 ? "end" : "middle";
  return s("text", { x: Math.min(x, width), y: HEIGHT - 6, "text-anchor": anchor, class: "axis" }, text);
}

/** Where a duration lies, counted in buckets; bounds grow by the same factor each. */
function place(bounds, nanos) {
  const step = Math.log(bounds[1] / bounds[0]);
  return Math.max(0, 1 + Math.log(nanos / bounds[0]) / step);
}

/** Lines with their names above, moved apart where they would lie on each other. */
function marks(found, x, width) {
  const apart = 84;
  const wanted = found.map(([, nanos]) => x(nanos));
  const at = [];
  wanted.forEach((each, i) => at.push(i === 0 ? each : Math.max(each, at[i - 1] + apart)));
  for (let i = at.length - 1, end = width - apart; i >= 0; i--, end -= apart) {
    at[i] = Math.max(0, Math.min(at[i], end));
  }
  return found.flatMap(([name, nanos], i) => [
    s("line", { x1: wanted[i], x2: wanted[i], y1: TOP - 8, y2: HEIGHT - FOOT, class: `mark ${name}` }),
    s("line", { x1: at[i] + 3, x2: wanted[i], y1: TOP - 14, y2: TOP - 8, class: `mark ${name}` }),
    s("text", { x: at[i], y: TOP - 18, class: "name" }, `${name} ${duration(nanos)}`),
  ]);
}

/** Requests a second since the page watches, of the last minutes; steps with failures are marked. */
export function throughput(host, steps, minutes) {
  if (steps.length < 2) {
    nothing(host, "Watching…");
    return;
  }
  const width = Math.max(260, host.clientWidth);
  const now = steps.at(-1).time;
  const most = Math.max(1, ...steps.map((each) => each.perSecond));
  const tall = HEIGHT - TOP - FOOT;
  const seen = Math.min(minutes * 60_000, now - steps[0].time);
  const x = (time) => width - ((now - time) / seen) * width;
  const y = (perSecond) => HEIGHT - FOOT - (perSecond / most) * tall;
  const line = steps.map((each) => `${x(each.time).toFixed(1)},${y(each.perSecond).toFixed(1)}`);
  const foot = HEIGHT - FOOT;
  const area = `${x(steps[0].time)},${foot} ${line.join(" ")} ${width},${foot}`;
  const failures = steps.filter((each) => each.failed > 0);
  drawing(
    host,
    `Requests a second: now ${rate(steps.at(-1).perSecond)}, at most ${rate(most)}`,
    s("line", { x1: 0, x2: width, y1: foot, y2: foot, class: "base" }),
    s("line", { x1: 0, x2: width, y1: TOP, y2: TOP, class: "grid" }),
    s("text", { x: 0, y: TOP - 6, class: "axis" }, `${rate(most)}/s`),
    s("polygon", { points: area, class: "area" }),
    s("polyline", { points: line.join(" "), class: "line" }),
    failures.map((each) =>
      s(
        "circle",
        { cx: x(each.time), cy: foot, r: 4, class: "fault" },
        s("title", {}, `${each.failed} without an answer`),
      ),
    ),
    s("text", { x: 0, y: HEIGHT - 6, class: "axis" }, ago(seen)),
    s("text", { x: width, y: HEIGHT - 6, "text-anchor": "end", class: "axis" }, "now"),
  );
}
