// The proofs of a version: what this server checked when it loaded it, and what the bundle's
// certificate says was checked before.

import { badge, facts, h, table, verdictKind } from "./dom.js";
import { count, plural, short, when } from "./format.js";

const COLUMNS = [
  ["Output", ""],
  ["Datatype", "mono"],
  ["Scaled ULP, S", "number"],
  ["Oracle ratio, R", "number"],
  ["Largest difference", "number"],
  ["Arg-max", ""],
  ["NaN and infinity", ""],
  ["Bits", ""],
];

export function parity(about) {
  return h(
    "section",
    { class: "card", "aria-labelledby": "parity" },
    h("h2", { id: "parity" }, "Parity"),
    h(
      "p",
      { class: "dim" },
      "S is the largest error in rounding steps of the largest output; R compares it with the error of the ",
      "framework that trained the model. Both are measured against float64.",
    ),
    atLoad(about),
    certificate(about),
  );
}

function atLoad(about) {
  const { replay, variant } = about;
  const title = h("h3", {}, "Checked by this server");
  if (!replay) {
    return h("div", {}, title, h("p", {}, "Golden cases were not run: replay is off for this model."));
  }
  const worst = new Map();
  for (const each of replay.cases.flatMap((one) => one.outputs)) {
    worst.set(each.name, worse(worst.get(each.name), each));
  }
  return h(
    "div",
    {},
    title,
    facts([
      ["Verdict", badge(replay.verdict, replay.passed ? "good" : "bad")],
      ["Needed", replay.required],
      ["Golden cases", count(replay.count)],
      ["When", when(about.loadedAt)],
      ["Engine", `${about.engine} ${about.engineVersion}`],
      ["Variant", `${variant.id} (${variant.kind}, ${variant.precision})`],
      ["Tolerance", tolerance(variant.tolerance)],
    ]),
    table("Worst of all golden cases on this server", COLUMNS, [...worst.values()].map(metrics)),
  );
}

function worse(one, other) {
  const size = (each) => each.scaledUlp ?? (each.bitEqual ? 0 : (each.maxAbs ?? Infinity));
  return one && size(one) >= size(other) ? one : other;
}

function tolerance(declared) {
  return declared ? `rtol ${declared.rtol}, atol ${declared.atol}: ${declared.reason}` : null;
}

function certificate(about) {
  const paper = about.certificate;
  const title = h("h3", {}, "The bundle's certificate");
  const runs = Array.isArray(paper.runs) ? paper.runs : [];
  if (runs.length === 0) {
    return h("div", {}, title, h("p", {}, "The bundle has none, or it names no run."));
  }
  const limits = paper.limitsUsed;
  return h(
    "div",
    {},
    title,
    facts([
      ["Made", paper.createdAt ? when(paper.createdAt) : null],
      ["By", named(paper.tool, "name")],
      ["Trained in", named(paper.reference, "framework")],
      ["Oracle", named(paper.oracle, "kind")],
      ["Golden cases", Array.isArray(paper.golden) ? count(paper.golden.length) : null],
      ["Limits", limits ? `S ≤ ${limits.maxScaledUlp}, R ≤ ${limits.maxOracleRatio}` : null],
      ["Machine", paper.host ? `${paper.host.os}, ${paper.host.architecture}` : null],
    ]),
    runs.map(run),
    notes(paper.notes),
  );
}

function named(thing, name) {
  return thing ? [thing[name], thing.version].filter(Boolean).join(" ") : null;
}

function run(each) {
  const engine = [each.backend, each.backendVersion].filter(Boolean).join(" ");
  const outputs = Array.isArray(each.outputs) ? each.outputs : [];
  const where = [each.variant, engine && `on ${engine}`, each.language && `from ${each.language}`];
  const name = where.filter(Boolean).join(" ");
  return h(
    "details",
    { open: outputs.length > 0 && outputs.length <= 4 },
    h("summary", {}, name, " ", badge(String(each.verdict), verdictKind(each.verdict))),
    outputs.length > 0
      ? table(`Certified: ${name}`, COLUMNS, outputs.map(metrics))
      : h("p", { class: "dim" }, "The certificate gives the verdict alone."),
  );
}

function metrics(each) {
  const float = /^(FP|BF)/.test(each.dtype);
  return [
    each.name,
    each.dtype,
    float ? measure(each.scaledUlp) : "–",
    float && each.oracleRatioMax !== null ? measure(each.oracleRatioMax) : "–",
    measure(each.maxAbs),
    each.argmaxAgree ? "agrees" : badge("differs", "bad"),
    each.nonFiniteEqual ? "same places" : badge("elsewhere", "bad"),
    each.bitEqual ? "equal" : "not all equal",
  ];
}

/** JSON has no infinity: null stands for it. */
function measure(value) {
  return value === null || value === undefined ? "∞" : short(value);
}

function notes(list) {
  return Array.isArray(list) && list.length > 0
    ? h("details", {}, h("summary", {}, plural(list.length, "note")), h("ul", {}, list.map((each) => h("li", {}, String(each)))))
    : null;
}
