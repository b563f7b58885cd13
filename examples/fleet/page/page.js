/** Shows what `/live` says. Everything is written as text; nothing is ever read as HTML. */

/** @typedef {import('../src/fleet.ts').FleetView} FleetView */

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {string} verb @param {string} name */
const act = (verb, name) => void fetch(`/do/${verb}/${name}`, { method: 'POST' });

/**
 * Sets what an element says, and leaves it alone when that is said already.
 * @param {Element} element @param {string} text
 */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes a list have as many children as there are rows, and fills each.
 * @template T
 * @param {HTMLElement} parent @param {readonly T[]} rows
 * @param {() => HTMLElement} make @param {(element: HTMLElement, row: T) => void} fill
 */
function each(parent, rows, make, fill) {
  while (parent.children.length > rows.length) parent.lastElementChild?.remove();
  while (parent.children.length < rows.length) parent.append(make());
  rows.forEach((row, at) => {
    fill(/** @type {HTMLElement} */ (parent.children[at]), row);
  });
}

/** @param {string} name @param {number} count */
function rowOf(name, count) {
  const row = document.createElement(name);
  for (let at = 0; at < count; at++) row.append(document.createElement(name === 'tr' ? 'td' : 'span'));
  return row;
}

/** @param {HTMLElement} row @param {readonly (string | number)[]} cells */
function fillCells(row, cells) {
  cells.forEach((cell, at) => {
    say(/** @type {Element} */ (row.children[at]), String(cell));
  });
}

function programItem() {
  const item = rowOf('li', 2);
  const button = document.createElement('button');
  button.type = 'button';
  button.addEventListener('click', () => act(button.dataset['verb'] ?? '', button.dataset['name'] ?? ''));
  item.append(button);
  return item;
}

/** @param {HTMLElement} item @param {FleetView['programs'][number]} program */
function fillProgram(item, { name, state }) {
  fillCells(item, [name, state]);
  item.dataset['state'] = state;
  const button = /** @type {HTMLButtonElement} */ (item.lastElementChild);
  const isUp = state === 'up' || state === 'starting';
  button.dataset['verb'] = isUp ? 'kill' : 'revive';
  button.dataset['name'] = name;
  say(button, isUp ? `Kill ${name}` : `Bring back ${name}`);
}

/** @param {FleetView['traffic']} traffic */
function figures(traffic) {
  return [
    ['Tokens per second', traffic.tokensPerSecond],
    ['Errors before the first token', traffic.failedBeforeFirstToken],
    ['Cut in the middle', traffic.cutAfterFirstToken],
    ['Whole answers', traffic.whole],
    ['Needed a second try', traffic.askedAgain],
    ['First token, median', traffic.medianFirstTokenMs === null ? '–' : seconds(traffic.medianFirstTokenMs)],
  ];
}

const seconds = (/** @type {number} */ ms) => `${(ms / 1000).toFixed(1)} s`;

/** @param {FleetView} view */
function show({ programs, kits, traffic }) {
  const switched = byId('traffic');
  switched.setAttribute('aria-pressed', String(traffic.isOn));
  say(switched, traffic.isOn ? `Stop the ${traffic.users} users` : `Let ${traffic.users} users ask`);
  each(byId('figures'), figures(traffic), () => rowOf('div', 2), fillCells);
  byId('figures').children[1]?.classList.toggle('bad', traffic.failedBeforeFirstToken > 0);
  each(byId('programs'), programs, programItem, fillProgram);

  const upstreams = kits.flatMap(({ name, view, trouble }) =>
    view === null
      ? [[name, trouble, '', '', '', '', '']]
      : view.upstreams.map((one) => [
          name,
          one.id,
          one.breaker,
          one.inFlight,
          one.models
            .filter(({ memory }) => memory !== 'absent')
            .map((model) => `${model.name.replace(/:latest$/, '')} ${model.memory}`)
            .join(', '),
          one.attempts,
          one.faults,
        ]),
  );
  each(
    byId('upstreams'),
    upstreams,
    () => rowOf('tr', 7),
    (row, cells) => {
      fillCells(row, cells);
      row.dataset['breaker'] = String(cells[2] === '' ? 'open' : cells[2]);
    },
  );
  const waiting = kits.flatMap(({ name, view }) =>
    (view?.waiting ?? []).map((one) => [
      name,
      one.model,
      `${one.position} of ${one.of}`,
      one.principal,
      one.etaMs === null ? 'not known yet' : seconds(one.etaMs),
    ]),
  );
  const lines = waiting.length > 0 ? waiting : [['Nobody waits.', '', '', '', '']];
  each(byId('queue'), lines, () => rowOf('tr', 5), fillCells);
  const failures = traffic.lastFailures.map(
    ({ code, before, at }) =>
      `${new Date(at).toLocaleTimeString()}  ${code}, ${before ? 'before the first token' : 'in the middle of an answer'}`,
  );
  each(byId('failures'), failures.length > 0 ? failures : ['None.'], () => document.createElement('li'), say);
}

byId('traffic').addEventListener('click', () =>
  act('traffic', byId('traffic').getAttribute('aria-pressed') === 'true' ? 'off' : 'on'),
);

const live = new EventSource('/live');
live.addEventListener('message', ({ data }) => {
  say(byId('connection'), '');
  show(JSON.parse(data));
});
live.addEventListener('error', () => say(byId('connection'), 'The fleet has stopped.'));
