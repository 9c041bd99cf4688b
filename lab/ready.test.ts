import { expect, it } from 'vitest';
import { readyLines } from './ready.ts';
import { defaultStateFolder } from './state.ts';
import type { World } from './world/topology.ts';

const world = {
  datacentres: [{ blades: [{ name: 'paris-blade-1', address: '10.1.0.21' }] }],
  users: [{ clients: [{ country: 'FR' }] }],
} as unknown as World;

it('says what to try next, in the folder where the lab is, and whether anybody watches the alerts', () => {
  expect(
    readyLines({ stateFolder: defaultStateFolder, platformFolder: 'build/lab/platform', world, alerts: false }),
  ).toEqual([
    'ready; in another terminal:',
    '  tideline lab status                                              # sessions, routes, users',
    '  tideline lab fault blade-killed paris-blade-1                    # make trouble; --help lists all faults',
    '  tideline lab exec -- tideline status build/lab/platform          # what the operator sees of it',
    '  tideline lab exec -- tideline why country FR build/lab/platform  # why these users are served where they are',
    '  tideline lab heal                                                # end the trouble',
    '  tideline lab down                                                # end the lab, as Ctrl-C does here',
    'nobody watches the alerts: start the lab with --alerts for a Prometheus that does',
  ]);
  const elsewhere = readyLines({
    stateFolder: '/tmp/x',
    platformFolder: '/tmp/x/platform',
    world,
    alerts: true,
    steering: '127.0.0.1:9465',
  });
  expect(elsewhere.join('\n')).toMatch(
    /^ {2}tideline lab exec --state \/tmp\/x -- tideline status \/tmp\/x\/platform --steering \S+ +#/m,
  );
  expect(elsewhere.join('\n')).toContain('/tmp/x/platform --steering 127.0.0.1:9465 ');
  expect(elsewhere.at(-1)).toContain('Prometheus watches the alerts');
});
