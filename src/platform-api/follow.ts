import type { PlatformWatch } from '../platform/watch.ts';
import type { PlatformApi } from './source.ts';

/** Makes APIs sources of a platform for an agent of the cluster `here`, or of none, and keeps on disk what is in force of each. */
export function followApis<View>(
  watch: PlatformWatch<View>,
  apis: readonly PlatformApi[],
  here: string | undefined,
): void {
  let kept = watch.inForce();
  // While a platform does not go together nothing is kept: what is in force then may stand in no API any more.
  watch.onChange(() => {
    if (kept === watch.inForce()) return;
    kept = watch.inForce();
    for (const api of apis) api.keep(kept, watch.verdicts());
  });
  watch.follow(apis, here);
}
