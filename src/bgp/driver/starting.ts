import { createConnection } from 'node:net';
import { encodeMessage } from '../wire.ts';

/** A unix socket that has not taken a line by then will not be waited for. */
const patienceMs = 500;

/**
 * Tells the relay that an agent is being started, so that its VIPs stay while it loads and reads its cluster: the first thing
 * a blade's agent does. Resolves when the line has left or cannot; without a relay there is nothing to hold.
 */
export async function tellStarting(socketPath: string): Promise<void> {
  const socket = createConnection(socketPath);
  socket.on('error', () => socket.destroy());
  socket.setTimeout(patienceMs, () => socket.destroy());
  socket.resume();
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  socket.end(encodeMessage({ type: 'starting' }));
  await closed;
}
