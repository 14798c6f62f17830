import { ApolloServer } from "@apollo/server";
import { expressMiddleware } from "@as-integrations/express5";
import express from "express";
import { attach, expectations, maxSize } from "express-expectations";
import { save } from "./save.mjs";

const typeDefs = "type Query { ok: Boolean } type Mutation { save(name: String!, text: String!): String }";
const resolvers = { Mutation: { save: (_parent, { name, text }) => save(name, [text]) } };
const apollo = new ApolloServer({ typeDefs, resolvers });
await apollo.start();

const app = express();
const guard = expectations({ policies: [maxSize("1mb")] });
app.use("/graphql", guard, express.json({ limit: "8mb" }), expressMiddleware(apollo));
attach(app.listen(process.env.PORT, "127.0.0.1"));
