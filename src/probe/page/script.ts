/** The script of the page: it adds copy buttons and opens all details for print. The page also works without it. */
export const PROBE_PAGE_SCRIPT: string = `
"use strict";
(() => {
  for (const block of document.querySelectorAll(".copy")) {
    const code = block.querySelector("pre");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      getSelection().selectAllChildren(code);
      let isCopied = true;
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        isCopied = false;
      }
      button.textContent = isCopied ? "Copied" : "Selected";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    block.append(button);
  }
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
})();
`;
