// Numbers for people: three digits that count, and a unit that fits.

// Rounded to three digits or to a whole number, whichever is more; thousands set apart.
export function number(value) {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  if (digits > 6) return value.toExponential(1);
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

function scaled(value, units) {
  const fits = units.find(([, size]) => Math.abs(value) >= size) ?? units[units.length - 1];
  return `${number(value / fits[1])} ${fits[0]}`;
}

export function duration(ns) {
  return ns === 0 ? "0" : scaled(ns, [["s", 1e9], ["ms", 1e6], ["µs", 1e3], ["ns", 1]]);
}

export function size(bytes) {
  return bytes === 0 ? "0" : scaled(bytes, [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10], ["B", 1]]);
}

export function share(value) {
  return `${number(value * 100)} %`;
}

export function rate(perSecond) {
  return `${number(perSecond)} /s`;
}

// A day and minute in UTC.
export function time(unixNs) {
  return `${new Date(unixNs / 1e6).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

// A frequency that was asked for; 0 is as often as possible.
export function frequency(hz) {
  return hz === 0 ? "flat out" : `${number(hz)} Hz`;
}
