// A provider of identities, and those who log in there: browsers, and programs that have a token. Called by openid.sh.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { pathToFileURL } from 'node:url';

const [folder, port, site, work] = process.argv.slice(2);
const { default: Provider } = await import(
    pathToFileURL(`${folder}/node_modules/oidc-provider/lib/index.js`)
);
const root = `${site}/ktbs/`;
const groups = { alice: ['ktbs', 'staff'], eve: ['others'], collector: ['ktbs'], stranger: ['others'] };

const provider = new Provider(`https://localhost:${port}`, {
    clients: [
        { client_id: 'ktbs', client_secret: 'change-me', redirect_uris: [`${site}/ktbs-login`] },
        ...['collector', 'stranger'].map((client_id) => ({
            client_id,
            client_secret: 'a-secret',
            redirect_uris: [],
            response_types: [],
            grant_types: ['client_credentials'],
        })),
    ],
    claims: { openid: ['sub', 'preferred_username', 'groups'] },
    conformIdTokenClaims: false,
    pkce: { required: () => false },
    findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, preferred_username: id, groups: groups[id] }),
    }),
    extraTokenClaims: (_, token) => ({ preferred_username: token.clientId, groups: groups[token.clientId] }),
    features: {
        clientCredentials: { enabled: true },
        resourceIndicators: {
            enabled: true,
            getResourceServerInfo: () => ({ scope: '', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
        },
    },
});
const [cert, key] = ['certificate.pem', 'key.pem'].map((name) => readFileSync(`${work}/${name}`));
const server = https.createServer({ cert, key }, provider.callback()).listen(Number(port), 'localhost');

/** Sends a request as a browser does that follows a link: fetch says that it is a script, which no provider lets log in. */
function exchange(url, { method = 'GET', headers, body }) {
    const content = body instanceof URLSearchParams ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {};
    return new Promise((resolve, reject) => {
        const options = { method, headers: { ...content, 'Sec-Fetch-Mode': 'navigate', ...headers } };
        const sent = (url.startsWith('https') ? https : http).request(url, options, (answer) => {
            let text = '';
            answer.setEncoding('utf8').on('data', (part) => (text += part));
            answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
        });
        sent.on('error', reject).end(body?.toString());
    });
}

/** A browser, as far as logging in goes: cookies, redirections, forms. */
class Browser {
    cookies = new Map();

    async send(url, options = {}) {
        for (let steps = 0; steps < 20; steps += 1) {
            const { origin } = new URL(url);
            const jar = this.cookies.get(origin) ?? new Map();
            this.cookies.set(origin, jar);
            const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
            const headers = { Accept: 'text/html', ...options.headers, Cookie: cookie };
            const answer = await exchange(url, { ...options, headers });
            for (const line of answer.headers['set-cookie'] ?? []) {
                const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
                if (value === '') jar.delete(name);
                else jar.set(name, value);
            }
            if (![302, 303].includes(answer.status)) {
                return { status: answer.status, url, text: answer.text };
            }
            url = new URL(answer.headers.location, url).href;
            options = {};
        }
        throw new Error(`too many redirections: ${url}`);
    }

    /** Opens a page as somebody, who logs in and consents where they are asked to. */
    async open(url, user) {
        let page = await this.send(url);
        for (let forms = 0; new URL(page.url).port === port && forms < 4; forms += 1) {
            const action = /<form[^>]*action="([^"]+)"/.exec(page.text)[1];
            const fields = new URLSearchParams({ login: user, password: 'any' });
            for (const [field] of page.text.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
                fields.set(/name="([^"]*)"/.exec(field)[1], /value="([^"]*)"/.exec(field)[1]);
            }
            page = await this.send(new URL(action, page.url).href, { method: 'POST', body: fields });
        }
        return page;
    }
}

async function token(client) {
    const answer = await fetch(`https://localhost:${port}/token`, {
        method: 'POST',
        headers: { Authorization: `Basic ${btoa(`${client}:a-secret`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: root }),
    });
    const body = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(body));
    return body.access_token;
}

const turtle = { Accept: 'text/turtle' };
const base = (name) => ({
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ '@type': 'Base', '@id': `${name}/` }),
});

const tests = {
    'a stranger is told so, not sent to a page': async () => {
        const answer = await fetch(root, { headers: turtle });
        assert.equal(answer.status, 401);
        assert.equal((await fetch(root, { ...base('x'), redirect: 'manual' })).status, 401);
        assert.equal((await fetch(root, { method: 'OPTIONS' })).status, 200);
    },
    'a person logs in at the provider, and comes back to the page': async () => {
        const browser = new Browser();
        const page = await browser.open(root, 'alice');
        assert.equal(page.status, 200, page.text);
        assert.equal(page.url, root);
        assert.equal((await browser.send(root, { headers: turtle })).status, 200);
        const made = await browser.send(root, base('alice'));
        assert.equal(made.status, 201, made.text);
        const list = await browser.send(`${root}alice/@acl`, { headers: { Accept: 'application/json' } });
        assert.equal(JSON.parse(list.text).owner, 'alice', list.text);
        const refused = await browser.send(root, base('bob'));
        assert.equal(refused.status, 403, refused.text);
    },
    'who is not in the group does not come in': async () => {
        const page = await new Browser().open(root, 'eve');
        assert.ok([401, 403].includes(page.status), `${page.status} ${page.text}`);
        assert.ok(!page.text.includes('alice'), page.text);
    },
    'a program has a token': async () => {
        const bearer = (value) => ({ Authorization: `Bearer ${value}` });
        const good = await token('collector');
        assert.equal((await fetch(root, { headers: { ...turtle, ...bearer(good) } })).status, 200);
        const post = base('collector');
        const made = await fetch(root, { ...post, headers: { ...post.headers, ...bearer(good) } });
        assert.equal(made.status, 201, await made.text());
        const [head, , signature] = good.split('.');
        const claims = { preferred_username: 'alice', groups: ['ktbs'], exp: 4e9 };
        const forged = [head, btoa(JSON.stringify(claims)).replaceAll('=', ''), signature].join('.');
        for (const wrong of [forged, 'x.y.z', await token('stranger')]) {
            const answer = await fetch(root, { headers: { ...turtle, ...bearer(wrong) } });
            assert.ok([401, 403].includes(answer.status), `${answer.status}`);
        }
    },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
    try {
        await test();
        console.log(`ok: ${name}`);
    } catch (error) {
        failed += 1;
        console.log(`FAILED: ${name}: ${error.stack}`);
    }
}
console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
server.closeAllConnections();
server.close();
process.exitCode = failed === 0 ? 0 : 1;
