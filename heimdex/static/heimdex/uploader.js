// The uploader: send the chosen or dropped files one after the other, and refresh the part of the page that shows them.
import { announce, refresh } from "./live_region.js";
import { Canceled, Upload } from "./upload_client.js";

const uploader = document.querySelector("[data-uploader]");
const drop = uploader.querySelector("[data-drop]");
const chooser = uploader.querySelector("input[type=file]");
const language = uploader.querySelector("[data-language]");
const list = uploader.querySelector("[data-uploads]");
const template = uploader.querySelector("[data-upload-row]");
const { initUrl: init, completeUrl: complete, itemsUrl: items, idKey: key, refreshes, pageUrl } = uploader.dataset;
const urls = { init, complete, items, key };
const maxBytes = Number(uploader.dataset.maxBytes);

const waiting = [];
let sending = false;

function formatSize(bytes) {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  const power = bytes ? Math.min(Math.floor(Math.log(bytes) / Math.log(1024)), 4) : 0;
  return `${(bytes / 1024 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

function add(file) {
  const row = template.content.firstElementChild.cloneNode(true);
  const entry = { file, details: language ? { language: language.value } : {}, row, upload: null };
  row.querySelector("[data-name]").textContent = file.name;
  row.querySelector("[data-size]").textContent = formatSize(file.size);
  row.querySelector("progress").setAttribute("aria-label", `Upload of ${file.name}`);
  row.querySelector("[data-cancel]").setAttribute("aria-label", `Cancel the upload of ${file.name}`);
  row.querySelector("[data-retry]").setAttribute("aria-label", `Retry the upload of ${file.name}`);
  row.querySelector("[data-cancel]").addEventListener("click", () => cancel(entry));
  row.querySelector("[data-retry]").addEventListener("click", () => enqueue(entry));
  list.append(row);
  enqueue(entry);
}

function enqueue(entry) {
  if (entry.file.size > maxBytes) {
    end(entry, `This file is ${formatSize(entry.file.size)}. The limit is ${formatSize(maxBytes)}.`, { problem: true });
    return;
  }
  showState(entry, "Waiting for other uploads");
  entry.row.querySelector("progress").hidden = false;
  entry.row.querySelector("progress").value = 0;
  entry.row.querySelector("[data-cancel]").hidden = false;
  entry.row.querySelector("[data-retry]").hidden = true;
  waiting.push(entry);
  sendNext();
}

function cancel(entry) {
  if (entry.upload) {
    entry.upload.cancel();
    showState(entry, "Canceling");
  } else {
    waiting.splice(waiting.indexOf(entry), 1);
    end(entry, "Canceled", { retry: true });
  }
}

async function sendNext() {
  if (sending || !waiting.length) return;
  sending = true;
  const entry = waiting.shift();
  entry.upload = new Upload(entry.file, entry.details, urls, (share) => progress(entry, share));
  showState(entry, "Starting");
  try {
    const id = await entry.upload.send();
    finish(entry, id);
    await refresh(refreshes);
  } catch (error) {
    const isCanceled = error instanceof Canceled;
    end(entry, error.message, { problem: !isCanceled, retry: true });
  } finally {
    entry.upload = null;
    sending = false;
    sendNext();
  }
}

function progress(entry, share) {
  entry.row.querySelector("progress").value = 100 * share;
  showState(entry, share < 1 ? `${Math.floor(100 * share)} % sent` : "Sent. Finishing…");
}

function finish(entry, id) {
  end(entry, "Uploaded. ", {});
  // An item without a page of its own appears on this page.
  if (!pageUrl) return entry.row.remove();
  const link = document.createElement("a");
  link.href = pageUrl.replace("{id}", id);
  link.textContent = `Open ${entry.file.name}`;
  entry.row.querySelector("[data-state]").append(link);
}

function showState(entry, text) {
  entry.row.querySelector("[data-state]").textContent = text;
  entry.row.querySelector("[data-state]").classList.remove("problem");
}

function end(entry, text, { problem = false, retry = false }) {
  showState(entry, text);
  entry.row.querySelector("[data-state]").classList.toggle("problem", problem);
  entry.row.querySelector("progress").hidden = true;
  entry.row.querySelector("[data-cancel]").hidden = true;
  entry.row.querySelector("[data-retry]").hidden = !retry;
  announce(`${entry.file.name}: ${text}`);
}

chooser.addEventListener("change", () => {
  [...chooser.files].forEach(add);
  // Allow choosing the same file again.
  chooser.value = "";
});
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  [...event.dataTransfer.files].forEach(add);
});
window.addEventListener("beforeunload", (event) => {
  if (sending) event.preventDefault();
});
drop.hidden = false;
