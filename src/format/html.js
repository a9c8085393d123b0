// Sends requests about this resource, with the etag of what was read last. The parameters of the page are left out: a
// slice that was put back would replace the whole.
const form = document.getElementById("request"), answer = document.getElementById("answer");
const url = document.body.dataset.uri, etags = {};
const send = async (method, type, body) => {
  const headers = method === "GET" ? { Accept: type } : body ? { "Content-Type": type } : {};
  if (method === "PUT" && etags[type]) headers["If-Match"] = etags[type];
  const reply = await fetch(url, { method, headers, body: body || undefined });
  const text = await reply.text(), etag = reply.headers.get("ETag");
  if (etag) etags[(reply.headers.get("Content-Type") || "").split(";")[0]] = etag;
  const shown = ["Location", "ETag", "Allow"].filter(name => reply.headers.get(name)).map(name => name + ": " + reply.headers.get(name));
  answer.className = reply.ok ? "" : "refused";
  answer.textContent = [reply.status + " " + reply.statusText, ...shown, "", method === "GET" ? "" : text].join("\n");
  return text;
};
document.getElementById("load").onclick = async () => { form.body.value = await send("GET", form.type.value); };
form.onsubmit = event => {
  event.preventDefault();
  const method = form.method_name.value;
  if (method !== "DELETE" || confirm("Delete " + url + "?")) send(method, form.type.value, method === "DELETE" ? "" : form.body.value);
};
