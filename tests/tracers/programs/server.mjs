import express from "express";
import * as ours from "express-expectations";
import { start } from "./start.cjs";

await start(express, ours, (name) => import(name));
