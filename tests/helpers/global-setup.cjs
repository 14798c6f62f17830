// Runs once before all tests: measures how slow the machine is, for every worker's deadlines.
const { VARIABLE, measure } = require("./slowness.cjs");

module.exports = () => {
  process.env[VARIABLE] ??= measure().toFixed(2);
};
