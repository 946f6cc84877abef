// The status page: asks every two seconds, shows the answer, and says so when there is none.

import { Actions } from "./actions.js";
import { History } from "./history.js";
import { Panel } from "./panel.js";
import { Row } from "./row.js";
import { rank, shape } from "./states.js";
import { clock, plural } from "./words.js";

const PERIOD = 2000;
const TIMEOUT = 8000;

const byId = (id) => document.getElementById(id);
const now = () => performance.now() / 1000;

const history = new History();
const rows = new Map();
const chosen = new Set();
const chips = new Map();
const actions = new Actions(() => refresh());
const panel = new Panel();

let latest = null; // The latest answer.
let latestAt = 0; // When it came.
let trouble = ""; // Why there is no newer one.
let timer = 0;

// What the web child says about why it has no answer.
class Told extends Error {}

async function ask() {
  const after = history.end;
  const query = after === null ? "" : `?after=${after}`;
  const response = await fetch(`status.json${query}`, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) });
  if (!response.ok) {
    throw new Told((await response.text()).trim());
  }
  const answer = await response.json();
  history.take(answer.history, after);
  return answer;
}

async function refresh() {
  clearTimeout(timer);
  try {
    latest = await ask();
    latestAt = now();
    trouble = "";
  } catch (error) {
    // Each browser words this differently, and says little.
    trouble = error instanceof Told ? error.message : "cannot reach tdsup: the connection is lost";
  }
  clearTimeout(timer);
  // A hidden page asks for nothing.
  if (!document.hidden) timer = setTimeout(refresh, PERIOD);
  show();
}

function show() {
  if (latest && !trouble) {
    showJobs();
    showSummary();
    actions.offer(latest.actions);
  }
  filter();
  tick();
}

function showJobs() {
  const names = new Set(latest.jobs.map((job) => job.name));
  for (const [name, row] of rows) {
    if (!names.has(name)) {
      row.main.remove();
      rows.delete(name);
    }
  }
  for (const job of latest.jobs) {
    if (!rows.has(job.name)) rows.set(job.name, new Row(job.name, actions, panel));
    rows.get(job.name).show(job, history, latestAt);
  }
  // Of jobs that run, those first that fare badly.
  const isWell = (job) => !(job.trouble || job.held_up);
  const sorted = [...latest.jobs].sort(
    (a, b) => rank(a.state) - rank(b.state) || isWell(a) - isWell(b) || compare(a.name, b.name),
  );
  // Move only the rows that are out of place: a moved row loses the keyboard focus.
  let place = byId("rows").firstElementChild;
  for (const { name } of sorted) {
    const { main } = rows.get(name);
    if (main === place) place = place.nextElementSibling;
    else byId("rows").insertBefore(main, place);
  }
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function showSummary() {
  const counts = new Map();
  for (const { state } of latest.jobs) counts.set(state, (counts.get(state) ?? 0) + 1);
  for (const state of chips.keys()) {
    if (!counts.has(state) && !chosen.has(state)) {
      chips.get(state).remove();
      chips.delete(state);
    }
  }
  const states = [...new Set([...counts.keys(), ...chosen])].sort((a, b) => rank(a) - rank(b));
  for (const state of states) {
    if (!chips.has(state)) chips.set(state, chip(state));
    setText(chips.get(state).lastElementChild, `${counts.get(state) ?? 0} ${state}`);
  }
  const wanted = states.map((state) => chips.get(state));
  if (wanted.some((each, index) => byId("chips").children[index] !== each)) byId("chips").replaceChildren(...wanted);
  const parts = states.map((state) => `${counts.get(state) ?? 0} ${state}`);
  setText(byId("summary"), [plural(latest.jobs.length, "job", "jobs"), ...parts].join(", "));
  const failing = (counts.get("blocked") ?? 0) + (counts.get("backoff") ?? 0);
  const place = `${latest.host}:${latest.directory}`;
  setText(byId("place"), place);
  document.title = `${failing ? `(${failing}) ` : ""}${place} – tdsup`;
}

function chip(state) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip";
  button.dataset.state = state;
  button.setAttribute("aria-pressed", "false");
  button.append(shape(state), document.createElement("span"));
  button.addEventListener("click", () => {
    if (!chosen.delete(state)) chosen.add(state);
    button.setAttribute("aria-pressed", String(chosen.has(state)));
    filter();
  });
  return button;
}

function filter() {
  const text = byId("search").value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows.values()) {
    row.main.hidden = !row.matches(text) || (chosen.size > 0 && !chosen.has(row.main.dataset.state));
    shown += row.main.hidden ? 0 : 1;
  }
  const nothing = byId("nothing");
  nothing.hidden = shown > 0 || latest === null;
  setText(nothing, rows.size ? "No job matches." : "This fleet has no jobs.");
}

function tick() {
  const box = byId("trouble");
  const age = now() - latestAt;
  box.hidden = !trouble;
  const shown = latest ? " The values are the last known ones." : "";
  setText(box, trouble && `${trouble}. Trying again.${shown}`);
  document.body.classList.toggle("stale", Boolean(trouble));
  setText(byId("pulse"), latest === null ? "connecting" : trouble ? `as of ${clock(age)} ago` : "live");
  if (latest === null) return;
  const { version, uptime, pid } = latest.master;
  setText(byId("master"), `${version} · up ${clock(uptime + (trouble ? 0 : age))} · pid ${pid}`);
  // Counters stop when the values are no longer known.
  const moment = trouble ? latestAt : now();
  for (const row of rows.values()) row.tick(moment);
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

byId("search").addEventListener("input", filter);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
setInterval(tick, 1000);
refresh();
