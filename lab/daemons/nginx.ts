import { request } from 'node:http';
import { runFiles } from '../../src/model/contract.ts';

/**
 * The command that runs a rendered data plane in the foreground, as a unit of systemd would. It first removes the control
 * socket that a killed nginx left behind, because nginx does not.
 */
export function nginxCommand(options: { readonly rendered: string; readonly runDir: string }): {
  readonly command: string;
  readonly args: readonly string[];
} {
  const { rendered, runDir } = options;
  const script = `rm -f "$1/${runFiles.nginxSocket}" && exec nginx -e stderr -p "$2/" -c "$2/nginx.conf"`;
  return { command: 'sh', args: ['-c', script, 'nginx', runDir, rendered] };
}

interface ControlStatus {
  /** An id that every start of nginx makes anew; a reload keeps it. */
  readonly instance: string;
  readonly reloads: number;
}

/** Asks nginx for its status over its control socket; resolves with undefined when it does not answer. */
export function controlStatus(socketPath: string): Promise<ControlStatus | undefined> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/v1/status', timeout: 2000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve(readStatus(body)));
      response.on('error', () => resolve(undefined));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
    call.end();
  });
}

function readStatus(body: string): ControlStatus | undefined {
  let status: unknown;
  try {
    status = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof status !== 'object' || status === null || !('reloads' in status) || !('instance' in status))
    return undefined;
  const { instance, reloads } = status;
  return typeof reloads === 'number' && typeof instance === 'string' ? { instance, reloads } : undefined;
}
