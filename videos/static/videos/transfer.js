// Send one file as any client of the API does: announce it, PUT its bytes, complete.

/** The upload was stopped by the person who started it. */
export class Cancelled extends Error {}

// What some browsers have no type for.
const TYPES = { heic: "image/heic", heif: "image/heif" };

/** One file on its way to the server. */
export class Transfer {
  /**
   * `details` are announced beside the file's name, type and size. `urls` holds the addresses `init`, `complete`, in which `{id}` stands
   * for the new id, and `items`, and the name under which the server gives that id, `key`. `onProgress` is told a share, 0 to 1.
   */
  constructor(file, details, urls, onProgress) {
    this.file = file;
    this.details = details;
    this.urls = urls;
    this.onProgress = onProgress;
    this.abort = new AbortController();
    this.id = null;
  }

  /** Send the file and return the id of what it has become; an Error says in words what went wrong, and leaves nothing behind. */
  async send() {
    try {
      const announced = await this.#post(this.urls.init, {
        filename: this.file.name,
        mime_type: this.file.type || TYPES[this.file.name.split(".").pop().toLowerCase()] || "application/octet-stream",
        size_bytes: this.file.size,
        ...this.details,
      });
      // The announcement itself is never broken off: the server would keep something whose id nobody knows.
      this.id = announced[this.urls.key];
      this.abort.signal.throwIfAborted();
      await this.#put(announced.upload ?? announced);
      await this.#post(this.urls.complete.replace("{id}", this.id), { [this.urls.key]: this.id });
      this.abort.signal.throwIfAborted();
      return this.id;
    } catch (error) {
      await this.#forget();
      throw this.abort.signal.aborted ? new Cancelled("Cancelled") : error;
    }
  }

  cancel() {
    this.abort.abort();
  }

  async #post(url, body) {
    let response;
    try {
      response = await fetch(url, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
        body: JSON.stringify(body),
      });
    } catch {
      throw new Error("The server cannot be reached. Check the connection, then try again.");
    }
    if (!response.ok) throw new Error(problemOf(response.status, await response.text()));
    return response.json();
  }

  #put(upload) {
    return new Promise((resolve, reject) => {
      // fetch() cannot tell how much has been sent.
      const request = new XMLHttpRequest();
      request.open(upload.method, upload.url);
      for (const [name, value] of Object.entries(upload.headers)) request.setRequestHeader(name, value);
      request.upload.addEventListener("progress", (event) => this.onProgress(event.loaded / event.total));
      request.addEventListener("load", () => {
        if (request.status < 300) resolve();
        else reject(new Error(problemOf(request.status, request.responseText)));
      });
      request.addEventListener("error", () => reject(new Error("The connection broke during the upload. Try again.")));
      request.addEventListener("abort", () => reject(new Cancelled("Cancelled")));
      this.abort.signal.addEventListener("abort", () => request.abort());
      request.send(this.file);
    });
  }

  async #forget() {
    if (!this.id) return;
    const headers = { "X-CSRFToken": csrfToken() };
    // If even this fails, the server itself ends the upload when its time is over.
    await fetch(`${this.urls.items}/${this.id}`, { method: "DELETE", credentials: "same-origin", headers }).catch(() => {});
  }
}

function csrfToken() {
  return document.querySelector("[name=csrfmiddlewaretoken]").value;
}

/** Return the API's own words, which are `{"detail": "…"}` or `{"field": ["…"]}`; storage services answer in XML. */
function problemOf(status, text) {
  if (status === 401) return "You are logged out. Reload the page to log in.";
  try {
    const messages = Object.values(JSON.parse(text)).flat();
    if (messages.length) return messages.join(" ");
  } catch {
    // Not JSON: only the status can be told.
  }
  return `The server answered with status ${status}. Try again.`;
}
