import type { Platform } from '../model/spec/platform.ts';
import type { ParityView } from '../model/steering-status.ts';
import { systemClock } from '../runtime/clock.ts';
import type { AgentAccess } from '../runtime/tls/line.ts';

/** The limit for a question to a blade, and for a look at an address; all are asked beside each other. */
const patienceMs = 1500;

/** What each cluster lacks of the hosts of the policies that name it, as seen from this machine. It takes a few seconds at most. */
export async function parityNow(platform: Platform, access: AgentAccess | undefined): Promise<readonly ParityView[]> {
  const [{ askAgent }, { askHost }, { lookForParity }] = await Promise.all([
    import('../observe/ask.ts'),
    import('../observe/ask-host.ts'),
    import('../observe/look-parity.ts'),
  ]);
  const monotonic = () => systemClock.monotonic();
  return lookForParity(platform, {
    ask: (target) => askAgent(target, { timeoutMs: patienceMs, monotonic, access }),
    probe: (query) => askHost(query, patienceMs, systemClock.now()),
  });
}
