/** Replies that a fault puts in the model's place: errors, pages, anything a test states. Pure. */
import type { ErrorSubject, UpstreamError } from "./error-bodies.ts";
import type { SubstituteFault } from "./fault-rules.ts";
import { isObject, prettyJson } from "./json.ts";
import { namedError } from "./named-errors.ts";
import { errorReply, wholeReply } from "./reply.ts";
import type { Dialect, Reply } from "./reply.ts";

/** The reply of a substitute fault in the dialect of the route. */
export function substituteReply(fault: SubstituteFault, subject: ErrorSubject, dialect: Dialect): Reply {
  switch (fault.kind) {
    case "error":
      return errorReply(adjusted(namedError(fault.error, subject), fault), dialect);
    case "suspended-echo":
      return errorReply(namedError("suspended", subject), dialect);
    case "html":
      return htmlReply(fault.status ?? 503);
    case "custom":
      return customReply(fault);
  }
}

type ErrorFault = Extract<SubstituteFault, { kind: "error" }>;

/** The named error with the message and delay that the rule states. */
function adjusted(error: UpstreamError, { message, retryDelaySeconds }: ErrorFault): UpstreamError {
  const { details, ...head } = error.body.error;
  const payload = message === undefined ? head : { ...head, message };
  if (details === undefined) return { ...error, body: { error: payload } };
  const delayed = details.map((detail) =>
    retryDelaySeconds !== undefined && "retryDelay" in detail
      ? { ...detail, retryDelay: `${retryDelaySeconds}s` }
      : detail,
  );
  return { ...error, body: { error: { ...payload, details: delayed } } };
}

function htmlReply(status: number): Reply {
  const page = `<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error ${status} (Server Error)!!1</title>\n  <p><b>${status}.</b> <ins>That’s an error.</ins>\n  <p>The service you requested is not available at this time.  <ins>That’s all we know.</ins>\n`;
  return wholeReply(status, { "content-type": "text/html; charset=UTF-8" }, Buffer.from(page));
}

type CustomFault = Extract<SubstituteFault, { kind: "custom" }>;

function customReply({ status, body, headers }: CustomFault): Reply {
  const isJson = isObject(body) || Array.isArray(body);
  const text = isJson ? prettyJson(body) : typeof body === "string" ? body : "";
  const type = { "content-type": isJson ? "application/json; charset=UTF-8" : "text/plain; charset=utf-8" };
  return wholeReply(status, { ...type, ...headers }, Buffer.from(text));
}
