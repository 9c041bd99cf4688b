// Command calico-ipam gives and takes pod addresses through Calico's own allocator, so that blocks, affinities and handles in
// the cluster are what Calico writes.
//
//	calico-ipam --kubeconfig FILE OPERATION [JSON]   one operation; prints its result as one line of JSON
//	calico-ipam --kubeconfig FILE serve              requests {"id":…,"operation":…,"arguments":{…}} as lines on the standard
//	                                                 input, answers {"id":…,"result":…} or {"id":…,"error":"…"} as lines on the
//	                                                 standard output; ends with its input
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/projectcalico/calico/libcalico-go/lib/apiconfig"
	"github.com/projectcalico/calico/libcalico-go/lib/clientv3"
	"github.com/sirupsen/logrus"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file with the credentials; the Calico CRDs must be there")
	verbose := flag.Bool("verbose", false, "say what the allocator does")
	flag.Usage = usage
	flag.Parse()
	if *kubeconfig == "" || flag.NArg() < 1 || flag.NArg() > 2 {
		usage()
		os.Exit(2)
	}
	logrus.SetOutput(os.Stderr)
	logrus.SetLevel(logrus.ErrorLevel)
	if *verbose {
		logrus.SetLevel(logrus.InfoLevel)
	}
	if err := run(*kubeconfig, flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintf(os.Stderr, "calico-ipam: %v\n", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintf(os.Stderr, "usage: calico-ipam --kubeconfig FILE serve | OPERATION [JSON]\noperations: %s\n", operationNames())
	flag.PrintDefaults()
}

func run(kubeconfig, operation, arguments string) error {
	client, err := connect(kubeconfig)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	allocator := newAllocator(client)
	ctx := context.Background()
	if operation == "serve" {
		return serve(ctx, allocator, os.Stdin, os.Stdout)
	}
	if arguments == "" {
		arguments = "{}"
	}
	result, err := allocator.perform(ctx, operation, json.RawMessage(arguments))
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// A limit of requests a second high enough never to be felt: the apiserver is ours, on the same machine.
const requestsPerSecond = 1000

func connect(kubeconfig string) (clientv3.Interface, error) {
	config := apiconfig.NewCalicoAPIConfig()
	config.Spec.DatastoreType = apiconfig.Kubernetes
	config.Spec.Kubeconfig = kubeconfig
	config.Spec.K8sClientQPS = requestsPerSecond
	return clientv3.New(*config)
}
