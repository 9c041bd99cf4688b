package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net"

	"github.com/projectcalico/calico/libcalico-go/lib/backend/model"
	"github.com/projectcalico/calico/libcalico-go/lib/ipam"
	cnet "github.com/projectcalico/calico/libcalico-go/lib/net"
	"github.com/projectcalico/calico/libcalico-go/lib/options"
)

type claimArguments struct {
	Node string `json:"node"`
	// The block to claim; without it the first one of the pools that nobody has.
	Block string `json:"block"`
	// With no block named: the pool to take it from; any enabled pool when empty.
	Pool string `json:"pool"`
}

type claimed struct {
	Block string `json:"block"`
}

type releaseAffinityArguments struct {
	Node string `json:"node"`
	// One block; every block of the node when empty.
	Block string `json:"block"`
	// Refuse when an address of a block is in use, instead of leaving the block to nobody until its last address is released.
	MustBeEmpty bool `json:"mustBeEmpty"`
}

type done struct{}

func (a *allocator) claim(ctx context.Context, arguments claimArguments) (*claimed, error) {
	if arguments.Node == "" {
		return nil, errors.New("node is missing")
	}
	text := arguments.Block
	if text == "" {
		free, err := a.freeBlock(ctx, arguments.Pool)
		if err != nil {
			return nil, err
		}
		text = free
	}
	_, block, err := cnet.ParseCIDR(text)
	if err != nil {
		return nil, err
	}
	_, refused, err := a.ipam.ClaimAffinity(ctx, *block, affinityOf(arguments.Node))
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("block %s belongs to another node", text)
	}
	return &claimed{Block: block.String()}, err
}

func (a *allocator) releaseAffinity(ctx context.Context, arguments releaseAffinityArguments) (*done, error) {
	if arguments.Node == "" {
		return nil, errors.New("node is missing")
	}
	if arguments.Block == "" {
		return &done{}, a.ipam.ReleaseHostAffinities(ctx, affinityOf(arguments.Node), arguments.MustBeEmpty)
	}
	_, block, err := cnet.ParseCIDR(arguments.Block)
	if err != nil {
		return nil, err
	}
	return &done{}, a.ipam.ReleaseAffinity(ctx, *block, arguments.Node, arguments.MustBeEmpty)
}

func affinityOf(node string) ipam.AffinityConfig {
	return ipam.AffinityConfig{AffinityType: ipam.AffinityTypeHost, Host: node}
}

func (a *allocator) blocks(ctx context.Context) ([]*model.AllocationBlock, error) {
	list, err := a.backend.List(ctx, model.BlockListOptions{}, "")
	if err != nil {
		return nil, err
	}
	var blocks []*model.AllocationBlock
	for _, pair := range list.KVPairs {
		blocks = append(blocks, pair.Value.(*model.AllocationBlock))
	}
	return blocks, nil
}

func (a *allocator) freeBlock(ctx context.Context, wantedPool string) (string, error) {
	blocks, err := a.blocks(ctx)
	if err != nil {
		return "", err
	}
	taken := map[string]bool{}
	for _, block := range blocks {
		taken[block.CIDR.String()] = true
	}
	pools, err := a.client.IPPools().List(ctx, options.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, pool := range pools.Items {
		if pool.Spec.Disabled || (wantedPool != "" && pool.Spec.CIDR != wantedPool) {
			continue
		}
		_, network, err := net.ParseCIDR(pool.Spec.CIDR)
		if err != nil {
			return "", err
		}
		if block, found := firstFree(network, pool.Spec.BlockSize, taken); found {
			return block, nil
		}
	}
	return "", errors.New("every block is taken")
}

// firstFree walks the networks of this prefix length inside a pool, in order.
func firstFree(pool *net.IPNet, length int, taken map[string]bool) (string, bool) {
	_, bits := pool.Mask.Size()
	step := new(big.Int).Lsh(big.NewInt(1), uint(bits-length))
	address := new(big.Int).SetBytes(pool.IP)
	for {
		ip := net.IP(address.FillBytes(make([]byte, bits/8)))
		if !pool.Contains(ip) {
			return "", false
		}
		block := fmt.Sprintf("%s/%d", ip, length)
		if !taken[block] {
			return block, true
		}
		address.Add(address, step)
	}
}
