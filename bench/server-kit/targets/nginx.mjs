// nginx in front of the model server, passing everything on: what a proxy in C costs. Says its CPU time like every target;
// the time is the scheduler's run time of its processes.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
mkdirSync(join(root, 'temp'));
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port: free } = probe.address();
    probe.close(() => resolve(free));
  });
});
const { host } = new URL(process.env.UPSTREAM);
const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  .map((name) => `${name}_temp_path ${root}/temp/${name};`)
  .join(' ');
writeFileSync(
  join(root, 'nginx.conf'),
  `daemon off; worker_processes 1; pid ${root}/pid; error_log ${root}/error.log;
events { worker_connections 4096; }
http {
  access_log off; tcp_nodelay on; keepalive_requests 1000000; ${temp}
  upstream model { server ${host}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
  }
}
`,
);
const master = spawn('nginx', ['-p', root, '-c', join(root, 'nginx.conf')], { stdio: 'ignore' });
process.on('exit', () => {
  master.kill('SIGTERM');
  rmSync(root, { recursive: true, force: true });
});
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit());
master.once('exit', (code) => process.exit(code ?? 1));

/** Run time of a process in µs (Documentation/scheduler/sched-stats.rst). */
const runMicros = (pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;
const parentOf = (pid) => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1]);
function processes() {
  const workers = readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && parentOf(name) === master.pid;
    } catch {
      return false;
    }
  });
  return [master.pid, ...workers];
}
process.on('message', (message) => {
  if (message !== 'cpu') return;
  const cpuMicros = processes().reduce((sum, pid) => sum + runMicros(pid), 0);
  process.send({ cpuMicros, usage: { requests: 0, tokens: 0 } });
});

function whenOpen(tries = 100) {
  const socket = connect(port, '127.0.0.1', () => {
    socket.destroy();
    process.send({ port });
  });
  socket.on('error', () => {
    if (tries === 0) throw new Error('nginx does not listen.');
    setTimeout(whenOpen, 50, tries - 1);
  });
}
whenOpen();
