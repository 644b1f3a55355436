// The uploader of a page: files chosen or dropped are sent one after the other, and the part of the page that shows them is renewed.
import { announce, renew } from "./live.js";
import { Cancelled, Transfer } from "./transfer.js";

const uploader = document.querySelector("[data-uploader]");
const drop = uploader.querySelector("[data-drop]");
const chooser = uploader.querySelector("input[type=file]");
const language = uploader.querySelector("[data-language]");
const list = uploader.querySelector("[data-uploads]");
const template = uploader.querySelector("[data-upload-row]");
const { initUrl: init, completeUrl: complete, itemsUrl: items, idKey: key, renews, pageUrl } = uploader.dataset;
const urls = { init, complete, items, key };
const maxBytes = Number(uploader.dataset.maxBytes);

const waiting = [];
let sending = false;

function sizeOf(bytes) {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  const power = bytes ? Math.min(Math.floor(Math.log(bytes) / Math.log(1024)), 4) : 0;
  return `${(bytes / 1024 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

function add(file) {
  const row = template.content.firstElementChild.cloneNode(true);
  const entry = { file, details: language ? { language: language.value } : {}, row, transfer: null };
  row.querySelector("[data-name]").textContent = file.name;
  row.querySelector("[data-size]").textContent = sizeOf(file.size);
  row.querySelector("progress").setAttribute("aria-label", `Upload of ${file.name}`);
  row.querySelector("[data-cancel]").setAttribute("aria-label", `Cancel the upload of ${file.name}`);
  row.querySelector("[data-again]").setAttribute("aria-label", `Try the upload of ${file.name} again`);
  row.querySelector("[data-cancel]").addEventListener("click", () => cancel(entry));
  row.querySelector("[data-again]").addEventListener("click", () => enqueue(entry));
  list.append(row);
  enqueue(entry);
}

function enqueue(entry) {
  if (entry.file.size > maxBytes) {
    end(entry, `This file has ${sizeOf(entry.file.size)}; at most ${sizeOf(maxBytes)} are taken.`, { problem: true });
    return;
  }
  say(entry, "Waiting for its turn");
  entry.row.querySelector("progress").hidden = false;
  entry.row.querySelector("progress").value = 0;
  entry.row.querySelector("[data-cancel]").hidden = false;
  entry.row.querySelector("[data-again]").hidden = true;
  waiting.push(entry);
  sendNext();
}

function cancel(entry) {
  if (entry.transfer) {
    entry.transfer.cancel();
    say(entry, "Cancelling");
  } else {
    waiting.splice(waiting.indexOf(entry), 1);
    end(entry, "Cancelled", { again: true });
  }
}

async function sendNext() {
  if (sending || !waiting.length) return;
  sending = true;
  const entry = waiting.shift();
  entry.transfer = new Transfer(entry.file, entry.details, urls, (share) => progress(entry, share));
  say(entry, "Starting");
  try {
    const id = await entry.transfer.send();
    arrived(entry, id);
    await renew(renews);
  } catch (error) {
    const cancelled = error instanceof Cancelled;
    end(entry, error.message, { problem: !cancelled, again: true });
  } finally {
    entry.transfer = null;
    sending = false;
    sendNext();
  }
}

function progress(entry, share) {
  entry.row.querySelector("progress").value = 100 * share;
  say(entry, share < 1 ? `${Math.floor(100 * share)} % sent` : "Sent; the server is taking it in");
}

function arrived(entry, id) {
  end(entry, "Uploaded. ", {});
  // What has no page of its own appears on this one.
  if (!pageUrl) return entry.row.remove();
  const link = document.createElement("a");
  link.href = pageUrl.replace("{id}", id);
  link.textContent = `Open ${entry.file.name}`;
  entry.row.querySelector("[data-state]").append(link);
}

function say(entry, text) {
  entry.row.querySelector("[data-state]").textContent = text;
  entry.row.querySelector("[data-state]").classList.remove("problem");
}

function end(entry, text, { problem = false, again = false }) {
  say(entry, text);
  entry.row.querySelector("[data-state]").classList.toggle("problem", problem);
  entry.row.querySelector("progress").hidden = true;
  entry.row.querySelector("[data-cancel]").hidden = true;
  entry.row.querySelector("[data-again]").hidden = !again;
  announce(`${entry.file.name}: ${text}`);
}

chooser.addEventListener("change", () => {
  [...chooser.files].forEach(add);
  // The same file can then be chosen again.
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
