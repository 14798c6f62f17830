import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { Present } from "../../../src/dashboard/present.js";
import type { PlaceChange, Places } from "../../../src/support/places.js";
import { spaces } from "../../../src/support/spaces.js";

let present: Present;
beforeEach(() => {
  present = new Present();
});
afterEach(() => spaces().clear());

const UPLOADS: Places = { name: "uploads", limit: 2, inUse: 1, waiting: 3 };
const changed = (change: PlaceChange, waitedMs = 0, places = UPLOADS) => present.add({ change, waitedMs, places });

test("tells nothing before a policy has something to tell", () => {
  expect(present.now()).toBeUndefined();
});

test("tells places, waits and refusals of each policy", () => {
  changed("taken");
  changed("taken", 100);
  changed("taken", 100);
  for (const change of ["full", "full", "late", "evicted", "lost", "left", "freed", "waiting"] as const)
    changed(change, 9);
  changed("full", 0, { name: "other", limit: 9, inUse: 0, waiting: 0 });
  expect(present.now()).toEqual({
    places: [
      {
        policy: "uploads",
        limit: 2,
        inUse: 1,
        waiting: 3,
        waitedMs: { p50: expect.closeTo(100, -1), p99: expect.closeTo(100, -1), max: 100 },
        full: 2,
        late: 1,
        evicted: 1,
        lost: 1,
      },
      { policy: "other", limit: 9, inUse: 0, waiting: 0, full: 1, late: 0, evicted: 0, lost: 0 },
    ],
    spaces: [],
  });
});

test("sums the policies of one name, as they are now", () => {
  const [one, other] = [{ ...UPLOADS }, { ...UPLOADS }];
  changed("taken", 0, one);
  changed("taken", 0, other);
  Object.assign(other, { inUse: 2, waiting: 0 });
  expect(present.now()?.places).toMatchObject([{ inUse: 3, waiting: 3 }]);
  for (const places of [one, other]) changed("freed", 0, Object.assign(places, { inUse: 0, waiting: 0 }));
  expect(present.now()?.places).toMatchObject([{ inUse: 0, waiting: 0 }]);
});

test("keeps 100 policies", () => {
  for (let i = 0; i < 150; i++) changed("full", 0, { ...UPLOADS, name: `room ${i}` });
  expect(present.now()?.places).toHaveLength(100);
});

test("tells the space by the last answer, and has the file system asked for the next time", () => {
  const update = jest.fn(async () => {});
  spaces().set("/uploads", { path: "/uploads", free: 1_000, expected: 50, update });
  spaces().set("/gone", { path: "/gone", free: undefined, expected: 0, update });
  expect(present.now()).toEqual({
    places: [],
    spaces: [
      { path: "/uploads", freeBytes: 1_000, expectedBytes: 50 },
      { path: "/gone", expectedBytes: 0 },
    ],
  });
  expect(update).toHaveBeenCalledTimes(2);
});

test("forgets all", () => {
  changed("taken");
  present.clear();
  expect(present.now()).toBeUndefined();
});
