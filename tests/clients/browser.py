"""Opens a page of ours in a headless Chromium, from another origin than the kTBS, and waits for its `report`: a list of
[what, error or null].

usage: browser.py CHROMIUM CLIENTS PAGE PORT ROOT
"""

import sys

from chromium import Browser
from origin import serve

CHROMIUM, CLIENTS, PAGE, PORT, ROOT = sys.argv[1:]
origin = serve(int(PORT), CLIENTS, PAGE)
with Browser(CHROMIUM) as browser:
    browser.open(f"{origin}/page?{ROOT}")
    report = browser.until("window.reported", 60)
for what, error in report:
    print(f"{'ok    ' if error is None else 'FAILED'} {what}{'' if error is None else ': ' + error}")
sys.exit(any(error is not None for _, error in report) or not report)
