// What a user of OpenAI's client for JavaScript sees: openai.mjs URL

import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { root, run } from './checks.mjs';

const baseURL = root + '/v1';
const client = new OpenAI({ baseURL, apiKey: 'right', maxRetries: 0 });
const messages = [{ role: 'user', content: 'Tell me about rivers.' }];
const model = 'm';

await run({

    async models() {
        const list = [];
        for await (const m of client.models.list()) {
            list.push(m);
        }
        assert.deepEqual(list.map((m) => [m.id, m.object, m.owned_by]),
                         [['m', 'model', 'vllm']]);
    },

    async chat() {
        const r = await client.chat.completions.create({
            model, messages, max_tokens: 12, temperature: 0.7 });
        assert.equal(r.object, 'chat.completion');
        assert.equal(r.choices[0].message.role, 'assistant');
        assert.ok(r.choices[0].message.content.length > 0);
        assert.equal(r.usage.completion_tokens, 12);
        assert.equal(r.usage.total_tokens, r.usage.prompt_tokens + 12);
        assert.equal(r.choices[0].finish_reason, 'length');
    },

    async stream() {
        const ask = { model, messages, max_tokens: 20, seed: 3 };
        const whole = await client.chat.completions.create(ask);
        const stream = await client.chat.completions.create({
            ...ask, stream: true, stream_options: { include_usage: true } });
        let text = '', usage = null, finish = null, chunks = 0;
        for await (const chunk of stream) {
            chunks++;
            text += chunk.choices[0]?.delta?.content ?? '';
            finish = chunk.choices[0]?.finish_reason ?? finish;
            usage = chunk.usage ?? usage;
        }
        assert.equal(text, whole.choices[0].message.content);
        assert.equal(finish, 'length');
        assert.equal(usage.completion_tokens, 20);
        assert.ok(chunks >= 21);
    },

    async streamHelper() {
        const stream = client.chat.completions.stream({
            model, messages, max_tokens: 8 });
        let deltas = '';
        stream.on('content', (delta) => { deltas += delta; });
        const final = await stream.finalChatCompletion();
        assert.equal(final.choices[0].message.content, deltas);
    },

    async completions() {
        const r = await client.completions.create({
            model, prompt: ['a', 'b'], max_tokens: 3, n: 2 });
        assert.deepEqual(r.choices.map((c) => c.index), [0, 1, 2, 3]);
        const stream = await client.completions.create({
            model, prompt: 'a', max_tokens: 5, stream: true });
        let n = 0;
        for await (const chunk of stream) {
            n += chunk.choices.length;
        }
        assert.equal(n, 5);
    },

    async embeddings() {
        const one = await client.embeddings.create({ model, input: 'a' });
        assert.equal(one.data[0].embedding.length, 1536);
        const r = await client.embeddings.create({
            model, input: ['a', 'b'], dimensions: 8 });
        assert.deepEqual(r.data.map((d) => d.embedding.length), [8, 8]);
        const length = Math.hypot(...r.data[0].embedding);
        assert.ok(Math.abs(length - 1) < 1e-5);
    },

    async manyAtATime() {
        const all = await Promise.all(Array.from({ length: 50 }, (_, i) =>
            client.chat.completions.create({
                model, messages, max_tokens: 1 + i % 7 })));
        all.forEach((r, i) =>
            assert.equal(r.usage.completion_tokens, 1 + i % 7));
    },

    async abort() {
        const stream = await client.chat.completions.create({
            model, messages, max_tokens: 2000, stream: true,
            ignore_eos: true });
        let n = 0;
        for await (const chunk of stream) {
            if (++n === 3) {
                stream.controller.abort();
                break;
            }
        }
        for (let i = 0; ; i++) {
            const state = await fetch(root + '/admin/state', {
                headers: { Authorization: 'Bearer right' } });
            const { engines } = await state.json();
            if (engines[0].live === 0) {
                break;
            }
            assert.ok(i < 500, 'its slot is not free');
            await new Promise((done) => setTimeout(done, 10));
        }
    },

    async notFound() {
        await assert.rejects(
            client.chat.completions.create({ model: 'other', messages }),
            (e) => e instanceof OpenAI.NotFoundError && e.status === 404
                   && /other/.test(e.message) && e.code === 404
                   && e.param === 'model');
    },

    async badRequest() {
        await assert.rejects(
            client.chat.completions.create({
                model, messages, temperature: -1 }),
            (e) => e instanceof OpenAI.BadRequestError
                   && /temperature/.test(e.message));
    },

    async wrongKey() {
        const wrong = new OpenAI({ baseURL, apiKey: 'wrong', maxRetries: 0 });
        await assert.rejects(wrong.models.list(),
            (e) => e instanceof OpenAI.AuthenticationError
                   && e.status === 401);
    },

    async responses() {
        const r = await client.responses.create({
            model, input: 'Tell me about rivers.', max_output_tokens: 9 });
        assert.equal(r.object, 'response');
        assert.ok(r.output_text.length > 0);
        assert.equal(r.usage.output_tokens, 9);
    },
});
