// All models and versions with what they do at the moment, and how their traffic is shared out.

import { load, unload } from "./actions.js";
import { badge, h, say, verdictKind } from "./dom.js";
import { count, duration, rate } from "./format.js";
import { key, lost, quantile } from "./history.js";
import { Traffic } from "./traffic.js";

const MINUTE = 60_000;
const KINDS = { READY: "good", UNAVAILABLE: "bad", LOADING: "busy", UNLOADING: "busy" };
const LIVE = ["rate", "p50", "p99", "waiting", "lost"];
const TITLES = ["Version", "State", "Parity", "Engine", "Requests/s", "p50", "p99", "Waiting", "Failed"];

export function stateBadge(state) {
  return badge(state.toLowerCase(), KINDS[state]);
}

/** Figures of a version over the last minute, as texts. */
export function figures(data, history, version) {
  const { serving } = version;
  const minute = history.window(key(version), MINUTE);
  const at = (share) => {
    const nanos = minute && quantile(data.bounds, minute.latency, share);
    return nanos === null ? "–" : duration(nanos);
  };
  return {
    rate: minute ? rate(minute.perSecond) : "…",
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    waiting: count(serving.waiting),
    lost: count(lost(serving)),
  };
}

export class Overview {
  title = "Models";
  element;
  #again;
  #summary = h("p", { class: "summary" });
  #models = h("div", { class: "models" });
  #traffic = new Traffic();
  #drawn = "";
  #cells = new Map();

  /** @param again looks at the server at once */
  constructor(again) {
    this.#again = again;
    this.element = h("div", {}, h("h1", { tabindex: -1 }, "Models"), this.#summary, this.#models, this.#traffic.element);
  }

  update(data, history) {
    const { versions } = data;
    const form = JSON.stringify(versions.map((each) => [each.model, each.version, each.state, each.reason, each.labels, each.serving?.loadedAt]));
    if (form !== this.#drawn) {
      this.#drawn = form;
      this.#draw(versions);
    }
    for (const version of versions.filter((each) => each.serving)) {
      const now = figures(data, history, version);
      const cells = this.#cells.get(key(version));
      LIVE.forEach((name) => say(cells[name], now[name]));
      cells.lost.classList.toggle("warn", lost(version.serving) > 0);
    }
    this.#traffic.update(data.traffic);
    const ready = versions.filter((each) => each.serving).length;
    const unready = versions.length - ready;
    say(this.#summary, versions.length === 0 ? "The repository has no models." : `${count(ready)} ready, ${count(unready)} not. Figures are of the last minute.`);
  }

  /** Anew, with the keyboard's place kept. */
  #draw(versions) {
    const place = document.activeElement?.dataset?.place;
    this.#cells.clear();
    const models = new Map();
    versions.forEach((each) => models.set(each.model, [...(models.get(each.model) ?? []), each]));
    this.#models.replaceChildren(...[...models].map(([name, own], i) => this.#model(name, own, `model-${i}`)));
    if (place) {
      [...this.#models.querySelectorAll("[data-place]")].find((each) => each.dataset.place === place)?.focus();
    }
  }

  #model(name, versions, id) {
    const serves = versions.some((each) => each.serving);
    const button = (word, action) =>
      h("button", { type: "button", "aria-label": `${word} ${name}`, "data-place": `${word} ${name}`, onclick: () => action(name, this.#again) }, word);
    return h(
      "section",
      { class: "card", "aria-labelledby": id },
      h("header", {}, h("h2", { id }, name), h("span", { class: "spring" }), button("Load", load), serves ? button("Unload", unload) : null),
      h(
        "table",
        { class: "versions" },
        h("caption", { class: "unseen" }, `Versions of ${name}`),
        h("thead", {}, h("tr", {}, TITLES.map((each, i) => h("th", { scope: "col", class: i > 3 ? "number" : "" }, each)))),
        h("tbody", {}, versions.flatMap((each) => this.#version(each))),
      ),
    );
  }

  #version(version) {
    const { serving } = version;
    const cells = {};
    const live = LIVE.map((name, i) => (cells[name] = h("td", { class: "number", "data-title": TITLES[4 + i] }, "–")));
    if (serving) {
      this.#cells.set(key(version), cells);
    }
    const labels = (version.labels ?? []).map((each) => badge(each));
    const rows = [
      h(
        "tr",
        {},
        h("th", { scope: "row" }, serving ? link(version) : version.version, " ", labels),
        h("td", { "data-title": TITLES[1] }, stateBadge(version.state)),
        h("td", { "data-title": TITLES[2] }, serving ? badge(serving.verdict, verdictKind(serving.verdict)) : "–"),
        h("td", { "data-title": TITLES[3] }, serving ? `${serving.engine} ${serving.engineVersion}` : "–"),
        live,
      ),
    ];
    if (version.reason) {
      rows.push(h("tr", { class: "reason" }, h("td", { colspan: TITLES.length }, version.reason)));
    }
    return rows;
  }
}

function link(version) {
  const href = `#/${encodeURIComponent(version.model)}/${encodeURIComponent(version.version)}`;
  const label = `${version.model} ${version.version}`;
  return h("a", { href, "aria-label": label, "data-place": label }, version.version);
}
