/** Says whether a request is for a list over the projects, and begins it. Worker threads. */
import { readListRequest } from "@gemini-gateway/gemini/resources/list-request";
import { listRouteOf } from "@gemini-gateway/gemini/resources/list-route";
import type { Admission } from "../admission.ts";
import type { ClientCall } from "../client/client-call.ts";
import type { Service } from "../service.ts";
import { ListExchange, type AskedList } from "./list-exchange.ts";
import { askedModels, ModelListExchange } from "./model-list-exchange.ts";

/** False for anything else, also for lists in a form that only one project can give: those are ordinary requests. */
export function beginList(service: Service, call: ClientCall, admission: Admission): boolean {
  if (call.method !== "GET") return false;
  const models = askedModels(admission);
  if (models !== undefined) {
    new ModelListExchange(service, call, admission, models).begin();
    return true;
  }
  const list = askedList(call.method, admission);
  if (list === undefined) return false;
  new ListExchange(service, call, admission, list).begin();
  return true;
}

function askedList(
  method: string,
  { route: { below, upstreamPath, isUpload } }: Admission,
): AskedList | undefined {
  const route = isUpload ? undefined : listRouteOf(method, below);
  if (route === undefined) return undefined;
  const queryAt = upstreamPath.indexOf("?");
  const request = readListRequest(route, queryAt < 0 ? "" : upstreamPath.slice(queryAt + 1));
  return request === undefined ? undefined : { route, request };
}
