// The fields of a request, from a signature, filled in with the bundle's first golden case.

import { h } from "./dom.js";
import { count, shape } from "./format.js";
import { edited, elements, fromBase64, isRawOnly, json, repeated } from "./tensors.js";

const TEXT_FIELDS = 12;
/** What a line of text would lose. */
const CONTROL = /\p{Cc}/u;
const EDITED_AT_MOST = 20_000;

/** Sizes of the symbols, and one field for each input. */
export class Form {
  #sizes = new Map();
  #fields;

  constructor(signature, example) {
    const symbols = new Set(signature.inputs.flatMap((each) => each.dims).filter(isSymbol));
    for (const symbol of symbols) {
      const size = sizeIn(signature, example, symbol) ?? Math.max(1, signature.symbols[symbol]?.min ?? 1);
      this.#sizes.set(symbol, this.#sizeField(symbol, size, signature.symbols[symbol]));
    }
    this.#fields = signature.inputs.map((spec) => {
      const given = example?.inputs.find((each) => each.name === spec.name);
      return new Field(spec, given, () => this.#shape(spec), (dims) => this.#resize(spec, dims));
    });
    this.#fields.forEach((each) => each.reshape());
    this.element = h("div", {}, this.#sizesRow(), this.#fields.map((each) => each.element));
  }

  #sizeField(symbol, size, range) {
    const limits = { min: range?.min ?? 0, max: range?.max, step: range?.multipleOf ?? 1 };
    return h("input", {
      type: "number",
      id: `size-${symbol}`,
      value: size,
      ...limits,
      oninput: () => this.#fields.forEach((each) => each.reshape()),
    });
  }

  #sizesRow() {
    const labelled = [...this.#sizes].map(([symbol, input]) =>
      h("div", { class: "size" }, h("label", { for: input.id }, symbol), input),
    );
    return labelled.length === 0 ? null : h("div", { class: "sizes" }, labelled);
  }

  #shape(spec) {
    return spec.dims.map((dim) => (isSymbol(dim) ? Number(this.#sizes.get(dim).value) || 0 : Number(dim)));
  }

  #resize(spec, dims) {
    spec.dims.forEach((dim, i) => {
      if (isSymbol(dim)) {
        this.#sizes.get(dim).value = dims[i];
      }
    });
    this.#fields.forEach((each) => each.reshape());
  }

  /** The inputs of a request; null after saying beside the fields what is wrong. */
  inputs() {
    const inputs = this.#fields.map((each) => each.input());
    return inputs.includes(null) ? null : inputs;
  }

  /** Whether every field has what the example has. */
  isExample() {
    return this.#fields.every((each) => each.isExample());
  }
}

function isSymbol(dim) {
  return !/^\d+$/.test(dim);
}

function sizeIn(signature, example, symbol) {
  for (const given of example?.inputs ?? []) {
    const axis = signature.inputs.find((each) => each.name === given.name)?.dims.indexOf(symbol);
    if (axis !== undefined && axis >= 0) {
      return given.shape[axis];
    }
  }
  return null;
}

class Field {
  #spec;
  #given;
  #shape;
  #resize;
  #touched = false;
  #bytes = null;
  #values = h("div", {});
  #shapeText = h("span", { class: "mono" });
  #note = h("p", { class: "note" });
  #problem = h("p", { class: "problem", role: "alert" });

