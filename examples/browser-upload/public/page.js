import { upload } from "/express-expectations/browser.js";

const element = (id) => document.getElementById(id);
const files = element("files");
const drop = element("drop");

/** What the page says in place of the server, whose reasons are for developers. */
const REASONS = {
  401: "The token is missing or wrong.",
  412: "A file of this name is stored already.",
  415: "Only images, videos and PDFs are taken.",
  429: "You have uploaded as much as you may for now.",
};

files.addEventListener("change", () => {
  for (const file of files.files) void take(file);
  // So that the same file can be chosen again.
  files.value = "";
});

for (const type of ["dragenter", "dragover"]) {
  drop.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  for (const file of event.dataTransfer.files) void take(file);
});

async function take(file) {
  const row = addRow(file);
  const abort = new AbortController();
  row.onCancel(() => abort.abort());
  try {
    const result = await upload(`/files/${encodeURIComponent(file.name)}`, file, {
      headers: { Authorization: `Bearer ${element("token").value}`, "If-None-Match": "*" },
      signal: abort.signal,
      onProgress: row.progress,
    });
    if (result.ok) row.end("stored", "Stored");
    else row.end("refused", reasonOf(result));
  } catch (error) {
    row.end("refused", abort.signal.aborted ? "Cancelled" : `The upload failed: ${error.message}.`);
  }
}

function reasonOf({ status, maxSize, reason }) {
  if (maxSize !== undefined) return `Larger than ${inUnits(maxSize)}.`;
  return REASONS[status] ?? `${reason}.`;
}

function addRow(file) {
  element("section").hidden = false;
  const item = element("row").content.cloneNode(true).firstElementChild;
  const find = (selector) => item.querySelector(selector);
  find(".name").textContent = file.name;
  find(".size").textContent = inUnits(file.size);
  find(".message").textContent = "Asking …";
  find(".cancel").setAttribute("aria-label", `Cancel ${file.name}`);
  const bar = find("progress");
  bar.setAttribute("aria-label", `${file.name}, sent`);
  element("list").prepend(item);
  return {
    onCancel: (listener) => find(".cancel").addEventListener("click", listener),
    progress(sent, total) {
      bar.value = total === 0 ? 1 : sent / total;
      find(".message").textContent = `${inUnits(sent)} of ${inUnits(total)}`;
    },
    end(state, message) {
      item.className = state;
      find(".message").textContent = message;
      const hadFocus = item.contains(document.activeElement);
      bar.remove();
      find(".cancel").remove();
      if (hadFocus) files.focus();
      // One announcement for each file. Its progress would interrupt the reader all the time.
      element("status").textContent = `${file.name}: ${state === "stored" ? "" : "not stored. "}${message}`;
    },
  };
}

function inUnits(bytes) {
  const units = ["bytes", "KB", "MB", "GB"];
  const power = Math.min(3, bytes < 1024 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${units[power]}`;
}
