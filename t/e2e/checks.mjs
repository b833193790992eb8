// Runs named checks against the server whose URL is the first argument; the
// last line is "N passed, N failed".

export const root = process.argv[2];

export async function run(checks) {
    let passed = 0, failed = 0;

    for (const [name, check] of Object.entries(checks)) {
        try {
            await check();
            passed++;
            console.log('ok ' + name);
        } catch (e) {
            failed++;
            console.log('not ok ' + name);
            console.log(e);
        }
    }

    console.log(`${passed} passed, ${failed} failed`);
    process.exit(failed ? 1 : 0);
}
