// The points behind the sparklines: kept here, so that each answer brings the new ones only.

import { POINTS } from "./sparkline.js";

export class History {
  #end = null;
  #jobs = new Map();

  // The step up to which points are known; null before the first answer.
  get end() {
    return this.#end;
  }

  // Take the history of an answer that was asked for with `after`.
  take(history, after) {
    // Two questions were under way at once, and this is the answer to the later one.
    if (after !== this.#end) return;
    const fresh = after === null || history.end === null || after > history.end;
    const known = fresh ? new Map() : this.#jobs;
    this.#jobs = new Map();
    for (const [name, columns] of Object.entries(history.jobs)) {
      const old = known.get(name);
      const joined = {};
      for (const [column, points] of Object.entries(columns)) {
        joined[column] = [...(old?.[column] ?? []), ...points].slice(-POINTS);
      }
      this.#jobs.set(name, joined);
    }
    this.#end = history.end;
  }

  points(name, column) {
    return this.#jobs.get(name)?.[column] ?? [];
  }
}
