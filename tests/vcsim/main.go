// A vCenter for tests: the inventory and the SOAP encoding are those of the library govmomi/simulator; tasks, their
// history, the property collector and the control port are written here. This file: the flags, the start, the end.
package main

import (
	"encoding/json"
	"flag"
	"io"
	"log"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

type ref = types.ManagedObjectReference

type options struct {
	listen, control, user, password, api, instance, state, lost, cert string
	tls, stdin, verbose                                               bool
	idle, recent, maxHistory                                          time.Duration
	machines, history, firstID, page                                  int
	rate                                                              float64
}

// The one vCenter of this process: the library keeps its inventory in a global, too.
var (
	opt      options
	tasks    *history
	updates  = newHub()
	sessions *sessionTable
)

func flags() {
	flag.StringVar(&opt.listen, "listen", "127.0.0.1:0", "address of the SDK")
	flag.StringVar(&opt.control, "control", "127.0.0.1:0", "address of the control port")
	flag.BoolVar(&opt.tls, "tls", true, "HTTPS (else HTTP)")
	flag.StringVar(&opt.cert, "cert", "", "PEM file with key and certificate, made when missing (else a new certificate each start)")
	flag.StringVar(&opt.user, "user", "administrator@vsphere.local", "who may sign in")
	flag.StringVar(&opt.password, "password", "secret", "with which password")
	flag.DurationVar(&opt.idle, "idle", 30*time.Minute, "a session without calls ends after this time (0: never)")
	flag.StringVar(&opt.api, "api", "6.7.3", "about.apiVersion")
	flag.StringVar(&opt.instance, "instance", "", "about.instanceUuid (else a new one, or the state file's)")
	flag.IntVar(&opt.machines, "machines", 2, "virtual machines on the host and again in the cluster")
	flag.IntVar(&opt.history, "history", 0, "finished tasks of the last 30 days, made up")
	flag.IntVar(&opt.firstID, "first-id", 1, "number of the first task's key")
	flag.StringVar(&opt.state, "state", "", "file that keeps the tasks over restarts")
	flag.StringVar(&opt.lost, "lost-unfinished", "end", "tasks unfinished at a restart: end (with an error) or vanish")
	flag.Float64Var(&opt.rate, "rate", 0, "task changes a second that happen by themselves")
	flag.DurationVar(&opt.maxHistory, "max-history", 0, "finished tasks that are older are forgotten (0: never)")
	flag.DurationVar(&opt.recent, "recent", 10*time.Minute, "how long a finished task stays in recentTask and its reference resolves")
	flag.IntVar(&opt.page, "page", 100, "objects in one answer of the property collector at most (0: all)")
	flag.BoolVar(&opt.stdin, "stdin", false, "end when standard input ends, too")
	flag.BoolVar(&opt.verbose, "v", false, "log to standard error")
	flag.Parse()
}

func main() {
	flags()
	log.SetFlags(log.Lmicroseconds)
	if !opt.verbose {
		log.SetOutput(io.Discard)
	}
	saved, err := readState(opt.state)
	check(err)
	opt.instance = first(opt.instance, saved.Instance, uuid.New().String())

	model := inventory()
	tasks = newHistory()
	check(saved.restore(tasks))
	replaceManagers()
	sessions = newSessionTable()
	go tasks.age()
	go sessions.watch()
	go traffic(opt.rate)

	sdk, err := net.Listen("tcp", opt.listen)
	check(err)
	control, err := net.Listen("tcp", opt.control)
	check(err)
	thumbprints := serveSDK(model.Service, sdk)
	go serveControl(control)

	scheme := map[bool]string{true: "https", false: "http"}[opt.tls]
	ready := map[string]string{"url": scheme + "://" + sdk.Addr().String() + "/sdk", "control": "http://" + control.Addr().String(), "instance": opt.instance}
	for name, value := range thumbprints {
		ready[name] = value
	}
	check(json.NewEncoder(os.Stdout).Encode(ready))

	waitForEnd()
	tasks.close()
	time.Sleep(20 * time.Millisecond) // for what is on its way
	model.Remove()
}

// inventory makes the datacenter with its hosts and machines; every third machine gets a Chinese name.
func inventory() *simulator.Model {
	model := simulator.VPX()
	model.Machine = opt.machines
	about := &model.ServiceContent.About
	about.ApiVersion, about.InstanceUuid = opt.api, opt.instance
	parts := append(strings.Split(opt.api, "."), "0", "0")
	about.Version = strings.Join(parts[:3], ".")
	about.FullName = "VMware vCenter Server " + about.Version + " build-" + about.Build
	check(model.Create())
	model.Service.Listen = &url.URL{User: url.UserPassword(opt.user, opt.password)}
	renameMachines()
	return model
}

func waitForEnd() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	ended := make(chan struct{})
	if opt.stdin {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			close(ended)
		}()
	}
	select {
	case <-signals:
	case <-ended:
	}
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

func check(err error) {
	if err != nil {
		log.SetOutput(os.Stderr)
		log.Fatal(err)
	}
}
