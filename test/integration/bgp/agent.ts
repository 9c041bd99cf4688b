import { createSpeaker } from '../../../src/bgp/driver/speaker.ts';
import type { RouteClass } from '../../../src/bgp/route.ts';
import { withoutUndefined } from '../../../src/model/values.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { route, testLimits } from './world.ts';

// The agent that tests kill: it announces the routes of its argument, prints a line when they are settled, and lives on.
const options: {
  readonly socketPath: string;
  readonly lease?: { readonly seconds: number; readonly keeper: boolean };
  readonly verifyEveryMs?: number;
  readonly routes: readonly { readonly prefix: string; readonly class: RouteClass }[];
} = JSON.parse(process.argv[2] ?? '');
const speaker = createSpeaker({
  socketPath: options.socketPath,
  limits: testLimits,
  clock: systemClock,
  log: silentLog,
  ...withoutUndefined({ lease: options.lease, verifyEveryMs: options.verifyEveryMs }),
});
speaker.start();
speaker.setDesired(options.routes.map((entry) => route(entry.prefix, entry.class)));
await speaker.settled(10_000);
process.stdout.write('settled\n');
