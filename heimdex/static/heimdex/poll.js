// Poll the server for the state of what is in progress on this page.

const POLL_MS = 2000;

/** Call `poll` with all elements that have data-poll, every two seconds while the page is visible. */
export function startPolling(poll) {
  async function tick() {
    const elements = [...document.querySelectorAll("[data-poll]")];
    if (!document.hidden && elements.length) {
      // If a request fails, the next poll tries again.
      await poll(elements).catch(() => {});
    }
    setTimeout(tick, POLL_MS);
  }
  setTimeout(tick, POLL_MS);
}

/** Return why polling ends after this response, or an empty string. `subject` is what is polled, such as "person". */
export function getEndReason(response, subject) {
  if (response.status === 401 || response.status === 403) return "You are logged out. Reload the page to log in.";
  return response.status === 404 ? `This ${subject} was deleted.` : "";
}
