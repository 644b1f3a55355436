// Upload a file with the API: create the upload, PUT the bytes, complete it.

/** The user canceled the upload. */
export class Canceled extends Error {}

// Types that some browsers do not know.
const TYPES = { heic: "image/heic", heif: "image/heif" };

/** The upload of one file. */
export class Upload {
  /**
   * `details` are sent along with the file's name, type and size. `urls` has the URLs `init`, `complete` (in which `{id}` is replaced by
   * the new id) and `items`, and `key`, the name of the id in responses. `onProgress` receives the share that is sent, 0 to 1.
   */
  constructor(file, details, urls, onProgress) {
    this.file = file;
    this.details = details;
    this.urls = urls;
    this.onProgress = onProgress;
    this.abort = new AbortController();
    this.id = null;
  }

  /** Send the file and return the new id. Throw an Error with a message for the user after removing everything from the server. */
  async send() {
    try {
      const created = await this.#post(this.urls.init, {
        filename: this.file.name,
        mime_type: this.file.type || TYPES[this.file.name.split(".").pop().toLowerCase()] || "application/octet-stream",
        size_bytes: this.file.size,
        ...this.details,
      });
      // The first request is never aborted: the server would keep a row whose id is unknown here.
      this.id = created[this.urls.key];
      this.abort.signal.throwIfAborted();
      await this.#put(created.upload ?? created);
      await this.#post(this.urls.complete.replace("{id}", this.id), { [this.urls.key]: this.id });
      this.abort.signal.throwIfAborted();
      return this.id;
    } catch (error) {
      await this.#discard();
      throw this.abort.signal.aborted ? new Canceled("Canceled") : error;
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
    if (!response.ok) throw new Error(errorMessage(response.status, await response.text()));
    return response.json();
  }

  #put(upload) {
    return new Promise((resolve, reject) => {
      // fetch() does not report the progress of an upload.
      const request = new XMLHttpRequest();
      request.open(upload.method, upload.url);
      for (const [name, value] of Object.entries(upload.headers)) request.setRequestHeader(name, value);
      request.upload.addEventListener("progress", (event) => this.onProgress(event.loaded / event.total));
      request.addEventListener("load", () => {
        if (request.status < 300) resolve();
        else reject(new Error(errorMessage(request.status, request.responseText)));
      });
      request.addEventListener("error", () => reject(new Error("The connection was lost during the upload. Try again.")));
      request.addEventListener("abort", () => reject(new Canceled("Canceled")));
      this.abort.signal.addEventListener("abort", () => request.abort());
      request.send(this.file);
    });
  }

  async #discard() {
    if (!this.id) return;
    const headers = { "X-CSRFToken": csrfToken() };
    // If this fails too, the server removes the upload when it expires.
    await fetch(`${this.urls.items}/${this.id}`, { method: "DELETE", credentials: "same-origin", headers }).catch(() => {});
  }
}

function csrfToken() {
  return document.querySelector("[name=csrfmiddlewaretoken]").value;
}

/** Return the API's own message from `{"detail": "…"}` or `{"field": ["…"]}`. Storage services answer with XML. */
function errorMessage(status, text) {
  if (status === 401) return "You are logged out. Reload the page to log in.";
  try {
    const messages = Object.values(JSON.parse(text)).flat();
    if (messages.length) return messages.join(" ");
  } catch {
    // Not JSON: only the status is known.
  }
  return `The server answered with status ${status}. Try again.`;
}
