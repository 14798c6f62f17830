import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerContext } from "../handshake/context.js";
import { currentHandshake } from "../handshake/handshake.js";
import { isHttp1Socket } from "../node/socket.js";
import { beginHandshake } from "./begin.js";
import { isAnswered, isOccupied } from "./client-error.js";
import { isExpress, keepShape } from "./express-shape.js";
import { admit, type Dispatch, isAdmitted, markAdmitted } from "./gate.js";
import type { AttachableServer, AttachOptions } from "./options.js";
import { refuseForError } from "./refusals.js";

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
 * @param events - the events that keep Node from answering `Expect` by itself.
 * @param putBack - restores listeners of these events that were set aside.
 * @returns undoes it.
 */
export function takeOver(
  server: AttachableServer,
  events: readonly string[],
  context: ServerContext,
  guard: AttachOptions["guard"],
  putBack: (() => void) | undefined,
): () => void {
  const ownEmit = Object.getOwnPropertyDescriptor(server, "emit");
  const beneath = (): Emit => ownEmit?.value ?? Object.getPrototypeOf(server).emit;
  let isActive = true;

  const dispatchTo = (emitRequest: Dispatch): Dispatch => {
    const dispatch: Dispatch = (req, res) => {
      const handshake = currentHandshake(req);
      if (handshake && !handshake.stream && server.listeners("request").some(isExpress)) keepShape(req, res);
      emitRequest(req, res);
    };
    return guard === undefined ? dispatch : guarded(guard, context, dispatch);
  };
  const continueRequest = dispatchTo((req, res) => void Reflect.apply(beneath(), server, ["request", req, res]));
  const reemitAsRequest = dispatchTo((req, res) => void server.emit("request", markAdmitted(req), res));

  const onExpectation = (req: IncomingMessage, res: ServerResponse) => {
    if (admit(req, res, context, reemitAsRequest)) reemitAsRequest(req, res);
  };

  const emit: Emit = function (this: AttachableServer, event, first, second) {
    if (isActive) {
      switch (event) {
        case "request": {
          const req = first as IncomingMessage;
          if (isAdmitted(req)) break;
          if (!admit(req, second as ServerResponse, context, continueRequest)) return true;
          if (guard === undefined) break;
          continueRequest(req, second as ServerResponse);
          return true;
        }
        case "checkContinue":
        case "checkExpectation":
          onExpectation(first as IncomingMessage, second as ServerResponse);
          return true;
        case "upgrade":
        case "connect":
          if (isHttp1Socket(second) && isOccupied(second)) {
            second.destroy();
            return true;
          }
          break;
        case "clientError":
          if (isHttp1Socket(second) && isAnswered(second, first)) return true;
          break;
      }
    }
    // biome-ignore lint/complexity/noArguments: passes on any number of arguments without an array for each request
    return Reflect.apply(beneath(), this, arguments);
  };

  for (const event of events) server.on(event, onExpectation);
  server.emit = emit as typeof server.emit;
  return () => {
    isActive = false;
    for (const event of events) server.removeListener(event, onExpectation);
    putBack?.();
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
        else refuseForError(currentHandshake(req) ?? beginHandshake(req, res, context), error);
      });
    } catch (error) {
      if (isDispatched) throw error;
      refuseForError(currentHandshake(req) ?? beginHandshake(req, res, context), error);
    }
  };
}
