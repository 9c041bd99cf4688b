import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { HealthCheckSettings } from './check.ts';

/** One probe's verdict, in the words that GetHealthCheckStatus shows. */
interface ProbeResult {
  readonly healthy: boolean;
  readonly detail: string;
}

/** How long each stage of a probe may take. */
export interface ProbeTimeouts {
  readonly connectMs: number;
  readonly tcpConnectMs: number;
  readonly responseMs: number;
  readonly bodyMs: number;
}

export type Probe = (
  settings: HealthCheckSettings,
  timeouts: ProbeTimeouts,
  signal: AbortSignal,
) => Promise<ProbeResult>;

/** Route 53's limits: connected within 4 s (TCP checks: 10 s), status within 2 s more, the string within 2 s more. */
const realTimeouts: ProbeTimeouts = { connectMs: 4000, tcpConnectMs: 10_000, responseMs: 2000, bodyMs: 2000 };
/** A shorter timeout would measure a busy machine and not the endpoint. */
const shortestTimeoutMs = 500;

export function compressTimeouts(compression: number): ProbeTimeouts {
  const compressed = (ms: number) => Math.min(ms, Math.max(shortestTimeoutMs, ms / compression));
  return {
    connectMs: compressed(realTimeouts.connectMs),
    tcpConnectMs: compressed(realTimeouts.tcpConnectMs),
    responseMs: compressed(realTimeouts.responseMs),
    bodyMs: compressed(realTimeouts.bodyMs),
  };
}

/** The string of a *_STR_MATCH check must lie wholly within this many bytes at the start of the body. */
const searchedBytes = 5120;

/** Probes the endpoint over the network. Never rejects. */
export const probeEndpoint: Probe = (settings, timeouts, signal) =>
  settings.type === 'TCP' ? probeTcp(settings, timeouts, signal) : probeHttp(settings, timeouts, signal);

function probeTcp(settings: HealthCheckSettings, timeouts: ProbeTimeouts, signal: AbortSignal): Promise<ProbeResult> {
  const socket = connect({ host: settings.address ?? '', port: settings.port ?? 80, signal });
  return verdict(socket, (stage, finish) => {
    stage('Connection timed out', timeouts.tcpConnectMs);
    socket.once('connect', () => finish(true, 'Success: TCP connection established'));
  });
}

function probeHttp(settings: HealthCheckSettings, timeouts: ProbeTimeouts, signal: AbortSignal): Promise<ProbeResult> {
  const tls = settings.type === 'HTTPS' || settings.type === 'HTTPS_STR_MATCH';
  const port = settings.port ?? (tls ? 443 : 80);
  const named = settings.hostName ?? settings.address ?? '';
  const request = (tls ? httpsRequest : httpRequest)({
    host: settings.address,
    port,
    path: settings.path ?? '/',
    method: 'GET',
    agent: false,
    signal,
    headers: {
      host: port === (tls ? 443 : 80) ? named : `${named}:${port}`,
      'user-agent': 'Route53-Emulator-Health-Check',
      connection: 'close',
    },
    // For Route 53 an expired or foreign certificate is no failure either.
    rejectUnauthorized: false,
    ...(tls && settings.enableSni && settings.hostName !== undefined ? { servername: settings.hostName } : {}),
  });
  return verdict(request, (stage, finish) => {
    stage('Connection timed out', timeouts.connectMs);
    const connected = () => stage('Timed out waiting for a response', timeouts.responseMs);
    request.once('socket', (socket) => socket.once(tls ? 'secureConnect' : 'connect', connected));
    request.once('response', (response) => judgeResponse(settings, response, timeouts, stage, finish));
    request.end();
  });
}

type Stage = (onTimeout: string, ms: number) => void;
type Finish = (healthy: boolean, detail: string) => void;

function judgeResponse(
  settings: HealthCheckSettings,
  response: IncomingMessage,
  timeouts: ProbeTimeouts,
  stage: Stage,
  finish: Finish,
): void {
  const code = response.statusCode ?? 0;
  const answer = `HTTP Status Code ${code}, ${response.statusMessage ?? ''}`;
  if (code < 200 || code >= 400) return finish(false, `Failure: ${answer}`);
  if (settings.searchString === undefined) return finish(true, `Success: ${answer}`);
  const wanted = Buffer.from(settings.searchString);
  let body: Buffer = Buffer.alloc(0);
  const judge = () =>
    body.includes(wanted)
      ? finish(true, `Success: ${answer}`)
      : finish(false, `Failure: ${answer}, search string not found`);
  stage('Timed out waiting for the response body', timeouts.bodyMs);
  response.on('data', (chunk: Buffer) => {
    body = Buffer.concat([body, chunk]).subarray(0, searchedBytes);
    if (body.length === searchedBytes || body.includes(wanted)) judge();
  });
  response.once('end', judge);
  response.once('error', (error) => finish(false, `Failure: ${error.message}`));
}

/** Runs one exchange until its first verdict, and then closes the connection. */
function verdict(
  connection: ClientRequest | Socket,
  run: (stage: Stage, finish: Finish) => void,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const finish: Finish = (healthy, detail) => {
      clearTimeout(timer);
      resolve({ healthy, detail });
      connection.destroy();
    };
    const stage: Stage = (onTimeout, ms) => {
      clearTimeout(timer);
      timer = setTimeout(() => finish(false, `Failure: ${onTimeout}`), ms);
    };
    // The listener stays for the life of the connection, so that errors after the verdict are ignored.
    connection.on('error', (error) => finish(false, `Failure: ${error.message}`));
    run(stage, finish);
  });
}
