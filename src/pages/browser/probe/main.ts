// Adds copy buttons and opens all details for print. The page also works without it.

const COPIED_MS = 2_000;

for (const block of document.querySelectorAll<HTMLElement>(".copy")) {
  const code = block.querySelector("pre");
  if (!code) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    getSelection()?.selectAllChildren(code);
    const isCopied = await navigator.clipboard.writeText(code.textContent ?? "").then(
      () => true,
      () => false,
    );
    button.textContent = isCopied ? "Copied" : "Selected";
    setTimeout(() => {
      button.textContent = "Copy";
    }, COPIED_MS);
  });
  block.append(button);
}

let folded: HTMLDetailsElement[] = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll<HTMLDetailsElement>("details:not([open])")];
  for (const one of folded) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of folded) one.open = false;
});

// A link leads to an exchange that is folded.
function unfold(): void {
  const target = document.getElementById(location.hash.slice(1));
  const details = target?.closest("details");
  if (!details || details.open) return;
  details.open = true;
  target?.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();

export {};
