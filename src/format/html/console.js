"use strict";
{
  // Text of an answer that is shown at most, in characters.
  const SHOWN = 1000000;
  const form = document.getElementById("request");
  const output = form.querySelector("output");
  const { method, address, type, match, body, load } = form.elements;
  // The state that was last put into the editor.
  let loaded = "";

  const element = (name, text) => {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  };

  const headerValue = (name, value) => {
    const made = element("dd", "");
    const link = element("a", value);
    link.href = value;
    made.append(name === "location" && /^https?:$/.test(link.protocol) ? link : value);
    return made;
  };

  const show = (response, text) => {
    const status = element("strong", `${response.status} ${response.statusText}`);
    status.className = response.ok ? "" : "bad";
    const headers = element("dl", "");
    for (const [name, value] of response.headers) {
      headers.append(element("dt", name), headerValue(name, value));
    }
    output.replaceChildren(status, headers);
    if (text) {
      output.append(element("pre", text.slice(0, SHOWN)));
    }
    if (text.length > SHOWN) {
      output.append(element("p", "The rest is not shown."));
    }
  };

  const send = async (verb, headers, payload) => {
    output.replaceChildren("…");
    try {
      const response = await fetch(address.value, { method: verb, headers, body: payload, cache: "no-store" });
      const text = await response.text();
      show(response, text);
      return { response, text };
    } catch (error) {
      const failure = element("strong", String(error));
      failure.className = "bad";
      output.replaceChildren(failure);
      return null;
    }
  };

  // Reads the state in the chosen type: its etag goes with the next change; what was typed is never overwritten.
  const read = async () => {
    const answer = await send("GET", { Accept: type.value });
    match.value = (answer?.response.ok && answer.response.headers.get("ETag")) || "";
    if (answer?.response.ok && (body.value === "" || body.value === loaded)) {
      body.value = loaded = answer.text;
    }
  };

  const changes = () => method.value === "PUT" || method.value === "DELETE";

  const enable = () => {
    body.disabled = method.value === "GET" || method.value === "DELETE";
    match.disabled = !changes();
  };

  method.addEventListener("change", () => {
    enable();
    if (changes()) {
      read();
    } else if (method.value === "POST" && body.value === loaded) {
      body.value = loaded = "";
    }
  });
  type.addEventListener("change", () => {
    if (changes()) {
      read();
    }
  });
  load.addEventListener("click", read);
  body.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey) {
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const headers = { Accept: type.value };
    if (!body.disabled) {
      headers["Content-Type"] = type.value;
    }
    if (changes() && match.value) {
      headers["If-Match"] = match.value;
    }
    const answer = await send(method.value, headers, body.disabled ? undefined : body.value);
    if (method.value === "PUT" && answer?.response.ok) {
      match.value = answer.response.headers.get("ETag") ?? "";
    }
  });
  enable();

  // The parameters of a slice go with its other formats.
  for (const link of document.querySelectorAll(".formats a")) {
    link.search = location.search;
  }
}
