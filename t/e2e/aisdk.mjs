// What a user of Vercel's AI SDK sees: aisdk.mjs URL
// The server calls a tool whenever it may.

import assert from 'node:assert/strict';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embedMany, generateObject, generateText, stepCountIs, streamObject,
         streamText, tool } from 'ai';
import { z } from 'zod';
import { root, run } from './checks.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;

const vllm = createOpenAICompatible({
    name: 'vllm', baseURL: root + '/v1', apiKey: 'right',
    includeUsage: true, supportsStructuredOutputs: true });
const model = vllm('m');
const prompt = 'Tell me about rivers.';
const common = { model, prompt, maxRetries: 0 };

const inputSchema = z.object({ city: z.string(),
                               days: z.number().int().min(1).max(7) });

function weather(asked) {
    return tool({
        description: 'The weather of a city',
        inputSchema,
        execute: async (input) => {
            inputSchema.parse(input);
            asked.push(input);
            return { sky: 'clear' };
        },
    });
}

const schema = z.object({
    name: z.string().min(3).max(20),
    kind: z.enum(['river', 'lake', 'sea']),
    length: z.number().min(0).max(1000),
    places: z.array(z.object({
        town: z.string(),
        people: z.number().int().min(0),
    })).min(1).max(3),
    deep: z.boolean(),
    note: z.string().nullable(),
});

await run({

    async generateText() {
        const r = await generateText({
            ...common, maxOutputTokens: 12, temperature: 0.5, seed: 1 });
        assert.ok(r.text.length > 0);
        assert.equal(r.finishReason, 'length');
        assert.equal(r.usage.outputTokens, 12);
        assert.equal(r.usage.totalTokens, r.usage.inputTokens + 12);
        assert.equal(r.response.modelId, 'm');
    },

    async streamText() {
        const ask = { ...common, maxOutputTokens: 20, seed: 3 };
        const whole = await generateText(ask);
        const r = streamText(ask);
        let text = '', chunks = 0;
        for await (const delta of r.textStream) {
            text += delta;
            chunks++;
        }
        assert.equal(text, whole.text);
        assert.ok(chunks > 10);
        assert.equal(await r.finishReason, 'length');
        assert.equal((await r.usage).outputTokens, 20);
    },

    async toolLoop() {
        const asked = [];
        const r = await generateText({
            ...common, tools: { weather: weather(asked) },
            stopWhen: stepCountIs(5) });
        assert.equal(asked.length, 1);
        assert.equal(r.steps.length, 2);
        assert.deepEqual(r.steps.map((s) => s.finishReason),
                         ['tool-calls', 'stop']);
        assert.deepEqual(r.steps[0].toolCalls[0].input, asked[0]);
        assert.ok(r.text.length > 0);
    },

    async toolLoopStreamed() {
        const asked = [];
        const r = streamText({
            ...common, tools: { weather: weather(asked) },
            stopWhen: stepCountIs(5) });
        const types = new Set();
        for await (const part of r.fullStream) {
            types.add(part.type);
            assert.notEqual(part.type, 'error', String(part.error));
        }
        for (const type of ['tool-input-start', 'tool-input-delta',
                            'tool-call', 'tool-result', 'text-delta',
                            'finish'])
        {
            assert.ok(types.has(type), type);
        }
        assert.equal(asked.length, 1);
        assert.equal((await r.steps).length, 2);
        assert.ok((await r.text).length > 0);
    },

    async toolRequired() {
        const r = await generateText({
            ...common, toolChoice: 'required',
            tools: { weather: tool({ inputSchema }) } });
        assert.equal(r.finishReason, 'tool-calls');
        inputSchema.parse(r.toolCalls[0].input);
        const none = await generateText({
            ...common, toolChoice: 'none',
            tools: { weather: tool({ inputSchema }) } });
        assert.deepEqual(none.toolCalls, []);
        assert.ok(none.text.length > 0);
    },

    async generateObject() {
        for (let seed = 0; seed < 20; seed++) {
            const r = await generateObject({ ...common, schema, seed });
            schema.parse(r.object);
        }
        const list = await generateObject({
            ...common, output: 'array', schema: z.object({ x: z.number() }) });
        assert.ok(Array.isArray(list.object));
        const one = await generateObject({
            ...common, output: 'enum', enum: ['yes', 'no'] });
        assert.ok(['yes', 'no'].includes(one.object));
    },

    async streamObject() {
        const r = streamObject({ ...common, schema });
        let partial = 0;
        for await (const part of r.partialObjectStream) {
            partial++;
            assert.equal(typeof part, 'object');
        }
        assert.ok(partial > 1);
        schema.parse(await r.object);
    },

    async embeddings() {
        const r = await embedMany({
            model: vllm.embeddingModel('m'), values: ['a', 'b'],
            maxRetries: 0 });
        assert.deepEqual(r.embeddings.map((e) => e.length), [1536, 1536]);
        assert.notDeepEqual(r.embeddings[0], r.embeddings[1]);
        assert.ok(r.usage.tokens > 0);
    },

    async abort() {
        const left = new AbortController();
        const r = streamText({ ...common, maxOutputTokens: 2000,
                               abortSignal: left.signal, onAbort() {},
                               providerOptions: {
                                   vllm: { ignore_eos: true } } });
        for await (const part of r.fullStream) {
            if (part.type === 'text-delta') {
                left.abort();
            }
            if (part.type === 'abort') {
                return;
            }
        }
        assert.fail('not aborted');
    },

    async notFound() {
        await assert.rejects(
            generateText({ ...common, model: vllm('other') }),
            (e) => e.statusCode === 404 && /other/.test(e.message));
    },
});
