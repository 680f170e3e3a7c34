/**
 * A certificate for 127.0.0.1 that signs itself, made in memory for tests over TLS: nothing secret has to be kept in the
 * repository, and nothing expires in it. Never for anything but loopback.
 */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { TlsOptions } from "./server.ts";

const DAY_MS = 86_400_000;
/** ASN.1 tags (X.690). */
const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
  ipAddress: 0x87,
} as const;
/** Object identifiers, already encoded. */
const ECDSA_WITH_SHA256 = Buffer.from("2a8648ce3d040302", "hex");
const COMMON_NAME = Buffer.from("550403", "hex");
const SUBJECT_ALT_NAME = Buffer.from("551d11", "hex");

/** A key and a certificate for `localhost` and 127.0.0.1, valid from a day before `nowMs` for ten days. PEM. */
export function selfSignedCertificate(nowMs: number): TlsOptions {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const body = der(TAG.sequence, [
    der(TAG.version, [der(TAG.integer, [Buffer.from([2])])]),
    der(TAG.integer, [serialNumber()]),
    algorithm(),
    name(),
    der(TAG.sequence, [utcTime(nowMs - DAY_MS), utcTime(nowMs + 9 * DAY_MS)]),
    name(),
    publicKey.export({ type: "spki", format: "der" }),
    der(TAG.extensions, [der(TAG.sequence, [alternativeNames()])]),
  ]);
  const signature = sign("sha256", body, privateKey);
  const certificate = der(TAG.sequence, [
    body,
    algorithm(),
    der(TAG.bitString, [Buffer.from([0]), signature]),
  ]);
  return { key: privateKey.export({ type: "pkcs8", format: "pem" }), cert: pem(certificate) };
}

/** Tag, length and content of one ASN.1 value. */
function der(tag: number, contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes]);
  return bytes < 0x100 ? Buffer.from([0x81, bytes]) : Buffer.from([0x82, bytes >> 8, bytes & 0xff]);
}

/** Positive: the first bit of an ASN.1 integer is its sign. */
function serialNumber(): Buffer {
  const bytes = randomBytes(8);
  bytes[0] = 0x40 | (Number(bytes[0]) & 0x3f);
  return bytes;
}

function algorithm(): Buffer {
  return der(TAG.sequence, [der(TAG.objectId, [ECDSA_WITH_SHA256])]);
}

function name(): Buffer {
  const value = der(TAG.utf8String, [Buffer.from("Gemini emulator")]);
  const attribute = der(TAG.sequence, [der(TAG.objectId, [COMMON_NAME]), value]);
  return der(TAG.sequence, [der(TAG.set, [attribute])]);
}

function alternativeNames(): Buffer {
  const names = [
    der(TAG.dnsName, [Buffer.from("localhost")]),
    der(TAG.ipAddress, [Buffer.from([127, 0, 0, 1])]),
  ];
  const value = der(TAG.octetString, [der(TAG.sequence, names)]);
  return der(TAG.sequence, [der(TAG.objectId, [SUBJECT_ALT_NAME]), value]);
}

/** `YYMMDDHHMMSSZ`. */
function utcTime(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replaceAll(/\D/g, "").slice(2, 14);
  return der(TAG.utcTime, [Buffer.from(`${digits}Z`)]);
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
