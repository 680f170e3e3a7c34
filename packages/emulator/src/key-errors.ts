/**
 * The errors that speak of a key, a project or its billing (gemini-wire.md 3.1). Pure data.
 * The suspended form repeats the whole key three times, as Google's does: that is what proves redaction.
 */
import { SERVICE, TYPE_PREFIX, upstreamError } from "./error-bodies.ts";
import type { ErrorSubject, UpstreamError } from "./error-bodies.ts";
import type { KeyState } from "./project-spec.ts";

const INVALID_MESSAGE = "API key not valid. Please pass a valid API key.";
const UNAUTHENTICATED_MESSAGE =
  "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
const UNREGISTERED_MESSAGE =
  "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.";

function localized(message: string): object {
  return { "@type": `${TYPE_PREFIX}LocalizedMessage`, locale: "en-US", message };
}

function errorInfo(reason: string, metadata: Readonly<Record<string, string>>): object {
  return { "@type": `${TYPE_PREFIX}ErrorInfo`, reason, domain: "googleapis.com", metadata };
}

function invalidKey(message: string): UpstreamError {
  const details = [errorInfo("API_KEY_INVALID", { service: SERVICE }), localized(message)];
  return upstreamError(400, "INVALID_ARGUMENT", message, details);
}

function methodName(subject: ErrorSubject): string {
  return `google.ai.generativelanguage.${subject.version}.GenerativeService.${subject.method}`;
}

function unauthenticated(subject: ErrorSubject): UpstreamError {
  const metadata = { method: methodName(subject), service: SERVICE };
  const info = { "@type": `${TYPE_PREFIX}ErrorInfo`, reason: "ACCESS_TOKEN_TYPE_UNSUPPORTED", metadata };
  return {
    ...upstreamError(401, "UNAUTHENTICATED", UNAUTHENTICATED_MESSAGE, [info]),
    headers: { "www-authenticate": 'Bearer realm="https://accounts.google.com/"' },
  };
}

function forbidden(message: string, details?: readonly object[]): UpstreamError {
  return upstreamError(403, "PERMISSION_DENIED", message, details);
}

function suspended({ key, projectNumber }: ErrorSubject): UpstreamError {
  const message = `Permission denied: Consumer 'api_key:${key}' has been suspended.`;
  const metadata = {
    consumer: `projects/${projectNumber}`,
    service: SERVICE,
    containerInfo: `api_key:${key}`,
  };
  return forbidden(message, [errorInfo("CONSUMER_SUSPENDED", metadata), localized(message)]);
}

function serviceDisabled({ projectNumber }: ErrorSubject): UpstreamError {
  const url = `https://console.developers.google.com/apis/api/${SERVICE}/overview?project=${projectNumber}`;
  const message = `Generative Language API has not been used in project ${projectNumber} before or it is disabled. Enable it by visiting ${url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.`;
  const metadata = {
    consumer: `projects/${projectNumber}`,
    service: SERVICE,
    serviceTitle: "Generative Language API",
    containerInfo: projectNumber,
    activationUrl: url,
  };
  const links = [{ description: "Google developers console API activation", url }];
  const help = { "@type": `${TYPE_PREFIX}Help`, links };
  return forbidden(message, [errorInfo("SERVICE_DISABLED", metadata), localized(message), help]);
}

/** A restriction the operator put on the key: which API, referrer or address may use it. */
function restricted(
  reason: string,
  message: string,
  extra: Readonly<Record<string, string>>,
  subject: ErrorSubject,
): UpstreamError {
  const metadata = { consumer: `projects/${subject.projectNumber}`, service: SERVICE, ...extra };
  return forbidden(message, [errorInfo(reason, metadata), localized(message)]);
}

function serviceBlocked(subject: ErrorSubject): UpstreamError {
  const name = methodName(subject);
  const message = `Requests to this API ${SERVICE} method ${name} are blocked.`;
  return restricted("API_KEY_SERVICE_BLOCKED", message, { apiName: SERVICE, methodName: name }, subject);
}

function creditsDepleted(status: 402 | 429): UpstreamError {
  const message =
    "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.";
  return upstreamError(status, "RESOURCE_EXHAUSTED", message);
}

/** The errors of this file by name; a script may ask for any of them. */
export const KEY_ERRORS = {
  "api-key-invalid": () => invalidKey(INVALID_MESSAGE),
  "api-key-not-found": () => invalidKey("API Key not found. Please pass a valid API key."),
  "api-key-expired": () => invalidKey("API key expired. Please renew the API key."),
  unauthenticated,
  "no-credential": () => forbidden(UNREGISTERED_MESSAGE),
  "two-credentials": () =>
    upstreamError(
      400,
      "INVALID_ARGUMENT",
      "Multiple authentication credentials received. Please pass only one.",
    ),
  leaked: () => forbidden("Your API key was reported as leaked. Please use another API key."),
  denied: () => forbidden("Your project has been denied access. Please contact support."),
  suspended,
  "service-disabled": serviceDisabled,
  "service-blocked": serviceBlocked,
  "referrer-blocked": (subject: ErrorSubject) =>
    restricted(
      "API_KEY_HTTP_REFERRER_BLOCKED",
      "Requests from referer <empty> are blocked.",
      { httpReferrer: "<empty>" },
      subject,
    ),
  "ip-blocked": (subject: ErrorSubject) =>
    restricted(
      "API_KEY_IP_ADDRESS_BLOCKED",
      "The provided API key has an IP address restriction. The originating IP address of the call (127.0.0.1) violates this restriction.",
      { ipAddress: "127.0.0.1" },
      subject,
    ),
  "credits-depleted": () => creditsDepleted(402),
  /** The same message as it came earlier in 2026. */
  "credits-depleted-429": () => creditsDepleted(429),
  "spending-cap": () =>
    upstreamError(
      429,
      "RESOURCE_EXHAUSTED",
      "Your project has exceeded its monthly spending cap. Please go to AI Studio at https://ai.studio/spend to manage your project spend cap.",
    ),
} as const;

/** Which error a state answers with, and whether only calls that generate meet it (a model list still works). */
export const STATE_ERRORS = {
  suspended: { error: "suspended", generationOnly: false },
  denied: { error: "denied", generationOnly: true },
  leaked: { error: "leaked", generationOnly: true },
  "service-disabled": { error: "service-disabled", generationOnly: false },
  "service-blocked": { error: "service-blocked", generationOnly: false },
  "referrer-blocked": { error: "referrer-blocked", generationOnly: false },
  "ip-blocked": { error: "ip-blocked", generationOnly: false },
  "credits-depleted": { error: "credits-depleted", generationOnly: true },
  "spending-cap": { error: "spending-cap", generationOnly: true },
  location: { error: "location", generationOnly: false },
  invalid: { error: "api-key-invalid", generationOnly: false },
  expired: { error: "api-key-expired", generationOnly: false },
} as const satisfies Record<Exclude<KeyState, "ok">, { error: string; generationOnly: boolean }>;
