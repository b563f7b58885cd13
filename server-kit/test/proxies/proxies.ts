import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import compression from 'compression';
import express from 'express';
import { ziggieExpress } from '../../src/express.ts';
import type { ServerKit } from '../../src/kit-types.ts';
import { ziggieNode, ziggieSockets } from '../../src/node.ts';
import { listen } from '../doors/hosts.ts';
import { closeLater } from '../stream-harness.ts';

/** Something in front of the kit. */
export interface Proxy {
  name: string;
  /** Whether it can be started here. */
  isHere: boolean;
  passesSockets: boolean;
  /** Starts it in front of a kit; gives the port that users would call. Closed after the test. */
  start(kit: ServerKit): Promise<number>;
}

const page = readFileSync(new URL('../../../docs/proxies.md', import.meta.url), 'utf8');

/** The lines of docs/proxies.md, with the ports of a test. */
function documented(language: string, port: number, kitPort: number): string {
  const block = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (block === undefined) throw new Error(`docs/proxies.md has no ${language}.`);
  return block.replace('8080', `${port}`).replace('127.0.0.1:3000', `127.0.0.1:${kitPort}`);
}

const isThere = (name: string, version: string) =>
  spawnSync(name, [version], { stdio: 'ignore' }).status === 0;
const hasNginx = isThere('nginx', '-v');
const hasCaddy = isThere('caddy', 'version');

export const proxies: readonly Proxy[] = [
  {
    name: 'nginx as documented',
    isHere: hasNginx,
    passesSockets: true,
    start: (kit) => startNginx(kit, ''),
  },
  {
    name: 'nginx that compresses everything',
    isHere: hasNginx,
    passesSockets: true,
    start: (kit) => startNginx(kit, 'gzip on; gzip_types *; gzip_proxied any; gzip_min_length 0;'),
  },
  {
    name: 'Caddy as documented',
    isHere: hasCaddy,
    passesSockets: true,
    start: (kit) => startCaddy(kit, (text) => text),
  },
  {
    name: 'Caddy that compresses',
    isHere: hasCaddy,
    passesSockets: true,
    start: (kit) => startCaddy(kit, (text) => text.replace('reverse_proxy', 'encode gzip\n  reverse_proxy')),
  },
  {
    name: 'Express with compression()',
    isHere: true,
    passesSockets: false,
    async start(kit) {
      const app = express();
      app.use(compression({ threshold: 0, filter: () => true }));
      app.use('/api/llm', ziggieExpress(kit));
      const running = await listen(createServer(app));
      closeLater(() => running.close());
      return running.port;
    },
  },
];

/** The kit on a port of its own, sockets too. */
async function startKit(kit: ServerKit): Promise<number> {
  const server = createServer(ziggieNode(kit, { prefix: '/api/llm', trustProxy: ['127.0.0.1'] }));
  const detach = ziggieSockets(server, kit, { prefix: '/api/llm' });
  const running = await listen(server);
  closeLater(async () => {
    detach();
    await running.close();
  });
  return running.port;
}

async function startNginx(kit: ServerKit, more: string): Promise<number> {
  const [port, kitPort] = [await freePort(), await startKit(kit)];
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'tmp'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((one) => `${one}_temp_path ${folder}/tmp/${one};`)
    .join('\n');
  const text = `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
access_log off;
${temporary}
${more}
${documented('nginx', port, kitPort)}
}
`;
  writeFileSync(join(folder, 'nginx.conf'), text);
  await run('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], port);
  return port;
}

async function startCaddy(kit: ServerKit, change: (text: string) => string): Promise<number> {
  const [port, kitPort] = [await freePort(), await startKit(kit)];
  const folder = temporaryFolder();
  const text = `{\n  admin off\n  auto_https off\n}\n${change(documented('caddyfile', port, kitPort))}`;
  writeFileSync(join(folder, 'Caddyfile'), text);
  const env = { PATH: process.env['PATH'], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  await run('caddy', ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'], port, env);
  return port;
}

async function run(command: string, args: string[], port: number, env?: NodeJS.ProcessEnv): Promise<void> {
  const child: ChildProcess = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(env ? { env } : {}),
  });
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const exit = once(child, 'exit');
  closeLater(async () => {
    child.kill('SIGTERM');
    await exit;
  });
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 500 || child.exitCode !== null) throw new Error(`${command} does not start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ziggie-proxy-'));
  closeLater(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
