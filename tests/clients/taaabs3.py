"""The samples of ktbs-api and the GUI of taaabs3, from another origin than the kTBS, in a headless Chromium.

usage: taaabs3.py CHROMIUM CLIENTS PORT ROOT [USER PASSWORD]
"""

import base64
import json
import sys
import time
import urllib.error
import urllib.request

from chromium import Browser
from origin import serve

CHROMIUM, CLIENTS, PORT, ROOT, *WHO = sys.argv[1:]
# The samples name a kTBS of nobody's, and one is older than its library, which wants to know the model of each element.
REPLACED = [
    ("http://mydomain.com/ktbs/", ROOT),
    ("newModel.obsel_types.push(", "newObselType.parent_model = newAttributeType.parent_model = newModel;newModel.obsel_types.push("),
]
origin = serve(int(PORT), CLIENTS, replaced=REPLACED)
FOLDER = f"{origin}/clients/taaabs3"
# The GUI is made of elements whose content is hidden from document.querySelector.
DEEP = """
    window.deep = (selector, node = document) => [...node.querySelectorAll('*')].flatMap(it =>
        [...(it.matches(selector) ? [it] : []), ...(it.shadowRoot ? deep(selector, it.shadowRoot) : [])]);
    window.words = (node = document.body) => [...node.childNodes].map(it =>
        it.nodeType === 3 ? it.data : ['STYLE', 'SCRIPT'].includes(it.nodeName) ? '' :
        words(it.shadowRoot || it) + (it.shadowRoot ? words(it) : '')).join(' ');
"""
failed = False


def read(path):
    """Returns a document of the kTBS, or None where there is none."""
    headers = {"Accept": "application/json"}
    if WHO:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(WHO).encode()).decode()
    try:
        with urllib.request.urlopen(urllib.request.Request(ROOT + path, headers=headers)) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def wait(what, seconds=30):
    end = time.monotonic() + seconds
    while not (found := what()):
        browser.value("0")  # Reads what the page complains of meanwhile.
        if time.monotonic() > end:
            raise RuntimeError(f"not within {seconds} s; the page complains: {browser.complaints}")
        time.sleep(0.2)
    return found


def step(what, f):
    global failed
    if failed:
        return
    try:
        f()
        print(f"ok     {what}")
    except Exception as error:
        failed = True
        print(f"FAILED {what}: {error}")


def sample(name, done):
    browser.open(f"{FOLDER}/ktbs-api/sample_{name}.html")
    wait(done)


def count():
    return len((read("test-base/test-stored-trace/@obsels") or {"obsels": []})["obsels"])


def created():
    base = read("test-base/") or {}
    kinds = {item["@type"] for item in base.get("contains", [])}
    return count() == 101 and {"TraceModel", "StoredTrace", "Method", "ComputedTrace"} <= kinds


def renamed():
    base = read("test-base/?prop=label")
    labels = [base["label"], *(item.get("label", "") for item in base["contains"])]
    return all(label.endswith("renamed") for label in labels)


def show(kind, path):
    browser.open("about:blank#")
    browser.order("Page.navigate", url=f"{FOLDER}/index.html#type={kind}&uri={ROOT}{path}")
    browser.until("window.deep && deep('#container').length")


def says(text):
    return browser.until(f"words().includes({text!r})")


def logged_in():
    """Logs in where the GUI asks, as it does after a 401 that it can read."""
    show("Base", "test-base/")
    if not WHO:
        return
    browser.until("deep('input[type=password]').some(it => it.offsetParent)")
    for selector, text in [("input[type=text]", WHO[0]), ("input[type=password]", WHO[1])]:
        browser.value(f"""(it => {{ it.value = {text!r}; it.dispatchEvent(new Event('input', {{bubbles: true}}));
            it.dispatchEvent(new Event('keyup')); it.dispatchEvent(new Event('change')); }})(
            deep('#authentication-form {selector}').find(it => it.offsetParent))""")
    browser.value("deep('#validate-authentication').find(it => it.offsetParent).click()")
    says("Tests Base")


