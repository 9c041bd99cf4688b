package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/projectcalico/calico/libcalico-go/lib/backend/api"
	"github.com/projectcalico/calico/libcalico-go/lib/clientv3"
	"github.com/projectcalico/calico/libcalico-go/lib/ipam"
)

// Reads its arguments and answers with something that is written as JSON.
type operation func(a *allocator, ctx context.Context, arguments json.RawMessage) (any, error)

var operations = map[string]operation{
	"init":             typed((*allocator).initialise),
	"assign":           typed((*allocator).assign),
	"borrow":           typed((*allocator).borrow),
	"release":          typed((*allocator).release),
	"claim":            typed((*allocator).claim),
	"release-affinity": typed((*allocator).releaseAffinity),
	"show":             typed((*allocator).show),
}

type allocator struct {
	client  clientv3.Interface
	ipam    ipam.Interface
	backend api.Client
}

// Blocks have no client of their own: the backend accessor is how Calico's own tools read them.
func newAllocator(client clientv3.Interface) *allocator {
	return &allocator{
		client:  client,
		ipam:    client.IPAM(),
		backend: client.(interface{ Backend() api.Client }).Backend(),
	}
}

func (a *allocator) perform(ctx context.Context, name string, arguments json.RawMessage) (any, error) {
	run, known := operations[name]
	if !known {
		return nil, fmt.Errorf("no operation %q; there are: %s", name, operationNames())
	}
	result, err := run(a, ctx, arguments)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return result, nil
}

func operationNames() string {
	return strings.Join(slices.Sorted(maps.Keys(operations)), ", ")
}

// typed refuses arguments that the operation does not know: a misspelt one must not be a silent default.
func typed[Arguments, Result any](run func(*allocator, context.Context, Arguments) (Result, error)) operation {
	return func(a *allocator, ctx context.Context, raw json.RawMessage) (any, error) {
		var arguments Arguments
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&arguments); err != nil {
			return nil, fmt.Errorf("arguments: %w", err)
		}
		return run(a, ctx, arguments)
	}
}
