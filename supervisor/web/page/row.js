// One job: a row of the table, or a card on a narrow screen. Whatever comes from the fleet is set as text only.

import { Sparkline } from "./sparkline.js";
import { FAILING, isWell, shape } from "./states.js";
import { clock, count, duration, exactly, rate } from "./words.js";

export class Row {
  #job = null;
  #drawn = undefined;
  #at = 0;
  #texts = new Map();

  // `actions` and `panel` open when somebody wants to do something about the job, or to read more of it.
  constructor(name, actions, panel) {
    this.name = name;
    this.path = `jobs/${encodeURIComponent(name)}`;
    this.main = element("tr", "job");
    this.main.setAttribute("role", "row");
    this.#head(panel);
    this.rate = this.#graph("Events/s", "rate");
    this.lag = this.#graph("Lag", "lag");
    this.rows = this.#cell("Rows", "number");
    this.dead = this.#cell("Dead letters", "number");
    this.letters = link("", () => panel.openLetters(name, this.letters.href));
    this.dead.append(this.letters);
    this.partitions = this.#cell("Partitions", "number partitions");
    this.restarts = this.#cell("Restarts since start", "number");
    this.#button(actions);
    this.#why();
  }

  // Show the job's values; `at` is the moment, in seconds, when they were true.
  show(job, history, at) {
    this.#job = job;
    this.#at = at;
    if (this.main.dataset.state !== job.state) {
      this.main.dataset.state = job.state;
      this.main.classList.toggle("failing", FAILING.has(job.state));
      this.shape.replaceWith((this.shape = shape(job.state)));
    }
    this.main.classList.toggle("well", isWell(job));
    this.#set(this.word, job.state);
    this.#set(this.place, job.file ?? "");
    this.place.title = job.file ?? "";
    this.#set(this.rate.value, hasRun(job) ? rate(job.events_per_second) : "–");
    this.rate.cell.classList.toggle("unknown", !hasRun(job));
    this.lag.cell.classList.toggle("unknown", job.lag === null);
    this.#number(this.rows, job.rows);
    this.#number(this.dead, job.dead_letters_kept, this.letters);
    this.#number(this.partitions, job.partitions);
    this.#number(this.restarts, job.restarts);
    const bad = job.dead_letters_kept > 0;
    this.dead.classList.toggle("bad", bad);
    if (bad) this.letters.setAttribute("href", `${this.path}/dead-letters`);
    else this.letters.removeAttribute("href");
    this.#draw(history);
  }

  // Advance the times that pass.
  tick(now) {
    const job = this.#job;
    const passed = Math.max(0, now - this.#at);
    this.#set(this.since, `for ${clock(job.since + passed)}`);
    this.#set(this.lag.value, job.lag === null ? "–" : duration(job.lag));
    const retry = job.retry_in === null ? "" : retrying(job.retry_in - passed);
    this.#note(this.reason, [retry, job.reason].filter(Boolean).join(": "));
    const old = job.last_error && job.last_error !== job.reason;
    this.why.hidden = this.reason.hidden && !old;
    this.#note(this.error, old ? `${duration(job.last_error_age + passed)} ago: ${job.last_error}` : "");
  }

  matches(text) {
    return [this.name, this.#job.reason, this.#job.state].some((part) => part.toLowerCase().includes(text));
  }

  #head(panel) {
    const cell = element("th", "name");
    cell.setAttribute("role", "rowheader");
    cell.scope = "row";
    this.place = element("span", "place");
    const title = link("title", () => panel.openLog(this.name, title.href));
    title.textContent = this.name;
    title.title = "The end of its log";
    title.href = `${this.path}/log`;
    cell.append(title, this.place);
    this.main.append(cell);
    const state = this.#cell("State", "state");
    this.shape = shape("");
    this.word = element("span", "word");
    this.since = element("span", "since");
    const badge = element("span", "badge");
    badge.append(this.shape, this.word);
    state.append(badge, this.since);
  }

  // Below the other cells, as wide as all of them: a reason is long.
  #why() {
    this.why = this.#cell("", "why");
    this.reason = element("span", "reason");
    this.error = element("span", "error");
    this.why.hidden = this.reason.hidden = this.error.hidden = true;
    this.why.append(this.reason, this.error);
  }

  #cell(label, kind) {
    const cell = element("td", kind);
    cell.setAttribute("role", "cell");
    cell.dataset.label = label;
    this.main.append(cell);
    return cell;
  }

  #graph(label, kind) {
    const cell = this.#cell(label, `graph ${kind}`);
    const value = element("span", "value");
    const spark = new Sparkline();
    cell.append(value, spark.svg);
    return { cell, value, spark };
  }

  #button(actions) {
    const button = element("button", "", "Actions");
    button.type = "button";
    button.setAttribute("aria-label", `Actions for ${this.name}`);
    button.addEventListener("click", () => actions.open(this.name));
    this.#cell("", "act").append(button);
  }

  #draw(history) {
    if (this.#drawn === history.end) return;
    this.#drawn = history.end;
    const rates = hasRun(this.#job) ? history.points(this.name, "events_per_second") : [];
    this.rate.spark.draw(rates, "Events/s", rate);
    this.lag.spark.draw(history.points(this.name, "lag"), "Lag", duration);
  }

  #number(cell, number, node = cell) {
    this.#set(node, number === null ? "–" : count(number));
    cell.title = number === null ? "not known" : exactly(number);
    cell.classList.toggle("zero", number === 0);
  }

  #note(node, text) {
    this.#set(node, text);
    node.hidden = !text;
  }

  // Most texts stay the same; with 200 jobs it pays to leave them alone.
  #set(node, text) {
    if (this.#texts.get(node) !== text) {
      this.#texts.set(node, text);
      node.textContent = text;
    }
  }
}

// Of a job that has told nothing yet there is nothing to draw.
function hasRun(job) {
  return job.lag !== null || job.events > 0;
}

// A link that opens something on the page; in a tab of its own it leads to the same as plain data.
function link(kind, open) {
  const made = element("a", kind);
  made.addEventListener("click", (event) => {
    if (!made.hasAttribute("href") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  return made;
}

function retrying(seconds) {
  return seconds > 0 ? `retry in ${clock(seconds)}` : "retrying";
}

function element(tag, kind, text = "") {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}
