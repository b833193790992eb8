"""Structured outputs and the arguments of tools are what their schema says, in the eyes of the package jsonschema."""
import functools
import json

import jsonschema
import openai

from checks import MODEL, SAY, TOOLS, check, serving


def thing(required=None, **properties):
    return {"type": "object", "properties": properties, "additionalProperties": False,
            "required": list(properties) if required is None else required}


def array(items, **bounds):
    return dict(type="array", items=items, **bounds)


STRING, INTEGER, NUMBER, BOOLEAN = ({"type": t} for t in ("string", "integer", "number", "boolean"))

SCHEMAS = {
    "flat": thing(name=STRING, age=INTEGER, height=NUMBER, member=BOOLEAN),
    "nested": thing(a=thing(b=thing(c=thing(d=INTEGER)))),
    "optional": thing(["id"], id=INTEGER, note=STRING, tags=array(STRING)),
    "enum": thing(colour={"type": "string", "enum": ["red", "green", "blue"]}, size={"enum": [1, 2, 3.5, None, "x"]}),
    "const": thing(kind={"const": "event"}, version={"const": 3}),
    "array": thing(all=array(INTEGER), some=array(STRING, minItems=2, maxItems=4), one=array(BOOLEAN, minItems=1, maxItems=1)),
    "objects": array(thing(x=NUMBER, y=NUMBER), minItems=1, maxItems=3),
    "tuple": thing(at={"type": "array", "prefixItems": [NUMBER, NUMBER, STRING], "items": False, "minItems": 3}),
    "lengths": thing(short={"type": "string", "maxLength": 3}, long={"type": "string", "minLength": 40},
                     exact={"type": "string", "minLength": 7, "maxLength": 7}),
    "numbers": thing(day={"type": "integer", "minimum": 1, "maximum": 7},
                     part={"type": "number", "minimum": 0, "maximum": 1},
                     cold={"type": "integer", "minimum": -40, "maximum": -1},
                     above={"type": "integer", "exclusiveMinimum": 10, "exclusiveMaximum": 12},
                     inside={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.25}),
    "pattern": thing(zip={"type": "string", "pattern": "^[0-9]{5}(-[0-9]{4})?$"},
                     code={"type": "string", "pattern": "^[A-Z]{2,3}_\\d+$"},
                     word={"type": "string", "pattern": "^(yes|no|may be)$"}),
    "anyOf": thing(value={"anyOf": [INTEGER, {"type": "string", "enum": ["none", "all"]}, thing(low=INTEGER, high=INTEGER)]}),
    "oneOf": thing(shape={"oneOf": [thing(kind={"const": "circle"}, radius=NUMBER),
                                    thing(kind={"const": "box"}, width=NUMBER, height=NUMBER)]}),
    "nullable": thing(a={"type": ["string", "null"]}, b={"type": ["integer", "null"]}),
    "reference": {"$defs": {"place": thing(town=STRING, zip={"type": "string", "pattern": "^[0-9]{5}$"})},
                  "type": "object", "required": ["home", "work"], "additionalProperties": False,
                  "properties": {"home": {"$ref": "#/$defs/place"}, "work": array({"$ref": "#/$defs/place"}, maxItems=2)}},
    "recursive": {"$ref": "#/$defs/node",
                  "$defs": {"node": {"type": "object", "required": ["value", "next"], "additionalProperties": False,
                                     "properties": {"value": INTEGER, "next": array({"$ref": "#/$defs/node"}, maxItems=2)}}}},
    "sum": {"$ref": "#/$defs/sum",
            "$defs": {"sum": {"anyOf": [thing(left={"$ref": "#/$defs/sum"}, right={"$ref": "#/$defs/sum"}), thing(n=INTEGER)]}}},
    "chain": {"$ref": "#/$defs/link",
              "$defs": {"link": thing(value=BOOLEAN, next={"anyOf": [{"$ref": "#/$defs/link"}, {"type": "null"}]})}},
    "map": {"type": "object", "additionalProperties": INTEGER},
    "multiples": thing(five={"type": "integer", "multipleOf": 5, "minimum": 12, "maximum": 33},
                       half={"type": "number", "multipleOf": 0.5}, cents={"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1}),
    "not": thing(type={"type": ["string", "integer", "null"], "not": {"type": "string"}},
                 value={"type": "integer", "minimum": 1, "maximum": 3, "not": {"enum": [1, 3]}}),
    "if": {"type": "object", "properties": {"kind": {"enum": ["card", "cash"]}, "number": {"type": "string", "pattern": "^[0-9]{16}$"}},
           "required": ["kind"], "additionalProperties": False,
           "if": {"properties": {"kind": {"const": "card"}}}, "then": {"required": ["number"]}},
    "dependent": {"type": "object", "properties": {"a": INTEGER, "b": INTEGER, "c": STRING}, "required": ["a"],
                  "additionalProperties": False, "dependentRequired": {"a": ["b"], "b": ["c"]}},
    "all": {"allOf": [thing(a=INTEGER) | {"additionalProperties": True}, {"properties": {"a": {"minimum": 5, "maximum": 6}}},
                      {"properties": {"b": STRING}, "required": ["b"]}]},
    "beside": {"$ref": "#/$defs/a~1b", "$defs": {"a/b": INTEGER, "x": {}}},
    "members": {"type": "object", "minProperties": 3, "maxProperties": 4, "additionalProperties": BOOLEAN},
    "names": {"type": "object", "propertyNames": {"pattern": "^[a-z]{3}$"}, "additionalProperties": INTEGER},
    "pattern names": {"type": "object", "patternProperties": {"^x_[a-z]+$": INTEGER}, "additionalProperties": False},
    "pattern of a length": thing(code={"type": "string", "pattern": "^[A-Z]+$", "minLength": 12, "maxLength": 14}),
    "formats": thing(**{f: {"type": "string", "format": f} for f in (
        "date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "uuid",
        "json-pointer", "relative-json-pointer")}),
    "unicode": thing(**{"größe": INTEGER, "名前": STRING, "a \"b\" \\c": BOOLEAN}),
}
SEEDS = range(6)


@functools.cache
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)


def fits(name, text):
    try:
        value = json.loads(text)
        jsonschema.validate(value, SCHEMAS[name], cls=jsonschema.Draft202012Validator,
                            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    except (ValueError, jsonschema.ValidationError) as e:
        raise AssertionError("%s: %s: %s" % (name, text, e)) from e
    return value


def all_of(ask):
    """ask(name, seed) gives a text; each must fit, and they must not all be one."""
    for name, schema in SCHEMAS.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        texts = {ask(name, seed) for seed in SEEDS}
        for text in texts:
            fits(name, text)
        assert len(texts) > 1 or name == "const", (name, texts)


def response_format(name):
    return {"type": "json_schema", "json_schema": {"name": name, "schema": SCHEMAS[name], "strict": True}}


def spoken(server, **more):
    def ask(name, seed):
        r = client(server).chat.completions.create(
            model=MODEL, messages=SAY, seed=seed, response_format=response_format(name), **more)
        assert r.choices[0].finish_reason == "stop", r
        return r.choices[0].message.content
    return ask


@check
def response_formats():
    with serving(more="vllm_mock_latency none;") as s:
        all_of(spoken(s))
        all_of(spoken(s, temperature=0.3))


@check
def response_formats_with_drawn_lengths():
    with serving(more="vllm_mock_latency none; vllm_mock_output tokens=uniform:1:200;") as s:
        all_of(spoken(s))


@check
def response_formats_after_thoughts():
    with serving("--reasoning-parser qwen3", more="vllm_mock_latency none; vllm_mock_output tokens=40;") as s:
        all_of(spoken(s))


@check
def streamed():
    def ask(name, seed):
        stream = client(s).chat.completions.create(
            model=MODEL, messages=SAY, seed=seed, stream=True, response_format=response_format(name))
        return "".join(c.choices[0].delta.content or "" for c in stream)

    with serving(more="vllm_mock_latency none;") as s:
        all_of(ask)


@check
def completions():
    def ask(name, seed):
        return client(s).completions.create(
            model=MODEL, prompt="x", seed=seed, max_tokens=2000,
            extra_body={"structured_outputs": {"json": SCHEMAS[name]}}).choices[0].text

    with serving(more="vllm_mock_latency none;") as s:
        all_of(ask)


@check
def responses():
    def ask(name, seed):
        return client(s).responses.create(
            model=MODEL, input="x%d" % seed,
            text={"format": {"type": "json_schema", "name": name, "schema": SCHEMAS[name]}}).output_text

    with serving(more="vllm_mock_latency none;") as s:
        all_of(ask)


OBJECTS = {name for name, schema in SCHEMAS.items() if schema.get("type") == "object"}


@check
def arguments():
    """Of a tool that is named, of one that must be called, of one that may be; whole and streamed."""
    def ask(name, choice, seed, stream):
        r = client(s).chat.completions.create(
            model=MODEL, messages=SAY, seed=seed, tool_choice=choice, stream=stream,
            tools=[{"type": "function", "function": {"name": "f", "parameters": SCHEMAS[name]}}])
        if not stream:
            assert len(r.choices[0].message.tool_calls) == 1, r
            return r.choices[0].message.tool_calls[0].function.arguments
        calls = [call for c in r if c.choices for call in c.choices[0].delta.tool_calls or []]
        assert [call.function.name for call in calls if call.function.name] == ["f"], calls
        return "".join(call.function.arguments or "" for call in calls)

    with serving(TOOLS, more="vllm_mock_latency none; vllm_mock_output calls=100%;") as s:
        for choice in {"type": "function", "function": {"name": "f"}}, "required", "auto":
            for name in OBJECTS:
                for seed in SEEDS:
                    fits(name, ask(name, choice, seed, stream=seed % 2 == 1))


@check
def many_choices():
    with serving(more="vllm_mock_latency none;") as s:
        r = client(s).chat.completions.create(model=MODEL, messages=SAY, n=20, response_format=response_format("numbers"))
        assert len({json.dumps(fits("numbers", c.message.content)) for c in r.choices}) > 10
