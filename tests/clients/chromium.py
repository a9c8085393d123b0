"""A headless Chromium, driven as its developer tools do (Chrome DevTools Protocol, over a pipe)."""

import base64
import json
import os
import subprocess
import tempfile
import time


class Browser:
    """Use it with `with`. What its pages complain of is in `complaints`."""

    def __init__(self, program):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.complaints, self.count, self.buffer = [], 0, b""
        to_read, self.to = os.pipe()
        self.of, to_write = os.pipe()

        def ends():
            # Chromium reads its orders from descriptor 3, and answers on 4.
            os.dup2(to_read, 13), os.dup2(to_write, 14), os.dup2(13, 3), os.dup2(14, 4)

        options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        self.process = subprocess.Popen(
            [program, *options, f"--user-data-dir={self.profile.name}"],
            preexec_fn=ends, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(to_read), os.close(to_write)
        self.session = None
        target = self.order("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.order("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log"]:
            self.order(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.profile.cleanup()

    def order(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def read(self):
        while b"\0" not in self.buffer:
            more = os.read(self.of, 65536)
            if not more:
                raise RuntimeError("Chromium ended")
            self.buffer += more
        message, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(message)
        match message.get("method"):
            case "Page.javascriptDialogOpening":
                # Yes to whatever is asked.
                order = {"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
                os.write(self.to, json.dumps({**order, "sessionId": self.session}).encode() + b"\0")
            case "Runtime.exceptionThrown":
                details = message["params"]["exceptionDetails"]
                self.complaints.append(details.get("exception", {}).get("description") or details["text"])
            case "Log.entryAdded" if message["params"]["entry"]["level"] == "error":
                self.complaints.append(message["params"]["entry"]["text"])
        return message

    def open(self, url):
        self.order("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, script):
        """Returns the value of an expression, which may be a promise."""
        result = self.order("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, script, seconds=20):
        """Waits until an expression is true, and returns its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if value := self.value(script):
                    return value
            except RuntimeError as error:
                # A page that is leaving has no values.
                last = error
            else:
                last = None
            time.sleep(0.05)
        text = self.value("document.body.innerText.slice(0, 2000)")
        raise RuntimeError(f"not within {seconds} s: {script} {last or ''}\n{text}\n{self.complaints}")

    def press(self, key, modifiers=0):
        codes = {"Enter": (13, "\r"), "Tab": (9, "")}
        code, text = codes.get(key, (0, ""))
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.order("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text and not modifiers else {}))
        self.order("Input.dispatchKeyEvent", type="keyUp", **event)

    def size(self, width, height=900):
        self.order("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.order("Page.captureScreenshot")["data"]))
