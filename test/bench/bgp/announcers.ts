import type { Socket } from 'node:net';
import { createSpeaker } from '../../../src/bgp/driver/speaker.ts';
import { announceCommands, type Session, withdrawCommands } from '../../../src/bgp/encode.ts';
import type { Route } from '../../../src/bgp/route.ts';
import type { Speaker } from '../../../src/bgp/speaker.ts';
import { parsePrefix } from '../../../src/model/address.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { openBare, type Pair, wallClockMs } from './pair.ts';

/** One way to announce routes: by our driver and relay, or by lines written into a bare ExaBGP. */
export interface Announcer {
  /** Announces exactly these routes; resolves with the ms until the peer's kernel has them. */
  announce(routes: readonly Route[]): Promise<number>;
  withdraw(): Promise<void>;
  stop(): Promise<void>;
}

const timeoutMs = 60_000;
const session: Session = { address: '10.1.0.1', family: 4, localAsn: 65011 };

/** Announces by the agent's driver, with guardrails that hold nothing back, and the relay. */
export async function throughRelay(pair: Pair): Promise<Announcer> {
  const pods = parsePrefix('10.10.0.0/16');
  const speaker: Speaker = createSpeaker({
    socketPath: pair.socket,
    limits: {
      allowed: { pods: pods === undefined ? [] : [pods], server: [], vip: [] },
      maxRoutes: 20_000,
      maxAnnouncementsPerMinute: 10_000_000,
      maxWithdrawalsPerMinute: 10_000_000,
    },
    clock: systemClock,
    log: silentLog,
  });
  speaker.start();
  speaker.setDesired([]);
  await speaker.settled(timeoutMs);
  return {
    async announce(routes) {
      const begin = wallClockMs();
      speaker.setDesired(routes);
      const at = await pair.kernel.until(routes.length, timeoutMs);
      await speaker.settled(timeoutMs);
      return at - begin;
    },
    async withdraw() {
      speaker.setDesired([], { confirmed: true });
      await pair.kernel.until(0, timeoutMs);
      await speaker.settled(timeoutMs);
    },
    async stop() {
      pair.kernel.end();
      await speaker.stop();
    },
  };
}

/** Announces by the same bulk lines, written into ExaBGP at once without waiting for its answers. */
export async function throughBare(pair: Pair): Promise<Announcer> {
  const socket: Socket = await openBare(pair.socket);
  let announced: readonly Route[] = [];
  const write = (lines: readonly { readonly line: string }[]): void => {
    socket.write(lines.map(({ line }) => `${line}\n`).join(''));
  };
  return {
    async announce(routes) {
      const before = new Set(announced.map(({ prefix }) => prefix.text));
      const begin = wallClockMs();
      write(
        announceCommands(
          session,
          routes.filter(({ prefix }) => !before.has(prefix.text)),
        ),
      );
      announced = routes;
      return (await pair.kernel.until(routes.length, timeoutMs)) - begin;
    },
    async withdraw() {
      write(withdrawCommands(session, announced));
      announced = [];
      await pair.kernel.until(0, timeoutMs);
    },
    async stop() {
      pair.kernel.end();
      socket.destroy();
    },
  };
}
