// Sends requests about this resource, to the server that gave the page. The parameters of the page are left out: a slice
// that was put back would replace the whole.
const form = document.getElementById("request"), answer = document.getElementById("answer");
const { action, type, body } = form.elements;
const here = new URL(document.body.dataset.uri).pathname;
// The state that a PUT replaces: what the page shows, or what was read or written last.
let tag = document.body.dataset.tag;
// What the page wrote in the field: what was typed there is never overwritten.
let written = "";

const send = async method => {
  const headers = method === "GET" || method === "PUT" ? { Accept: type.value } : {};
  const payload = method === "PUT" || method === "POST" ? body.value : undefined;
  if (payload !== undefined) headers["Content-Type"] = type.value;
  if (method === "PUT" && tag) headers["If-Match"] = `"${type.value}/${tag}"`;
  const reply = await fetch(here, { method, headers, body: payload, cache: "no-store" });
  const text = await reply.text();
  if (reply.ok) tag = /\/([0-9a-z]+)[^/]*"$/.exec(reply.headers.get("ETag") || "")?.[1] ?? tag;
  return { reply, text };
};
const element = (name, text, more) => Object.assign(document.createElement(name), { textContent: text }, more);
const link = (href, text) => element("a", text, { href });
const tell = (reply, text, ...links) => {
  const status = element("p", `${reply.status} ${reply.statusText} `, { className: reply.ok ? "done" : "refused" });
  status.append(...links);
  answer.replaceChildren(status, ...(text ? [element("pre", text)] : []));
};
const choose = async () => {
  const { template } = action.selectedOptions[0].dataset;
  body.hidden = action.value !== "PUT" && action.value !== "POST";
  if (body.value !== written) return;
  if (template) type.value = "application/json";
  body.value = written = template ?? "";
  if (action.value !== "PUT") return;
  const { reply, text } = await send("GET");
  if (!reply.ok) tell(reply, text);
  else if (body.value === written) body.value = written = text;
};
const act = async () => {
  const method = action.value;
  if (method === "DELETE" && !confirm(`Delete ${here}?`)) return;
  answer.replaceChildren();
  const { reply, text } = await send(method);
  if (!reply.ok || method === "GET") return tell(reply, text);
  written = body.value;
  // A link would be followed to what the browser has kept.
  const anew = element("button", "Show it anew", { onclick: () => location.reload() });
  const created = text.split("\r\n").filter(uri => uri);
  if (method === "POST") tell(reply, "", ...created.slice(0, 20).flatMap(uri => [link(new URL(uri).pathname, uri), " "]));
  else if (method === "PUT") tell(reply, "", anew);
  else tell(reply, "", link(new URL(here.endsWith("/") ? ".." : ".", location.origin + here).href, "What contained it"));
};
const failed = error => tell({ status: "", statusText: "No answer" }, String(error));
action.onchange = () => choose().catch(failed);
type.onchange = () => action.value === "PUT" && choose().catch(failed);
form.onsubmit = event => { event.preventDefault(); act().catch(failed); };
form.onkeydown = event => { if (event.key === "Enter" && event.ctrlKey) form.requestSubmit(); };
choose().catch(failed);
