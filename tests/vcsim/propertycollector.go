// The property collector's lasting half: filters, and WaitForUpdatesEx with versions that count up.
package main

import (
	"strconv"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Changes that come within this time arrive together.
const gather = 50 * time.Millisecond

// PropertyCollector belongs to a session. The library makes the session's default one as an empty value.
type PropertyCollector struct {
	mo.PropertyCollector
	unlocked
	touched marks

	mu      sync.Mutex
	filters []*PropertyFilter
	rests   map[string]rest
	version int
	last    *types.UpdateSet // what led to the version: sent again when asked for
	pending []types.PropertyFilterUpdate
	cut     bool          // the last answer was truncated
	stop    chan struct{} // ends the wait that is going on
}

// CreatePropertyCollector makes one more.
func (pc *PropertyCollector) CreatePropertyCollector(ctx *simulator.Context, _ *types.CreatePropertyCollector) soap.HasFault {
	made := ctx.Session.Put(new(PropertyCollector))
	return &methods.CreatePropertyCollectorBody{Res: &types.CreatePropertyCollectorResponse{Returnval: made.Reference()}}
}

// CreateFilter adds a filter.
func (pc *PropertyCollector) CreateFilter(ctx *simulator.Context, req *types.CreateFilter) soap.HasFault {
	filter := &PropertyFilter{pc: pc}
	filter.Spec, filter.PartialUpdates = req.Spec, req.PartialUpdates
	made := ctx.Session.Put(filter).Reference()
	updates.join(pc, ctx.Session.Key)
	pc.mu.Lock()
	pc.filters = append(pc.filters, filter)
	pc.mu.Unlock()
	pc.touched.add([]ref{made})
	return &methods.CreateFilterBody{Res: &types.CreateFilterResponse{Returnval: made}}
}

// DestroyPropertyCollector ends it with its filters and its wait.
func (pc *PropertyCollector) DestroyPropertyCollector(ctx *simulator.Context, _ *types.DestroyPropertyCollector) soap.HasFault {
	updates.leave(pc)
	pc.mu.Lock()
	pc.interrupt()
	for _, filter := range pc.filters {
		ctx.Session.Remove(filter.Self)
	}
	pc.filters = nil
	pc.mu.Unlock()
	ctx.Session.Remove(pc.Self)
	return &methods.DestroyPropertyCollectorBody{Res: new(types.DestroyPropertyCollectorResponse)}
}

func (pc *PropertyCollector) interrupt() {
	if pc.stop != nil {
		close(pc.stop)
		pc.stop = nil
	}
}

// CancelWaitForUpdates ends the wait that is going on.
func (pc *PropertyCollector) CancelWaitForUpdates(*types.CancelWaitForUpdates) soap.HasFault {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	pc.interrupt()
	return &methods.CancelWaitForUpdatesBody{Res: new(types.CancelWaitForUpdatesResponse)}
}

// WaitForUpdatesEx waits until something changed: no longer than maxWaitSeconds, not at all when that is 0.
func (pc *PropertyCollector) WaitForUpdatesEx(ctx *simulator.Context, req *types.WaitForUpdatesEx) soap.HasFault {
	set, fault := pc.wait(ctx, req.Version, req.Options)
	if fault != nil {
		return &methods.WaitForUpdatesExBody{Fault_: fault}
	}
	return &methods.WaitForUpdatesExBody{Res: &types.WaitForUpdatesExResponse{Returnval: set}}
}

func (pc *PropertyCollector) wait(ctx *simulator.Context, version string, options *types.WaitOptions) (*types.UpdateSet, *soap.Fault) {
	var deadline <-chan time.Time
	var max int32
	if options != nil {
		max = options.MaxObjectUpdates
		if options.MaxWaitSeconds != nil {
			if *options.MaxWaitSeconds < 0 {
				return nil, invalidArgument("maxWaitSeconds")
			}
			timer := time.NewTimer(time.Duration(*options.MaxWaitSeconds) * time.Second)
			defer timer.Stop()
			deadline = timer.C
		}
	}
	again, stop, fault := pc.start(version)
	if again != nil || fault != nil {
		return again, fault
	}
	alive := time.NewTicker(250 * time.Millisecond)
	defer alive.Stop()
	for {
		set, fault := pc.look(ctx, max, version == "")
		if set != nil || fault != nil {
			return set, fault
		}
		bell := pc.touched.wait()
		for waiting := true; waiting; {
			select {
			case <-bell:
				waiting = false
				if options == nil || options.MaxWaitSeconds == nil || *options.MaxWaitSeconds > 0 {
					time.Sleep(gather)
				}
			case <-deadline:
				return nil, nil
			case <-stop:
				return nil, simulator.Fault(sentences["RequestCanceled"].english, new(types.RequestCanceled))
			case <-alive.C:
				if !sessions.alive(ctx.Session.Key) {
					return nil, simulator.Fault("", notAuthenticated(pc.Self, "System.View"))
				}
			}
		}
	}
}

// start accepts the version: "" begins anew, the last one goes on, the one before gets the last answer again.
func (pc *PropertyCollector) start(version string) (*types.UpdateSet, chan struct{}, *soap.Fault) {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	pc.interrupt() // one wait at a time: the older one was given up, most likely
	switch {
	case version == "":
		for _, filter := range pc.filters {
			filter.shown, filter.order, filter.nodes, filter.missing = nil, nil, nil, nil
		}
		pc.pending = nil
	case pc.version > 0 && version == strconv.Itoa(pc.version):
	case pc.last != nil && version == strconv.Itoa(pc.version-1):
		return pc.last, nil, nil
	default:
		return nil, nil, simulator.Fault("", new(types.InvalidCollectorVersion))
	}
	pc.stop = make(chan struct{})
	return nil, pc.stop, nil
}

// look computes what is new and gives as much of it as goes into one answer: nil when there is nothing.
func (pc *PropertyCollector) look(ctx *simulator.Context, max int32, first bool) (*types.UpdateSet, *soap.Fault) {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	if len(pc.pending) == 0 {
		changed := pc.touched.take()
		for _, filter := range pc.filters {
			list, missing, fault := filter.news(ctx, changed)
			if fault != nil {
				return nil, simulator.Fault(notFoundText, fault)
			}
			if len(list)+len(missing) > 0 {
				pc.pending = append(pc.pending, types.PropertyFilterUpdate{Filter: filter.Self, ObjectSet: list, MissingSet: missing})
			}
		}
		if len(pc.pending) == 0 && !first {
			return nil, nil
		}
	}
	set := &types.UpdateSet{}
	total := 0
	for _, update := range pc.pending {
		total += len(update.ObjectSet)
	}
	room := atMost(total, max)
	if room < total || pc.cut {
		set.Truncated = types.NewBool(room < total)
	}
	pc.cut = room < total
	for len(pc.pending) > 0 {
		next := &pc.pending[0]
		if len(next.ObjectSet) > room {
			if room > 0 {
				part := *next
				part.ObjectSet = next.ObjectSet[:room:room]
				set.FilterSet = append(set.FilterSet, part)
				next.ObjectSet, next.MissingSet = next.ObjectSet[room:], nil
			}
			break
		}
		room -= len(next.ObjectSet)
		set.FilterSet = append(set.FilterSet, *next)
		pc.pending = pc.pending[1:]
	}
	pc.version++
	set.Version = strconv.Itoa(pc.version)
	pc.last = set
	return set, nil
}

// WaitForUpdates is the old form.
func (pc *PropertyCollector) WaitForUpdates(ctx *simulator.Context, req *types.WaitForUpdates) soap.HasFault {
	set, fault := pc.wait(ctx, req.Version, nil)
	if fault != nil {
		return &methods.WaitForUpdatesBody{Fault_: fault}
	}
	return &methods.WaitForUpdatesBody{Res: &types.WaitForUpdatesResponse{Returnval: *set}}
}
