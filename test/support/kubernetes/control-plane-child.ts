import { startControlPlane } from '../../../src/lab/kubernetes/start.ts';
import { binaries } from './binaries.ts';

/**
 * Starts a control plane, says so, and stays: for tests that kill its owner.
 *   node control-plane-child.ts FOLDER ADDRESS
 */
const [folder = '', address = ''] = process.argv.slice(2);

await startControlPlane({ folder, address, binaries: await binaries() });
process.stdout.write('ready\n');
setInterval(() => undefined, 60_000);
