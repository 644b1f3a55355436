"""A deliberately slow server with OpenAI's embeddings protocol: `python -m bench.embedding_server LATENCY_S DIMENSIONS`.

It answers a GET with the number of calls and of texts that it has received.
"""

import base64
import json
import sys
import time
import zlib
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def serve(latency_s: float, dimensions: int) -> None:
    """Print the port, and serve until the process ends."""
    import numpy as np

    noise = np.random.default_rng(0).normal(size=(256, dimensions)).astype(np.float32)
    encoded = [base64.b64encode(row.tobytes()).decode() for row in noise]

    sent: deque[int] = deque()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            texts = request["input"]
            sent.append(len(texts))
            time.sleep(latency_s)
            data = [{"object": "embedding", "index": place, "embedding": encoded[_choose_vector(text)]} for place, text in enumerate(texts)]
            usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
            body = json.dumps({"object": "list", "model": request["model"], "data": data, "usage": usage}).encode()
            self._answer(body)

        def do_GET(self) -> None:
            sizes = list(sent)
            self._answer(json.dumps({"calls": len(sizes), "texts": sum(sizes)}).encode())

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Ignore the errors of killed clients, because some benchmarks kill them."""

    with Server(("127.0.0.1", 0), Handler) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


def _choose_vector(text: str) -> int:
    return zlib.crc32(text.encode()) % 256


if __name__ == "__main__":
    serve(float(sys.argv[1]), int(sys.argv[2]))
