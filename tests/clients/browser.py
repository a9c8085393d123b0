"""Opens a page in a headless Chromium, from another origin than the kTBS, and waits for what it reports.

The page is served with the clients beside it (/clients/...), and posts its report, a JSON list of [what, error or null], to
/report.

usage: browser.py CHROMIUM CLIENTS PAGE PORT ROOT
"""

import json
import subprocess
import sys
import tempfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHROMIUM, CLIENTS, PAGE, PORT, ROOT = sys.argv[1:]
REPORTED = threading.Event()
REPORT = []


class Handler(SimpleHTTPRequestHandler):
    def translate_path(self, path):
        path = path.split("?")[0]
        if path.startswith("/clients/"):
            return super().translate_path(path.removeprefix("/clients"))
        return str(Path(PAGE).resolve()) if path == "/page" else "/nowhere"

    def guess_type(self, path):
        return "text/html" if path.endswith(".html") else super().guess_type(path)

    def do_POST(self):
        REPORT.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()
        REPORTED.set()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("localhost", int(PORT)), lambda *args: Handler(*args, directory=CLIENTS))
threading.Thread(target=server.serve_forever, daemon=True).start()
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    address = f"http://localhost:{PORT}/page?{ROOT}"
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--remote-debugging-port=0"]
    browser = subprocess.Popen([CHROMIUM, *options, address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    came = REPORTED.wait(60)
    browser.terminate()
    browser.wait(10)
if not came:
    sys.exit("the page reported nothing within a minute")
for what, error in REPORT:
    print(f"{'ok    ' if error is None else 'FAILED'} {what}{'' if error is None else ': ' + error}")
sys.exit(any(error is not None for _, error in REPORT) or not REPORT)
