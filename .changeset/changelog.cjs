// How a change is written into CHANGELOG.md: its own words, and nothing else.
module.exports = {
  getReleaseLine: async ({ summary }) => `- ${summary.trim().replace(/\n/g, "\n  ")}`,
  getDependencyReleaseLine: async () => "",
};
