import { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import express from "express";
import { attach, concurrency, expectations, maxSize } from "express-expectations";
import { report } from "./report.mjs";

const client = new S3Client({ endpoint: process.env.S3, forcePathStyle: true });
const app = express();
const guard = expectations({ policies: [concurrency({ limit: 1 }), maxSize("8mb")] });
app.put("/files/:name", guard, async (req, res) => {
  const params = { Bucket: "uploads", Key: req.params.name, Body: req };
  await new Upload({ client, params }).done();
  res.status(201).end();
});
app.use(report);
attach(app.listen(process.env.PORT, "127.0.0.1"));
