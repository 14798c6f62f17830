export type { HandshakeAnswer, InterimAnswer } from "./answer.js";
export { assertContinuedOnce, assertRefusedBeforeContent } from "./assertions.js";
export {
  type HandshakeClient,
  type HandshakeConnection,
  type HandshakeRequests,
  handshake,
} from "./handshake.js";
export { type HandshakeMatchers, handshakeMatchers } from "./matchers.js";
export type { Behaviour } from "./misbehave/behaviour.js";
export { BEHAVIOUR_NAMES, type BehaviourName } from "./misbehave/behaviours.js";
export { type Misbehaving, misbehave } from "./misbehave/misbehave.js";
export type { Head } from "./misbehave/reader.js";
export type { Served } from "./misbehave/served.js";
export type { HandshakeApplication, HandshakeOptions, HandshakeTarget } from "./target.js";
export type { HandshakeContent, HandshakeTest } from "./test.js";
