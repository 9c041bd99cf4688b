/**
 * Secrets in texts that reach people: addresses that a person wrote with a password in them, and answers of servers that repeat
 * our request. Logs, terminals and tickets keep such a text for longer than the secret should live.
 */

const hidden = '***';

/** The text with user and password of every URL hidden, and the parameters of signed URLs. */
export function withoutUrlSecrets(text: string): string {
  return text
    .replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'\\]*@/gi, `$1${hidden}@`)
    .replaceAll(/([?&](?:x-amz-[a-z-]+|[a-z_-]*(?:token|key|secret|password|signature))=)[^&\s"'\\]+/gi, `$1${hidden}`);
}

/** Headers, and members of JSON, that carry credentials: what follows up to the end of the value. */
const carriers =
  /((?:x-api-key|authorization|x-amz-security-token|cookie|[a-z_-]*(?:password|secret|token))["']?\s*[:=]\s*)(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\r\n"',;}]+)/gi;

/**
 * What a server said, fit to be shown: without the secrets that we sent it, in whatever form they come back, and no longer than
 * `longest` characters.
 */
export function quoteAnswer(text: string, secrets: readonly (string | undefined)[], longest = 300): string {
  // Cut generously first: the patterns need not search an answer of some megabytes.
  const clean = withoutKnown(text.slice(0, 20 * longest), secrets)
    .replaceAll(carriers, `$1${hidden}`)
    .replaceAll(/\b((?:Credential|Signature)=)[^\s,;&"']+/gi, `$1${hidden}`)
    .trim();
  return clean.length > longest ? `${clean.slice(0, longest)}...` : clean;
}

/** The text without these secrets, in whatever form they come back, and without those of URLs. */
export function withoutKnown(text: string, secrets: readonly (string | undefined)[]): string {
  const forms = secrets.filter((secret) => secret !== undefined && secret.length >= 4).flatMap(formsOf);
  // The longest first: one may be a part of another.
  const plain = forms
    .toSorted((a, b) => b.length - a.length)
    .reduce((rest, form) => rest.replaceAll(form, hidden), text);
  return withoutUrlSecrets(plain);
}

function formsOf(secret: string | undefined): readonly string[] {
  if (secret === undefined) return [];
  const xml = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  return [...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), xml])];
}
