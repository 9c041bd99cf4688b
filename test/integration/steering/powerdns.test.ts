import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPowerDns } from '../../../lab/daemons/powerdns.ts';
import { powerDns } from '../../../src/planes/steering/providers/powerdns/client.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { describeProvider } from '../../support/steering/conformance.ts';

describeProvider('PowerDNS', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tideline-powerdns-'));
  const server = await startPowerDns({
    spawn: (command, args) => spawn(command, args, { stdio: 'ignore' }),
    clock: systemClock,
    directory,
    address: '127.0.0.1',
    port: 5300,
    apiPort: 8081,
    apiKey: 'secret',
    zones: ['video.example'],
    healthIntervalSeconds: 1,
  });
  const send = async (body: string): Promise<void> => {
    const url = `${server.apiUrl}/api/v1/servers/localhost/zones/video.example.`;
    const response = await fetch(url, { method: 'PATCH', headers: { 'x-api-key': server.apiKey }, body });
    if (!response.ok) throw new Error(await response.text());
  };
  const patch = async (name: string, address: string, changetype: 'REPLACE' | 'DELETE'): Promise<void> => {
    const records = [{ content: address, disabled: false }];
    await send(JSON.stringify({ rrsets: [{ name: `${name}.`, type: 'A', ttl: 60, changetype, records }] }));
  };
  const disturbed = JSON.stringify({
    rrsets: [
      {
        name: 'www.video.example.',
        type: 'LUA',
        ttl: 30,
        changetype: 'REPLACE',
        records: [{ content: `A "pickrandom({'192.0.2.66'})"`, disabled: false }],
      },
    ],
  });
  return {
    async disturb() {
      await send(disturbed);
    },
    provider: powerDns({ url: server.apiUrl, apiKey: server.apiKey }),
    dns: { host: '127.0.0.1', port: 5300 },
    putAddress: (name, address) => patch(name, address, 'REPLACE'),
    removeAddress: (name, address) => patch(name, address, 'DELETE'),
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
});
