"""Another origin than that of the kTBS: the folder of the clients at /clients/, and a page of ours at /page."""

import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def serve(port, clients, page=None, replaced=()):
    """Serves from a thread of its own; `replaced`, pairs of old and new, is replaced in the samples of clients."""

    class Handler(SimpleHTTPRequestHandler):
        def translate_path(self, path):
            path = path.split("?")[0]
            if path.startswith("/clients/"):
                return super().translate_path(path.removeprefix("/clients"))
            return str(Path(page).resolve()) if page and path == "/page" else "/nowhere"

        def do_GET(self):
            if "/sample_" not in self.path:
                return super().do_GET()
            text = Path(self.translate_path(self.path)).read_text()
            for old, new in replaced:
                text = text.replace(old, new)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def guess_type(self, path):
            return "text/html" if path.endswith(".html") else super().guess_type(path)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("localhost", port), lambda *args: Handler(*args, directory=clients))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://localhost:{port}"
