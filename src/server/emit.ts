import type { IncomingMessage, ServerResponse } from "node:http";
import {
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { ServerContext } from "../handshake/context.js";
import { currentHandshake } from "../handshake/handshake.js";
import { isHttp1Socket } from "../node/socket.js";
import { publishDispatched } from "../observe/record.js";
import { handshakeFor } from "./begin.js";
import { isAnswered } from "./client-error.js";
import { keepShape, needsShape } from "./express-shape.js";
import { admit, type Dispatch, hasPassed, markPassed } from "./gate.js";
import { type ExpectationEvent, listenForExpectations, type SetAside } from "./listeners.js";
import type { AttachableServer, AttachOptions } from "./options.js";
import { refuseForError } from "./refusals.js";
import { openTraffic } from "./traffic.js";
import { isUpgradeDropped } from "./upgrade.js";

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/**
 * Puts the gate on a server: a wrapper around its own `emit`.
 *
 * Every request that Node parses passes `emit`, whichever of the three events Node picks, and before any listener. A
 * listener would come too late to hold or drop a request. Moving the application's listeners behind one of ours would
 * miss those that are added later.
 *
 * The `emit` beneath is looked up at each call, so that whoever patches the prototype (OpenTelemetry) or the server,
 * before or after, stays in the chain. `checkContinue` and `checkExpectation` are emitted again from the top as
 * `request`, which is the event that such wrappers look for.
 *
 * @param setAside - listeners of `checkContinue` and `checkExpectation` that were there before.
 * @returns undoes it.
 */
export function takeOver(
  server: AttachableServer,
  context: ServerContext,
  guard: AttachOptions["guard"],
  setAside: SetAside | undefined,
): () => void {
  const ownEmit = Object.getOwnPropertyDescriptor(server, "emit");
  const beneath = (): Emit => ownEmit?.value ?? Object.getPrototypeOf(server).emit;
  const traffic = openTraffic(server);
  const gate = { context, traffic };
  let isActive = true;

  const dispatchTo = (emitRequest: Dispatch): Dispatch => {
    const dispatch: Dispatch = (req, res) => {
      const handshake = currentHandshake(req);
      if (handshake && !handshake.stream && needsShape(server)) keepShape(req, res);
      publishDispatched(req);
      emitRequest(req, res);
    };
    return guard === undefined ? dispatch : guarded(guard, context, dispatch);
  };
  const continueRequest = dispatchTo((req, res) => void Reflect.apply(beneath(), server, ["request", req, res]));
  const reemitAsRequest = dispatchTo((req, res) => void server.emit("request", req, res));

  const continueExpected = dispatchTo((req, res) => {
    if (!setAside?.continueRequest(server, req, res)) server.emit("request", req, res);
  });

  const onExpectation = (event: ExpectationEvent, req: IncomingMessage, res: ServerResponse) => {
    const dispatch = event === "checkContinue" ? continueExpected : reemitAsRequest;
    if (!admit(req, res, gate, dispatch)) return;
    markPassed(req, context);
    dispatch(req, res);
  };

  // An application that listens for `stream` alone.
  const admitStream = (args: [event: string, ServerHttp2Stream, IncomingHttpHeaders, number, string[]]) => {
    const [, stream, headers, , rawHeaders] = args;
    const req = new Http2ServerRequest(stream, headers, {}, rawHeaders) as unknown as IncomingMessage;
    const res = new Http2ServerResponse(stream) as unknown as ServerResponse;
    const dispatch = dispatchTo(() => void Reflect.apply(beneath(), server, args));
    if (admit(req, res, gate, dispatch)) dispatch(req, res);
  };

  const emit: Emit = function (this: AttachableServer, event, first, second) {
    if (isActive) {
      switch (event) {
        case "request": {
          const req = first as IncomingMessage;
          if (hasPassed(req, context)) break;
          if (!admit(req, second as ServerResponse, gate, continueRequest)) return true;
          if (guard === undefined) {
            publishDispatched(req);
            break;
          }
          markPassed(req, context);
          continueRequest(req, second as ServerResponse);
          return true;
        }
        case "checkContinue":
        case "checkExpectation":
          onExpectation(event, first as IncomingMessage, second as ServerResponse);
          return true;
        case "stream":
          // Without a listener of `request` Node makes no request of the stream, and none of the other events.
          if (server.listenerCount("request") > 0) break;
          // biome-ignore lint/complexity/noArguments: as below
          admitStream(Array.from(arguments) as never);
          return true;
        case "connection":
        case "secureConnection":
          traffic.addSocket(event, first as Socket);
          break;
        case "session":
          traffic.addSession(first as ServerHttp2Session);
          // Until its first SETTINGS are sent: a client may be lost before its first request (docs/facts.md, "A reset over
          // TLS during a write").
          context.lingering.watchSession(first as ServerHttp2Session).leave();
          break;
        case "upgrade":
        case "connect":
          if (isUpgradeDropped(first as IncomingMessage)) return true;
          break;
        case "clientError":
          if (isHttp1Socket(second) && isAnswered(second, first)) return true;
          break;
      }
    }
    // biome-ignore lint/complexity/noArguments: passes on any number of arguments without an array for each request
    return Reflect.apply(beneath(), this, arguments);
  };

  const stopListening = listenForExpectations(server, onExpectation, context.logger);
  server.emit = emit as typeof server.emit;
  return () => {
    isActive = false;
    stopListening();
    setAside?.putBack();
    if (server.emit !== (emit as typeof server.emit)) return;
    if (ownEmit) Object.defineProperty(server, "emit", ownEmit);
    else Reflect.deleteProperty(server, "emit");
  };
}

// No framework around the guard handles its errors. Errors of the application behind it propagate.
function guarded(guard: NonNullable<AttachOptions["guard"]>, context: ServerContext, dispatch: Dispatch): Dispatch {
  return (req, res) => {
    let isDispatched = false;
    try {
      guard(req, res, (error) => {
        isDispatched = true;
        if (error == null) dispatch(req, res);
        else refuseForError(handshakeFor(req, res, context), error);
      });
    } catch (error) {
      if (isDispatched) throw error;
      refuseForError(handshakeFor(req, res, context), error);
    }
  };
}
