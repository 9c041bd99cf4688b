package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
)

type request struct {
	ID        json.RawMessage `json:"id"`
	Operation string          `json:"operation"`
	Arguments json.RawMessage `json:"arguments"`
}

type answer struct {
	ID     json.RawMessage `json:"id"`
	Result any             `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

const longestLine = 1 << 20

// serve answers requests one after the other, in the order they came, until the input ends.
func serve(ctx context.Context, allocator *allocator, input io.Reader, output io.Writer) error {
	lines := bufio.NewScanner(input)
	lines.Buffer(make([]byte, 0, 4096), longestLine)
	encoder := json.NewEncoder(output)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := encoder.Encode(answerTo(ctx, allocator, lines.Bytes())); err != nil {
			return err
		}
	}
	return lines.Err()
}

func answerTo(ctx context.Context, allocator *allocator, line []byte) answer {
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{ID: json.RawMessage("null"), Error: fmt.Sprintf("not a request: %v", err)}
	}
	if asked.ID == nil {
		asked.ID = json.RawMessage("null")
	}
	if asked.Arguments == nil {
		asked.Arguments = json.RawMessage("{}")
	}
	result, err := allocator.perform(ctx, asked.Operation, asked.Arguments)
	if err != nil {
		return answer{ID: asked.ID, Error: err.Error()}
	}
	return answer{ID: asked.ID, Result: result}
}
