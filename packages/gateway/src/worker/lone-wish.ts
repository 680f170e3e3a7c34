/** The wish of one seeker that minds whose key it gets. Worker threads; pure. */
import type { KeyId, LeaseWish } from "@gemini-gateway/core/lease";
import type { Trail } from "@gemini-gateway/core/retry-policy";

/** What a seeker says of the key that it seeks; see `LeaseSeeker`. */
export interface Sought {
  readonly lane: string;
  readonly trail: Trail;
  readonly resources?: readonly string[] | undefined;
  readonly onlyProjectOf?: KeyId | undefined;
  readonly preference?: KeyId | undefined;
}

/** Whether only one project's keys will do. */
export function isBound({ resources, onlyProjectOf }: Sought): boolean {
  return onlyProjectOf !== undefined || (resources !== undefined && resources.length > 0);
}

/** @param tokens of the request, 0 where nobody counts them */
export function loneWish(sought: Sought, tokens: number): LeaseWish {
  const { lane, trail, preference, onlyProjectOf } = sought;
  const { excludedKeys, excludedProjectsOf } = trail;
  const sized = tokens > 0 ? { tokens } : {};
  const preferring = preference === undefined ? {} : { preferProjectOf: preference };
  const bound = onlyProjectOf === undefined ? {} : { onlyProjectOf };
  return { model: lane, uses: 1, excludedKeys, excludedProjectsOf, ...preferring, ...bound, ...sized };
}
