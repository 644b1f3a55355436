"""A proxy before OpenSearch that holds the answer to the first request of some kind until its client has been killed."""

import http.client
import http.server
import threading
from urllib.parse import urlsplit


class HoldingProxy:
    """Forwards requests. The first one whose path contains `held` arrives at the server, but its answer waits until `release`."""

    def __init__(self, url: str, held: str) -> None:
        self.has_arrived = threading.Event()
        self._released = threading.Event()
        proxy, target = self, urlsplit(url)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server = http.client.HTTPConnection(str(target.hostname), target.port, timeout=60)
                server.request(self.command, self.path, body, {"Content-Type": self.headers.get("Content-Type", "application/json")})
                answer = server.getresponse()
                content = answer.read()
                server.close()
                if held in self.path and not proxy.has_arrived.is_set():
                    proxy.has_arrived.set()
                    proxy._released.wait(60)
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"] or "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *args: None  # type: ignore[method-assign]  # Its client was killed.
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def release(self) -> None:
        """Let the answer go, and stop."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
