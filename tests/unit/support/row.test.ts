import { expect, test } from "@jest/globals";
import { type Linked, Row } from "../../../src/support/row.js";
import * as fc from "../../helpers/properties.js";

class Item implements Linked<Item> {
  before: Item | undefined;
  behind: Item | undefined;
  constructor(readonly id: number) {}
}

type Step = { readonly kind: "push" | "shift" | "remove" | "insert"; readonly at: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("push", "shift", "remove", "insert"),
  at: fc.nat(20),
});

test("keeps the order of arrival, whoever leaves from wherever", () => {
  void fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const row = new Row<Item>();
      const model: Item[] = [];
      let id = 0;
      for (const one of steps) {
        if (one.kind === "push") {
          const item = new Item(id++);
          row.push(item);
          model.push(item);
        } else if (one.kind === "shift") {
          expect(row.shift()).toBe(model.shift());
        } else if (one.kind === "insert") {
          const item = new Item(id++);
          const at = one.at % (model.length + 1);
          row.insert(item, model[at]);
          model.splice(at, 0, item);
        } else if (model.length > 0) {
          const [item] = model.splice(one.at % model.length, 1);
          row.remove(item as Item);
          expect([item?.before, item?.behind]).toEqual([undefined, undefined]);
        }
        expect([row.length, row.first, row.last]).toEqual([model.length, model[0], model.at(-1)]);
      }
      const left: (Item | undefined)[] = [];
      while (row.length > 0) left.push(row.shift());
      expect(left).toEqual(model);
    }),
  );
});
