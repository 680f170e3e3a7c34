/**
 * What Google's errors mean, as a table of rules; the first that applies decides.
 * Runs on the HTTP workers. A rule that takes a key out must rest on what a caller cannot write: a reason in the
 * details, or a message from its first word on. Messages can quote the request, also one that quotes such an error.
 */
import type { DeadReason, Evidence, MisconfiguredReason, Outcome } from "@gemini-gateway/core/outcome";
import type { ParsedError } from "./error-body.ts";
import { judgeQuota } from "./quota-verdict.ts";
import type { Resource } from "./resources/resource-name.ts";
import type { Route } from "./route.ts";

/** One refused answer, or an error that came late in a good one. */
export interface Refusal {
  /** HTTP status, or what the error says where the status was 200; 300 or more. */
  readonly status: number;
  /** Undefined when the body is not one of Google's errors. */
  readonly error: ParsedError | undefined;
  /** True for a page made for people: no server of the API itself sends one. */
  readonly html: boolean;
  readonly evidence: Evidence;
  readonly route: Pick<Route, "resource" | "generates">;
  readonly refersTo?: readonly Resource[];
  readonly isSigned?: boolean;
  readonly nowMs: number;
  readonly requestTokensFloor: number;
  readonly tokenQuotaRefusals: number;
}

export interface Rule {
  readonly name: string;
  /** @returns undefined when the rule does not apply. */
  judge(refusal: Refusal): Outcome | undefined;
}

const DEAD_REASONS: ReadonlyMap<string, DeadReason> = new Map([
  ["API_KEY_INVALID", "invalid"],
  ["API_KEY_EXPIRED", "invalid"],
  ["CONSUMER_SUSPENDED", "suspended"],
  ["CONSUMER_INVALID", "denied"],
]);