def explored():
    show("Ktbs", "")
    says("Tests Base")
    show("Base", "test-base/")
    for text in ["Test model", "Test stored trace", "renamed"]:
        says(text)
    show("Model", "test-base/test-model")
    says("Simple obsel")
    show("StoredTrace", "test-base/test-stored-trace/")
    says("Test stored trace")
    browser.until("deep('ktbs4la2-trace-stats').some(it => words(it.shadowRoot).includes('101'))")
    show("ComputedTrace", "test-base/" + next(
        item["@id"] for item in read("test-base/")["contains"] if item["@type"] == "ComputedTrace"))
    says("renamed")


def edited():
    show("Base", "test-base/")
    says("Test stored trace - renamed")
    time.sleep(1)  # The form takes its content when it is ready, which nothing tells.
    browser.value("deep('#tool-edit').find(it => it.offsetParent).click()")
    browser.until("deep('#edit-label-input').length")
    field = "deep('#text-input').find(it => it.offsetParent && it.value.includes('renamed'))"
    browser.until(f"!!{field}")
    browser.value(f"""(it => {{ it.value = 'From the GUI'; for (const event of ['input', 'change', 'keyup'])
        it.dispatchEvent(new Event(event, {{bubbles: true, composed: true}})); }})({field})""")
    browser.value("deep('#tool-save-modifications').find(it => it.offsetParent).click()")
    wait(lambda: "From the GUI" in json.dumps(read("test-base/")))


def added_and_removed():
    show("Base", "test-base/")
    says("Test stored trace - renamed")
    browser.until("deep('#add-base-button').some(it => it.offsetParent)")
    browser.value("deep('#add-base-button').find(it => it.offsetParent).click()")
    browser.until("deep('ktbs4la2-create-resource-form').length && deep('#id-input').length")
    browser.value("""(it => { it.value = 'gui'; for (const event of ['input', 'change', 'keyup'])
        it.dispatchEvent(new Event(event, {bubbles: true, composed: true})); })(
        deep('#id-input')[0])""")
    ok = "deep('ktbs4la2-create-resource-form')[0].shadowRoot.querySelector('#ok')"
    browser.until(f"!{ok}.disabled")
    browser.value(f"{ok}.click()")
    wait(lambda: read("test-base/gui/"))
    remove("Base", "test-base/gui/")


def remove(kind, path):
    show(kind, path)

    def gone():
        # Nothing tells when the tool is ready.
        browser.value("deep('#tool-remove').filter(it => it.offsetParent).forEach(it => it.click())")
        time.sleep(1)
        return not read(path)

    wait(gone)


def removed():
    # The sample that deletes all does not work with its own library, which wants to have read what it deletes.
    kinds = {"TraceModel": "Model"}
    items = {item["@id"]: item["@type"] for item in read("test-base/")["contains"]}
    for kind in ["ComputedTrace", "Method", "StoredTrace", "TraceModel"]:
        for name in [name for name in items if items[name] == kind]:
            remove(kinds.get(kind, kind), f"test-base/{name}")
    fresh()
    log_in()
    remove("Base", "test-base/")


def fresh():
    """Begins as a browser that knows nothing: the library answers from its own cache, whatever the server has since."""
    global browser
    if browser:
        browser.__exit__()
    browser = Browser(CHROMIUM)
    browser.order("Page.addScriptToEvaluateOnNewDocument", source=DEEP)
    browser.open(f"{FOLDER}/manifest.json")
    roots = json.dumps([{"uri": ROOT, "label": "ours"}])
    browser.value(f"localStorage.setItem('ktbs-roots', {roots!r})")


def log_in():
    if WHO:
        credentials = json.dumps([{"uri": ROOT, "id": WHO[0], "password": WHO[1]}])
        browser.value(f"sessionStorage.setItem('credentials', {credentials!r})")


browser = None
for name, done in [("create", created), ("read", lambda: True), ("update", renamed)]:
    fresh()
    log_in()
    step(f"sample_{name}", lambda: sample(name, done))
fresh()
step("the GUI shows a base, and asks for a password where one is needed", logged_in)
log_in()
step("the GUI shows a root, a base, a model, traces, their obsels and statistics", explored)
fresh()
log_in()
step("the GUI renames a base", edited)
step("the GUI creates a base and deletes it", added_and_removed)
fresh()
log_in()
step("the GUI deletes all", removed)
browser.__exit__()
sys.exit(failed)
