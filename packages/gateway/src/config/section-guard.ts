/**
 * The options that guard the door against anonymous callers: what one address may ask, and when the breaker keeps the
 * last healthy keys for callers with an auth key. A part of the schema in `config.ts`; data only.
 */
import { THRESHOLD_PATTERN } from "@gemini-gateway/core/limits/breaker";
import { networksNamed } from "@gemini-gateway/core/network/network";
import type { ListOption, Section } from "./option.ts";

const NETWORK_FORM = "addresses such as 203.0.113.7, networks such as 10.0.0.0/8, `loopback` or `private`";
/** What only looks like a network is told apart by the one who reads networks. */
const NETWORK_ITEM = /^[0-9A-Za-z.:/]{2,64}$/;

/** Networks as operators write them. */
function networks(manual: string): ListOption {
  return {
    kind: "list",
    default: [],
    form: NETWORK_FORM,
    pattern: NETWORK_ITEM,
    accepts: (item) => networksNamed(item) !== undefined,
    none: "none",
    reload: "live",
    manual,
  };
}

export const TRUST_PROXY_OPTION = networks(
  "Reverse proxies whose `X-Forwarded-For` or `Forwarded` header is believed when it names the caller's address. From others these headers mean nothing.",
);

export const IP_SECTION = {
  kind: "section",
  title: "Limits per address (anonymous callers)",
  options: {
    perMinute: {
      kind: "integer",
      default: 40,
      min: 0,
      max: 1_000_000,
      unit: "requests",
      reload: "live",
      manual:
        "Most requests of one address (IPv6: one /64) in any minute; more are refused with 429 and `Retry-After`. Refused requests count too. 0 sets no limit.",
    },
    perHour: {
      kind: "integer",
      default: 3_600,
      min: 0,
      max: 10_000_000,
      unit: "requests",
      reload: "live",
      manual:
        "Most requests of one address (IPv6: one /64) in any hour, refused ones included; one that asks more is banned and gets 403. 0 bans nobody.",
    },
    ban: {
      kind: "duration",
      default: "permanent",
      endless: "permanent",
      min: "1s",
      max: "3650d",
      reload: "live",
      manual: "How long an address stays banned. `gemini-gateway bans` lists bans and ends them earlier.",
    },
    allow: networks("Addresses that are never limited nor banned."),
    addresses: {
      kind: "integer",
      default: 131_072,
      min: 64,
      max: 4_194_304,
      unit: "addresses",
      reload: "restart",
      manual:
        "Addresses that are counted at once, 512 bytes each. With more, those not heard of for longest are forgotten; bans are not.",
    },
  },
} as const satisfies Section;

const KEYS_FORM = "a number of keys such as 30 or a share of the model's keys such as 20%";

export const BREAKER_SECTION = {
  kind: "section",
  title: "Breaker (anonymous callers)",
  options: {
    low: {
      kind: "text",
      default: "5%",
      form: KEYS_FORM,
      pattern: THRESHOLD_PATTERN,
      orNumber: true,
      reload: "live",
      manual:
        "With fewer healthy keys of a model, every anonymous request for it is refused with 503 and `Retry-After`: the keys are kept for callers with an auth key. With none left, the pool's own answer says why.",
    },
    high: {
      kind: "text",
      default: "20%",
      form: KEYS_FORM,
      pattern: THRESHOLD_PATTERN,
      orNumber: true,
      reload: "live",
      manual:
        "With as many healthy keys of a model, no anonymous request for it is refused; between `breaker.low` and this, fewer the more there are. 0 for both switches the breaker off.",
    },
  },
} as const satisfies Section;
