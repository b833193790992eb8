// What users of OpenAI's and Anthropic's clients for Go see: main URL
package main

import (
	"errors"
	"fmt"
	"os"
)

var failed, passed int

func check(name string, f func() error) {
	if err := f(); err != nil {
		failed++
		fmt.Printf("not ok %s\n%v\n", name, err)
		return
	}
	passed++
	fmt.Println("ok " + name)
}

// must is an error unless the fact holds.
func must(fact bool, format string, more ...any) error {
	if fact {
		return nil
	}
	return fmt.Errorf(format, more...)
}

// first is the first error of some, or none.
func first(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// refused tells whether err is the client's own type of error; status gives its HTTP status.
func refused[E error](err error, wanted int, status func(E) int) error {
	var e E
	if !errors.As(err, &e) {
		return fmt.Errorf("no such error: %v", err)
	}
	return must(status(e) == wanted, "status %d, not %d: %v", status(e), wanted, err)
}

var schema = map[string]any{
	"type":                 "object",
	"properties":           map[string]any{"city": map[string]any{"type": "string"}, "days": map[string]any{"type": "integer"}},
	"required":             []string{"city", "days"},
	"additionalProperties": false,
}

type weather struct {
	City *string `json:"city"`
	Days *int    `json:"days"`
}

func main() {
	openaiChecks(os.Args[1])
	anthropicChecks(os.Args[1])
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
