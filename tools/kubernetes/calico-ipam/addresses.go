package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	v3 "github.com/projectcalico/api/pkg/apis/projectcalico/v3"
	"github.com/projectcalico/calico/libcalico-go/lib/ipam"
	cnet "github.com/projectcalico/calico/libcalico-go/lib/net"
)

// A workload is a pod on a node. Without a handle it gets one made of its names; Calico's network plugin uses the id of the
// container, which nobody has here.
type workload struct {
	Node      string `json:"node"`
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Handle    string `json:"handle"`
}

type assignArguments struct {
	workload
	// One address, instead of the next ones.
	Address string `json:"address"`
	// How many of each family; one of IPv4 when both are 0.
	IPv4 int `json:"ipv4"`
	IPv6 int `json:"ipv6"`
	// Pools to choose from; all when empty.
	Pools []string `json:"pools"`
	// How many blocks the node may have; 0 is Calico's own limit.
	MaxBlocks int `json:"maxBlocks"`
}

type borrowArguments struct {
	workload
	// The node whose block gives the address.
	From string `json:"from"`
}

type releaseArguments struct {
	Handle    string   `json:"handle"`
	Namespace string   `json:"namespace"`
	Pod       string   `json:"pod"`
	Addresses []string `json:"addresses"`
}

type assigned struct {
	Addresses []string `json:"addresses"`
	Handle    string   `json:"handle"`
}

type released struct {
	Addresses []string `json:"addresses"`
}

func handleOf(namespace, pod string) string {
	return strings.ToLower(fmt.Sprintf("k8s-pod-network.%s.%s", namespace, pod))
}

func (w workload) handle() string {
	if w.Handle != "" {
		return w.Handle
	}
	return handleOf(w.Namespace, w.Pod)
}

// The attributes that Calico's network plugin writes.
func (w workload) attributes() map[string]string {
	return map[string]string{
		ipam.AttributeNode:      w.Node,
		ipam.AttributeNamespace: w.Namespace,
		ipam.AttributePod:       w.Pod,
		ipam.AttributeTimestamp: time.Now().UTC().String(),
	}
}

func (w workload) check() error {
	if w.Node == "" {
		return errors.New("node is missing")
	}
	if w.Handle == "" && (w.Namespace == "" || w.Pod == "") {
		return errors.New("namespace and pod, or a handle, are missing")
	}
	return nil
}

// assign gives addresses as the network plugin gets them, all or none.
func (a *allocator) assign(ctx context.Context, arguments assignArguments) (*assigned, error) {
	if err := arguments.check(); err != nil {
		return nil, err
	}
	if arguments.Address != "" {
		return a.assignThis(ctx, arguments.workload, arguments.Address)
	}
	auto, err := arguments.auto()
	if err != nil {
		return nil, err
	}
	v4, v6, err := a.ipam.AutoAssign(ctx, auto)
	addresses := append(addressesOf(v4), addressesOf(v6)...)
	if err == nil && len(addresses) < auto.Num4+auto.Num6 {
		err = fmt.Errorf("got %d of %d addresses%s", len(addresses), auto.Num4+auto.Num6, messagesOf(v4, v6))
	}
	if err != nil {
		return nil, errors.Join(err, a.giveBack(ctx, addresses))
	}
	return &assigned{Addresses: addresses, Handle: *auto.HandleID}, nil
}

func (arguments assignArguments) auto() (ipam.AutoAssignArgs, error) {
	handle := arguments.handle()
	auto := ipam.AutoAssignArgs{
		Num4:             arguments.IPv4,
		Num6:             arguments.IPv6,
		HandleID:         &handle,
		Attrs:            arguments.attributes(),
		Hostname:         arguments.Node,
		MaxBlocksPerHost: arguments.MaxBlocks,
		IntendedUse:      v3.IPPoolAllowedUseWorkload,
	}
	if auto.Num4 == 0 && auto.Num6 == 0 {
		auto.Num4 = 1
	}
	for _, text := range arguments.Pools {
		_, pool, err := cnet.ParseCIDR(text)
		if err != nil {
			return auto, err
		}
		if pool.Version() == 4 {
			auto.IPv4Pools = append(auto.IPv4Pools, *pool)
		} else {
			auto.IPv6Pools = append(auto.IPv6Pools, *pool)
		}
	}
	return auto, nil
}

func (a *allocator) assignThis(ctx context.Context, pod workload, text string) (*assigned, error) {
	address := cnet.ParseIP(text)
	if address == nil {
		return nil, fmt.Errorf("%q is not an address", text)
	}
	handle := pod.handle()
	err := a.ipam.AssignIP(ctx, ipam.AssignIPArgs{
		IP:          *address,
		HandleID:    &handle,
		Attrs:       pod.attributes(),
		Hostname:    pod.Node,
		IntendedUse: v3.IPPoolAllowedUseWorkload,
	})
	if err != nil {
		return nil, err
	}
	return &assigned{Addresses: []string{address.String()}, Handle: handle}, nil
}

// borrow gives a pod an address of another node's block, which Calico itself does only when the pool has no block left.
// The allocator refuses it under strict affinity.
func (a *allocator) borrow(ctx context.Context, arguments borrowArguments) (*assigned, error) {
	if err := arguments.check(); err != nil {
		return nil, err
	}
	blocks, err := a.blocks(ctx)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		if block.Affinity == nil || *block.Affinity != "host:"+arguments.From {
			continue
		}
		if len(block.Unallocated) > 0 {
			return a.assignThis(ctx, arguments.workload, block.OrdinalToIP(block.Unallocated[0]).String())
		}
	}
	return nil, fmt.Errorf("no block of node %q has a free address", arguments.From)
}

func (a *allocator) release(ctx context.Context, arguments releaseArguments) (*released, error) {
	if len(arguments.Addresses) > 0 {
		return &released{Addresses: arguments.Addresses}, a.giveBack(ctx, arguments.Addresses)
	}
	handle := arguments.Handle
	if handle == "" {
		handle = handleOf(arguments.Namespace, arguments.Pod)
	}
	addresses, err := a.ipam.IPsByHandle(ctx, handle)
	if err != nil {
		return nil, err
	}
	result := &released{Addresses: []string{}}
	for _, address := range addresses {
		result.Addresses = append(result.Addresses, address.String())
	}
	return result, a.ipam.ReleaseByHandle(ctx, handle)
}

func (a *allocator) giveBack(ctx context.Context, addresses []string) error {
	if len(addresses) == 0 {
		return nil
	}
	var list []ipam.ReleaseOptions
	for _, address := range addresses {
		list = append(list, ipam.ReleaseOptions{Address: address})
	}
	unallocated, _, err := a.ipam.ReleaseIPs(ctx, list...)
	if err == nil && len(unallocated) > 0 {
		return fmt.Errorf("not allocated: %v", unallocated)
	}
	return err
}

func addressesOf(given *ipam.IPAMAssignments) []string {
	addresses := []string{}
	if given != nil {
		for _, network := range given.IPs {
			addresses = append(addresses, network.IP.String())
		}
	}
	return addresses
}

func messagesOf(given ...*ipam.IPAMAssignments) string {
	var messages []string
	for _, part := range given {
		if part != nil {
			messages = append(messages, part.Msgs...)
		}
	}
	if len(messages) == 0 {
		return ""
	}
	return ": " + strings.Join(messages, "; ")
}
