import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Fleet } from './fleet.ts';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** All that can be fetched; nothing else of the disk is ever read. */
const files: Readonly<Record<string, readonly [path: string, type: string]>> = {
  '/': [file('../page/index.html'), 'text/html; charset=utf-8'],
  '/page.js': [file('../page/page.js'), 'text/javascript; charset=utf-8'],
  '/page.css': [file('../page/page.css'), 'text/css; charset=utf-8'],
  '/tokens.css': [file('../../../packages/react/src/styles/tokens.css'), 'text/css; charset=utf-8'],
};

const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

const viewEveryMs = 500;

/** The page, what it shows (`GET /live`, server-sent events) and its buttons (`POST /do/<verb>/<name>`). */
export function createPageServer(fleet: Fleet): Server {
  return createServer((req, res) => {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    answer(fleet, req, res).catch((error: Error) => {
      if (!res.headersSent) end(res, 500, error.message);
      else res.destroy();
    });
  });
}

async function answer(fleet: Fleet, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { method, url = '/' } = req;
  // A foreign name that resolves to this machine is DNS rebinding; another page's POST brings its own Origin.
  if (!isOurs(req)) return end(res, 403, 'This page is for this machine only.');
  if (method === 'POST') return act(fleet, url, res);
  if (method !== 'GET') return end(res, 405, 'GET or POST.');
  if (url === '/live') return live(fleet, res);
  const found = Object.hasOwn(files, url) ? files[url] : undefined;
  if (!found) return end(res, 404, 'Nothing is here.');
  res.setHeader('content-type', found[1]);
  res.end(await readFile(found[0]));
}

function isOurs({ method, headers: { host, origin } }: IncomingMessage): boolean {
  const name = host?.replace(/:\d+$/, '');
  if (name !== '127.0.0.1' && name !== 'localhost') return false;
  return method === 'GET' || origin === `http://${host}`;
}

async function act(fleet: Fleet, url: string, res: ServerResponse): Promise<void> {
  const [, , verb, name = ''] = /^\/do\/(kill|revive|traffic|token)\/[a-z0-9-]+$/.test(url)
    ? url.split('/')
    : [];
  if (verb === undefined) return end(res, 404, 'Nothing is here.');
  if (verb === 'traffic') {
    fleet.setTraffic(name === 'on');
    return end(res, 204);
  }
  if (verb === 'token') {
    res.setHeader('content-type', 'application/json');
    return end(res, 200, JSON.stringify({ token: await fleet.tokenFor(name) }));
  }
  const isKnown = verb === 'kill' ? fleet.kill(name) : await fleet.revive(name);
  return isKnown ? end(res, 204) : end(res, 404, 'No program of the fleet has this name.');
}

/** What is so now, twice a second, until the page is closed. */
function live(fleet: Fleet, res: ServerResponse): void {
  res.setHeader('content-type', 'text/event-stream');
  const send = () => void res.write(`data: ${JSON.stringify(fleet.view())}\n\n`);
  send();
  const timer = setInterval(send, viewEveryMs);
  res.on('close', () => clearInterval(timer));
}

function end(res: ServerResponse, status: number, text?: string): void {
  res.statusCode = status;
  if (text !== undefined && !res.hasHeader('content-type'))
    res.setHeader('content-type', 'text/plain; charset=utf-8');
  res.end(text);
}
