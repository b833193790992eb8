"""What users of LiteLLM and of LangChain see."""
import json
import os

os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", LANGSMITH_TRACING="false", DO_NOT_TRACK="1")

import langchain_core.messages  # noqa: E402
import langchain_core.output_parsers  # noqa: E402
import langchain_openai  # noqa: E402
import litellm  # noqa: E402
import pydantic  # noqa: E402

from checks import MODEL, SAY, TOOLS, check, serving  # noqa: E402

litellm.telemetry = False
litellm.suppress_debug_info = True

PREFIXES = "openai", "hosted_vllm"
WEATHER = {"type": "function", "function": {
    "name": "weather", "description": "The weather of a city", "parameters": {
        "type": "object", "required": ["city", "days"], "additionalProperties": False,
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 7}}}}}


def calling(**more):
    return serving(TOOLS, more="vllm_mock_output tokens=30 calls=100%; vllm_mock_endpoints all;", **more)


def lite(server, prefix, **more):
    return dict({"model": "%s/%s" % (prefix, MODEL), "api_base": server.url + "/v1", "api_key": "none", "num_retries": 0}, **more)


def is_weather(arguments):
    assert set(arguments) == {"city", "days"} and 1 <= arguments["days"] <= 7, arguments


@check
def litellm_completion():
    with calling() as s:
        for prefix in PREFIXES:
            r = litellm.completion(messages=SAY, max_tokens=12, **lite(s, prefix))
            assert r.choices[0].message.content and r.choices[0].finish_reason == "length", r
            assert r.usage.completion_tokens == 12 and r.usage.total_tokens == r.usage.prompt_tokens + 12, r


@check
def litellm_stream():
    with calling() as s:
        for prefix in PREFIXES:
            ask = dict(messages=SAY, max_tokens=12, seed=5, **lite(s, prefix))
            whole = litellm.completion(**ask)
            chunks = list(litellm.completion(stream=True, stream_options={"include_usage": True}, **ask))
            joined = litellm.stream_chunk_builder(chunks, messages=SAY)
            assert joined.choices[0].message.content == whole.choices[0].message.content, (joined, whole)
            assert joined.usage.completion_tokens == 12, joined
            assert len(chunks) > 10


@check
def litellm_tools():
    with calling() as s:
        for prefix in PREFIXES:
            ask = dict(tools=[WEATHER], **lite(s, prefix))
            first = litellm.completion(messages=SAY, **ask).choices[0]
            assert first.finish_reason == "tool_calls", first
            call = first.message.tool_calls[0]
            is_weather(json.loads(call.function.arguments))
            result = {"role": "tool", "tool_call_id": call.id, "content": "Clear."}
            last = litellm.completion(messages=SAY + [first.message, result], **ask).choices[0]
            assert last.message.content and not last.message.tool_calls, last

            chunks = list(litellm.completion(messages=SAY, stream=True, tool_choice="required", **ask))
            joined = litellm.stream_chunk_builder(chunks).choices[0]
            assert joined.message.tool_calls[0].function.name == "weather", joined
            is_weather(json.loads(joined.message.tool_calls[0].function.arguments))


class City(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2, max_length=20)
    people: int = pydantic.Field(ge=0, le=1000)
    rivers: list[str] = pydantic.Field(min_length=1, max_length=3)


@check
def litellm_structured():
    with calling() as s:
        for prefix in PREFIXES:
            r = litellm.completion(messages=SAY, response_format=City, **lite(s, prefix))
            City.model_validate_json(r.choices[0].message.content)


@check
def litellm_thoughts():
    with serving("--reasoning-parser qwen3", more="vllm_mock_output tokens=30;") as s:
        m = litellm.completion(messages=SAY, **lite(s, "hosted_vllm")).choices[0].message
        assert m.reasoning_content and m.content, m


@check
def litellm_text_completion():
    with calling() as s:
        r = litellm.text_completion(prompt="Rivers", max_tokens=6, **lite(s, "hosted_vllm"))
        assert r.choices[0].text and r.usage.completion_tokens == 6, r


@check
def litellm_embedding():
    with calling() as s:
        for prefix in PREFIXES:
            r = litellm.embedding(input=["a", "b"], **lite(s, prefix))
            assert [len(d["embedding"]) for d in r.data] == [1536, 1536]
            assert r.data[0]["embedding"] != r.data[1]["embedding"] and r.usage.prompt_tokens > 0


