// Numbers and times as people read them.

const UNITS = [[86400, 3600, "d", "h"], [3600, 60, "h", "m"], [60, 1, "m", "s"]];

const exact = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

const LONGEST_EXACT = 99999;

// Seconds in at most two units, as `tdsup status` shows them.
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.floor(Math.max(0, seconds));
  for (const [unit, part, one, other] of UNITS) {
    if (whole >= unit) {
      return `${Math.floor(whole / unit)}${one} ${Math.floor((whole % unit) / part)}${other}`;
    }
  }
  return seconds < 10 ? `${Math.max(0, seconds).toFixed(1)}s` : `${whole}s`;
}

// As `duration`, without tenths: for times that pass on the page.
export function clock(seconds) {
  return seconds < 10 ? `${Math.ceil(Math.max(0, seconds))}s` : duration(seconds);
}

export function count(number) {
  return number > LONGEST_EXACT ? compact.format(number) : exact.format(number);
}

export function exactly(number) {
  return exact.format(number);
}

export function rate(number) {
  return number > 0 && number < 10 ? number.toFixed(1) : count(Math.round(number));
}

export function plural(number, one, many) {
  return `${exact.format(number)} ${number === 1 ? one : many}`;
}
