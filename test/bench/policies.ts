import fc from 'fast-check';
import { type Agreement, anyCase, expectThreeWays } from '../support/steering/three-ways.ts';

/**
 * `make policies`: as many random policies as the first argument says (10,000 when absent), each with random failures, are asked three
 * ways. The second argument is a seed, to repeat a run; without it the run makes one and prints it. Exit code 1 at the first difference, which is
 * printed in its smallest form.
 */
const [count = 10_000, seed = Math.trunc(Math.random() * 0x7fff_ffff)] = process.argv.slice(2).map(Number);
if (!(Number.isInteger(count) && count > 0 && Number.isInteger(seed))) {
  process.stderr.write('usage: test/bench/policies.ts [COUNT [SEED]]\n');
  process.exit(2);
}
const atOnce = 250;
const agreed: Agreement[] = [];
process.stdout.write(`${count} policies from seed ${seed}\n`);
for (let done = 0; done < count; done += atOnce) {
  const numRuns = Math.min(atOnce, count - done);
  const property = fc.asyncProperty(anyCase, async (one) => {
    agreed.push(await expectThreeWays(one));
  });
  const result = await fc.check(property, { numRuns, seed: seed + done });
  if (result.failed) {
    process.stdout.write(`${fc.defaultReportMessage(result)}\n`);
    process.exit(1);
  }
  process.stdout.write(`${summary(done + numRuns)}\n`);
}

function summary(done: number): string {
  const of = (outcome: Agreement['outcome']): number => agreed.filter((one) => one.outcome === outcome).length;
  const answers = agreed.reduce((sum, one) => sum + one.answers, 0);
  return `${done} policies, ${answers} answers agree: ${of('exact')} exact, ${of('approximate')} approximate and said so, ${of('refused')} refused`;
}
