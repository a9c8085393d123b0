// Logs in and out with a real browser at a real identity provider, and sends its tokens: called by run.sh.
//
// usage: node login.mjs ROOT PORT CHROMIUM
//   PORT      where the provider listens on localhost; its client is "ktbs", with the secret "s3cret"

import { createServer } from "node:http";
import { Provider } from "oidc-provider";
import puppeteer from "puppeteer-core";

const [ROOT, PORT, CHROMIUM] = process.argv.slice(2);
const ISSUER = `http://localhost:${PORT}`;
const failures = [];

async function check(what, test) {
  try {
    await test();
    console.log(`ok     ${what}`);
  } catch (error) {
    failures.push(what);
    console.log(`FAILED ${what}: ${error.message}`);
  }
}

function same(found, expected) {
  if (found !== expected) throw new Error(`${JSON.stringify(found)} in place of ${JSON.stringify(expected)}`);
}

// The provider, with its pages for trials: any name and password are right there.
const provider = new Provider(ISSUER, {
  clients: [
    {
      client_id: "ktbs",
      client_secret: "s3cret",
      redirect_uris: [`${ROOT}@login`],
      post_logout_redirect_uris: [ROOT],
    },
  ],
  features: { introspection: { enabled: true } },
  pkce: { required: () => true },
});
const server = createServer(provider.callback());
await new Promise((resolve) => server.listen(Number(PORT), "localhost", resolve));

async function token(format, audience, seconds) {
  const client = await provider.Client.find("ktbs");
  const grant = new provider.Grant({ accountId: "alice", clientId: "ktbs" });
  grant.addResourceScope("urn:x", "a");
  const resourceServer = new provider.ResourceServer("urn:x", {
    audience,
    accessTokenFormat: format,
    scope: "a",
    jwt: { sign: { alg: "RS256" } },
  });
  const token = new provider.AccessToken({
    accountId: "alice",
    client,
    grantId: await grant.save(),
    gty: "authorization_code",
    scope: "a",
    resourceServer,
    expiresIn: seconds,
  });
  token.resourceServer = resourceServer;
  return token.save();
}

const status = async (bearer) => (await fetch(ROOT, { headers: { Authorization: `Bearer ${bearer}` } })).status;

const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage();
page.setDefaultTimeout(30000);
const follow = (selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);
const text = () => page.evaluate(() => document.body.innerText);
const post = (id) =>
  page.evaluate(
    async (root, id) => {
      const body = JSON.stringify({ "@type": "Base", "@id": `${id}/` });
      const headers = { "Content-Type": "application/json" };
      return (await fetch(root, { method: "POST", headers, body })).status;
    },
    ROOT,
    id,
  );

await check("a stranger is told to log in", async () => {
  same((await page.goto(ROOT)).status(), 401);
  if (!(await text()).includes("You must log in")) throw new Error(await text());
});
await check("the provider is asked, and the browser comes back", async () => {
  await follow("a[href*='@login']");
  same(new URL(page.url()).origin, ISSUER);
  await page.type("input[name=login]", "alice");
  await page.type("input[name=password]", "any");
  await follow("button[type=submit]");
  await follow("button[type=submit]");
  same(page.url(), ROOT);
  const shown = await text();
  if (!shown.includes("alice") || !shown.includes("Log out")) throw new Error(shown);
});
await check("scripts do not see the session", async () => {
  same(await page.evaluate(() => document.cookie), "");
  const session = (await browser.cookies()).find((cookie) => cookie.name === "ktbs_session");
  same([session.httpOnly, session.sameSite, session.path].join(" "), `true Lax ${new URL(ROOT).pathname}`);
});
await check("pages of this server change what is hers", async () => same(await post("alice"), 201));
await check("pages of another port change nothing", async () => {
  const other = await browser.newPage();
  await other.goto(`${ISSUER}/.well-known/openid-configuration`);
  const sent = other.waitForNavigation();
  await other.evaluate((root) => {
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action: root, enctype: "text/plain" });
    document.body.append(form);
    form.submit();
  }, ROOT);
  same((await sent).status(), 403);
  await other.close();
});
await check("the session serves all processes", async () => {
  for (let n = 0; n < 20; n++) same((await page.goto(`${ROOT}alice/?_=${n}`)).status(), 200);
  const several = page.evaluate(
    async (root) => Promise.all(Array.from({ length: 12 }, async (_, n) => (await fetch(`${root}alice/?_=${n}`)).status)),
    ROOT,
  );
  same((await several).join(), Array(12).fill(200).join());
});
await check("to log out is to log out of both", async () => {
  await page.goto(ROOT);
  await follow("a[href*='@logout']");
  same(new URL(page.url()).origin, ISSUER);
  await follow("button[type=submit][value=yes]");
  same(page.url(), ROOT);
  if (!(await text()).includes("You must log in")) throw new Error(await text());
  same((await page.goto(`${ROOT}alice/`)).status(), 401);
});
await check("a browser that comes back with what was used is refused", async () => {
  same((await page.goto(`${ROOT}@login?code=x&state=y`)).status(), 400);
});
await browser.close();

for (const format of ["jwt", "opaque"]) {
  await check(`a token is accepted (${format})`, async () => same(await status(await token(format, "ktbs", 60)), 200));
  await check(`a token for others is refused (${format})`, async () =>
    same(await status(await token(format, "other", 60)), 401));
  await check(`a token that has ended is refused (${format})`, async () =>
    same(await status(await token(format, "ktbs", -60)), 401));
}
await check("made-up tokens are refused", async () => {
  const good = await token("jwt", "ktbs", 60);
  same(await status(`${good.slice(0, -8)}AAAAAAAA`), 401);
  same(await status("made-up"), 401);
});
server.close();
server.closeAllConnections();
process.exit(failures.length ? 1 : 0);
