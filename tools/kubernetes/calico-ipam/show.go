package main

import (
	"context"

	"github.com/projectcalico/calico/libcalico-go/lib/backend/model"
)

type allocation struct {
	Address   string `json:"address"`
	Handle    string `json:"handle,omitempty"`
	Node      string `json:"node,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Pod       string `json:"pod,omitempty"`
}

type shownBlock struct {
	CIDR string `json:"cidr"`
	// Absent: a block that its node released while addresses were in use.
	Node        string       `json:"node,omitempty"`
	Free        int          `json:"free"`
	Allocations []allocation `json:"allocations"`
}

type shownAffinity struct {
	Node  string `json:"node"`
	CIDR  string `json:"cidr"`
	State string `json:"state"`
}

type shown struct {
	Blocks     []shownBlock    `json:"blocks"`
	Affinities []shownAffinity `json:"affinities"`
}

func (a *allocator) show(ctx context.Context, _ struct{}) (*shown, error) {
	result := &shown{Blocks: []shownBlock{}, Affinities: []shownAffinity{}}
	blocks, err := a.blocks(ctx)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		result.Blocks = append(result.Blocks, shownBlock{
			CIDR:        block.CIDR.String(),
			Node:        block.Host(),
			Free:        len(block.Unallocated),
			Allocations: allocationsOf(block),
		})
	}
	affinities, err := a.backend.List(ctx, model.BlockAffinityListOptions{}, "")
	if err != nil {
		return nil, err
	}
	for _, pair := range affinities.KVPairs {
		key := pair.Key.(model.BlockAffinityKey)
		state := string(pair.Value.(*model.BlockAffinity).State)
		result.Affinities = append(result.Affinities, shownAffinity{Node: key.Host, CIDR: key.CIDR.String(), State: state})
	}
	return result, nil
}

func allocationsOf(block *model.AllocationBlock) []allocation {
	allocations := []allocation{}
	for ordinal, attribute := range block.Allocations {
		if attribute == nil {
			continue
		}
		entry := allocation{Address: block.OrdinalToIP(ordinal).String()}
		// An index beyond the attributes is how Calico marks an address that is reserved.
		if *attribute < len(block.Attributes) {
			about := block.Attributes[*attribute]
			if about.AttrPrimary != nil {
				entry.Handle = *about.AttrPrimary
			}
			entry.Node = about.AttrSecondary[model.IPAMBlockAttributeNode]
			entry.Namespace = about.AttrSecondary[model.IPAMBlockAttributeNamespace]
			entry.Pod = about.AttrSecondary[model.IPAMBlockAttributePod]
		}
		allocations = append(allocations, entry)
	}
	return allocations
}
