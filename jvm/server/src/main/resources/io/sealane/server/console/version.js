// One version: what it does now, a form to try it, its proofs, its signature and origin.

import { versionPath, call, read } from "./api.js";
import { h, say } from "./dom.js";
import { count, duration, short } from "./format.js";
import { histogram, throughput } from "./charts.js";
import { origin, signature } from "./facts.js";
import { key, quantile } from "./history.js";
import { figures, stateBadge } from "./overview.js";
import { parity } from "./parity.js";
import { parsed } from "./tensors.js";
import { tryIt } from "./try.js";

const MINUTES = 5;
const SPANS = [
  ["minute", "Last minute"],
  ["start", "Since it was loaded"],
];
const TILES = [
  ["rate", "Requests/s"],
  ["p50", "p50"],
  ["p90", "p90"],
  ["p99", "p99"],
  ["waiting", "Waiting"],
  ["lost", "Failed"],
  ["batch", "Rows a run"],
  ["run", "Engine time"],
];

export class Version {
  title;
  element;
  #model;
  #version;
  #state = h("span", {});
  #drawn = "";
  #live = h("div", {});
  #rest = h("div", {});
  #tiles = {};
  #latency = h("div", { class: "chart" });
  #rates = h("div", { class: "chart" });
  #span = "minute";
  #data = null;
  #history = null;
  #loadedAt = 0;

  constructor(model, version) {
    this.#model = model;
    this.#version = version;
    this.title = `${model} ${version}`;
    const heading = h("h1", { tabindex: -1 }, model, " ", h("span", { class: "mono dim" }, version));
    const back = h("a", { href: "#/", class: "back" }, "All models");
    this.element = h("div", {}, back, h("div", { class: "title" }, heading, this.#state), this.#live, this.#rest);
  }

  update(data, history) {
    this.#data = data;
    this.#history = history;
    const found = data.versions.filter((each) => each.model === this.#model && each.version === this.#version);
    const status = found.find((each) => each.serving) ?? found[0];
    const form = JSON.stringify([status?.state, status?.reason]);
    if (form !== this.#drawn) {
      this.#drawn = form;
      this.#state.replaceChildren(status ? stateBadge(status.state) : "");
    }
    if (!status?.serving) {
      this.#gone(status);
      return;
    }
    if (status.serving.loadedAt !== this.#loadedAt) {
      this.#loadedAt = status.serving.loadedAt;
      this.#live.replaceChildren(this.#figures(), this.#charts());
      this.#open();
    }
    this.#show(status);
  }

  #gone(status) {
    if (this.#loadedAt !== null) {
      this.#live.replaceChildren();
      this.#rest.replaceChildren(h("p", { class: "card" }, status?.reason || "It is not in the repository."));
      this.#loadedAt = null;
    }
  }

  async #open() {
    const path = `console/${versionPath(this.#model, this.#version)}`;
    try {
      const [about, example] = await Promise.all([read(path), call(`${path}/example`).then((answer) => answer.text())]);
      about.example = parsed(example).example;
      const parts = [tryIt(about, () => this.#data), parity(about), signature(about), origin(about)];
      this.#rest.replaceChildren(...parts);
    } catch (error) {
      this.#rest.replaceChildren(h("p", { class: "card", role: "alert" }, error.message));
    }
  }

  #figures() {
    const tiles = TILES.map(([name, title]) => {
      this.#tiles[name] = h("dd", {}, "…");
      return h("div", {}, h("dt", {}, title), this.#tiles[name]);
    });
    return h("dl", { class: "tiles" }, tiles);
  }

  #charts() {
    const spans = SPANS.map(([value, title]) =>
      h(
        "label",
        {},
        h("input", { type: "radio", name: "span", value, checked: value === this.#span, onchange: () => this.#choose(value) }),
        h("span", {}, title),
      ),
    );
    return h(
      "div",
      { class: "charts" },
      h(
        "section",
        { class: "card", "aria-labelledby": "latency" },
        h("header", {}, h("h2", { id: "latency" }, "Latency"), h("span", { class: "spring" }), h("fieldset", { class: "choice" }, h("legend", { class: "unseen" }, "Time that is shown"), spans)),
        this.#latency,
      ),
      h("section", { class: "card", "aria-labelledby": "rates" }, h("header", {}, h("h2", { id: "rates" }, "Requests a second")), this.#rates),
    );
  }

  #choose(span) {
    this.#span = span;
    this.update(this.#data, this.#history);
  }

  #show(status) {
    const { serving } = status;
    const name = key(status);
    const minute = this.#history.window(name, 60_000);
    const now = figures(this.#data, this.#history, status);
    now.batch = serving.runs > 0 ? short(serving.rows / serving.runs) : "–";
    now.run = serving.answered > 0 ? duration(serving.runNanos / serving.answered) : "–";
    TILES.forEach(([each]) => say(this.#tiles[each], now[each]));
    const counts = this.#span === "start" ? serving.latency : (minute?.latency ?? []);
    histogram(this.#latency, this.#data.bounds, counts);
    throughput(this.#rates, this.#history.steps(name), MINUTES);
  }
}
