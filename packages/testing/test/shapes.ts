/** Members and their order, all the way down; what stands in arrays is judged by its first element. */
export function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.entries(value).map(([name, member]) => [name, shape(member)]);
}

/** The shapes of the records, events or the one JSON text of a body; equal neighbours are told once. */
export function shapesOf(body: string): unknown[] {
  const units = body
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.startsWith('data: {') ? ['data', shape(JSON.parse(line.slice(6)))] : unit(line)));
  return units.filter((one, at) => JSON.stringify(one) !== JSON.stringify(units[at - 1]));
}

function unit(line: string): unknown {
  try {
    return shape(JSON.parse(line));
  } catch {
    return line;
  }
}
