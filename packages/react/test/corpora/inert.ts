/** What an answer may be made of. Everything else came out of a model's text. */
const elements: ReadonlySet<string> = new Set(
  'a blockquote br button code del div em figcaption figure h3 h4 h5 h6 hr li ol p pre span strong table tbody td th thead tr ul'.split(
    ' ',
  ),
);

const attributes: ReadonlySet<string> = new Set(
  'aria-busy aria-hidden aria-label class data-align data-copied data-display data-done data-growing data-tasks dir hidden href rel role start tabindex target title type'.split(
    ' ',
  ),
);

const events = ['mouseover', 'focus', 'error', 'load', 'toggle', 'animationstart', 'pointerdown', 'keydown'];

/**
 * What is wrong with an element that shows a model's text: elements, attributes or addresses that must not be there. Fires
 * the events that attack strings wait for.
 */
export function findHarm(root: Element): string[] {
  const harm: string[] = [];
  for (const element of root.querySelectorAll('*')) {
    const name = element.localName;
    // Our own icons, which hold no text.
    if (element.closest('svg.zg-icon') !== null) continue;
    if (!elements.has(name)) harm.push(`<${name}>`);
    for (const attribute of element.attributes) {
      if (!attributes.has(attribute.name)) harm.push(`${name}[${attribute.name}="${attribute.value}"]`);
    }
    const classes = element.getAttribute('class') ?? '';
    if (!/^(?:zg-[\w-]+ ?)*$/.test(classes)) harm.push(`${name}.${classes}`);
    if (element instanceof HTMLAnchorElement) harm.push(...harmOfLink(element));
    // An error that bubbles would count as one of the page.
    for (const type of events) element.dispatchEvent(new Event(type, { bubbles: type !== 'error' }));
    if (name !== 'button') {
      element.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
    }
  }
  return harm;
}

function harmOfLink(link: HTMLAnchorElement): string[] {
  link.addEventListener('click', (event) => event.preventDefault());
  if (link.getAttribute('href')?.startsWith('#')) return [];
  const harm: string[] = [];
  if (!['http:', 'https:', 'mailto:', 'tel:'].includes(link.protocol)) harm.push(`a[href="${link.href}"]`);
  if (link.rel !== 'noopener noreferrer nofollow') harm.push(`a[rel="${link.rel}"]`);
  return harm;
}

/** Notes each attempt to run something or to ask another origin, until `stop`. */
export function watchForHarm(): { seen: string[]; stop: () => void } {
  const seen: string[] = [];
  const names = ['alert', 'confirm', 'prompt', 'print'] as const;
  const before = names.map((name) => window[name]);
  for (const name of names) {
    Object.assign(window, { [name]: () => void seen.push(`${name}()`) });
  }
  const own = location.origin;
  const resources = new PerformanceObserver((list) => {
    for (const { name } of list.getEntries())
      if (!name.startsWith(own) && !/^(?:data|blob):/.test(name)) seen.push(name);
  });
  resources.observe({ type: 'resource' });
  const onViolation = (event: SecurityPolicyViolationEvent) => void seen.push(`CSP ${event.blockedURI}`);
  document.addEventListener('securitypolicyviolation', onViolation);
  return {
    seen,
    stop() {
      resources.disconnect();
      document.removeEventListener('securitypolicyviolation', onViolation);
      names.forEach((name, index) => {
        Object.assign(window, { [name]: before[index] });
      });
    },
  };
}
