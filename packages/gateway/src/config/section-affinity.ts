/**
 * The options on what keeps a request with one Google project: resources that only their project can see, and
 * conversations that are better continued where they began. A part of the schema in `config.ts`; data only.
 */
import type { Section } from "./option.ts";

export const AFFINITY_SECTION = {
  kind: "section",
  title: "Affinity to projects",
  options: {
    resources: {
      kind: "integer",
      default: 1_000_000,
      min: 1_000,
      max: 100_000_000,
      unit: "resources",
      reload: "live",
      manual:
        "Most resources (files, caches, batches, interactions and so on) whose owner is remembered; beyond it those told of longest ago are forgotten. A million take some 200 MB of the database.",
    },
    searchProjects: {
      kind: "integer",
      default: 8,
      min: 0,
      max: 100,
      unit: "projects",
      reload: "live",
      manual:
        "Most projects that are asked in turn for a resource whose owner is not known. 0 asks one, as if it were any request.",
    },
    listProjects: {
      kind: "integer",
      default: 64,
      min: 1,
      max: 1_000,
      unit: "projects",
      reload: "live",
      manual:
        "Most projects that one page of a list (files, caches, batches and so on) is asked of. A pool of no more projects is listed whole; of a larger one those that are known to hold something.",
    },
    conversations: {
      kind: "integer",
      default: 65_536,
      min: 0,
      max: 16_777_216,
      unit: "conversations",
      reload: "restart",
      manual:
        "Conversations that stay with the project that served them while it can, 16 bytes each: Google's implicit cache and thought signatures belong to a project. They outlive a restart, as hashes, 20 bytes each in the database. With more, those not heard of for longest may move. 0 keeps none together.",
    },
    sessionHeader: {
      kind: "text",
      default: "x-gateway-session",
      form: "the name of a header",
      pattern: /^[A-Za-z0-9-]{1,64}$/,
      reload: "live",
      manual:
        "Request header in which a client may name its conversation; without it a conversation is known by how it begins. It is not sent on.",
    },
  },
} as const satisfies Section;
