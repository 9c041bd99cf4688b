import { readFileSync } from 'node:fs';
import { request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A client that asks one URL twenty times a second, each time over a new connection: `steady-client.ts URL [HOST [KUBECONFIG]]`. When its input
 * ends it prints what became of its requests, as JSON.
 */
const everyMs = 50;
const [url = '', host = '', kubeconfig] = process.argv.slice(2);
const headers = host === '' ? {} : { host };
const settings = { headers, ...(kubeconfig === undefined ? {} : credentialsOf(kubeconfig)) };
const report = { requests: 0, slowestMs: 0, failures: [] as { begun: number; ended: number; what: string }[] };
let on = true;

process.stdin.resume().on('end', () => {
  on = false;
});

while (on) {
  const from = performance.now();
  const begun = Date.now();
  const what = await ask();
  report.requests += 1;
  if (what === undefined) report.slowestMs = Math.max(report.slowestMs, Math.round(performance.now() - from));
  else report.failures.push({ begun, ended: Date.now(), what });
  await sleep(Math.max(0, everyMs - (performance.now() - from)));
}
process.stdout.write(JSON.stringify(report));

/** Why the request failed; undefined when it did not. */
function ask(): Promise<string | undefined> {
  const send = url.startsWith('https:') ? overHttps : overHttp;
  return new Promise((resolve) => {
    const sent = send(url, { agent: false, timeout: 5000, ...settings }, (answer) => {
      answer.on('error', (error) => resolve(error.message));
      answer.resume().on('end', () => resolve(answer.statusCode === 200 ? undefined : `status ${answer.statusCode}`));
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in 5 s')));
    sent.on('error', ({ message }) => resolve(message)).end();
  });
}

/** Of a kubeconfig that `tideline fleet kubeconfig` wrote. */
function credentialsOf(file: string) {
  const { clusters, users } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
    readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
  };
  const decoded = (from: Readonly<Record<string, string>> | undefined, key: string): Buffer =>
    Buffer.from(from?.[key] ?? '', 'base64');
  return {
    ca: decoded(clusters[0]?.cluster, 'certificate-authority-data'),
    cert: decoded(users[0]?.user, 'client-certificate-data'),
    key: decoded(users[0]?.user, 'client-key-data'),
  };
}
