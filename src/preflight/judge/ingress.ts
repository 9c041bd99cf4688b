import { kindFacts } from '../../kube/kinds.ts';
import { ingressController } from '../../model/contract.ts';
import { type Answer, type Finding, failed, ok, unanswered, warning } from '../finding.ts';

export interface ClassFacts {
  readonly name: string;
  readonly controller: string;
  /** The value of the annotation ingressclass.kubernetes.io/is-default-class. */
  readonly isDefault: boolean;
}

/** Judges the IngressClasses. `wanted` are the classes that the edge pools of the cluster serve, at least one. */
export function judgeIngress(
  answer: Answer<readonly ClassFacts[]>,
  wanted: readonly string[],
  who: string,
): readonly Finding[] {
  if ('forbidden' in answer || 'failed' in answer) return [unanswered('ingress-class', answer, who)];
  const classes = 'got' in answer ? answer.got : [];
  return [...wanted.map((name) => judgeClass(name, classes)), judgeDefault(classes)];
}

function judgeClass(name: string, classes: readonly ClassFacts[]): Finding {
  const found = classes.find((one) => one.name === name);
  if (found?.controller === ingressController) return ok('ingress-class', `${name} is ours`);
  const create = `echo '{"apiVersion":"${kindFacts.IngressClass.apiVersions[0]}","kind":"IngressClass","metadata":{"name":"${name}"},"spec":{"controller":"${ingressController}"}}' | kubectl create -f -`;
  if (found === undefined)
    return failed('ingress-class', 'ClassMissing', {
      found: `there is no IngressClass ${name}`,
      expected: `one with controller ${ingressController}`,
      fix: create,
    });
  return failed('ingress-class', 'ClassOfOther', {
    found: `IngressClass ${name} is of ${found.controller}`,
    expected: `controller ${ingressController}; it cannot be changed in place. Or name another class in the EdgePool`,
    fix: `kubectl delete ingressclass ${name} && ${create}`,
  });
}

function judgeDefault(classes: readonly ClassFacts[]): Finding {
  const defaults = classes.filter(({ isDefault }) => isDefault);
  const others = defaults.filter(({ controller }) => controller !== ingressController);
  const [first] = others;
  const unset = (name: string) => `kubectl annotate ingressclass ${name} ingressclass.kubernetes.io/is-default-class-`;
  if (defaults.length > 1)
    return warning('ingress-default', 'DefaultClassTwice', {
      found: `${defaults.map(({ name }) => name).join(' and ')} are both the default: Ingresses without a class are refused`,
      expected: 'at most one default',
      fix: unset((first ?? defaults[1])?.name ?? ''),
    });
  if (first !== undefined)
    return warning('ingress-default', 'OtherDefaultClass', {
      found: `${first.name} of ${first.controller} is the default: Ingresses without a class go there`,
      expected: 'no default, or ours',
      fix: unset(first.name),
    });
  return ok(
    'ingress-default',
    defaults[0] === undefined ? 'no class is the default' : `${defaults[0].name} is the default`,
  );
}
