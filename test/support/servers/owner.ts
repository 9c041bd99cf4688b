import { Network } from '../../../lab/net/network.ts';
import { bootServer } from '../../../lab/servers/server.ts';

/** Boots a server, says that it is up, and waits to be killed: `owner.ts ROOT FOLDER NAME`. */
const [root = '', folder = '', name = ''] = process.argv.slice(2);
const network = new Network();
await network.addNamespace('switch');
await network.batch('switch', ['link add br0 type bridge', 'link set br0 up']);
const bridge = { namespace: 'switch', device: 'br0' };
const server = await bootServer({ name, root, folder, network, bridge, addresses: [] });
process.stdout.write(`${/\d+/.exec(server.outside('/'))?.[0]}\n`);
setInterval(() => undefined, 1000);
