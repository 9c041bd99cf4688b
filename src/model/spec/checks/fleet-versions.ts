import { artifactVersions } from '../../platform/fleets.ts';
import { compareVersions, minorOf, versionNumbers } from '../../version.ts';
import type { Fleet, Release } from '../kinds.ts';
import { listText, type Objects, type Report, type Valid, whereIs } from '../objects.ts';

/** Minor versions of Kubernetes 1 of which the flags are known, and the minor versions of etcd 3 that each is released with or after. */
const etcdMinors: ReadonlyMap<number, readonly number[]> = new Map([
  [33, [5, 6]],
  [34, [5, 6]],
  [35, [6]],
  [36, [6]],
]);
/** How many minor versions a kubelet may be older than the API server (version-skew-policy of Kubernetes). */
const kubeletSkew = 3;

const older = (a: string, b: string): boolean => compareVersions(a, b) < 0;

/** The versions of a fleet go together, follow each other one minor version at a time, and its release has their files. */
export function checkVersions(objects: Objects, fleet: Valid<Fleet>, report: Report): void {
  const { at, value } = fleet;
  const { versions, upgradesFrom, release: releaseName } = value.spec;
  const [major, minor] = versionNumbers(versions.kubernetes);
  const pairs = major === 1 ? etcdMinors.get(minor) : undefined;
  if (pairs === undefined) {
    report(at, ['spec', 'versions', 'kubernetes'], {
      reason: 'UnknownVersion',
      message: `the flags of Kubernetes ${versions.kubernetes} are not known here`,
      expected: listText([...etcdMinors.keys()].map((known) => `1.${known}`)),
      fix: 'take one of these, or a newer Tideline',
    });
    return;
  }
  const [etcdMajor, etcdMinor] = versionNumbers(versions.etcd);
  if (etcdMajor !== 3 || !pairs.includes(etcdMinor))
    report(at, ['spec', 'versions', 'etcd'], {
      reason: 'VersionSkew',
      message: `etcd ${versions.etcd} is not one that Kubernetes ${versions.kubernetes} is released with`,
      expected: listText(pairs.map((known) => `3.${known}`)),
      fix: 'take the newest patch of one of these',
    });
  checkKubelet(fleet, report);
  if (upgradesFrom !== undefined) checkUpgrade(fleet, upgradesFrom, report);
  const release = objects.Release.byName.get(releaseName);
  if (release?.value !== undefined) checkArtifacts(fleet, { at: release, value: release.value }, report);
}

function checkKubelet({ at, value }: Valid<Fleet>, report: Report): void {
  const { kubernetes, kubelet } = value.spec.versions;
  if (kubelet === undefined) return;
  const behind = minorOf(kubernetes) - minorOf(kubelet);
  if (!older(kubernetes, kubelet) && versionNumbers(kubelet)[0] === 1 && behind <= kubeletSkew) return;
  report(at, ['spec', 'versions', 'kubelet'], {
    reason: 'VersionSkew',
    message: older(kubernetes, kubelet)
      ? `kubelet ${kubelet} is newer than the API server ${kubernetes}`
      : `kubelet ${kubelet} is ${behind} minor versions older than the API server ${kubernetes}`,
    expected: `at most ${kubernetes}, and at most ${kubeletSkew} minor versions older`,
    fix: 'upgrade the servers in the order: API server, controllers, kubelet',
  });
}

function checkUpgrade({ at, value }: Valid<Fleet>, from: string, report: Report): void {
  const to = value.spec.versions.kubernetes;
  const steps = minorOf(to) - minorOf(from);
  const path = ['spec', 'upgradesFrom'];
  if (older(to, from))
    report(at, path, {
      reason: 'SkippedMinor',
      message: `${to} is older than ${from}, which runs: what a newer version wrote into etcd an older one may not read`,
      expected: `${from} or newer in spec.versions.kubernetes`,
      fix: 'go back by restoring a snapshot, not by an upgrade',
    });
  else if (steps > 1)
    report(at, path, {
      reason: 'SkippedMinor',
      message: `from ${from} to ${to} are ${steps} minor versions`,
      expected: 'one minor version at a time',
      fix: `upgrade to 1.${minorOf(from) + 1} first`,
    });
}

function checkArtifacts({ at, value }: Valid<Fleet>, release: Valid<Release>, report: Report): void {
  const needed = artifactVersions(value.spec.versions);
  const { artifacts } = release.value.spec;
  const missing = [
    ...Object.entries(needed)
      .filter(([name, version]) => !artifacts.some((one) => one.name === name && one.version === version))
      .map(([name, version]) => `${name} ${version}`),
    ...(['runc', 'cni-plugins', 'tideline', ...('calico' in value.spec.ipam ? ['calico-cni'] : [])] as const).filter(
      (name) => !artifacts.some((one) => one.name === name),
    ),
  ];
  if (missing.length === 0) return;
  report(at, ['spec', 'release'], {
    reason: 'ArtifactMissing',
    message: `the release ${release.at.name} has no ${listText(missing)}, see ${whereIs(release.at, ['spec', 'artifacts'])}`,
    expected: 'every file that the versions of the fleet need',
    fix: 'add the files to the release, or take the versions that it has',
  });
}
