import { expect, test } from "vitest";
import { TokenGauge } from "./token-gauge.ts";

test("comes near what requests take, from above", () => {
  const gauge = new TokenGauge();
  for (let bytes = 1_000; bytes < 60_000; bytes += 1_000) gauge.measured("m", bytes, Math.ceil(bytes / 4));
  expect(gauge.guess("m", 40_000)).toBeGreaterThanOrEqual(10_000);
  expect(gauge.guess("m", 40_000)).toBeLessThan(10_500);
});

test("leaves more room where sizes vary more", () => {
  const [even, uneven] = [new TokenGauge(), new TokenGauge()];
  for (let round = 0; round < 50; round++) {
    even.measured("m", 1_000, 250);
    uneven.measured("m", 1_000, round % 2 === 0 ? 150 : 350);
  }
  expect(uneven.guess("m", 1_000)).toBeGreaterThan(350);
  expect(even.guess("m", 1_000)).toBeLessThan(260);
});

test("guesses by requests alike where bytes tell nothing, and by a fair rule before it has seen any", () => {
  const gauge = new TokenGauge();
  expect(gauge.guess("m", 4_000)).toBe(1_200);
  expect(gauge.guess("m", undefined)).toBe(1_000);
  for (let round = 0; round < 50; round++) gauge.measured("m", undefined, 258);
  expect(gauge.guess("m", undefined)).toBeLessThan(270);
  expect(gauge.guess("m", 4_000)).toBe(1_200);
});

test("remembers no more models than it may, the latest of them", () => {
  const gauge = new TokenGauge();
  for (let model = 0; model < 1_000; model++) gauge.measured(`m${model}`, 1_000, 500);
  expect(gauge.guess("m0", 1_000)).toBe(300);
  expect(gauge.guess("m999", 1_000)).toBeGreaterThanOrEqual(500);
});
