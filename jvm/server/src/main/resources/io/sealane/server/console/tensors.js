// Tensors between people and the Open Inference Protocol. Numbers stay the text that they were
// typed or sent as: a double can not hold every INT64, and JSON has no word for NaN.

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const INTEGER = /^-?(0|[1-9]\d*)$/;
const FLOATS = new Set(["FP16", "BF16", "FP32", "FP64"]);
const QUOTED_OR_NUMBER = /("(?:[^"\\]|\\.)*")|(-?Infinity|NaN|-?\d[\d.eE+-]*)/g;

/** Datatypes that requests carry as bytes only. */
export function isRawOnly(datatype) {
  return datatype === "FP16" || datatype === "BF16";
}

/** An answer's JSON with each number as the text that was sent. */
export function parsed(text) {
  return JSON.parse(text.replace(QUOTED_OR_NUMBER, (whole, string) => string ?? `"${whole}"`));
}

export function elements(shape) {
  return shape.reduce((product, each) => product * Number(each), 1);
}

/** Values as people edit them: numbers by comma, texts as a JSON array. */
export function edited(datatype, data) {
  return datatype === "BYTES" ? JSON.stringify(data, null, 1) : data.map(String).join(", ");
}

/**
 * The JSON array of what was typed: JSON as it is, or values by comma or space.
 * Throws an Error that names the value that is none.
 */
export function json(datatype, text) {
  if (datatype === "BYTES") {
    return strings(text);
  }
  const tokens = text.split(/[\s,[\]]+/).filter((each) => each !== "");
  const wrong = tokens.find((each) => !isValue(datatype, each));
  if (wrong !== undefined) {
    throw new Error(`“${wrong.slice(0, 40)}” is no ${datatype}`);
  }
  return text.trim().startsWith("[") ? text : `[${tokens.join(", ")}]`;
}

function strings(text) {
  try {
    const array = JSON.parse(text);
    if (Array.isArray(array)) {
      return text;
    }
  } catch {
    // Said below, as of what is JSON but no array.
  }
  throw new Error('texts must be a JSON array, such as ["a", "b"]');
}

function isValue(datatype, token) {
  if (datatype === "BOOL") {
    return token === "true" || token === "false";
  }
  if (FLOATS.has(datatype)) {
    return NUMBER.test(token) || ["NaN", "Infinity", "-Infinity", "null"].includes(token);
  }
  return INTEGER.test(token);
}

/** The example's values for another number of elements: from the start again where they end. */
export function repeated(data, wanted) {
  return data.length === 0 ? [] : Array.from({ length: wanted }, (_, i) => data[i % data.length]);
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
}

/**
 * A request of inputs {name, datatype, shape, json | bytes}: its JSON, and its bytes with the
 * headers that go with them.
 */
export function request(inputs) {
  const described = inputs.map((each) => {
    const head = `"name": ${JSON.stringify(each.name)}, "datatype": "${each.datatype}", "shape": [${each.shape.join(", ")}]`;
    return each.bytes
      ? `{${head}, "parameters": {"binary_data_size": ${each.bytes.length}}}`
      : `{${head}, "data": ${each.json}}`;
  });
  const text = `{"inputs": [${described.join(", ")}]}`;
  const bytes = inputs.filter((each) => each.bytes).map((each) => each.bytes);
  if (bytes.length === 0) {
    return { text, body: text, headers: { "Content-Type": "application/json" }, isText: true };
  }
  const start = new TextEncoder().encode(text);
  return {
    text,
    body: new Blob([start, ...bytes]),
    headers: {
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": String(start.length),
    },
    isText: false,
  };
}

/** A command line that sends a request to the main port; quoted for a POSIX shell. */
export function curl(server, path, text) {
  const host = server.host === "0.0.0.0" || server.host === "::" ? location.hostname : server.host;
  const at = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  const url = `${server.tls ? "https" : "http"}://${at}:${server.port}/v2/${path}/infer`;
  return `curl -s ${quoted(url)} -d ${quoted(text)}`;
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
