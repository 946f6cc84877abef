// A line of the last 15 minutes, without axes.

const SVG = "http://www.w3.org/2000/svg";

export const POINTS = 90;

const HEIGHT = 24;
const MARGIN = 2;

export class Sparkline {
  constructor() {
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 ${POINTS - 1} ${HEIGHT}`);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("class", "spark");
    this.svg.setAttribute("role", "img");
    this.area = this.#path("area");
    this.line = this.#path("line");
  }

  // The oldest point comes first, the last one is now; null is a gap. A title gives meaning and maximum in words.
  // Where nothing is known, nothing is shown.
  draw(points, what, say) {
    const known = points.filter((point) => point !== null);
    this.svg.toggleAttribute("hidden", known.length === 0);
    const top = Math.max(0, ...known);
    const runs = segments(points, top);
    this.line.setAttribute("d", runs.map((run) => "M" + run.map(pair).join("L")).join(""));
    this.area.setAttribute("d", runs.map(filled).join(""));
    const told = `${what} in the last 15 minutes: at most ${say(top)}`;
    this.svg.setAttribute("aria-label", told);
    this.title ??= this.svg.appendChild(document.createElementNS(SVG, "title"));
    this.title.textContent = told;
  }

  #path(name) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    this.svg.append(path);
    return path;
  }
}

function segments(points, top) {
  const runs = [];
  let run = [];
  points.forEach((point, index) => {
    if (point === null) {
      if (run.length) runs.push(run);
      run = [];
    } else {
      const height = top > 0 ? (point / top) * (HEIGHT - 2 * MARGIN) : 0;
      run.push([POINTS - points.length + index, HEIGHT - MARGIN - height]);
    }
  });
  if (run.length) runs.push(run);
  // Draw a single point as a dash.
  return runs.map((each) => (each.length > 1 ? each : [[each[0][0] - 1, each[0][1]], each[0]]));
}

function filled(run) {
  const [first, last] = [run[0][0], run[run.length - 1][0]];
  return `M${first} ${HEIGHT}L${run.map(pair).join("L")}L${last} ${HEIGHT}Z`;
}

function pair([x, y]) {
  return `${x} ${y.toFixed(1)}`;
}
