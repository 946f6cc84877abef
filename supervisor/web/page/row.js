// One job: a row of the table, or a card on a narrow screen. Whatever comes from the fleet is set as text only.

import { Sparkline } from "./sparkline.js";
import { FAILING, shape } from "./states.js";
import { clock, count, duration, exactly, rate } from "./words.js";

export class Row {
  #job = null;
  #drawn = undefined;
  #at = 0;
  #texts = new Map();

  // Calls `act` with the job's name when somebody wants to do something about it.
  constructor(name, act) {
    this.name = name;
    this.main = element("tr", "job");
    this.main.setAttribute("role", "row");
    this.#head();
    this.rate = this.#graph("Events/s");
    this.lag = this.#graph("Lag");
    this.rows = this.#cell("Rows", "number");
    this.dead = this.#cell("Dead letters", "number");
    this.partitions = this.#cell("Partitions", "number");
    this.restarts = this.#cell("Restarts", "number");
    this.#button(act);
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
    this.#set(this.word, job.state);
    this.#set(this.place, [job.file, job.log].filter(Boolean).join(" · "));
    this.place.title = this.place.textContent;
    this.#set(this.rate.value, rate(job.events_per_second));
    this.#number(this.rows, job.rows);
    this.#number(this.dead, job.dead_letters_kept);
    this.#number(this.partitions, job.partitions);
    this.#number(this.restarts, job.restarts);
    this.dead.classList.toggle("bad", job.dead_letters_kept > 0);
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
    this.#note(this.error, old ? `${duration(job.last_error_age + passed)} ago: ${job.last_error}` : "");
  }

  matches(text) {
    return [this.name, this.#job.reason, this.#job.state].some((part) => part.toLowerCase().includes(text));
  }

  #head() {
    const cell = element("th", "name");
    cell.setAttribute("role", "rowheader");
    cell.scope = "row";
    this.place = element("span", "place");
    cell.append(element("span", "title", this.name), this.place);
    this.main.append(cell);
    const state = this.#cell("State", "state");
    this.shape = shape("");
    this.word = element("span", "word");
    this.since = element("span", "since");
    const badge = element("span", "badge");
    badge.append(this.shape, this.word);
    this.reason = element("span", "reason");
    this.error = element("span", "error");
    this.reason.hidden = this.error.hidden = true;
    state.append(badge, this.since, this.reason, this.error);
  }

  #cell(label, kind) {
    const cell = element("td", kind);
    cell.setAttribute("role", "cell");
    cell.dataset.label = label;
    this.main.append(cell);
    return cell;
  }

  #graph(label) {
    const cell = this.#cell(label, "graph");
    const value = element("span", "value");
    const spark = new Sparkline();
    cell.append(value, spark.svg);
    return { value, spark };
  }

  #button(act) {
    const button = element("button", "", "Actions");
    button.type = "button";
    button.setAttribute("aria-label", `Actions for ${this.name}`);
    button.addEventListener("click", () => act(this.name));
    this.#cell("", "act").append(button);
  }

  #draw(history) {
    if (this.#drawn === history.end) return;
    this.#drawn = history.end;
    this.rate.spark.draw(history.points(this.name, "events_per_second"), "Events/s", rate);
    this.lag.spark.draw(history.points(this.name, "lag"), "Lag", duration);
  }

  #number(cell, number) {
    this.#set(cell, number === null ? "–" : count(number));
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

function retrying(seconds) {
  return seconds > 0 ? `retry in ${clock(seconds)}` : "retrying";
}

function element(tag, kind, text = "") {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}
