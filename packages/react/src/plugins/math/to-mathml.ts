const MATHML = 'http://www.w3.org/1998/Math/MathML';

/** Elements of MathML Core that hold no address and run nothing. `semantics` and `annotation` are left out on purpose. */
const elements: ReadonlySet<string> = new Set(
  'math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none'.split(
    ' ',
  ),
);

const attributes: ReadonlySet<string> = new Set(
  'accent accentunder columnalign columnlines columnspacing depth dir display displaystyle fence form frame height largeop linethickness lspace mathsize mathvariant maxsize minsize movablelimits notation rowlines rowspacing rspace scriptlevel separator stretchy symmetric voffset width xmlns'.split(
    ' ',
  ),
);

const styles: ReadonlySet<string> = new Set(
  'color display fontFamily fontSize fontStyle fontWeight height mathDepth mathStyle minWidth padding paddingBottom paddingLeft paddingRight paddingTop textAlign verticalAlign width'.split(
    ' ',
  ),
);

/** What temml makes of a formula before it becomes elements. */
interface MathTree {
  type?: string;
  text?: string;
  attributes?: Record<string, unknown>;
  style?: Record<string, unknown>;
  classes?: readonly string[];
  children?: readonly MathTree[];
}

/** Deepest nesting that is made into elements. */
const MAX_DEPTH = 128;

/**
 * Makes elements of a formula's tree, from lists of what may be in one: a formula is a model's text, and what TeX can say
 * about links, classes and style sheets is not for it to say here. Styles are set through the object model, which a policy
 * without inline styles allows.
 */
export function toMathMl(tree: unknown): Element {
  const root = make(tree as MathTree, 0);
  if (!(root instanceof Element) || root.localName !== 'math')
    throw new TypeError('The formula has no root.');
  return root;
}

function make(tree: MathTree, depth: number): Node {
  if (depth > MAX_DEPTH) throw new RangeError('The formula is nested too deeply.');
  const { type, text, children = [] } = tree;
  if (typeof text === 'string') return document.createTextNode(text);
  const known = typeof type === 'string' && elements.has(type);
  const node: Node = known ? document.createElementNS(MATHML, type) : document.createDocumentFragment();
  if (node instanceof Element) {
    for (const [name, value] of Object.entries(tree.attributes ?? {})) {
      if (attributes.has(name)) node.setAttribute(name, String(value));
    }
    const style = (node as MathMLElement).style as unknown as Record<string, string>;
    for (const [name, value] of Object.entries(tree.style ?? {})) {
      if (styles.has(name) && !/[;{}]|url|expression/i.test(String(value))) style[name] = String(value);
    }
  }
  for (const child of children) node.appendChild(make(child, depth + 1));
  return node;
}
