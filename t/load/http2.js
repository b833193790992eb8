// Many requests at a time on one HTTP/2 connection: http2.js URL COUNT BODY
// prints [[status, body], ...] as JSON.

const [url, count, body] = process.argv.slice(2);
const session = require('http2').connect(url);

session.on('error', (e) => { console.error(e); process.exit(1); });

const one = () => new Promise((resolve, reject) => {
    const r = session.request({ ':method': 'POST', ':path': '/v1/completions',
                                'content-type': 'application/json' });
    let status, text = '';

    r.setEncoding('utf8');
    r.on('response', (headers) => { status = headers[':status']; });
    r.on('data', (data) => { text += data; });
    r.on('end', () => resolve([status, text]));
    r.on('error', reject);
    r.end(body);
});

Promise.all(Array.from({ length: Number(count) }, one)).then((answers) => {
    session.close();
    console.log(JSON.stringify(answers));
}, (e) => { console.error(e); process.exit(1); });
