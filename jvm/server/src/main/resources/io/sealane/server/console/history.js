// What this page has seen of each version's counters. They only grow, so what lies between two looks
// is what happened between them.

const KEPT_MILLIS = 310_000;

/** The name of a version here. */
export function key(version) {
  return `${version.model}\n${version.version}`;
}

export class History {
  #samples = new Map();

  /** Takes a look in. */
  add(data) {
    const there = new Set();
    for (const version of data.versions) {
      if (version.serving) {
        there.add(key(version));
        this.#look(key(version), { time: data.now, ...version.serving });
      }
    }
    for (const name of this.#samples.keys()) {
      if (!there.has(name)) {
        this.#samples.delete(name);
      }
    }
  }

  #look(name, sample) {
    let samples = this.#samples.get(name) ?? [];
    const last = samples.at(-1);
    if (last && (last.loadedAt !== sample.loadedAt || last.time >= sample.time)) {
      samples = [];
    }
    samples.push(sample);
    while (samples[0].time < sample.time - KEPT_MILLIS) {
      samples.shift();
    }
    this.#samples.set(name, samples);
  }

  /** What happened in the last milliseconds, or as long as the page has looked; null at first. */
  window(name, millis) {
    const samples = this.#samples.get(name) ?? [];
    const now = samples.at(-1);
    const then = samples.find((each) => each.time >= (now?.time ?? 0) - millis);
    return now && then !== now ? between(then, now) : null;
  }

  /** From look to look: the time of the later, and what happened. */
  steps(name) {
    const samples = this.#samples.get(name) ?? [];
    return samples.slice(1).map((now, i) => ({ time: now.time, ...between(samples[i], now) }));
  }
}

function between(then, now) {
  const seconds = (now.time - then.time) / 1000;
  const answered = now.answered - then.answered;
  return {
    seconds,
    answered,
    failed: lost(now) - lost(then),
    perSecond: answered / seconds,
    rows: now.rows - then.rows,
    runs: now.runs - then.runs,
    latency: now.latency.map((each, i) => each - then.latency[i]),
  };
}

/** Requests without an answer: failed, given up, or refused by a full queue. */
export function lost(serving) {
  return serving.failed + serving.cancelled + serving.refused;
}

/** The nanoseconds that a share of all does not exceed, on a straight line within its bucket. */
export function quantile(bounds, counts, share) {
  const all = counts.reduce((sum, each) => sum + each, 0);
  const wanted = share * all;
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    if (counts[i] > 0 && below + counts[i] >= wanted) {
      const low = i === 0 ? 0 : bounds[i - 1];
      return low + ((bounds[i] - low) * (wanted - below)) / counts[i];
    }
    below += counts[i];
  }
  return all === 0 ? null : bounds.at(-1);
}
