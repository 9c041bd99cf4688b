import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { operatorAddress } from '../../lab/fleet/operator.ts';
import { place } from '../../lab/fleet/router.ts';
import type { FleetShape } from '../../lab/fleet/spec.ts';
import { withBootedCluster } from '../support/booted-cluster.ts';
import { votersBy } from '../support/etcd-voters.ts';

/** Disks of etcd are lost, first two of three, then all; the cluster comes back by `tideline fleet recover`, and its workers go on meanwhile. */
const shape: FleetShape = {
  masters: 3,
  workers: 2,
  kubeconfig: '../paris.kubeconfig',
  copyCommand: ['/usr/bin/curl', '-fsS', '-T', '{snapshot}', `http://${operatorAddress}:8080/{server}/`],
};
const members = ['par-master-1', 'par-master-2', 'par-master-3'] as const;
const cluster = withBootedCluster(shape);

/** Keeps what is put there, as a backup server does: a folder for each member. */
const backupServer = `
import http.server, os
class Keeper(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        path = '/srv/backup' + self.path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(self.rfile.read(int(self.headers['Content-Length'])))
        self.send_response(201)
        self.end_headers()
http.server.HTTPServer(('', 8080), Keeper).serve_forever()
`;

/** The newest snapshot of a member as it was copied to the operator's machine; taken now by its own unit. */
async function copied(member: string): Promise<Buffer> {
  const { fleet, operator } = cluster();
  await operator.server.write('/srv/backup.py', backupServer);
  await operator.server.exec('systemd-run --quiet --unit=backup python3 /srv/backup.py');
  await fleet.server(member).exec('systemctl start etcd-snapshot.service');
  const [name = ''] = (await operator.server.exec(`ls -1r /srv/backup/${member}`)).split('\n');
  return await readFile(operator.server.outside(`/srv/backup/${member}/${name}`));
}

/** Writes an object that says of itself when it was written. */
const write = (name: string): Promise<string> => cluster().admin.kubectl(['create', 'configmap', name]);
const written = async (): Promise<readonly string[]> =>
  (await cluster().admin.kubectl(['get', 'configmaps', '-o', 'name'])).trim().split('\n');
/** What the router has of the workers: the blocks of their pods. */
const blocks = async (): Promise<readonly string[]> =>
  (await cluster().network.ip(place.namespace, 'route', 'show', 'proto', 'bird'))
    .split('\n')
    .filter((line) => line.startsWith('10.10.'))
    .toSorted();

async function emptied(names: readonly string[]): Promise<void> {
  const { fleet, operator } = cluster();
  await operator.admit(await Promise.all(names.map(async (name) => await fleet.bootEmpty(name))));
}

async function does(...words: readonly string[]): Promise<void> {
  const { plan, done, seconds } = await cluster().doing(...words);
  cluster().say(`${plan}\n${done}\n${words.join(' ')}: ${seconds.toFixed(1)} s`);
}

describe('a cluster on booted servers', () => {
  test('goes on with the one member of three that has a disk, and gets the others back', async () => {
    await write('before-the-quorum');
    const announced = await blocks();
    await emptied(members.slice(1));
    await does('recover', 'paris', '--quorum');
    expect(await written()).toContain('configmap/before-the-quorum');
    expect(await blocks()).toEqual(announced);
    await does('replace', 'par-master-2,par-master-3');
    expect(await votersBy(cluster(), 'par-master-1')).toEqual(members);
    expect((await cluster().operator.plan()).printed).toContain('nothing changes');
  });

  test('comes back from a snapshot when every member has lost its disk', async () => {
    const { folder } = cluster();
    await write('before-the-snapshot');
    const snapshot = await copied('par-master-1');
    const sha256 = createHash('sha256').update(snapshot).digest('hex');
    const announced = await blocks();
    await mkdir(join(folder, 'files/snapshots'));
    await writeFile(join(folder, 'files/snapshots/kept.db'), snapshot);
    await write('after-the-snapshot');
    await emptied(members);
    await does('recover', 'paris', '--snapshot', 'salt://snapshots/kept.db', '--sha256', sha256);
    expect(await written()).toContain('configmap/before-the-snapshot');
    expect(await written()).not.toContain('configmap/after-the-snapshot');
    expect(await blocks()).toEqual(announced);
    expect(await votersBy(cluster(), 'par-master-1')).toEqual(members);
    expect((await cluster().operator.plan()).printed).toContain('nothing changes');
  });
});
