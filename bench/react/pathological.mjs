import { longestTaskOf } from './meters.mjs';

const SIZES_KIB = [16, 64, 256];
const PIECES = 8;

/** The longest task that each text of the list makes, whole and as it grows, at each size. */
export async function measurePathological(open, { cases }, browser) {
  const found = [];
  for (const kibibytes of SIZES_KIB) {
    for (const one of cases) {
      const { page, context } = await open();
      const trace = longestTaskOf(browser, page);
      await trace.start();
      const { errors, shown } = await page.evaluate(
        ([text, pieces]) => globalThis.bench.show(text, pieces),
        [textOf(one, kibibytes * 1024), PIECES],
      );
      found.push({ id: one.id, kibibytes, longestMs: await trace.stop(), errors: errors.length, shown });
      await context.close();
    }
  }
  found.sort((a, b) => b.longestMs - a.longestMs);
  return {
    count: found.length,
    errors: found.filter(({ errors }) => errors > 0).length,
    longest: found.slice(0, 6),
  };
}

/** Builds a text of about `size` characters, as the list says. */
function textOf({ kind, prefix = '', unit = '', mid = '', unit2 = '', suffix = '' }, size) {
  const grow = (most, piece) => {
    let built = '';
    for (let index = 0; built.length < most; index += 1) built += piece(index);
    return built;
  };
  if (kind === 'staircase') return grow(size, (line) => unit.repeat(line) + suffix);
  if (kind === 'growing') return grow(size, (line) => prefix + unit.repeat(line + 1));
  if (kind === 'refs') {
    return (
      grow(size / 2, (line) => unit.replace('{k}', String(line))) +
      grow(size / 2, (line) => suffix.replace('0', String(line)))
    );
  }
  if (kind === 'table') {
    const row = (cell) => `|${`${cell}|`.repeat(Math.floor(size / 60))}\n`;
    return row('a') + row('-') + row('1').repeat(18);
  }
  const length = unit.length + unit2.length;
  const count = length === 0 ? 0 : Math.floor((size - prefix.length - mid.length - suffix.length) / length);
  return prefix + unit.repeat(count) + mid + unit2.repeat(count) + suffix;
}
