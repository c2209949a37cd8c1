// The try-it section of a version: a form, and the answer or the refusal.

import { Refused, call, versionPath } from "./api.js";
import { badge, h, table } from "./dom.js";
import { Form } from "./form.js";
import { count, duration, shape } from "./format.js";
import { curl, parsed, request } from "./tensors.js";

const AS_CURL = "Copy as curl";
const ROWS = 100;
const COLUMNS = 20;

export function tryIt(about, server) {
  const path = versionPath(about.model, about.version);
  const form = new Form(about.signature, about.example);
  const answer = h("div", { class: "answer", "aria-live": "polite" });
  const run = h("button", { type: "submit", class: "main" }, "Run");
  const command = h("textarea", { readonly: true, rows: 3, "aria-label": "The request as a command", hidden: true });
  const copy = h("button", { type: "button", onclick: () => asCurl(copy, command, form, server(), path) }, AS_CURL);
  const send = async (event) => {
    event.preventDefault();
    const inputs = form.inputs();
    if (inputs) {
      run.disabled = true;
      answer.replaceChildren(...(await asked(path, request(inputs), form.isExample() ? about.example : null)));
      run.disabled = false;
    }
  };
  return h(
    "section",
    { class: "card", "aria-labelledby": "try" },
    h("h2", { id: "try" }, "Try it"),
    h("p", { class: "dim" }, started(about.example)),
    h("form", { onsubmit: send, novalidate: true }, form.element, h("div", { class: "buttons" }, run, copy), command),
    answer,
  );
}

function started(example) {
  return example
    ? `Filled in with golden case ${example.id}${example.purpose ? ` (${example.purpose})` : ""}.`
    : "The bundle has no golden case small enough to fill this in.";
}

/** Shows the request as a command line, and copies it where the browser lets a page do so. */
async function asCurl(button, shown, form, server, path) {
  const inputs = form.inputs();
  if (!inputs) {
    return;
  }
  const made = request(inputs);
  shown.hidden = false;
  shown.value = made.isText ? curl(server, path, made.text) : "A request with a file has no short command line.";
  shown.select();
  if (made.isText && navigator.clipboard) {
    await navigator.clipboard.writeText(shown.value).then(
      () => (button.textContent = "Copied"),
      () => undefined,
    );
    setTimeout(() => (button.textContent = AS_CURL), 2000);
  }
}

async function asked(path, made, example) {
  const began = performance.now();
  try {
    const response = await call(`v2/${path}/infer`, { method: "POST", body: made.body, headers: made.headers });
    const text = await response.text();
    const took = (performance.now() - began) * 1e6;
    return answered(parsed(text), took, example);
  } catch (error) {
    return [refused(error)];
  }
}

function refused(error) {
  const kind = error instanceof Refused ? `${error.code || "Refused"} (${error.status})` : "No answer";
  return h("div", { class: "refused", role: "alert" }, h("strong", {}, kind), " ", error.message);
}

function answered(answer, took, example) {
  const said = h(
    "p",
    { class: "said" },
    badge("answered", "good"),
    ` by version ${answer.model_version} in ${duration(took)}, there and back`,
  );
  return [said, ...answer.outputs.map((each) => output(each, example))];
}

function output(tensor, example) {
  const expected = example?.outputs.find((each) => each.name === tensor.name);
  return h(
    "div",
    { class: "output" },
    h(
      "h3",
      {},
      tensor.name,
      " ",
      h("span", { class: "mono dim" }, `${tensor.datatype} ${shape(tensor.shape)}`),
      " ",
      expected ? compared(tensor, expected) : null,
    ),
    values(tensor),
  );
}

/** Numbers are printed in the fewest digits that give them again, so equal text is equal bits. */
function compared(tensor, expected) {
  const same = String(tensor.shape) === String(expected.shape);
  const wrong = tensor.data.filter((each, i) => each !== expected.data[i]).length;
  if (same && wrong === 0) {
    return badge("equals the golden case", "good");
  }
  const off = tensor.data.map((each, i) => Math.abs(Number(each) - Number(expected.data[i])));
  const most = off.reduce((a, b) => Math.max(a, b), 0);
  const near = same && tensor.datatype !== "BYTES" && Number.isFinite(most);
  return near
    ? badge(`differs from the golden case by at most ${most.toPrecision(2)}`, "long")
    : badge(`${count(wrong)} of ${count(tensor.data.length)} values differ from the golden case`, "long");
}

/** A grid: the last dim across, the others down. */
function values(tensor) {
  const across = Math.max(1, Number(tensor.shape.at(-1) ?? 1));
  const down = Math.ceil(tensor.data.length / across);
  const shown = Math.min(across, COLUMNS);
  const titles = Array.from({ length: shown }, (_, i) => [String(i), "number"]);
  const rows = Array.from({ length: Math.min(down, ROWS) }, (_, at) => [
    String(at),
    ...tensor.data.slice(at * across, at * across + shown).map(one),
  ]);
  const cut = down > ROWS || across > COLUMNS ? h("p", { class: "dim" }, `Of ${count(tensor.data.length)} values, the first ${count(Math.min(down, ROWS))} × ${shown}.`) : null;
  return h("div", {}, table(`Values of ${tensor.name}`, [["Row", "dim"], ...titles], rows), cut);
}

function one(value) {
  return value === null ? h("em", {}, "missing") : String(value);
}
