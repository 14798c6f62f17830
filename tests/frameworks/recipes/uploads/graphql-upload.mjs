import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { ApolloServer } from "@apollo/server";
import { expressMiddleware } from "@as-integrations/express5";
import express from "express";
import { attach, concurrency, expectations, maxSize } from "express-expectations";
import GraphQLUpload from "graphql-upload/GraphQLUpload.mjs";
import graphqlUploadExpress from "graphql-upload/graphqlUploadExpress.mjs";

const typeDefs = "scalar Upload type Query { ok: Boolean } type Mutation { store(file: Upload!): String }";
const store = async (_parent, { file }) => {
  const path = `${process.env.FOLDER}/${Date.now()}`;
  await pipeline((await file).createReadStream(), createWriteStream(path)).catch(async (error) => {
    console.log(`handler: ${error.code ?? error.message}`);
    await rm(path, { force: true });
    throw error;
  });
};
const apollo = new ApolloServer({ typeDefs, resolvers: { Upload: GraphQLUpload, Mutation: { store } } });
await apollo.start();

const app = express();
app.use("/files", expectations({ policies: [concurrency({ limit: 1 }), maxSize("1mb")] }));
app.use("/files", graphqlUploadExpress(), expressMiddleware(apollo));
attach(app.listen(process.env.PORT, "127.0.0.1"));
