// Round steps for axes.

// Ticks from 0 to at least `most`, about `count` of them; whole ones where only these have a meaning.
export function ticks(most, count = 4, whole = false) {
  if (!(most > 0)) return [0, 1];
  const rough = whole ? Math.max(1, most / count) : most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough - 1e-12);
  const found = [];
  for (let at = 0; at < most + step - 1e-9; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}

// Ticks between two values, for an axis that need not begin at 0.
export function between(low, high, count = 5) {
  if (low === high) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough - 1e-12);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-6; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}
