import { connect, createServer, type Socket } from 'node:net';

/**
 * A proxy into a network namespace: it listens on a unix socket, which belongs to no network namespace, and connects from the
 * namespace in which it runs. The first line of a connection names the target, `HOST PORT`; all that follows is passed on, both ways.
 *   node main.ts SOCKET
 */
const [socket = ''] = process.argv.slice(2);

createServer((client) => {
  client.on('error', () => client.destroy());
  let head = Buffer.alloc(0);
  const read = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\n');
    if (end < 0) return;
    client.off('data', read);
    client.pause();
    pass(client, head.subarray(0, end).toString(), head.subarray(end + 1));
  };
  client.on('data', read);
}).listen(socket);

function pass(client: Socket, target: string, rest: Buffer): void {
  const [host = '', port = ''] = target.split(' ');
  const server = connect({ host, port: Number(port) });
  server.on('error', () => client.destroy());
  server.on('close', () => client.destroy());
  client.on('close', () => server.destroy());
  server.write(rest);
  client.pipe(server).pipe(client);
}
