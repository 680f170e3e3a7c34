/**
 * A request for the list of models: of the union over projects what the caller may use, with the operator's aliases, cut
 * into the page that is asked for. Worker threads.
 */
import { allowsModel } from "@gemini-gateway/core/limits/model-patterns";
import {
  type ModelListForm,
  modelNameOf,
  NATIVE_MODELS,
  OPENAI_MODELS,
  withAliases,
  writeModelList,
} from "@gemini-gateway/gemini/model-list";
import { cutModelPage, type ModelPage, modelPageOf } from "@gemini-gateway/gemini/model-pages";
import type { Admission } from "../admission.ts";
import type { ClientCall, ClientWatcher } from "../client/client-call.ts";
import type { Service } from "../service.ts";
import { ListReply } from "./list-reply.ts";
import type { ModelReader } from "./model-catalogue.ts";
import type { Surveyed } from "./model-survey.ts";

/** A list in a form that the gateway can put together. */
export interface AskedModels {
  readonly form: ModelListForm;
  /** Path and query that fetch the whole list. */
  readonly path: string;
  /** Undefined for the whole list. */
  readonly page: ModelPage | undefined;
}

/** Undefined for anything else, also for lists that only the upstream can give, or refuse. */
export function askedModels({ route }: Admission): AskedModels | undefined {
  if (route.operation === "openai.models.list")
    return route.upstreamPath.includes("?")
      ? undefined
      : { form: OPENAI_MODELS, path: route.upstreamPath, page: undefined };
  const page = modelPageOf(route);
  return page === undefined ? undefined : { form: NATIVE_MODELS, path: page.upstreamPath, page };
}

export class ModelListExchange implements ModelReader, ClientWatcher {
  readonly #service: Service;
  readonly #call: ClientCall;
  readonly #admission: Admission;
  readonly #asked: AskedModels;
  readonly #reply: ListReply;

  constructor(service: Service, call: ClientCall, admission: Admission, asked: AskedModels) {
    this.#service = service;
    this.#call = call;
    this.#admission = admission;
    this.#asked = asked;
    this.#reply = new ListReply(service, call, admission);
  }

  begin(): void {
    this.#service.begun();
    this.#call.watch(this);
    this.#call.discardBody();
    const { form, path } = this.#asked;
    const { route } = this.#admission;
    const rawHeaders = this.#service.affinity.withoutSession(this.#call.rawHeaders);
    this.#service.models.read({ service: this.#service, route, form, path, rawHeaders }, this);
  }

  surveyed({ models, misses, notes, isEmptyPool }: Surveyed): void {
    this.#reply.notes.push(...notes);
    if (isEmptyPool) return this.#reply.own("pool-empty", "denied");
    if (models === undefined) return this.#reply.lastWord(misses);
    const { form, page } = this.#asked;
    const { client } = this.#admission.caller;
    const allowed =
      client === undefined
        ? models
        : models.filter((model) => allowsModel(client.models, modelNameOf(form, model)));
    const whole = writeModelList(form, withAliases(form, allowed, this.#service.aliases));
    this.#reply.list((page === undefined ? undefined : cutModelPage(whole, page)) ?? whole, misses);
  }

  clientDrained(): void {}

  clientLeft(): void {
    if (this.#reply.hasEnded) return;
    this.#service.models.leave(this.#asked.path, this);
    this.#reply.left();
  }
}
