/**
 * Decodes one MessagePack value; extensions, which our server never sends, are not supported.
 *
 * The library would add 3.7 kB to the page's 90; the tests use it to encode.
 * Source: the MessagePack specification, "Formats".
 */
import { WireError } from './check';

/** Deeper nesting is not a valid message. */
const MAX_DEPTH = 32;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

class Reader {
  readonly #raw: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #depth = 0;

  constructor(raw: Uint8Array) {
    this.#raw = raw;
    this.#view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  }

  get left(): number {
    return this.#raw.length - this.#at;
  }

  value(): unknown {
    const head = this.#uint(1);
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f);
    if (head < 0xa0) return this.#array(head & 0x0f);
    if (head < 0xc0) return UTF8.decode(this.#take(head & 0x1f));
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#uint(1 << (head - 0xc4)));
      case 0xca:
        return this.#view.getFloat32(this.#step(4));
      case 0xcb:
        return this.#view.getFloat64(this.#step(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (head - 0xcc));
      case 0xcf:
        return Number(this.#view.getBigUint64(this.#step(8)));
      case 0xd0:
        return this.#view.getInt8(this.#step(1));
      case 0xd1:
        return this.#view.getInt16(this.#step(2));
      case 0xd2:
        return this.#view.getInt32(this.#step(4));
      case 0xd3:
        return Number(this.#view.getBigInt64(this.#step(8)));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return UTF8.decode(this.#take(this.#uint(1 << (head - 0xd9))));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(head === 0xdc ? 2 : 4));
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(head === 0xde ? 2 : 4));
      default:
        throw new WireError(
          `unreadable MessagePack: format byte 0x${head.toString(16)} at ${this.#at - 1}`,
        );
    }
  }

  #step(bytes: number): number {
    const at = this.#at;
    if (bytes > this.left)
      throw new WireError(
        `unreadable MessagePack: expected ${bytes} more bytes at ${at}, got ${this.left}`,
      );
    this.#at += bytes;
    return at;
  }

  #uint(bytes: number): number {
    const at = this.#step(bytes);
    return bytes === 1
      ? this.#raw[at]
      : bytes === 2
        ? this.#view.getUint16(at)
        : this.#view.getUint32(at);
  }

  #take(bytes: number): Uint8Array {
    const at = this.#step(bytes);
    return this.#raw.subarray(at, at + bytes);
  }

  #array(length: number): unknown[] {
    const out: unknown[] = [];
    this.#enter(length);
    for (let i = 0; i < length; i++) out.push(this.value());
    this.#depth--;
    return out;
  }

  #map(length: number): Record<string, unknown> {
    // No prototype, so that no key can pollute one.
    const out = Object.create(null) as Record<string, unknown>;
    this.#enter(length);
    for (let i = 0; i < length; i++) {
      const key = this.value();
      out[String(key)] = this.value();
    }
    this.#depth--;
    return out;
  }

  #enter(length: number): void {
    // Each item takes at least one byte; reject longer claims before allocating.
    if (length > this.left || ++this.#depth > MAX_DEPTH) {
      throw new WireError(
        `unreadable MessagePack: ${length} items at ${this.#at}, ${this.left} bytes left`,
      );
    }
  }
}

/** Decode a message of one value. Byte strings are views into `raw`, not copies. */
export function decode(raw: Uint8Array): unknown {
  const reader = new Reader(raw);
  const value = reader.value();
  if (reader.left)
    throw new WireError(`unreadable MessagePack: ${reader.left} bytes after the value`);
  return value;
}
