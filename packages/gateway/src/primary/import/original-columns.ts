/** Tells what the columns of an original's database hold, by their names. Data and pure. */

type Patterns = Readonly<Record<string, RegExp>>;

/** The column found for each thing that is asked for. */
export type Columns<P extends Patterns> = { readonly [Name in keyof P]?: string };

export const KEY_COLUMNS = {
  id: /^id$/i,
  secret: /^(?:api_?)?keys?(?:_?(?:value|string|text))?$|^api_?token$/i,
  keyId: /^(?:api_?)?key_?id$/i,
  model: /^model(?:_?name)?$/i,
  status: /^(?:last_?)?(?:test_?)?(?:http_?)?(?:status|state|code|result)(?:_?code)?$/i,
  testedAt: /^(?:last_?)?(?:test(?:ed)?|check(?:ed)?|updated?|status)(?:_?(?:time|at|ts|date|timestamp))?$/i,
  nextTestAt: /^next_?(?:test|check|retest|retry|try)(?:_?(?:time|at|ts|date|timestamp))?$/i,
} as const satisfies Patterns;

export const BAN_COLUMNS = {
  address: /^(?:banned_?|blocked_?|client_?|remote_?)?(?:ip|ip_?addr(?:ess)?|addr(?:ess)?|network|host)$/i,
  isBanned: /^(?:is_?)?(?:banned|blocked|permanent_?ban)$/i,
  sinceAt: /^(?:ban(?:ned)?|block(?:ed)?|created?|added|start)(?:_?(?:time|at|ts|date|timestamp))?$/i,
  untilAt:
    /^(?:(?:ban(?:ned)?|block(?:ed)?)_?)?(?:until|till|expires?|expir(?:y|ation)|end|unban)(?:_?(?:time|at|ts|date|timestamp))?$/i,
} as const satisfies Patterns;

/** Whether a table of this name holds what is banned. */
export function isBanTable(name: string): boolean {
  return /ban|black_?list|block/i.test(name);
}

/** The first column of each kind; one column is never two things. */
export function columnsIn<P extends Patterns>(names: readonly string[], patterns: P): Columns<P> {
  const found: { [Name in keyof P]?: string } = {};
  const taken = new Set<string>();
  for (const what of Object.keys(patterns) as (keyof P)[]) {
    const pattern = patterns[what];
    const name = names.find((candidate) => pattern?.test(candidate) === true && !taken.has(candidate));
    if (name === undefined) continue;
    found[what] = name;
    taken.add(name);
  }
  return found;
}
