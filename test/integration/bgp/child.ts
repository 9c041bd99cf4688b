import { createServer } from 'node:net';

// An API child that only passes its streams to and from the clients of the socket that its argument names.
const server = createServer((socket) => {
  const pass = (chunk: Buffer): void => void socket.write(chunk);
  process.stdin.on('data', pass);
  socket.on('data', (chunk) => process.stdout.write(chunk));
  // A client that only looks whether somebody listens is gone again, perhaps just as ExaBGP says something.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => process.stdin.off('data', pass));
});
server.listen(process.argv[2]);
process.stdin.on('end', () => process.exit(0));
