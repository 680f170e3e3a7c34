/** How a unit is written behind a number: `2×`, `20 ms`. Pure. */
export function unitBehind(unit: string): string {
  return unit === "" || unit === "×" ? unit : ` ${unit}`;
}
