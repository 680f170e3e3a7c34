/**
 * Asks the primary whether an ephemeral token was made through this gateway: such a token is a credential of its own,
 * and lets into a Live session whoever has no other. Worker threads; one for each handshake that needs it.
 * It must never hold a key: the token is all that goes out.
 */
import type { Denial } from "@gemini-gateway/core/lease";
import { FRESH_TRAIL } from "@gemini-gateway/core/retry-policy";
import type { LiveToken } from "@gemini-gateway/gemini/live-route";
import { decodeLeniently } from "@gemini-gateway/gemini/query-string";
import { authToken } from "@gemini-gateway/gemini/resources/opaque-name";
import type { LeaseDesk } from "../lease-desk.ts";
import type { HeldUse, KnownOwner, LeaseSeeker } from "../lease-seeker.ts";

/** Which model will be asked for is not known yet, and no key is wanted for any. */
const LANE = "*";

export class TokenInquiry implements LeaseSeeker {
  readonly lane = LANE;
  readonly trail = FRESH_TRAIL;
  readonly tokens = 0;
  readonly isKnownOnly = true;
  /** An answer is wanted, not a key. */
  readonly waitUntilMs = 0;
  readonly resources: readonly string[];
  readonly #desk: LeaseDesk;
  readonly #told: (isKnown: boolean) => void;

  private constructor(desk: LeaseDesk, name: string, told: (isKnown: boolean) => void) {
    this.#desk = desk;
    this.resources = [name];
    this.#told = told;
  }

  /** Calls back once, now or later. */
  static ask(desk: LeaseDesk, token: LiveToken, told: (isKnown: boolean) => void): void {
    const text = token.form === "query" ? decodeLeniently(token.value) : token.value;
    const name = authToken(text)?.root;
    if (name === undefined) told(false);
    else desk.seek(new TokenInquiry(desk, name, told));
  }

  leased(use: HeldUse): void {
    this.#desk.settle(use, { kind: "caller-left" });
    this.#told(true);
  }

  /** Its project may have no key to lend at the moment: the token is known all the same. */
  denied(_denial: Denial, owner?: KnownOwner): void {
    this.#told(owner?.isKnown === true);
  }
}
