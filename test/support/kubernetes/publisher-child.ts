import { LivePublisher } from './publishing.ts';

/**
 * Publishes until it is ended; says on every line whether it leads.
 *   node publisher-child.ts KUBECONFIG BLADE
 */
const [kubeconfig = '', blade = ''] = process.argv.slice(2);

const live = await LivePublisher.start(kubeconfig, blade);
const timer = setInterval(() => process.stdout.write(`${JSON.stringify(live.status())}\n`), 100);
process.once('SIGTERM', () => {
  clearInterval(timer);
  void live.stop();
});
