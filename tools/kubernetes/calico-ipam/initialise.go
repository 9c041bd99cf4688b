package main

import (
	"context"
	"errors"

	v3 "github.com/projectcalico/api/pkg/apis/projectcalico/v3"
	cerrors "github.com/projectcalico/calico/libcalico-go/lib/errors"
	"github.com/projectcalico/calico/libcalico-go/lib/ipam"
	"github.com/projectcalico/calico/libcalico-go/lib/options"
)

// calicoVersion is what the objects of this release say of themselves.
const calicoVersion = "v3.31.0"

type poolArguments struct {
	Name             string                `json:"name"`
	CIDR             string                `json:"cidr"`
	BlockSize        int                   `json:"blockSize"`
	Disabled         bool                  `json:"disabled"`
	DisableBGPExport bool                  `json:"disableBGPExport"`
	NATOutgoing      bool                  `json:"natOutgoing"`
	NodeSelector     string                `json:"nodeSelector"`
	AllowedUses      []v3.IPPoolAllowedUse `json:"allowedUses"`
}

type initArguments struct {
	Pools            []poolArguments `json:"pools"`
	StrictAffinity   bool            `json:"strictAffinity"`
	MaxBlocksPerHost int             `json:"maxBlocksPerHost"`
}

type initialised struct {
	Pools []string `json:"pools"`
}

// initialise does what an installation does: ClusterInformation with a ready datastore, the tiers, the allocator's
// configuration, the pools. A pool that exists stays as it is.
func (a *allocator) initialise(ctx context.Context, arguments initArguments) (*initialised, error) {
	if err := a.client.EnsureInitialized(ctx, calicoVersion, "k8s,kdd"); err != nil {
		return nil, err
	}
	if err := a.configure(ctx, arguments); err != nil {
		return nil, err
	}
	result := &initialised{Pools: []string{}}
	for _, pool := range arguments.Pools {
		if err := a.ensurePool(ctx, pool); err != nil {
			return nil, err
		}
		result.Pools = append(result.Pools, pool.Name)
	}
	return result, nil
}

// Calico refuses a change of strictness while there are blocks, so equal configuration is not written again.
func (a *allocator) configure(ctx context.Context, arguments initArguments) error {
	current, err := a.ipam.GetIPAMConfig(ctx)
	if err != nil {
		return err
	}
	wanted := ipam.IPAMConfig{
		StrictAffinity:     arguments.StrictAffinity,
		AutoAllocateBlocks: true,
		MaxBlocksPerHost:   arguments.MaxBlocksPerHost,
	}
	if *current == wanted {
		return nil
	}
	return a.ipam.SetIPAMConfig(ctx, wanted)
}

func (a *allocator) ensurePool(ctx context.Context, arguments poolArguments) error {
	pool := v3.NewIPPool()
	pool.Name = arguments.Name
	pool.Spec = v3.IPPoolSpec{
		CIDR:             arguments.CIDR,
		BlockSize:        arguments.BlockSize,
		Disabled:         arguments.Disabled,
		DisableBGPExport: arguments.DisableBGPExport,
		NATOutgoing:      arguments.NATOutgoing,
		NodeSelector:     arguments.NodeSelector,
		AllowedUses:      arguments.AllowedUses,
		IPIPMode:         v3.IPIPModeNever,
		VXLANMode:        v3.VXLANModeNever,
	}
	_, err := a.client.IPPools().Create(ctx, pool, options.SetOptions{})
	var exists cerrors.ErrorResourceAlreadyExists
	if errors.As(err, &exists) {
		return nil
	}
	return err
}
