import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../runtime/clock.ts';
import { xmlDepth } from './answers.ts';
import type { ZoneReader } from './provider.ts';
import { providers } from './table.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const secrets = {
  POWERDNS_API_KEY: 'pdns/key+with=signs',
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLEEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  AWS_SESSION_TOKEN: 'FwoGZXIvYXdzEXAMPLE//////////TOKEN==',
};

/** A reader of the provider that asks a server of ours. */
async function readerOf(name: 'powerdns' | 'route53', answer: RequestListener, user = ''): Promise<ZoneReader> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const variables = new Map(Object.entries(secrets));
  return providers[name].reader({
    url: `http://${user}127.0.0.1:${port}`,
    variables,
    clock: systemClock,
    random: () => 0,
  });
}

const failure = (reader: ZoneReader): Promise<string> =>
  reader.read('video.example').then(
    () => 'no error',
    (error: unknown) => String(error),
  );

const names = ['powerdns', 'route53'] as const;

describe.each(names)('%s', (name) => {
  it('shows nothing secret when the server repeats our request', async () => {
    const sent = Object.entries(secrets).flatMap(([variable, value]) =>
      providers[name].variables.required.concat(providers[name].variables.optional).includes(variable) ? [value] : [],
    );
    let asked = '';
    const reader = await readerOf(name, (request, response) => {
      asked = JSON.stringify(request.headers);
      const signed = `${request.headers.authorization} ${sent.join(' ')} ${request.rawHeaders.join('\n')}`;
      const body =
        name === 'powerdns'
          ? JSON.stringify({ error: `bad request ${signed}` })
          : `<ErrorResponse><Error><Code>Bad</Code><Message>bad request ${signed}</Message></Error></ErrorResponse>`;
      response.writeHead(400, { 'content-type': name === 'powerdns' ? 'application/json' : 'text/xml' }).end(body);
    });
    const shown = await failure(reader);
    expect(shown).toMatch(/bad request.*\(ProviderRefused\)$/s);
    const signature = /Signature=([0-9a-f]+)/.exec(asked)?.[1];
    expect([sent.length > 0, signature !== undefined]).toEqual([true, name === 'route53']);
    for (const secret of [...sent, ...(signature === undefined ? [] : [signature])])
      expect(shown).not.toContain(secret);
    expect(shown.length).toBeLessThan(600);
  });

  it('reads an answer without end to its bound', async () => {
    const reader = await readerOf(name, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/xml' });
      const block = Buffer.alloc(1 << 20, 'x');
      const write = (): void => {
        while (!response.destroyed && response.write(block));
        response.once('drain', write);
      };
      write();
    });
    expect(await failure(reader)).toMatch(/more than 64 MiB \(AnswerTooLarge\)/);
  });
});

it('Route 53: XML that is nested deeply is refused by name', async () => {
  const body = `${'<a>'.repeat(200_000)}${'</a>'.repeat(200_000)}`;
  const reader = await readerOf('route53', (_request, response) => response.end(body));
  expect(await failure(reader)).toMatch(/more than 64 levels \(AnswerTooLarge\)/);
});

it('PowerDNS: an address with a password in it is not shown', async () => {
  const reader = await readerOf('powerdns', (request) => request.socket.destroy(), 'admin:hunter2@');
  expect(await failure(reader)).toMatch(/^(?!.*hunter2).*PowerDNS at http:\/\/\*\*\*@127\.0\.0\.1:\d+ did not answer/);
});

it.each([
  ['<a><b/><b>x</b></a>', 2],
  ['<?xml version="1.0"?><a x="1"><b><c/></b></a>', 3],
  ['text', 0],
  ['<a'.repeat(1000), 0],
])('the depth of %s', (text, depth) => {
  expect(xmlDepth(text)).toBe(depth);
});
