import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { type ChangeResourceRecordSetsCommandOutput, GetChangeCommand, Route53Client } from '@aws-sdk/client-route-53';
import { type Answer, type DecodedPacket, decode, encode } from 'dns-packet';
import { eventuallyWith } from '../../../support/eventually.ts';

/** The emulator as a process of its own, on free ports of loopback. */
export interface RunningEmulator {
  readonly api: string;
  readonly dns: { readonly host: string; readonly port: number };
  readonly process: ChildProcess;
  client(attempts?: number): Route53Client;
  status(): Promise<Status>;
  /** Sends SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface Status {
  readonly timeCompression: number;
  readonly zones: readonly { readonly name: string; readonly records: readonly unknown[] }[];
  readonly healthChecks: readonly { readonly id: string; readonly healthy: boolean; readonly intervalMs: number }[];
  readonly deletedButUsed: readonly string[];
}

export async function startEmulatorProcess(...args: readonly string[]): Promise<RunningEmulator> {
  const child = spawn(
    process.execPath,
    [
      'lab/daemons/route53/main.ts',
      '--api',
      '127.0.0.1:0',
      '--dns',
      '127.0.0.1:0',
      '--allow-private-endpoints',
      ...args,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
  });
  const { api, dns } = await listening(child, exited);
  const at = dns.lastIndexOf(':');
  const clients: Route53Client[] = [];
  return {
    api,
    dns: { host: dns.slice(0, at), port: Number(dns.slice(at + 1)) },
    process: child,
    client(attempts = 5) {
      const credentials = { accessKeyId: 'dummy', secretAccessKey: 'dummy' };
      const client = new Route53Client({ endpoint: api, region: 'us-east-1', credentials, maxAttempts: attempts });
      clients.push(client);
      return client;
    },
    async status() {
      return (await (await fetch(`${api}/emulator/status`)).json()) as Status;
    },
    async stop() {
      for (const client of clients) client.destroy();
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Reads the log until the emulator prints where it listens, and drops the rest. */
async function listening(
  child: ChildProcess,
  exited: Promise<number | null>,
): Promise<{ readonly api: string; readonly dns: string }> {
  if (child.stderr === null) throw new Error('no standard error');
  const lines = createInterface({ input: child.stderr });
  return new Promise((resolve, reject) => {
    void exited.then((code) => reject(new Error(`the emulator ended with ${code}`)));
    lines.on('line', (line) => {
      const entry: unknown = JSON.parse(line);
      if (typeof entry !== 'object' || entry === null || !('api' in entry) || !('dns' in entry)) return;
      resolve({ api: String(entry.api), dns: String(entry.dns) });
    });
  });
}

/** Waits until the change is INSYNC, so that the next one is taken and DNS shows it. */
export async function insync(client: Route53Client, output: ChangeResourceRecordSetsCommandOutput): Promise<void> {
  await eventually('INSYNC', async () => {
    const { ChangeInfo } = await client.send(new GetChangeCommand({ Id: output.ChangeInfo?.Id ?? '' }));
    return ChangeInfo?.Status === 'INSYNC' ? true : undefined;
  });
}

export const eventually = eventuallyWith({ timeoutMs: 15_000, everyMs: 25, onError: 'fail' });

export interface Reply {
  readonly rcode: string;
  readonly truncated: boolean;
  readonly values: readonly unknown[];
  readonly scope: number | undefined;
}

/** Asks one question by UDP, from a client subnet if given (as an address of its /24). */
export async function ask(emulator: RunningEmulator, name: string, type = 'A', subnet?: string): Promise<Reply> {
  const socket = createSocket('udp4');
  try {
    const message = await new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer about ${name}`)), 5000);
      socket.once('error', reject);
      socket.once('message', (data) => {
        clearTimeout(timer);
        resolve(data);
      });
      socket.send(question(name, type, subnet), emulator.dns.port, emulator.dns.host);
    });
    return replyOf(decode(message));
  } finally {
    socket.close();
  }
}

/** Asks several questions over one TCP connection, all sent at once. */
export async function askByTcp(emulator: RunningEmulator, names: readonly string[]): Promise<readonly Reply[]> {
  const socket = connect(emulator.dns.port, emulator.dns.host);
  try {
    const framed = names.map((name) => {
      const message = question(name, 'A');
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      return Buffer.concat([length, message]);
    });
    socket.write(Buffer.concat(framed));
    const replies: Reply[] = [];
    let received: Buffer = Buffer.alloc(0);
    for await (const chunk of socket) {
      if (Buffer.isBuffer(chunk)) received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        replies.push(replyOf(decode(received.subarray(2, end))));
        received = received.subarray(end);
      }
      if (replies.length === names.length) break;
    }
    return replies;
  } finally {
    socket.destroy();
  }
}

function question(name: string, type: string, subnet?: string): Buffer {
  const network = subnet?.replace(/\d+$/, '0');
  const option = { code: 8, family: 1, sourcePrefixLength: 24, scopePrefixLength: 0, ip: network } as const;
  const opt: Answer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 1232,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: subnet === undefined ? [] : [option],
  };
  return encode({ type: 'query', id: 1, questions: [{ name, type: type as 'A' }], additionals: [opt] });
}

function replyOf(packet: DecodedPacket): Reply {
  const opt = packet.additionals?.find((record) => record.type === 'OPT');
  const subnet = opt?.type === 'OPT' ? opt.options.find((option) => option.code === 8) : undefined;
  return {
    rcode: String(Reflect.get(packet, 'rcode')),
    truncated: packet.flag_tc,
    values: (packet.answers ?? []).map((answer) => ('data' in answer ? answer.data : undefined)),
    scope: subnet !== undefined && 'scopePrefixLength' in subnet ? subnet.scopePrefixLength : undefined,
  };
}
