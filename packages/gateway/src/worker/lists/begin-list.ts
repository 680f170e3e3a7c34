/** Says whether a request is for a list over the projects, and begins it. Worker threads. */
import { readListRequest } from "@gemini-gateway/gemini/resources/list-request";
import { listRouteOf } from "@gemini-gateway/gemini/resources/list-route";
import type { Admission } from "../admission.ts";
import type { ClientCall } from "../client/client-call.ts";
import type { Service } from "../service.ts";
import { ListExchange } from "./list-exchange.ts";

/** False for anything else, also for lists in a form that only one project can give: those are ordinary requests. */
export function beginList(service: Service, call: ClientCall, admission: Admission): boolean {
  const { below, upstreamPath, isUpload } = admission.route;
  const route = isUpload ? undefined : listRouteOf(call.method, below);
  if (route === undefined) return false;
  const queryAt = upstreamPath.indexOf("?");
  const request = readListRequest(route, queryAt < 0 ? "" : upstreamPath.slice(queryAt + 1));
  if (request === undefined) return false;
  new ListExchange(service, call, admission, { route, request }).begin();
  return true;
}
