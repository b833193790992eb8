"""What users of OpenAI's Agents SDK and of Pydantic AI see: agents that call a tool, go on with its result, and answer."""
import asyncio
import os

os.environ.update(OPENAI_AGENTS_DISABLE_TRACING="1")

import agents  # noqa: E402
import openai  # noqa: E402
import pydantic  # noqa: E402
import pydantic_ai  # noqa: E402
from pydantic_ai.exceptions import ModelHTTPError  # noqa: E402
from pydantic_ai.models.anthropic import AnthropicModel  # noqa: E402
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel  # noqa: E402
from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: E402
from pydantic_ai.providers.openai import OpenAIProvider  # noqa: E402

import anthropic  # noqa: E402
from checks import BUSY, MODEL, REFUSE, TOOLS, check, serving  # noqa: E402

QUESTION = "Tell me about rivers."


class City(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2, max_length=20)
    people: int = pydantic.Field(ge=0, le=1000)


def calling(args=""):
    return serving(TOOLS + " --max-model-len 32768" + args, http=BUSY, more="vllm_mock_endpoints all; vllm_mock_output tokens=30 cap=on calls=100%; " + REFUSE)


def client(server, key="none", retries=0, **more):
    return openai.AsyncOpenAI(base_url=server.url + "/v1", api_key=key, max_retries=retries, **more)


def models(server, **more):
    """Both of OpenAI's protocols, as the Agents SDK speaks them."""
    model, c = more.pop("model", MODEL), client(server, **more)
    return agents.OpenAIChatCompletionsModel(model, c), agents.OpenAIResponsesModel(model, c)


def tooled(model, **more):
    """An agent with a tool, and the list of what the tool was asked."""
    asked = []

    @agents.function_tool
    def weather(city: str, days: int) -> str:
        """The weather of a city."""
        asked.append((city, days))
        return "Clear."

    return agents.Agent("a", model=model, tools=[weather], **more), asked


@check
def agents_run():
    with calling() as s:
        for model in models(s):
            r = agents.Runner.run_sync(agents.Agent("a", instructions="Be short.", model=model), QUESTION)
            assert r.final_output and r.raw_responses[0].usage.output_tokens == 30, r


@check
def agents_stream():
    async def run(model):
        r = agents.Runner.run_streamed(agents.Agent("a", model=model), QUESTION)
        deltas = [e.data.delta async for e in r.stream_events()
                  if e.type == "raw_response_event" and e.data.type == "response.output_text.delta"]
        assert "".join(deltas) == r.final_output and len(deltas) > 10, (deltas, r.final_output)

    with calling() as s:
        for i in range(2):
            asyncio.run(run(models(s)[i]))


@check
def agents_tools():
    with calling() as s:
        for model in models(s):
            agent, asked = tooled(model)
            r = agents.Runner.run_sync(agent, QUESTION)
            assert len(asked) == 1 and r.final_output, (asked, r)
            assert isinstance(asked[0][0], str) and isinstance(asked[0][1], int), asked


@check
def agents_tools_stream():
    async def run(model):
        agent, asked = tooled(model)
        r = agents.Runner.run_streamed(agent, QUESTION)
        names = [e.name async for e in r.stream_events() if e.type == "run_item_stream_event"]
        assert len(asked) == 1 and r.final_output and "tool_called" in names and "tool_output" in names, (asked, names)

    with calling() as s:
        for i in range(2):
            asyncio.run(run(models(s)[i]))


@check
def agents_structured():
    with calling() as s:
        for model in models(s):
            r = agents.Runner.run_sync(agents.Agent("a", model=model, output_type=City), QUESTION)
            assert isinstance(r.final_output, City), r


def fails(error, run):
    try:
        run()
    except error as e:
        return e
    raise AssertionError("no error")


@check
def agents_errors():
    with calling(" --api-key right") as s:
        for error, more in ((openai.NotFoundError, dict(key="right", model="other")),
                            (openai.AuthenticationError, dict(key="wrong"))):
            for model in models(s, **more):
                fails(error, lambda: agents.Runner.run_sync(agents.Agent("a", model=model), QUESTION))


@check
def agents_limited():
    with calling() as s:
        busy = {"X-Busy": "once"}
        for model in models(s, default_headers=busy):
            fails(openai.RateLimitError, lambda: agents.Runner.run_sync(agents.Agent("a", model=model), QUESTION))
        for model in models(s, default_headers=busy, retries=2):
            assert agents.Runner.run_sync(agents.Agent("a", model=model), QUESTION).final_output


def pydantics(server, key="none", model=MODEL, **more):
    """The three protocols that Pydantic AI speaks."""
    provider = OpenAIProvider(openai_client=client(server, key, **more))
    claude = anthropic.AsyncAnthropic(base_url=server.url, auth_token=key, max_retries=more.pop("retries", 0), **more)
    return (OpenAIChatModel(model, provider=provider), OpenAIResponsesModel(model, provider=provider),
            AnthropicModel(model, provider=AnthropicProvider(anthropic_client=claude)))


@check
def pydantic_ai_run():
    with calling() as s:
        for model in pydantics(s):
            r = pydantic_ai.Agent(model, instructions="Be short.").run_sync(QUESTION)
            assert r.output and r.usage.output_tokens >= 30, r


@check
def pydantic_ai_stream():
    async def run(model):
        async with pydantic_ai.Agent(model).run_stream(QUESTION) as r:
            parts = [t async for t in r.stream_text(delta=True, debounce_by=None)]
            assert len(parts) > 10 and "".join(parts) == await r.get_output(), parts

    with calling() as s:
        for i in range(3):
            asyncio.run(run(pydantics(s)[i]))


@check
def pydantic_ai_tools():
    with calling() as s:
        for model in pydantics(s):
            agent, asked = pydantic_ai.Agent(model), []

            @agent.tool_plain
            def weather(city: str, days: int) -> str:
                """The weather of a city."""
                asked.append((city, days))
                return "Clear."

            r = agent.run_sync(QUESTION)
            assert r.output and len(asked) == 1 and isinstance(asked[0][1], int), (asked, r)


@check
def pydantic_ai_structured():
    with calling() as s:
        for model in pydantics(s):
            outputs = [City]
            if not isinstance(model, AnthropicModel):       # for which it allows response formats with Claude's names only
                outputs.append(pydantic_ai.NativeOutput(City))
            for output in outputs:
                assert isinstance(pydantic_ai.Agent(model, output_type=output).run_sync(QUESTION).output, City)


@check
def pydantic_ai_errors():
    with calling(" --api-key right") as s:
        for status, more in (404, dict(key="right", model="other")), (401, dict(key="wrong")):
            for model in pydantics(s, **more):
                e = fails(ModelHTTPError, lambda: pydantic_ai.Agent(model).run_sync(QUESTION))
                assert e.status_code == status, e


@check
def pydantic_ai_limited():
    with calling() as s:
        busy = {"X-Busy": "once"}
        for model in pydantics(s, default_headers=busy):
            assert fails(ModelHTTPError, lambda: pydantic_ai.Agent(model).run_sync(QUESTION)).status_code == 429
        for model in pydantics(s, default_headers=busy, retries=2):
            assert pydantic_ai.Agent(model).run_sync(QUESTION).output