  constructor(spec, given, shapeNow, resize) {
    this.#spec = spec;
    this.#given = given;
    this.#shape = shapeNow;
    this.#resize = resize;
    const id = `file-${spec.name}`;
    const file = h("input", { type: "file", id, onchange: (event) => this.#take(event.target.files[0]) });
    this.element = h(
      "fieldset",
      {},
      h("legend", {}, spec.name, " ", h("span", { class: "mono dim" }, spec.datatype, " "), this.#shapeText),
      this.#values,
      this.#note,
      this.#problem,
      h("details", {}, h("summary", {}, "From a file"), h("label", { for: id }, fileHint(spec)), file),
    );
    if (isRawOnly(spec.datatype) && given) {
      this.#bytes = fromBase64(given.raw);
    }
  }

  isExample() {
    return !this.#touched && this.#given !== undefined && String(this.#given.shape) === String(this.#shape());
  }

  /** Follows the sizes of the symbols; values that nobody has edited grow and shrink with them. */
  reshape() {
    this.#shapeText.textContent = shape(this.#shape());
    if (this.#touched || this.#bytes) {
      this.#describe();
      return;
    }
    const wanted = elements(this.#shape());
    if (wanted > EDITED_AT_MOST) {
      this.#note.textContent = `${count(wanted)} values: choose a file.`;
      this.#values.replaceChildren();
      return;
    }
    const fallback = { BYTES: "", BOOL: "false" }[this.#spec.datatype] ?? "0";
    const data = this.#given ? repeated(this.#given.data, wanted) : repeated([fallback], wanted);
    this.#edit(data);
    this.#describe();
  }

  #edit(data) {
    const few = data.length > 0 && data.length <= TEXT_FIELDS;
    const texts = this.#spec.datatype === "BYTES" && few && !data.some((each) => CONTROL.test(each));
    const label = `Values of ${this.#spec.name}`;
    const touch = () => (this.#touched = true);
    if (isRawOnly(this.#spec.datatype)) {
      this.#values.replaceChildren();
    } else if (texts) {
      const fields = data.map((each, i) =>
        h("input", { type: "text", value: each ?? "", "aria-label": `${label}, ${i + 1}`, oninput: touch }),
      );
      this.#values.replaceChildren(...fields);
    } else {
      const text = edited(this.#spec.datatype, data);
      const rows = Math.min(8, Math.max(1, Math.ceil(text.length / 60)));
      const area = h("textarea", { rows, spellcheck: "false", "aria-label": label, oninput: touch });
      area.value = text;
      this.#values.replaceChildren(area);
    }
  }

  #describe() {
    if (this.#bytes) {
      this.#note.textContent = `${count(this.#bytes.length)} bytes, sent as they are.`;
    } else if (isRawOnly(this.#spec.datatype)) {
      this.#note.textContent = `${this.#spec.datatype} has no JSON form: choose a file of its bytes.`;
    } else {
      this.#note.textContent = domain(this.#spec.domain);
    }
  }

  async #take(file) {
    this.#problem.textContent = "";
    if (!file) {
      return;
    }
    try {
      if (this.#isPicture(file)) {
        await this.#picture(file);
      } else {
        this.#bytes = await bytesOf(this.#spec.datatype, file);
      }
      this.#touched = true;
      this.#values.replaceChildren();
      this.#describe();
    } catch (error) {
      this.#problem.textContent = `${file.name} can not be used: ${error.message}`;
    }
  }

  #isPicture(file) {
    return file.type.startsWith("image/") && this.#spec.datatype === "UINT8" && this.#spec.dims.at(-1) === "3";
  }

  /** The picture's pixels, red, green and blue; its height and width become the sizes of dims. */
  async #picture(file) {
    const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
    const picture = await createImageBitmap(file, options);
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    const rgba = context.getImageData(0, 0, picture.width, picture.height).data;
    this.#bytes = new Uint8Array((rgba.length / 4) * 3);
    for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
      this.#bytes.set(rgba.subarray(from, from + 3), to);
    }
    const rank = this.#spec.dims.length;
    const sizes = [picture.height, picture.width, 3];
    this.#resize(this.#spec.dims.map((_, i) => sizes[i - (rank - 3)] ?? 1));
  }

  input() {
    this.#problem.textContent = "";
    const { name, datatype } = this.#spec;
    const input = { name, datatype, shape: this.#shape() };
    if (this.#bytes) {
      return { ...input, bytes: this.#bytes };
    }
    const texts = [...this.#values.querySelectorAll("input")];
    const area = this.#values.querySelector("textarea");
    try {
      if (texts.length > 0) {
        return { ...input, json: JSON.stringify(texts.map((each) => each.value)) };
      }
      if (area) {
        return { ...input, json: json(datatype, area.value) };
      }
      throw new Error("choose a file");
    } catch (error) {
      this.#problem.textContent = error.message;
      return null;
    }
  }
}

function fileHint(spec) {
  const picture = spec.datatype === "UINT8" && spec.dims.at(-1) === "3";
  const text = spec.datatype === "BYTES";
  return picture
    ? "A picture, or values as they lie in memory"
    : text
      ? "A file of UTF-8 text, the one value"
      : "Values as they lie in memory: little-endian, row by row";
}

async function bytesOf(datatype, file) {
  const content = new Uint8Array(await file.arrayBuffer());
  if (datatype !== "BYTES") {
    return content;
  }
  const whole = new Uint8Array(4 + content.length);
  new DataView(whole.buffer).setUint32(0, content.length, true);
  whole.set(content, 4);
  return whole;
}

function domain(values) {
  if (!values) {
    return "";
  }
  const parts = [];
  if (values.min !== undefined || values.max !== undefined) {
    parts.push(`${values.min ?? "−∞"} to ${values.max ?? "∞"}`);
  }
  if (values.vocabulary) {
    const more = values.words > 8 ? ` … (${count(values.words)})` : "";
    parts.push(`${values.closed ? "one of" : "known:"} ${values.vocabulary.slice(0, 8).join(", ")}${more}`);
  }
  parts.push(values.nullable ? "may be missing" : "never missing");
  return parts.join("; ");
}
