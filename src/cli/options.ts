import { Option } from 'commander';

/** `--log-level`, the same for every agent. */
export function logLevelOption(): Option {
  return new Option('--log-level <level>', 'least important line that is logged')
    .choices(['debug', 'info', 'warn', 'error'])
    .default('info');
}
