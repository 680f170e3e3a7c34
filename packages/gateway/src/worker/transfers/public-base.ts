/**
 * The gateway's address as the client of a request sees it: what upload URLs and, on wish, URIs of files begin with.
 * Worker threads; pure. Must never let a header write anything but an origin and a path.
 */
import type { PublicBase } from "@gemini-gateway/gemini/resources/file-address";
import type { GatewayConfig } from "../../config.ts";
import { headerOf } from "../../http1/header-list.ts";
import type { ClientRequest } from "../client/client-call.ts";
import type { Guard } from "../guard/guard.ts";

interface BaseOptions {
  readonly config: Pick<GatewayConfig, "publicUrl" | "pathPrefix" | "host" | "port">;
  /** As sent. */
  readonly target: string;
  readonly rawHeaders: readonly string[];
  /** Whether the request came by a reverse proxy that is trusted. */
  readonly isProxied: boolean;
}

/** A name or an address, with a port or without. */
const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
const PREFIX = /^(?:\/[A-Za-z0-9._~-]+){1,16}$/;

/** The address of the gateway as the client of this request knows it. */
export function publicBaseFor(
  call: Pick<ClientRequest, "target" | "rawHeaders" | "peer">,
  config: BaseOptions["config"],
  guard: Pick<Guard, "isProxied">,
): PublicBase {
  const { target, rawHeaders } = call;
  return publicBaseOf({ config, target, rawHeaders, isProxied: guard.isProxied(call) });
}

/** Without a slash at its end. */
function publicBaseOf({ config, target, rawHeaders, isProxied }: BaseOptions): PublicBase {
  if (config.publicUrl !== "") return config.publicUrl.replace(/\/+$/, "");
  const told = isProxied ? toldByProxy(rawHeaders) : {};
  const isSecure = told.protocol?.toLowerCase() === "https";
  const host = [told.host, headerOf(rawHeaders, "host")].find(
    (name) => name !== undefined && HOST.test(name),
  );
  const origin = `${isSecure ? "https" : "http"}://${host ?? `${config.host}:${config.port}`}`;
  return origin + prefixOf(config.pathPrefix, target, isProxied ? (told.prefix ?? config.pathPrefix) : "");
}

/** @param taken what a proxy in front may have taken off */
function prefixOf(configured: string, target: string, taken: string): string {
  if (configured !== "" && target.startsWith(`${configured}/`)) return configured;
  const bare = taken.replace(/\/+$/, "");
  return PREFIX.test(bare) ? bare : "";
}

interface Told {
  readonly protocol?: string | undefined;
  readonly host?: string | undefined;
  readonly prefix?: string | undefined;
}

function toldByProxy(rawHeaders: readonly string[]): Told {
  const forwarded = first(headerOf(rawHeaders, "forwarded"));
  return {
    protocol: first(headerOf(rawHeaders, "x-forwarded-proto")) ?? parameterOf(forwarded, "proto"),
    host: first(headerOf(rawHeaders, "x-forwarded-host")) ?? parameterOf(forwarded, "host"),
    prefix: first(headerOf(rawHeaders, "x-forwarded-prefix")),
  };
}

/** What the proxy that the client spoke to said, where several did. */
function first(list: string | undefined): string | undefined {
  return list?.split(",", 1)[0]?.trim();
}

function parameterOf(forwarded: string | undefined, wanted: string): string | undefined {
  for (const parameter of forwarded?.split(";") ?? []) {
    const equalsAt = parameter.indexOf("=");
    if (parameter.slice(0, equalsAt).trim().toLowerCase() !== wanted) continue;
    return parameter
      .slice(equalsAt + 1)
      .trim()
      .replace(/^"(.*)"$/, "$1");
  }
  return undefined;
}
