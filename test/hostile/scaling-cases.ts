import type { Case } from './fleet-cases.ts';

export interface BadFiles {
  readonly spec: string;
  readonly notYaml: string;
  readonly badSite: string;
  /** One that can be read, measured now. */
  readonly demand: string;
  readonly futureDemand: string;
}

/** Bad input to the commands of scaling, for commands.test.ts. */
export function scalingCases({ spec, notYaml, badSite, demand, futureDemand }: BadFiles): readonly Case[] {
  const golden = 'test/golden/check/valid-scaling/input.yaml';
  const serve = ['scaling', 'serve', '--cluster', 'cloud', '--serving-cert', notYaml, '--serving-key', notYaml];
  return [
    {
      words: ['scaling', 'floors', spec],
      says: /nobody says how much is asked \(DemandMissing\)/,
    },
    {
      words: ['scaling', 'floors', spec, '--demand', demand, '--at', '21:00'],
      says: /does not tell another moment \(DemandMissing\)/,
    },
    {
      words: ['scaling', 'floors', spec, '--history', 'no-such-folder'],
      says: /no-such-folder holds no history.*\(HistoryUnreadable\)/,
    },
    {
      words: ['scaling', 'explain', 'web-europe', golden, '--history', notYaml],
      says: /not\.yaml:1: expected time,country.*\(HistoryUnreadable\)/,
    },
    {
      words: ['scaling', 'prove', golden, '--history', notYaml, '--at', 'someday'],
      says: /names no moment.*\(MomentUnusable\)/,
    },
    {
      words: ['scaling', 'floors', spec, '--demand', notYaml],
      says: /not\.yaml holds no demand.*\(DemandUnreadable\)/,
    },
    { words: ['scaling', 'floors', badSite, '--demand', demand], says: /spec\.type/ },
    { words: ['scaling', 'floors', spec, '--demand', demand], says: /there is no ScalingTarget.*\(NoTarget\)/ },
    { words: ['scaling', 'floors', golden, '--demand', futureDemand], says: /lies in the future/ },
    { words: ['scaling', 'floors', golden, '--demand', demand, '--margin', '-1'], says: /a number from 0 to 10/ },
    { words: ['scaling', 'floors', golden, '--demand', demand, '--share', 'video=2'], says: /a share from 0 to 1/ },
    { words: ['scaling', 'floors', golden, '--demand', demand, '--share', 'vidoe=1'], says: /did you mean "video"/ },
    { words: ['scaling', 'explain', 'web-europ', golden, '--demand', demand], says: /did you mean "web-europe"/ },
    {
      words: ['scaling', 'prove', golden, '--demand', demand, '--if', 'Site/pariss=down'],
      says: /did you mean "paris"/,
    },
    { words: ['scaling', 'prove', golden, '--demand', demand, '--if', 'Blade/b1=down'], says: /Site or Cluster/ },
    { words: ['scaling', 'apply', spec, '--demand', demand, '--yes'], says: /\(NoTarget\)/ },
    { words: ['scaling', 'serve', '--cluster', 'cloud'], says: /required option '--serving-cert <file>'/ },
    { words: [...serve, '--announce', '127.0.0.1'], says: /cannot reach a loopback address/ },
    { words: [...serve, '--keda-listen', 'nowhere'], says: /expected host:port/ },
    { words: [...serve, '--every', '0'], says: /seconds, from 1 to 300/ },
    { words: [...serve, '--platform', golden, '--cluster', 'clout'], says: /did you mean "cloud"/ },
    { words: ['scaling', 'render', '--ca', notYaml], says: /not\.yaml holds no certificate in PEM.*\(BadOption\)/ },
    { words: ['scaling', 'render', '--ca', `${notYaml}.absent`], says: /cannot be read/ },
    { words: ['scaling', 'calibrate', 'nowhere'], says: /a URL of http or https/ },
    { words: ['scaling', 'calibrate', 'http://10.0.0.1/', '--most', '0'], says: /from 1 to 20000/ },
    { words: ['scaling', 'status', '--agent', 'nowhere'], says: /expected host:port/ },
    { words: ['scaling', 'render', '--ca', notYaml, '--port', '0'], says: /Expected a port/ },
  ];
}
