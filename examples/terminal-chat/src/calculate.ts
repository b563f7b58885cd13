/**
 * The value of an arithmetic expression. Text of a model is never run as code.
 *
 * @throws {SyntaxError} when it is none.
 */
export function calculate(expression: string): number {
  const tokens = expression.replace(/\s+/g, '').match(/\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[()+\-*/%^]|./g) ?? [];
  let at = 0;
  const wrong = (): SyntaxError =>
    new SyntaxError(`This is no arithmetic, at ${tokens[at] === undefined ? 'the end' : `"${tokens[at]}"`}.`);

  function sum(depth: number): number {
    let value = product(depth);
    while (tokens[at] === '+' || tokens[at] === '-') {
      value = tokens[at++] === '+' ? value + product(depth) : value - product(depth);
    }
    return value;
  }
  function product(depth: number): number {
    let value = signed(depth);
    for (;;) {
      const operator = tokens[at] ?? '';
      if (!/^[*/%]$/.test(operator)) return value;
      at++;
      const other = signed(depth);
      value = operator === '*' ? value * other : operator === '/' ? value / other : value % other;
    }
  }
  function signed(depth: number): number {
    if (tokens[at] !== '-') return power(depth);
    at++;
    return -signed(depth + 1);
  }
  function power(depth: number): number {
    const base = atom(depth);
    if (tokens[at] !== '^') return base;
    at++;
    return base ** signed(depth + 1);
  }
  function atom(depth: number): number {
    if (depth > 100) throw new SyntaxError('This nests too deep.');
    const token = tokens[at];
    if (token === '(') {
      at++;
      const value = sum(depth + 1);
      if (tokens[at] !== ')') throw wrong();
      at++;
      return value;
    }
    if (token === undefined || !/^\d/.test(token)) throw wrong();
    at++;
    return Number(token);
  }

  const value = sum(0);
  if (at < tokens.length) throw wrong();
  return value;
}