@check
def litellm_errors():
    with serving("--api-key right") as s:
        for ask, error in ((dict(api_key="wrong"), litellm.AuthenticationError),
                           (dict(api_key="right", model="hosted_vllm/other"), litellm.NotFoundError),
                           (dict(api_key="right", temperature=-1), litellm.BadRequestError)):
            try:
                litellm.completion(messages=SAY, **lite(s, "hosted_vllm", **ask))
            except error:
                continue
            raise AssertionError("no error for %s" % ask)


def chat(server, **more):
    return langchain_openai.ChatOpenAI(model=MODEL, base_url=server.url + "/v1", api_key="none", max_retries=0, **more)


@check
def langchain_invoke():
    with calling() as s:
        m = chat(s, max_tokens=12).invoke("Tell me about rivers.")
        assert m.content and m.usage_metadata["output_tokens"] == 12, m
        assert m.response_metadata["finish_reason"] == "length"
        answers = chat(s, max_tokens=5).batch(["a", "b", "c"])
        assert [a.usage_metadata["output_tokens"] for a in answers] == [5, 5, 5]


@check
def langchain_stream():
    with calling() as s:
        model = chat(s, max_tokens=20, seed=4, stream_usage=True)
        chunks = list(model.stream("Tell me about rivers."))
        whole = chunks[0]
        for c in chunks[1:]:
            whole += c
        assert whole.content == model.invoke("Tell me about rivers.").content, whole
        assert whole.usage_metadata["output_tokens"] == 20 and len(chunks) > 15, whole


@check
def langchain_tools():
    with calling() as s:
        model = chat(s).bind_tools([WEATHER])
        asked = [langchain_core.messages.HumanMessage("Tell me about rivers.")]
        first = model.invoke(asked)
        assert [c["name"] for c in first.tool_calls] == ["weather"] and not first.invalid_tool_calls, first
        is_weather(first.tool_calls[0]["args"])
        result = langchain_core.messages.ToolMessage("Clear.", tool_call_id=first.tool_calls[0]["id"])
        last = model.invoke(asked + [first, result])
        assert last.content and not last.tool_calls, last

        whole = None
        for c in chat(s).bind_tools([WEATHER], tool_choice="weather").stream(asked):
            whole = c if whole is None else whole + c
        is_weather(whole.tool_calls[0]["args"])


class City(pydantic.BaseModel):
    name: str
    inhabitants: int = pydantic.Field(ge=1, le=9)
    rivers: list[str] = pydantic.Field(min_length=1, max_length=3)


@check
def langchain_parser_of_a_schema_in_the_prompt():
    """PydanticOutputParser writes the schema into the prompt, and trusts in what comes."""
    parser = langchain_core.output_parsers.PydanticOutputParser(pydantic_object=City)
    with serving(more="vllm_mock_output tokens=200 schema=prompt;") as s:
        for _ in range(5):
            said = chat(s, max_tokens=300).invoke("Tell me of a city.\n" + parser.get_format_instructions())
            city = parser.invoke(said)
            assert isinstance(city, City) and city.rivers, city


@check
def langchain_structured():
    with calling() as s:
        for method in "json_schema", "function_calling":
            assert isinstance(chat(s).with_structured_output(City, method=method).invoke("A city"), City), method
        got = chat(s).with_structured_output(None, method="json_mode").invoke("Some JSON")
        assert isinstance(got, dict), got


@check
def langchain_responses():
    with calling() as s:
        m = chat(s, use_responses_api=True, max_tokens=9).invoke("Tell me about rivers.")
        assert m.text and m.usage_metadata["output_tokens"] == 9, m
        chunks = list(chat(s, use_responses_api=True, max_tokens=9).stream("Tell me about rivers."))
        assert "".join(c.text for c in chunks), chunks


@check
def langchain_embeddings():
    with calling() as s:
        e = langchain_openai.OpenAIEmbeddings(model=MODEL, base_url=s.url + "/v1", api_key="none", max_retries=0,
                                              check_embedding_ctx_length=False)
        assert len(e.embed_query("a")) == 1536
        many = e.embed_documents(["a", "b"])
        assert [len(m) for m in many] == [1536, 1536] and many[0] != many[1]
        assert many[0] == e.embed_query("a")
