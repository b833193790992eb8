package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

func anthropicChecks(root string) {
	ctx := context.Background()
	with := func(key string, retries int) anthropic.Client {
		return anthropic.NewClient(option.WithBaseURL(root), option.WithAuthToken(key), option.WithMaxRetries(retries))
	}
	client := with("right", 0)
	ask := anthropic.MessageNewParams{
		Model:     "m",
		MaxTokens: 12,
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Tell me about rivers."))},
	}
	tooled := ask
	tooled.MaxTokens = 200
	tooled.ToolChoice = anthropic.ToolChoiceUnionParam{OfAny: &anthropic.ToolChoiceAnyParam{}}
	tooled.Tools = []anthropic.ToolUnionParam{anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{
		Properties: schema["properties"], Required: []string{"city", "days"}}, "weather")}

	streamed := func(ask anthropic.MessageNewParams) (anthropic.Message, int, error) {
		stream := client.Messages.NewStreaming(ctx, ask)
		sum, events := anthropic.Message{}, 0
		for stream.Next() {
			if err := sum.Accumulate(stream.Current()); err != nil {
				return sum, events, err
			}
			events++
		}
		return sum, events, stream.Err()
	}

	called := func(m *anthropic.Message) error {
		if m.StopReason != "tool_use" {
			return fmt.Errorf("%s", m.StopReason)
		}
		for _, block := range m.Content {
			if use, ok := block.AsAny().(anthropic.ToolUseBlock); ok {
				return first(must(use.Name == "weather" && use.ID != "", "%v", use), isWeather(string(use.Input)))
			}
		}
		return fmt.Errorf("no call: %v", m.Content)
	}

	check("anthropic.message", func() error {
		m, err := client.Messages.New(ctx, ask)
		if err != nil {
			return err
		}
		return must(m.Content[0].Text != "" && m.Usage.OutputTokens == 12 && m.StopReason == "max_tokens", "%s", m.RawJSON())
	})

	check("anthropic.countTokens", func() error {
		m, err := client.Messages.New(ctx, ask)
		if err != nil {
			return err
		}
		n, err := client.Messages.CountTokens(ctx, anthropic.MessageCountTokensParams{Model: "m", Messages: ask.Messages})
		if err != nil {
			return err
		}
		return must(n.InputTokens == m.Usage.InputTokens, "%d, not %d", n.InputTokens, m.Usage.InputTokens)
	})

	check("anthropic.stream", func() error {
		m, events, err := streamed(ask)
		if err != nil {
			return err
		}
		return must(m.Content[0].Text != "" && m.Usage.OutputTokens == 12 && m.StopReason == "max_tokens" && events > 12,
			"%d: %v", events, m)
	})

	check("anthropic.tool", func() error {
		m, err := client.Messages.New(ctx, tooled)
		if err != nil {
			return err
		}
		if err = called(m); err != nil {
			return err
		}
		next := tooled
		next.ToolChoice = anthropic.ToolChoiceUnionParam{OfAuto: &anthropic.ToolChoiceAutoParam{}}
		next.Messages = append(append([]anthropic.MessageParam{}, ask.Messages...), m.ToParam(),
			anthropic.NewUserMessage(anthropic.NewToolResultBlock(m.Content[len(m.Content)-1].ID, "Clear.", false)))
		last, err := client.Messages.New(ctx, next)
		if err != nil {
			return err
		}
		return must(last.Content[0].Text != "" && last.StopReason != "tool_use", "%s", last.RawJSON())
	})

	check("anthropic.toolStream", func() error {
		m, _, err := streamed(tooled)
		if err != nil {
			return err
		}
		return called(&m)
	})

	check("anthropic.structured", func() error {
		formed := ask
		formed.MaxTokens = 500
		formed.OutputConfig = anthropic.OutputConfigParam{Format: anthropic.JSONOutputFormatParam{Schema: schema}}
		m, err := client.Messages.New(ctx, formed)
		if err != nil {
			return err
		}
		return isWeather(m.Content[0].Text)
	})

	status := func(e *anthropic.Error) int { return e.StatusCode }

	check("anthropic.unknownModel", func() error {
		other := ask
		other.Model = "other"
		_, err := client.Messages.New(ctx, other)
		return first(refused(err, 404, status), must(strings.Contains(err.Error(), "other"), "%v", err))
	})

	check("anthropic.wrongKey", func() error {
		wrong := with("wrong", 0)
		_, err := wrong.Messages.New(ctx, ask)
		return refused(err, 401, status)
	})

	check("anthropic.limited", func() error {
		busy := option.WithHeader("X-Busy", "once")
		_, err := client.Messages.New(ctx, ask, busy)
		if err := refused(err, 429, status); err != nil {
			return err
		}
		patient := with("right", 2)
		m, err := patient.Messages.New(ctx, ask, busy)
		if err != nil {
			return err
		}
		return must(m.Usage.OutputTokens == 12, "%s", m.RawJSON())
	})
}
