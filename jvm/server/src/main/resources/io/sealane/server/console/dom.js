// Builds elements. Text is always text: no file here parses markup, and the page's
// Content-Security-Policy (require-trusted-types-for) refuses what would.

const SVG = "http://www.w3.org/2000/svg";

/** An element: attributes by name, functions as listeners of `onclick` and the like. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An element of a drawing. */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.flat().filter((each) => each !== null && each !== undefined));
  return element;
}

/** Sets an element's text where it differs, so that nothing is announced or drawn twice. */
export function say(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** A table: its caption, its columns as [title, class], and rows of cells. */
export function table(caption, columns, rows) {
  const head = columns.map(([title, kind]) => h("th", { scope: "col", class: kind }, title));
  return h(
    "div",
    { class: "scroll", role: "region", "aria-label": caption, tabindex: 0 },
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, head)),
      h("tbody", {}, rows.map((cells) => row(columns, cells))),
    ),
  );
}

/** A row of a table of those columns; a cell is text or an element. */
export function row(columns, cells) {
  return h("tr", {}, cells.map((cell, i) => h("td", { class: columns[i][1] }, cell)));
}

/** A list of facts: pairs of a name and text or an element; pairs without a value are left out. */
export function facts(pairs) {
  const there = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h(
    "dl",
    { class: "facts" },
    there.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** A small coloured word; `kind` is good, bad, busy, plain, or long for a sentence. */
export function badge(text, kind = "plain") {
  return h("span", { class: `badge ${kind}` }, text);
}

/** The kind of badge that a parity verdict has. */
export function verdictKind(verdict) {
  const good = ["bit-exact", "within-oracle", "within-declared"];
  return good.includes(verdict) ? "good" : verdict === "failed" ? "bad" : "plain";
}
