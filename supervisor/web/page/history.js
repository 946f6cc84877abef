// The points behind the sparklines. They are kept here, so each answer brings only the new ones.

import { POINTS } from "./sparkline.js";

export class History {
  #end = null;
  #jobs = new Map();

  // The step up to which points are known; null before the first answer.
  get end() {
    return this.#end;
  }

  // Add the history of an answer to a request with `after`.
  take(history, after) {
    // Two requests were under way at once, and this answers the later one.
    if (after !== this.#end) return;
    const fresh = after === null || history.end === null || after > history.end;
    const known = fresh ? new Map() : this.#jobs;
    this.#jobs = new Map();
    const steps = Math.min(history.end - (after ?? history.end), POINTS);
    for (const [name, columns] of Object.entries(history.jobs)) {
      const joined = {};
      for (const [column, points] of Object.entries(columns)) {
        const old = known.get(name)?.[column] ?? [];
        // A new web child knows nothing of the steps before it began.
        const gap = old.length ? Math.max(0, steps - points.length) : 0;
        joined[column] = [...old, ...Array(gap).fill(null), ...points].slice(-POINTS);
      }
      this.#jobs.set(name, joined);
    }
    this.#end = history.end;
  }

  points(name, column) {
    return this.#jobs.get(name)?.[column] ?? [];
  }
}
