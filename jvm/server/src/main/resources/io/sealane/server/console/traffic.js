// How requests are shared out over versions, and how far the answers of shadows are from those that
// were given. Drawn where a model has a canary or a shadow.

import { badge, facts, h, row, s } from "./dom.js";
import { count, duration, short } from "./format.js";

const SHARES = [
  ["Version", ""],
  ["Share of requests", ""],
  ["Answered", "number"],
  ["Failed", "number"],
  ["p50", "number"],
  ["p99", "number"],
  ["Shadow", ""],
];
const DRIFTS = [
  ["Output", ""],
  ["Datatype", "mono"],
  ["Values that differ", "number"],
  ["Largest difference", "number"],
  ["Largest in ULP", "number"],
  ["Other arg-max", "number"],
  ["Distance in ULP", ""],
];

export class Traffic {
  element = h("div", {});
  #drawn = "";

  /** @param models what /traffic says, with its numbers as text */
  update(models) {
    const split = models.filter((each) => each.canary.length > 0 || each.versions.some((one) => one.shadow));
    const form = JSON.stringify(split);
    if (form !== this.#drawn) {
      this.#drawn = form;
      this.element.replaceChildren(...split.map((each, i) => section(each, `traffic-${i}`)));
    }
  }
}

function section(model, id) {
  const missing = model.canary.filter((each) => !each.ready).map((each) => each.version);
  const shadows = model.versions.filter((each) => each.shadow);
  return h(
    "section",
    { class: "card", "aria-labelledby": id },
    h("header", {}, h("h2", { id }, `Traffic of ${model.name}`)),
    missing.length > 0 ? h("p", { class: "problem" }, `Not ready, so without its share: ${missing.join(", ")}`) : null,
    plain(`Versions of ${model.name} by their share`, SHARES, model.versions.map(share)),
    shadows.map((each) => shadowed(each)),
  );
}

/** A table that nothing in it can be focused of: it is drawn anew with each look. */
function plain(caption, columns, rows) {
  const head = columns.map(([title, kind]) => h("th", { scope: "col", class: kind }, title));
  return h(
    "div",
    { class: "wide" },
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, head)),
      h("tbody", {}, rows.map((cells) => row(columns, cells))),
    ),
  );
}

function share(version) {
  const { requests, latency_ms: latency } = version;
  const failed = Number(requests.failure) + Number(requests.cancelled) + Number(requests.refused);
  const asked = Number(requests.success) > 0;
  return [
    version.version,
    bar(Number(version.share)),
    count(Number(requests.success)),
    count(failed),
    asked ? millis(latency.p50) : "–",
    asked ? millis(latency.p99) : "–",
    version.shadow ? `${version.shadow.to}, for ${short(Number(version.shadow.fraction))} %` : "–",
  ];
}

function millis(value) {
  return duration(Number(value) * 1e6);
}

function bar(percent) {
  const box = { x: 0, y: 0, height: 10, rx: 3 };
  const drawing = s(
    "svg",
    { viewBox: "0 0 100 10", width: 100, height: 10, "aria-hidden": "true", class: "share" },
    s("rect", { ...box, width: 100, class: "track" }),
    s("rect", { ...box, width: percent, class: "bar" }),
  );
  return h("span", { class: "together" }, drawing, ` ${short(percent)} %`);
}

function shadowed(version) {
  const { shadow } = version;
  const verdicts = Object.entries(shadow.verdicts).filter(([, number]) => Number(number) > 0);
  const kind = (name) => (name === "failed" ? "bad" : "good");
  const words = verdicts.map(([name, number]) => [badge(`${name.replaceAll("_", "-")} ${count(Number(number))}`, kind(name)), " "]);
  return h(
    "div",
    {},
    h("h3", {}, `${version.version} beside its shadow ${shadow.to}`),
    shadow.problem ? h("p", { class: "problem" }, shadow.problem) : null,
    facts([
      ["Compared", count(Number(shadow.compared))],
      ["Verdicts", words.length > 0 ? h("span", {}, words.flat()) : "none yet"],
      ["Left out, as it was busy", count(Number(shadow.dropped))],
      ["Runs that failed", count(Number(shadow.failed))],
      ["Why the last failed", shadow.last_failure],
      ["Shadow's p50", millis(shadow.run_ms.p50)],
      ["Shadow's p99", millis(shadow.run_ms.p99)],
    ]),
    shadow.outputs.length > 0 ? plain("Outputs beside those of the shadow", DRIFTS, shadow.outputs.map(drift)) : null,
  );
}

function drift(output) {
  return [
    output.name,
    output.datatype,
    `${count(Number(output.differing))} of ${count(Number(output.elements))}`,
    short(Number(output.max_abs)),
    count(Number(output.max_ulp)),
    count(Number(output.argmax_mismatches)),
    distances(Object.entries(output.ulps)),
  ];
}

/** Elements by their distance: 0, then by powers of two. */
function distances(entries) {
  if (entries.length === 0) {
    return "–";
  }
  const sorted = entries.map(([ulp, number]) => [Number(ulp), Number(number)]).sort(([a], [b]) => a - b);
  const most = Math.max(...sorted.map(([, number]) => number));
  const label = sorted.map(([ulp, number]) => `${ulp}: ${count(number)}`).join("; ");
  const bars = sorted.map(([ulp, number], i) => {
    const height = Math.max(2, (number / most) * 26);
    const box = { x: i * 16 + 1, y: 28 - height, width: 14, height, rx: 2, class: "bar" };
    return s("rect", box, s("title", {}, `up to ${ulp}: ${count(number)}`));
  });
  const width = sorted.length * 16;
  return h(
    "span",
    { class: "together" },
    s("svg", { viewBox: `0 0 ${width} 28`, width, height: 28, role: "img", "aria-label": label }, bars),
    h("span", { class: "dim" }, ` 0 to ${count(sorted.at(-1)[0])}`),
  );
}
