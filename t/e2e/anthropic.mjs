// What a user of Anthropic's client for JavaScript sees: anthropic.mjs URL
// The server calls a tool whenever it may.

import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { root, run } from './checks.mjs';

// vLLM reads keys as OpenAI's client sends them: this is a bearer token

const client = new Anthropic({ baseURL: root, authToken: 'right',
                               maxRetries: 0 });
const model = 'm';
const messages = [{ role: 'user', content: 'Tell me about rivers.' }];
const tools = [{
    name: 'weather',
    description: 'The weather of a city',
    input_schema: {
        type: 'object',
        properties: { city: { type: 'string' },
                      days: { type: 'integer', minimum: 1, maximum: 7 } },
        required: ['city', 'days'],
        additionalProperties: false,
    },
}];

function checkInput(input) {
    assert.deepEqual(Object.keys(input).sort(), ['city', 'days']);
    assert.equal(typeof input.city, 'string');
    assert.ok(Number.isInteger(input.days));
    assert.ok(input.days >= 1 && input.days <= 7);
}

await run({

    async message() {
        const m = await client.messages.create({
            model, messages, max_tokens: 12, system: 'Be short.' });
        assert.equal(m.type, 'message');
        assert.equal(m.role, 'assistant');
        assert.equal(m.content[0].type, 'text');
        assert.ok(m.content[0].text.length > 0);
        assert.equal(m.stop_reason, 'max_tokens');
        assert.equal(m.usage.output_tokens, 12);
        assert.ok(m.usage.input_tokens > 0);
    },

    async blocks() {
        const m = await client.messages.create({
            model, max_tokens: 4, messages: [
                { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
                { role: 'assistant', content: 'Hi.' },
                { role: 'user', content: [{ type: 'text', text: 'More' }] },
            ] });
        assert.equal(m.usage.output_tokens, 4);
    },

    async stream() {
        const stream = client.messages.stream({
            model, messages, max_tokens: 20 });
        let text = '';
        stream.on('text', (delta) => { text += delta; });
        const final = await stream.finalMessage();
        assert.ok(text.length > 0);
        assert.equal(final.content[0].text, text);
        assert.equal(final.stop_reason, 'max_tokens');
        assert.equal(final.usage.output_tokens, 20);
    },

    async events() {
        const stream = await client.messages.create({
            model, messages, max_tokens: 3, stream: true });
        const types = [];
        for await (const event of stream) {
            types.push(event.type);
        }
        assert.deepEqual(types.slice(0, 2),
                         ['message_start', 'content_block_start']);
        assert.deepEqual(types.slice(-3), ['content_block_stop',
                                           'message_delta', 'message_stop']);
        assert.ok(types.slice(2, -3).every((t) =>
            t === 'content_block_delta'));
    },

    async stopSequence() {
        const ask = { model, messages, max_tokens: 30 };
        const whole = await client.messages.create(ask);
        const word = whole.content[0].text.trim().split(/\s+/)[3];
        const m = await client.messages.create({
            ...ask, stop_sequences: [word] });
        assert.ok(!m.content.some((c) => c.text.includes(word)));
    },

    async toolLoop() {
        const ask = { model, tools, max_tokens: 300 };
        const first = await client.messages.create({ ...ask, messages });
        assert.equal(first.stop_reason, 'tool_use');
        const call = first.content.find((c) => c.type === 'tool_use');
        assert.equal(call.name, 'weather');
        checkInput(call.input);
        const last = await client.messages.create({ ...ask, messages: [
            ...messages,
            { role: 'assistant', content: first.content },
            { role: 'user', content: [{ type: 'tool_result',
                tool_use_id: call.id, content: 'Sunny.' }] },
        ] });
        assert.ok(last.content.every((c) => c.type === 'text'));
        assert.ok(last.content[0].text.length > 0);
    },

    async toolChosen() {
        const m = await client.messages.create({
            model, tools, messages, max_tokens: 300,
            tool_choice: { type: 'tool', name: 'weather' } });
        checkInput(m.content.find((c) => c.type === 'tool_use').input);
        const none = await client.messages.create({
            model, tools, messages, max_tokens: 20,
            tool_choice: { type: 'none' } });
        assert.ok(none.content.every((c) => c.type === 'text'));
    },

    async toolStream() {
        const stream = client.messages.stream({
            model, tools, messages, max_tokens: 300,
            tool_choice: { type: 'any' } });
        let json = '';
        stream.on('inputJson', (delta) => { json += delta; });
        const final = await stream.finalMessage();
        const call = final.content.find((c) => c.type === 'tool_use');
        checkInput(call.input);
        assert.deepEqual(JSON.parse(json), call.input);
        assert.equal(final.stop_reason, 'tool_use');
    },

    async countTokens() {
        const n = await client.messages.countTokens({ model, messages });
        const m = await client.messages.create({
            model, messages, max_tokens: 1 });
        assert.equal(n.input_tokens, m.usage.input_tokens);
        const more = await client.messages.countTokens({
            model, messages, system: 'Be short.' });
        assert.ok(more.input_tokens > n.input_tokens);
    },

    async notFound() {
        await assert.rejects(
            client.messages.create({
                model: 'other', messages, max_tokens: 1 }),
            (e) => e instanceof Anthropic.NotFoundError && e.status === 404
                   && /other/.test(e.message));
    },

    async badRequest() {
        await assert.rejects(
            client.messages.create({ model, messages, max_tokens: 0 }),
            (e) => e instanceof Anthropic.BadRequestError
                   && /max_tokens/.test(e.message));
    },
});
