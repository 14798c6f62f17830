const express = require("express");
const ours = require("express-expectations");
const { start } = require("./start.cjs");

start(express, ours, async (name) => require(name));
