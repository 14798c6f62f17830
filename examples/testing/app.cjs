const express = require("express");
const { expectations, maxSize, mediaTypes } = require("express-expectations");

const app = express();
const guard = expectations({ policies: [mediaTypes(["image/*"]), maxSize("10mb")] });

app.put("/images/:id", guard, async (req, res) => {
  let length = 0;
  for await (const chunk of req) length += chunk.length;
  res.status(201).send(`${length} bytes\n`);
});

module.exports = { app };
