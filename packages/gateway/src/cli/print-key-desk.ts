/** Puts what is known and done about single keys into plain words. Pure. It must never be given a key. */
import type { Evidence } from "@gemini-gateway/core/outcome";
import type { KeyExplanation, KeyWishReport, KnownLimit, Standing } from "../control/key-desk-types.ts";
import { formatAgo, formatUntil } from "./span.ts";
import { cell } from "./table.ts";

const DONE = { enable: "enabled", disable: "disabled", reset: "reset" } as const;

/** States of keys, projects and models; what is not here is said by its own name. */
const WORDS: Readonly<Record<string, string>> = {
  untested: "in: nothing is known of it yet",
  good: "in: it works",
  dead: "out: Google refuses it",
  misconfigured: "out: its own settings forbid the use",
  billing: "out: its project has a billing problem, so that all its keys rest",
  denied: "out: Google refuses its project",
  untried: "in: no request has tried it yet",
  proven: "in: it works",
  recovering: "in: its rest is over",
  overloaded: "out for a moment: Google was overloaded or gave an empty answer",
  "quota-minute": "out: the project's quota of the minute is used up",
  "quota-day": "out: the project's quota of the day is used up",
  unavailable: "out: this model is not open to its project",
};

/** Of what would serve by itself. */
const OUT_WITH = {
  operator: "out: the key is disabled",
  key: "out, as the key is",
  project: "out, as its project is",
} as const;

const REASONS: Readonly<Record<string, string>> = {
  invalid: "it is not valid",
  unauthenticated: "it was not recognised as a key",
  leaked: "it was reported as leaked",
  suspended: "the project is suspended",
  denied: "the project was denied access",
  "service-disabled": "the Generative Language API is switched off in its project",
  "service-blocked": "it is restricted to other APIs",
  "referrer-blocked": "it is restricted to certain web pages",
  "ip-blocked": "it is restricted to other addresses",
  "app-blocked": "it is restricted to certain apps",
};

export function wishReportText({ wish, changed, unknown }: KeyWishReport): string {
  return [
    `${changed} key${changed === 1 ? "" : "s"} ${DONE[wish]}.`,
    ...unknown.map((fingerprint) => `No key has the fingerprint ${cell(fingerprint)}.`),
  ].join("\n");
}

export function explanationText(key: KeyExplanation, nowMs: number): string {
  const where = [
    key.project === null ? "project not known" : `project ${cell(key.project)}`,
    key.file === null ? "in no key file" : `file ${cell(key.file)}`,
  ].join(", ");
  const blocks = key.standings.map((standing) => standingLines(standing, nowMs).join("\n"));
  return [`${key.fingerprint} (${where})`, ...wishLines(key, nowMs), ...resourcesLine(key), ...blocks].join(
    "\n",
  );
}

/** What the operator wants goes before everything that was observed. */
function wishLines({ isEnabled, note, notedAtMs }: KeyExplanation, nowMs: number): string[] {
  const said = note === null ? "" : `: "${cell(note)}"`;
  const when = notedAtMs === null ? "" : ` ${formatAgo(notedAtMs, nowMs)}`;
  if (!isEnabled)
    return [`It is disabled, by the operator${when}${said}. Only \`keys enable\` changes that.`];
  return note === null ? [] : [`Note of the operator${when}${said}`];
}

/** What only this project can see is lost to clients when its last key goes. */
function resourcesLine({ resources }: KeyExplanation): string[] {
  if (resources === 0) return [];
  return [
    `Its project holds ${resources} known resource${resources === 1 ? "" : "s"}, which no other can see.`,
  ];
}

function standingLines(standing: Standing, nowMs: number): string[] {
  const name = standing.of === "model" ? cell(standing.model ?? "") : standing.of;
  const reason = standing.reason === null ? "" : ` (${REASONS[standing.reason] ?? cell(standing.reason)})`;
  const ownWords = WORDS[standing.state] ?? cell(standing.state);
  const since = standing.sinceMs === null ? "" : `, since ${formatAgo(standing.sinceMs, nowMs)}`;
  return [
    `  ${name}: ${outWithWords(standing) ?? `${ownWords}${reason}${since}`}`,
    ...(standing.evidence === null ? [] : evidenceLines(standing.evidence)),
    ...limitsLine(standing),
    ...experienceLine(standing, nowMs),
    ...againLine(standing, nowMs),
  ];
}

/** What keeps a thing out by itself has evidence, and is worth more words. */
function outWithWords({ outWith, evidence }: Standing): string | undefined {
  return outWith === null || evidence !== null ? undefined : OUT_WITH[outWith];
}

function evidenceLines({ httpStatus, reason, message, quotaId, quotaLimit, consumer }: Evidence): string[] {
  const status = httpStatus === 0 ? "no answer" : `status ${httpStatus}`;
  const facts = [
    `Evidence: ${status}, ${cell(reason)}`,
    ...(quotaId === undefined ? [] : [`quota ${cell(quotaId)}`]),
    ...(quotaLimit === undefined ? [] : [`limit ${quotaLimit}`]),
    ...(consumer === undefined ? [] : [`project number ${cell(consumer)}`]),
  ];
  return [`    ${facts.join(", ")}`, ...(message === "" ? [] : [`    Google said: ${cell(message)}`])];
}

const QUOTA_WORDS: Readonly<Record<KnownLimit["quota"], string>> = {
  requestsPerMinute: "requests a minute",
  tokensPerMinute: "tokens a minute",
  requestsPerDay: "requests a day",
};
const SOURCES = { stated: "named by Google", counted: "as we counted", configured: "configured" } as const;

function limitsLine({ limits }: Standing): string[] {
  const facts = limits.map(({ quota, limit, used, source }) => {
    const amount = used === null ? String(limit) : `${used} of ${limit}`;
    return `${amount} ${QUOTA_WORDS[quota]} (${SOURCES[source]})`;
  });
  return facts.length === 0 ? [] : [`    Quota used: ${facts.join(", ")}`];
}

function experienceLine({ lastServedMs, lastTest }: Standing, nowMs: number): string[] {
  const facts = [
    ...(lastServedMs === null ? [] : [`last served ${formatAgo(lastServedMs, nowMs)}`]),
    ...(lastTest === null ? [] : [`last known ${lastTest.outcome} ${formatAgo(lastTest.atMs, nowMs)}`]),
  ];
  return facts.length === 0 ? [] : [`    ${facts.join("; ")}`];
}

function againLine({ isIn, againAtMs, againBy }: Standing, nowMs: number): string[] {
  if (againAtMs === null || againBy === null) return [];
  const when = formatUntil(againAtMs, nowMs);
  switch (againBy) {
    case "clock":
      return [`    Back ${when}, by itself`];
    case "request":
      return [`    Tried again ${when}, with a request`];
    case "test":
      return [isIn ? `    Tested ${when}, unless a request succeeds before` : `    Tested again ${when}`];
  }
}
