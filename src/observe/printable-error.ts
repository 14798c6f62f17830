import { types } from "node:util";
import { textOf } from "../support/errors.js";
import { withEscapes } from "./printable.js";

/**
 * Returns the details of a record with errors that are safe to log. Returns the same object if all of them are.
 *
 * Many errors repeat what a client has sent. Loggers write their message and stack as they are, or escape only a part of
 * what JSON must escape.
 */
export function printableDetails(details: object): object {
  let printed: Record<string, unknown> | undefined;
  for (const [key, value] of Object.entries(details)) {
    const safe = isError(value) ? copyIfNeeded(value, new Set()) : value;
    if (safe === value) continue;
    printed ??= { ...details };
    printed[key] = safe;
  }
  return printed ?? details;
}

// The error itself if its message, stack, causes and other texts have no control or format characters. Otherwise a copy
// of the same class, with the same name, code and other properties.
function copyIfNeeded(error: Error, seen: Set<unknown>): Error {
  seen.add(error);
  try {
    const changes = changesOf(error, seen);
    return changes.size === 0 ? error : copyOf(error, changes);
  } catch {
    // The application may have assigned anything to its properties, or made them throw.
    return new Error(withEscapes(textOf(error)));
  }
}

const READ_ALWAYS: readonly PropertyKey[] = ["name", "message", "stack"];

function changesOf(error: Error, seen: Set<unknown>): Map<PropertyKey, unknown> {
  const changes = new Map<PropertyKey, unknown>();
  for (const key of new Set([...READ_ALWAYS, ...Reflect.ownKeys(error)])) {
    const descriptor = Object.getOwnPropertyDescriptor(error, key);
    // A getter may do anything. That of `stack` is V8's own.
    if (descriptor?.get && !READ_ALWAYS.includes(key)) continue;
    const value = (error as unknown as Record<PropertyKey, unknown>)[key];
    const printed = key === "stack" ? printableStack(value, error.message) : printableValue(value, seen);
    if (printed !== value) changes.set(key, printed);
  }
  return changes;
}

function printableValue(value: unknown, seen: Set<unknown>): unknown {
  if (typeof value === "string") return withEscapes(value);
  // Of `AggregateError`.
  if (Array.isArray(value)) {
    const printed = value.map((member) => printableValue(member, seen));
    return printed.every((member, i) => member === value[i]) ? value : printed;
  }
  if (!isError(value)) return value;
  return seen.has(value) ? undefined : copyIfNeeded(value, seen);
}

// Line breaks between the frames stay. Those of the message do not: they could look like frames, or other records.
function printableStack(stack: unknown, message: unknown): unknown {
  if (typeof stack !== "string") return stack;
  const at = typeof message === "string" && message !== "" ? stack.indexOf(message) : -1;
  const withMessage =
    at < 0 ? stack : stack.slice(0, at) + withEscapes(message as string) + stack.slice(at + (message as string).length);
  return withMessage.split("\n").map(withEscapes).join("\n");
}

function copyOf(error: Error, changes: ReadonlyMap<PropertyKey, unknown>): Error {
  const copy = new Error();
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error));
  for (const key of Reflect.ownKeys(error)) {
    if (!changes.has(key) && key !== "stack") {
      Object.defineProperty(copy, key, Object.getOwnPropertyDescriptor(error, key) as PropertyDescriptor);
    }
  }
  const { stack } = error;
  for (const [key, value] of new Map<PropertyKey, unknown>([["stack", stack], ...changes])) {
    const enumerable = Object.getOwnPropertyDescriptor(error, key)?.enumerable ?? false;
    Object.defineProperty(copy, key, { value, enumerable, writable: true, configurable: true });
  }
  return copy;
}

// Errors of another realm, such as a vm context, are no instances of this one's Error.
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}
