package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
)

func isWeather(text string) error {
	var w weather
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return fmt.Errorf("%q: %w", text, err)
	}
	return must(w.City != nil && w.Days != nil, "not the schema's: %s", text)
}

func openaiChecks(root string) {
	ctx := context.Background()
	with := func(key string, retries int) openai.Client {
		return openai.NewClient(option.WithBaseURL(root+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(retries))
	}
	client := with("right", 0)
	ask := openai.ChatCompletionNewParams{
		Model:     "m",
		Messages:  []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Tell me about rivers.")},
		MaxTokens: openai.Int(20),
		Seed:      openai.Int(3),
	}
	tooled := ask
	tooled.MaxTokens = openai.Int(200)
	tooled.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(
		shared.FunctionDefinitionParam{Name: "weather", Parameters: schema})}
	tooled.ToolChoice = openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: openai.String("required")}

	check("openai.models", func() error {
		page, err := client.Models.List(ctx)
		if err != nil {
			return err
		}
		return must(len(page.Data) == 1 && page.Data[0].ID == "m" && page.Data[0].OwnedBy == "vllm", "%v", page.Data)
	})

	check("openai.chat", func() error {
		r, err := client.Chat.Completions.New(ctx, ask)
		if err != nil {
			return err
		}
		return first(
			must(r.Choices[0].Message.Content != "" && r.Choices[0].FinishReason == "length", "%v", r.RawJSON()),
			must(r.Usage.CompletionTokens == 20 && r.Usage.TotalTokens == r.Usage.PromptTokens+20, "%v", r.RawJSON()))
	})

	check("openai.stream", func() error {
		whole, err := client.Chat.Completions.New(ctx, ask)
		if err != nil {
			return err
		}
		counted := ask
		counted.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
		stream := client.Chat.Completions.NewStreaming(ctx, counted)
		sum, chunks := openai.ChatCompletionAccumulator{}, 0
		for stream.Next() {
			if !sum.AddChunk(stream.Current()) {
				return fmt.Errorf("does not add up: %s", stream.Current().RawJSON())
			}
			chunks++
		}
		return first(stream.Err(),
			must(sum.Choices[0].Message.Content == whole.Choices[0].Message.Content, "%v", sum.Choices),
			must(sum.Choices[0].FinishReason == "length" && sum.Usage.CompletionTokens == 20, "%v", sum.Usage),
			must(chunks >= 21, "%d chunks", chunks))
	})

	check("openai.tools", func() error {
		r, err := client.Chat.Completions.New(ctx, tooled)
		if err != nil {
			return err
		}
		calls := r.Choices[0].Message.ToolCalls
		if len(calls) != 1 || calls[0].Function.Name != "weather" {
			return fmt.Errorf("%s", r.RawJSON())
		}
		next := tooled
		next.ToolChoice = openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: openai.String("auto")}
		next.Messages = append(append([]openai.ChatCompletionMessageParamUnion{}, ask.Messages...),
			r.Choices[0].Message.ToParam(), openai.ToolMessage("Clear.", calls[0].ID))
		last, err := client.Chat.Completions.New(ctx, next)
		if err != nil {
			return err
		}
		return first(isWeather(calls[0].Function.Arguments),
			must(last.Choices[0].Message.Content != "" && len(last.Choices[0].Message.ToolCalls) == 0, "%s", last.RawJSON()))
	})

	check("openai.toolsStream", func() error {
		stream := client.Chat.Completions.NewStreaming(ctx, tooled)
		sum, ended := openai.ChatCompletionAccumulator{}, 0
		var call openai.FinishedChatCompletionToolCall
		for stream.Next() {
			sum.AddChunk(stream.Current())
			if c, ok := sum.JustFinishedToolCall(); ok {
				call, ended = c, ended+1
			}
		}
		return first(stream.Err(), must(ended == 1 && call.Name == "weather", "%d: %v", ended, call), isWeather(call.Arguments))
	})

	check("openai.structured", func() error {
		formed := ask
		formed.MaxTokens = openai.Int(500)
		formed.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
				Name: "weather", Schema: schema, Strict: openai.Bool(true)}}}
		r, err := client.Chat.Completions.New(ctx, formed)
		if err != nil {
			return err
		}
		return isWeather(r.Choices[0].Message.Content)
	})

	check("openai.embeddings", func() error {
		r, err := client.Embeddings.New(ctx, openai.EmbeddingNewParams{Model: "m",
			Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"a", "b"}}})
		if err != nil {
			return err
		}
		return must(len(r.Data) == 2 && len(r.Data[0].Embedding) == 1536, "%d", len(r.Data))
	})

	check("openai.responses", func() error {
		wanted := responses.ResponseNewParams{Model: "m", MaxOutputTokens: openai.Int(9),
			Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Tell me about rivers.")}}
		r, err := client.Responses.New(ctx, wanted)
		if err != nil {
			return err
		}
		stream := client.Responses.NewStreaming(ctx, wanted)
		var text strings.Builder
		last := ""
		for stream.Next() {
			last = stream.Current().Type
			if last == "response.output_text.delta" {
				text.WriteString(stream.Current().Delta)
			}
		}
		return first(stream.Err(), must(r.OutputText() != "" && r.Usage.OutputTokens == 9, "%s", r.RawJSON()),
			must(last == "response.completed" && text.Len() > 0, "%s: %s", last, text.String()))
	})

	status := func(e *openai.Error) int { return e.StatusCode }

	check("openai.unknownModel", func() error {
		other := ask
		other.Model = "other"
		_, err := client.Chat.Completions.New(ctx, other)
		if e := refused(err, 404, status); e != nil {
			return e
		}
		var e *openai.Error
		errors.As(err, &e)
		return must(strings.Contains(e.Message, "other") && e.Param == "model", "%s", e.RawJSON())
	})

	check("openai.unknownModelOfAStream", func() error {
		other := ask
		other.Model = "other"
		stream := client.Chat.Completions.NewStreaming(ctx, other)
		for stream.Next() {
			return fmt.Errorf("a chunk: %s", stream.Current().RawJSON())
		}
		return refused(stream.Err(), 404, status)
	})

	// vLLM's 401 is {"error":"Unauthorized"}: this client wants an object there and gives an error of JSON instead of its own

	check("openai.wrongKey", func() error {
		code := 0
		wrong := with("wrong", 0)
		_, err := wrong.Chat.Completions.New(ctx, ask, option.WithMiddleware(
			func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
				answer, err := next(r)
				if err == nil {
					code = answer.StatusCode
				}
				return answer, err
			}))
		return must(err != nil && code == 401, "%d: %v", code, err)
	})

	check("openai.limited", func() error {
		busy := option.WithHeader("X-Busy", "once")
		_, err := client.Chat.Completions.New(ctx, ask, busy)
		if err := refused(err, 429, status); err != nil {
			return err
		}
		patient := with("right", 2)
		r, err := patient.Chat.Completions.New(ctx, ask, busy)
		if err != nil {
			return err
		}
		return must(r.Usage.CompletionTokens == 20, "%s", r.RawJSON())
	})
}
