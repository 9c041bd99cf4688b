import { createConnection } from 'node:net';
import { encodeMessage } from '../wire.ts';

/** After this time the socket is closed, whether or not it has taken the line. */
const timeoutMs = 500;

/**
 * Tells the relay that an agent is being started, so that its VIPs stay while it loads and reads its cluster. A blade's agent
 * does this first of all. Resolves when the line was sent or cannot be; without a relay there are no VIPs to keep.
 */
export async function sendStarting(socketPath: string): Promise<void> {
  const socket = createConnection(socketPath);
  socket.on('error', () => socket.destroy());
  socket.setTimeout(timeoutMs, () => socket.destroy());
  socket.resume();
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  socket.end(encodeMessage({ type: 'starting' }));
  await closed;
}
