"""The pages of the kTBS in a headless Chromium: what they show, and what their form sends.

usage: pages.py CHROMIUM ROOT [FOLDER for screenshots]
"""

import sys
import time

from chromium import Browser

CHROMIUM, ROOT, *SHOTS = sys.argv[1:]
BASE = f"pages-{int(time.time())}"
CONTROL = 2


def choose(browser, action):
    """Chooses what the form does."""
    found = browser.value(f"""(() => {{
        const list = document.querySelector('[name=action]');
        const option = [...list.options].find(it => it.text === {action!r});
        if (!option) return [...list.options].map(it => it.text).join();
        list.focus();
        option.selected = true;
        list.dispatchEvent(new Event('change'));
        return '';
    }})()""")
    if found:
        raise RuntimeError(f"the page only offers {found}")


def fill(browser, old, new):
    """Edits the payload, once it holds `old`."""
    browser.until(f"document.querySelector('textarea').value.includes({old!r})")
    browser.value(f"""(() => {{
        const field = document.querySelector('textarea');
        field.value = field.value.replaceAll({old!r}, {new!r});
        field.focus();
    }})()""")


def send(browser, status):
    browser.press("Enter", CONTROL)
    return browser.until(f"(t => t.startsWith('{status} ') && t)(document.getElementById('answer').innerText)")


def follow(browser, text, expected):
    """Follows a link of the answer, or pushes a button."""
    browser.value(f"[...document.querySelectorAll('#answer a, #answer button')].find(a => a.innerText.includes({text!r})).click()")
    browser.until(f"location.pathname.endsWith({expected!r}) && document.readyState === 'complete'")


def step(what, f):
    global failed
    try:
        f()
        print(f"ok     {what}")
    except Exception as error:
        failed = True
        print(f"FAILED {what}: {error}")


def look(browser, name):
    for width in [1100, 390]:
        browser.size(width)
        scrolls = browser.value("document.documentElement.scrollWidth - innerWidth")
        if scrolls > 0:
            raise RuntimeError(f"{name} is {scrolls} pixels wider than a window of {width}")
        if SHOTS:
            browser.screenshot(f"{SHOTS[0]}/{name}-{width}.png")
    browser.size(1100)


failed = False
with Browser(CHROMIUM) as browser:
    def create():
        browser.open(ROOT)
        look(browser, "root")
        choose(browser, "Add a base")
        fill(browser, "base1", BASE)
        send(browser, 201)
        follow(browser, BASE, f"{BASE}/")
        for what, name in [("model", "model1"), ("stored trace", "trace1/"), ("computed trace", "computed1/"),
                           ("method", "method1"), ("data graph", "data1"), ("base", "base1/")]:
            browser.open(f"{ROOT}{BASE}/")
            choose(browser, f"Add a {'trace ' if what == 'model' else ''}{what}")
            browser.until("document.querySelector('textarea').value.includes('@id')")
            look(browser, "form")
            send(browser, 201)
            follow(browser, name, name)
        browser.open(f"{ROOT}{BASE}/trace1/")
        choose(browser, "Add obsels")
        # Whatever it is, it is only text.
        fill(browser, "alice", "</script><script>document.title='broken'</script><b>é</b>")
        send(browser, 201)

    def edit():
        browser.open(f"{ROOT}{BASE}/trace1/")
        choose(browser, "Edit")
        fill(browser, '"StoredTrace",', '"StoredTrace", "label": "<b>Été</b>",')
        send(browser, 200)
        # The next edition starts from what the first one left.
        fill(browser, "Été", "Summer")
        send(browser, 200)
        follow(browser, "Show", "/trace1/")
        browser.until("document.body.innerText.includes('<b>Summer</b>')")

    def stale():
        browser.open(f"{ROOT}{BASE}/model1")
        choose(browser, "Edit")
        fill(browser, '"TraceModel",', '"TraceModel", "label": "lost",')
        browser.value(f"""fetch('{ROOT}{BASE}/', {{method: 'POST', headers: {{'Content-Type': 'application/json'}},
            body: '{{"@graph": [{{"@id": "m2", "@type": "TraceModel", "hasParentModel": ["model1"]}}]}}'}})""")
        browser.value(f"""fetch('{ROOT}{BASE}/model1.ttl', {{method: 'PUT', headers: {{'Content-Type': 'text/turtle'}},
            body: '@prefix k: <http://liris.cnrs.fr/silex/2009/ktbs#> . <./> k:contains <> . <> a k:TraceModel .'}})""")
        send(browser, 412)

    def read():
        for path, expected, name in [
            ("", "kTBS", "root"), (f"{BASE}/", "computed1/", "base"), (f"{BASE}/model1", "TraceModel", "model"),
            (f"{BASE}/method1", "hasParentMethod", "method"), (f"{BASE}/trace1/", "hasOrigin", "trace"),
            (f"{BASE}/trace1/@obsels", "m:Click", "obsels"), (f"{BASE}/trace1/@stats", "obselCount", "stats"),
            (f"{BASE}/computed1/", "hasSource", "computed"), (f"{BASE}/data1", "DataGraph", "data"),
        ]:
            browser.open(ROOT + path)
            browser.until(f"document.body.innerText.includes({expected!r})")
            if browser.value("document.title") == "broken" or browser.value("document.querySelector('dd b')"):
                raise RuntimeError("what a client sent is markup of the page")
            look(browser, name)
        browser.open(f"{ROOT}{BASE}/trace1/@obsels")
        browser.value("[...document.querySelectorAll('h3 a')].find(a => a.innerText.startsWith('o-')).click()")
        browser.until("document.querySelector('h1').innerText.startsWith('o-') && document.readyState === 'complete'")
        look(browser, "obsel")

    def delete():
        for path in ["computed1/", "trace1/", "model1", "m2", "method1", "data1", "base1/", ""]:
            browser.open(f"{ROOT}{BASE}/{path}")
            choose(browser, "Delete")
            browser.value("document.querySelector('form button').focus()")
            browser.press("Enter")
            browser.until("document.getElementById('answer').innerText.startsWith('204 ')")
        follow(browser, "contained", ROOT.split("/", 3)[3])

    for what, f in [("all is created from pages", create), ("a trace is edited, twice", edit), ("all pages are readable", read),
                    ("what another has changed is not overwritten", stale), ("all is deleted from pages", delete)]:
        step(what, f)

    def complaints():
        # A refused PUT is told there too.
        others = [it for it in browser.complaints if "412" not in it]
        if others:
            raise RuntimeError("; ".join(others))

    step("no page broke a rule of its policy", complaints)
sys.exit(failed)