/** For bodies without details; all seen in the field, and all from the first word on. */
const DEAD_MESSAGES: readonly (readonly [RegExp, DeadReason])[] = [
  [/^API key (?:not valid|not found|expired)/i, "invalid"],
  [/^Please pass a valid API key/i, "invalid"],
  [/^Your API key was reported as leaked/i, "leaked"],
  [/^Your project has been denied access/i, "denied"],
  [/^(?:Permission denied: )?Consumer '[^']*' has been suspended/i, "suspended"],
  // The key was not even recognised as one.
  [/^Method doesn't allow unregistered callers/i, "unauthenticated"],
];

const MISCONFIGURED_REASONS: ReadonlyMap<string, MisconfiguredReason> = new Map([
  ["SERVICE_DISABLED", "service-disabled"],
  ["API_KEY_SERVICE_BLOCKED", "service-blocked"],
  ["API_KEY_HTTP_REFERRER_BLOCKED", "referrer-blocked"],
  ["API_KEY_IP_ADDRESS_BLOCKED", "ip-blocked"],
  ["API_KEY_ANDROID_APP_BLOCKED", "app-blocked"],
  ["API_KEY_IOS_APP_BLOCKED", "app-blocked"],
]);

const MISCONFIGURED_MESSAGES: readonly (readonly [RegExp, MisconfiguredReason])[] = [
  [/^Generative Language API has not been used in project/i, "service-disabled"],
  [/^Requests to this API \S+(?: method \S+)? are blocked/i, "service-blocked"],
  [/^Requests from referer .* are blocked/i, "referrer-blocked"],
  [/^The provided API key has an IP address restriction/i, "ip-blocked"],
  [/^Requests from this (?:Android|iOS) client application/i, "app-blocked"],
];

const BILLING_REASONS: ReadonlySet<string> = new Set(["BILLING_DISABLED", "BILLING_NOT_ENABLED"]);
const BILLING_MESSAGE =
  /^Your prepayment credits are depleted|^Your (?:project|billing account) has exceeded its .*spending cap|^Gemini API free tier is not available in your country/i;

const LOCATION_MESSAGE =
  /^User location is not supported|^Image generation is not available in your country/i;

/** Files and caches named in a body rather than in the path. */
const FOREIGN_MESSAGE = /^You do not have permission to access the File|^CachedContent not found/i;

/** Not documented: what any wording of it has to say. */
const FOREIGN_TOKEN_MESSAGE = /continuation.?token/i;

/** All seen in the field; one that is missing is another matter. */
const FOREIGN_SIGNATURE_MESSAGE =
  /^(?:corrupted|invalid) thought.?signature|^thought.?signature is not valid/i;

/** Names a model, and may begin with it. Only ever costs this project this model. */
const NOT_OPEN_MESSAGE = /no longer available to new users|only accessible to billed users/i;

function firstMatch<T>(message: string, table: readonly (readonly [RegExp, T])[]): T | undefined {
  return table.find(([pattern]) => pattern.test(message))?.[1];
}

function firstReason<T>(reasons: readonly string[], table: ReadonlyMap<string, T>): T | undefined {
  for (const reason of reasons) {
    const meaning = table.get(reason);
    if (meaning !== undefined) return meaning;
  }
  return undefined;
}

function isClientError(status: number): boolean {
  return status >= 400 && status < 500;
}

/** What a page can be about besides the request itself; Google's front end words 400, 404 and 413 as pages, too. */
const PAGE_STATUSES: ReadonlySet<number> = new Set([401, 402, 403, 407, 429, 451]);

/** Something between us and the API answered: a proxy's page, or Google's own when it takes us for a robot. */
const pageForPeople: Rule = {
  name: "page for people",
  judge({ status, error, html, evidence }) {
    if (error !== undefined || !PAGE_STATUSES.has(status) || (!html && status !== 403)) return undefined;
    // Throttled by address: slow down. Anything else is the network's fault alone.
    const throttled = status === 429 || /automated queries|unusual traffic/i.test(evidence.message);
    return throttled ? { kind: "overloaded", evidence } : { kind: "network", evidence };
  },
};

const location: Rule = {
  name: "egress location",
  judge({ status, error, evidence }) {
    const applies = isClientError(status) && LOCATION_MESSAGE.test(error?.message ?? "");
    return applies ? { kind: "location", evidence } : undefined;
  },
};

const keyDead: Rule = {
  name: "dead key",
  judge({ status, error, evidence }) {
    if (!isClientError(status)) return undefined;
    const reason =
      firstReason(error?.reasons ?? [], DEAD_REASONS) ?? firstMatch(error?.message ?? "", DEAD_MESSAGES);
    if (reason !== undefined) return { kind: "key-dead", reason, evidence };
    const refused = status === 401 || error?.status === "authentication";
    return refused ? { kind: "key-dead", reason: "unauthenticated", evidence } : undefined;
  },
};

const keyMisconfigured: Rule = {
  name: "misconfigured key",
  judge({ status, error, evidence }) {
    if (!isClientError(status) || error === undefined) return undefined;
    const reason =
      firstReason(error.reasons, MISCONFIGURED_REASONS) ?? firstMatch(error.message, MISCONFIGURED_MESSAGES);
    return reason === undefined ? undefined : { kind: "key-misconfigured", reason, evidence };
  },
};

const billing: Rule = {
  name: "billing",
  judge({ status, error, evidence }) {
    if (status === 402) return { kind: "billing", evidence };
    if (!isClientError(status) || error === undefined) return undefined;
    const applies =
      BILLING_MESSAGE.test(error.message) || error.reasons.some((reason) => BILLING_REASONS.has(reason));
    return applies ? { kind: "billing", evidence } : undefined;
  },
};

/** A body that names something is refused with the same words as one that names a wrong model, but for these. */
function isAboutModel({ status, message }: ParsedError): boolean {
  return status === "model_not_found" || message.startsWith("models/") || NOT_OPEN_MESSAGE.test(message);
}

/** Of a body that names resources: refused because one of them is not to be seen. */
function isAboutReference(
  error: ParsedError,
  { status, refersTo = [], isSigned = false }: Pick<Refusal, "status" | "refersTo" | "isSigned">,
): boolean {
  if (status !== 400) return refersTo.length > 0 && !isAboutModel(error);
  // A token of another project is malformed rather than forbidden, and so is a signature.
  if (isSigned && FOREIGN_SIGNATURE_MESSAGE.test(error.message)) return true;
  return FOREIGN_TOKEN_MESSAGE.test(error.message) && refersTo.some(({ kind }) => kind === "continuation");
}

/** Google answers 403, not 404, for what another project owns. */
const foreignResource: Rule = {
  name: "resource of another project",
  judge(refusal) {
    const { status, error, route, evidence } = refusal;
    if (status !== 403 && status !== 404 && status !== 400) return undefined;
    const applies =
      (status !== 400 && (route.resource !== undefined || FOREIGN_MESSAGE.test(error?.message ?? ""))) ||
      (error !== undefined && isAboutReference(error, refusal));
    return applies ? { kind: "foreign-resource", evidence } : undefined;
  },
};

const quota: Rule = {
  name: "quota",
  judge({ status, error, ...signal }) {
    if (error === undefined) return undefined;
    const applies = status === 429 || error.status === "RESOURCE_EXHAUSTED";
    return applies ? judgeQuota({ error, ...signal }) : undefined;
  },
};

/** Any other 403 is about what this project may use; a 404 only where it says so, else the path is wrong. */
const modelUnavailable: Rule = {
  name: "model not open to the project",
  judge({ status, error, evidence }) {
    const notOpen = isClientError(status) && NOT_OPEN_MESSAGE.test(error?.message ?? "");
    return status === 403 || notOpen ? { kind: "model-unavailable", evidence } : undefined;
  },
};

/** 501 says that the method does not exist, to every key. */
const overloaded: Rule = {
  name: "overload",
  judge({ status, evidence }) {
    const applies = status === 429 || status === 408 || (status >= 500 && status !== 501);
    return applies ? { kind: "overloaded", evidence } : undefined;
  },
};

/** Google redirects downloads only; for anything generated, a redirect comes from the network (a login page). */
const redirected: Rule = {
  name: "redirect",
  judge({ status, route, evidence }) {
    return status < 400 && route.generates ? { kind: "network", evidence } : undefined;
  },
};

/** In order of trial: what condemns a key first, then the project, then the model, then the moment. */
export const RULES: readonly Rule[] = [
  pageForPeople,
  location,
  keyDead,
  keyMisconfigured,
  billing,
  foreignResource,
  quota,
  modelUnavailable,
  overloaded,
  redirected,
];
