// What a version takes and gives, where it comes from, and how it runs.

import { facts, h, table } from "./dom.js";
import { count, shape, when } from "./format.js";

export function signature(about) {
  const columns = [
    ["Name", ""],
    ["Datatype", "mono"],
    ["Dims", "mono"],
    ["Meaning", ""],
  ];
  const rows = (specs) => specs.map((each) => [each.name, each.datatype, shape(each.dims), each.semantic ?? ""]);
  const symbols = Object.entries(about.signature.symbols);
  return h(
    "section",
    { class: "card", "aria-labelledby": "signature" },
    h("h2", { id: "signature" }, "Signature"),
    h("h3", {}, "Inputs"),
    table("Inputs", columns, rows(about.signature.inputs)),
    h("h3", {}, "Outputs"),
    table("Outputs", columns, rows(about.signature.outputs)),
    facts(symbols.map(([name, range]) => [name, limits(range)])),
  );
}

function limits(range) {
  const multiple = range.multipleOf > 1 ? `, a multiple of ${range.multipleOf}` : "";
  return range.max === undefined
    ? `${count(range.min)} or more${multiple}`
    : `${count(range.min)} to ${count(range.max)}${multiple}`;
}

export function origin(about) {
  const { batching } = about;
  const batches =
    batching.maxRows > 1
      ? `up to ${count(batching.maxRows)} rows, waiting at most ${batching.maxDelayMillis} ms`
      : "off";
  return h(
    "section",
    { class: "card", "aria-labelledby": "origin" },
    h("h2", { id: "origin" }, "Origin and settings"),
    facts([
      ["Bundle", about.name],
      ["Made", when(about.createdAt)],
      ["Loaded", when(about.loadedAt)],
      ["Licences", about.licenses.join(", ")],
      ["Content id", h("code", {}, about.contentId)],
      ["Batches", batches],
      ["Runs at once", count(batching.workers)],
      ["Requests that may wait", count(batching.queue)],
    ]),
    folded("Engine settings", about.settings),
    folded("Lineage", about.lineage),
    folded("Environment of the export", about.environment),
  );
}

function folded(title, values) {
  const entries = Object.entries(values);
  return entries.length === 0
    ? null
    : h("details", {}, h("summary", {}, title), facts(entries.map(([name, value]) => [name, shown(value)])));
}

function shown(value) {
  return typeof value === "object" && value !== null ? h("code", {}, JSON.stringify(value)) : String(value);
}
