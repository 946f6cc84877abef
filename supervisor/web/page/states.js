// The states of a job, failures first. Each has its own shape, because not everybody sees the colours.

const SVG = "http://www.w3.org/2000/svg";

const SHAPES = {
  blocked: "M1 1h10v10H1z",
  backoff: "M6 .5 11.8 11H.2z",
  stopping: "M.2 1h11.6L6 11.5z",
  starting: "M1.5.2 11.5 6 1.5 11.8z",
  running: "M6 0a6 6 0 1 1 0 12A6 6 0 0 1 6 0z",
  standby: "M6 0a6 6 0 1 1 0 12A6 6 0 0 1 6 0zm0 2v8a4 4 0 0 0 0-8z",
  paused: "M1.5 1h3v10h-3zm6 0h3v10h-3z",
  stopped: "M6 0a6 6 0 1 1 0 12A6 6 0 0 1 6 0zm0 2.4a3.6 3.6 0 1 0 0 7.2 3.6 3.6 0 0 0 0-7.2z",
};

const UNKNOWN = "M6 0 12 6 6 12 0 6z";

const ORDER = Object.keys(SHAPES);

export const FAILING = new Set(["blocked", "backoff"]);

// Whether a job works as it should, so that one line says enough.
export function isWell(job) {
  const works = job.state === "standby" || (job.state === "running" && !job.reason);
  return works && !job.dead_letters_kept;
}

// The place of a state in the list; a state that this page does not know comes early.
export function rank(state) {
  return ORDER.indexOf(state);
}

export function shape(state) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[state] ?? UNKNOWN);
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}
