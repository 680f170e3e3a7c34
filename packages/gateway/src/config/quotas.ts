/** Quotas as operators write them: `MODEL=REQUESTS_A_MINUTE/TOKENS_A_MINUTE/REQUESTS_A_DAY`. Pure; any thread may run it. */
import { QUOTA_NAMES, type QuotaLimits } from "@gemini-gateway/core/quota/quota-limits";

/** A figure, or what stands for none. */
const FIGURE = String.raw`(?:[1-9]\d{0,11}|-)`;

/** One item of the option; `*` stands for every model that has none of its own. */
export const QUOTA_ITEM = new RegExp(
  String.raw`^(?:\*|[A-Za-z0-9][A-Za-z0-9._:-]{0,199})=${FIGURE}/${FIGURE}/${FIGURE}$`,
);

/** Limits by model. Of two items for one model the last holds. Takes only what {@link QUOTA_ITEM} matches. */
export function quotasOf(items: readonly string[]): ReadonlyMap<string, QuotaLimits> {
  return new Map(
    items.map((item): [string, QuotaLimits] => {
      const [model = "", figures = ""] = item.split("=");
      const limits = figures
        .split("/")
        .flatMap((figure, index) => (figure === "-" ? [] : [[QUOTA_NAMES[index], Number(figure)]]));
      return [model, Object.fromEntries(limits) as QuotaLimits];
    }),
  );
}
