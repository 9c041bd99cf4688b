// Command control-plane is etcd, etcdutl, kube-apiserver, kube-controller-manager, kube-scheduler and kubectl in one file: the name it
// is started by (a symbolic link) says which one it is. Each of them is what its own main of the same release is; only their
// common packages are there once.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // time zones of CronJobs

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/etcdutl/v3/etcdutl"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // credential plugins of kubectl
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

var programs = map[string]func(){
	"etcd":                    func() { etcdmain.Main(os.Args) },
	"etcdutl":                 runEtcdutl,
	"kube-apiserver":          func() { os.Exit(cli.Run(apiserver.NewAPIServerCommand())) },
	"kube-controller-manager": func() { os.Exit(cli.Run(controllermanager.NewControllerManagerCommand())) },
	"kube-scheduler":          func() { os.Exit(cli.Run(scheduler.NewSchedulerCommand())) },
	"kubectl":                 runKubectl,
}

func main() {
	name := filepath.Base(os.Args[0])
	program, known := programs[name]
	if !known {
		fmt.Fprintf(os.Stderr, "%s: start it by the name of a program: %s\n", name, strings.Join(names(), ", "))
		os.Exit(2)
	}
	program()
}

func names() []string {
	var list []string
	for name := range programs {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Of etcdutl there are the commands on snapshots: `etcdutl snapshot restore` makes a data folder of a backup.
func runEtcdutl() {
	command := &cobra.Command{Use: "etcdutl"}
	command.PersistentFlags().StringVarP(&etcdutl.OutputFormat, "write-out", "w", "simple", "the format of the output")
	command.AddCommand(etcdutl.NewSnapshotCommand())
	os.Exit(cli.Run(command))
}

// The verbosity must be known before the command is made: making it reads plugins and .kuberc, and logs.
func runKubectl() {
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
