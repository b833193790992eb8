// What the official JavaScript client sees: sdk.mjs URL
import assert from "node:assert";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2] + "/v1", apiKey: "none", maxRetries: 0 });
const model = "tiny";
const messages = [{ role: "user", content: "Tell me about rivers." }];

const checks = {
  async models() {
    const list = await client.models.list();
    assert.deepEqual(list.data.map((m) => m.id), [model]);
  },
  async chat() {
    const r = await client.chat.completions.create({ model, messages, max_tokens: 12 });
    assert.ok(r.choices[0].message.content);
    assert.equal(r.usage.total_tokens, r.usage.prompt_tokens + r.usage.completion_tokens);
  },
  async stream() {
    const ask = { model, messages, max_tokens: 12, seed: 3 };
    const whole = await client.chat.completions.create(ask);
    const stream = await client.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } });
    let text = "", usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, whole.choices[0].message.content);
    assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
  },
  async completions() {
    const r = await client.completions.create({ model, prompt: ["a", "b"], max_tokens: 3 });
    assert.equal(r.choices.length, 2);
  },
  async embeddings() {
    const r = await client.embeddings.create({ model, input: ["a", "b"] });
    assert.equal(r.data.length, 2);
    assert.equal(r.data[0].embedding.length, 1536);
  },
  async responses() {
    const r = await client.responses.create({ model, input: "Hello", max_output_tokens: 6 });
    assert.ok(r.output_text);
  },
  async errors() {
    await assert.rejects(client.chat.completions.create({ model: "other", messages }), OpenAI.NotFoundError);
    await assert.rejects(client.chat.completions.create({ model, messages, temperature: 9 }), OpenAI.BadRequestError);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log("ok " + name);
  } catch (e) {
    failed++;
    console.log("not ok " + name + "\n" + e.stack);
  }
}
process.exit(failed ? 1 : 0);
